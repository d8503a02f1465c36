//! Looks through all material for secrets, and writes down where they are and never what they are.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_model::declare::Manifest;
use countersign_model::require::Catalogue;
use countersign_model::require::profile::Section;
use serde_json::{Value, json};

use super::image;
use super::material::{Content, Material, PUBLISHED, gather};
use crate::granted::tenants;
use crate::source::{
    DigestKey, KnownCredentials, Limits, LiveCredentials, RuleSet, ScanReport, Scanner,
    SecretFinding,
};
use crate::talk::{Means, Talk};

/// Findings of one material that are written down; all are counted.
const FINDINGS_MAX: usize = 50;
/// Left-out things that are named; all are counted.
const NAMED_MAX: usize = 10;
/// Secrets in source are at most some gigabytes away.
const TOTAL_BYTES_MAX: u64 = 4 << 30;
/// A secret that is shorter would be found by chance.
const SECRET_BYTES_MIN: usize = 8;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Credentials of the integration itself that are alive.
    Live,
    /// Anything that is a secret.
    Secrets,
}

/// Only one scan runs at a time: it reads as fast as the machine can.
pub(super) const WORD: &str = "source scan";

/// Looks through everything, and writes down what was read, left out and found.
pub(super) async fn look(talk: &mut Talk, manifest: &Manifest, what: What) {
    let Some(means) = talk.means() else { return };
    let wanted = Catalogue::embedded()
        .profile(manifest.profile.as_str())
        .is_some_and(|it| it.missing_sections(manifest).contains(&Section::Source));
    talk.setting("source_missing", wanted);
    talk.setting("source_declared", Section::Source.is_in(manifest));
    let material = gather(talk, manifest).await;
    let known = match what {
        What::Live => Some(known(talk, &means, manifest, &material).await),
        What::Secrets => None,
    };
    let salt = means.salt;
    let at = talk.now().seconds();
    let stop = StopOnDrop::default();
    let flag = Arc::clone(&stop.0);
    let scan = move || -> Result<Vec<Looked>, String> {
        let scanner = scanner(&salt, known).map_err(|it| it.to_string())?.at(at).until(flag);
        Ok(material.into_iter().map(|it| Looked::at(&scanner, it)).collect())
    };
    match tokio::task::spawn_blocking(scan).await {
        Ok(Ok(all)) => all.iter().for_each(|it| it.write_down(talk, what)),
        Ok(Err(error)) => failed(talk, "the rules", &error),
        Err(_) => failed(talk, "the scan", "it broke"),
    }
}

fn failed(talk: &mut Talk, name: &str, error: &str) {
    talk.fact("unavailable", "run", json!({"name": name, "error": error}));
}

/// Whoever stops waiting for the scan stops it.
#[derive(Debug, Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the server knows of the integration's credentials.
struct Known {
    secrets: Vec<Vec<u8>>,
    traces: KnownCredentials,
}

async fn known(
    talk: &mut Talk,
    means: &Arc<Means>,
    manifest: &Manifest,
    material: &[Material],
) -> Known {
    let mut traces = KnownCredentials::default();
    let mut keys = 0;
    for it in material.iter().filter(|it| it.kind == PUBLISHED) {
        if let Content::Bytes(bytes) = &it.content
            && let Ok(set) = serde_json::from_slice(bytes)
        {
            keys += traces.add_keys(&set);
        }
    }
    let mut digests = 0;
    for (tenant, platform) in tenants(means) {
        match platform.accepted(&manifest.integration.id).await {
            Ok(accepted) => {
                keys += traces.add_keys(&json!({ "keys": accepted.keys }));
                digests += accepted.secrets.len();
                accepted.secrets.into_iter().for_each(|it| traces.add_secret(it));
            }
            Err(it) => {
                let name = format!("what the {tenant} tenant accepts from its clients");
                failed(talk, &name, &format!("{it}: {}", it.source));
            }
        }
    }
    let secrets: Vec<Vec<u8>> = means
        .secrets
        .values()
        .filter(|it| SECRET_BYTES_MIN <= it.len())
        .map(|it| it.as_bytes().to_vec())
        .collect();
    let unknown: Vec<&str> = manifest
        .identities
        .iter()
        .filter(|it| it.jwks.is_none())
        .map(|it| it.id.as_str())
        .collect();
    let value = json!({"keys": keys, "secrets": secrets.len(), "digests": digests, "without_key_set": unknown});
    talk.fact("known", "run", value);
    Known { secrets, traces }
}

fn scanner(salt: &[u8], known: Option<Known>) -> Result<Scanner, Box<dyn Error>> {
    let key = DigestKey::new(salt);
    let limits = Limits { total_bytes_max: TOTAL_BYTES_MAX, ..Limits::default() };
    let scanner = Scanner::with_rules(key.clone(), RuleSet::built_in()?).with_limits(limits);
    let Some(known) = known else { return Ok(scanner) };
    let secrets: Vec<&[u8]> = known.secrets.iter().map(Vec::as_slice).collect();
    let live = LiveCredentials::new(&key, &secrets)?;
    Ok(scanner.with_live(live).with_known(known.traces))
}

/// What came of one material.
struct Looked {
    name: String,
    kind: &'static str,
    place: String,
    /// How long it is, where it is one document.
    bytes: Option<usize>,
    report: Result<ScanReport, String>,
}

impl Looked {
    fn at(scanner: &Scanner, it: Material) -> Self {
        let Material { name, kind, place, content } = it;
        let bytes = if let Content::Bytes(it) = &content { Some(it.len()) } else { None };
        let report = match content {
            Content::Bytes(bytes) => Ok(scanner.scan_bytes(&name, &bytes)),
            Content::Image(path) => image::holds(&path, &name)
                .and_then(|()| scanner.scan_artefact(&path).map_err(|it| chain(&it))),
            Content::Repository(path) => scanner.scan_git(&path).map_err(|it| chain(&it)),
        };
        Self { name, kind, place, bytes, report }
    }

    fn write_down(&self, talk: &mut Talk, what: What) {
        let Self { name, kind, place, bytes, .. } = self;
        let report = match &self.report {
            Ok(report) => report,
            Err(error) => {
                let value = json!({"kind": kind, "name": name, "place": place, "error": error});
                talk.fact("unavailable", "run", value);
                return;
            }
        };
        let counts: BTreeMap<String, u64> =
            report.left_out.counts.iter().map(|(it, count)| (it.to_string(), *count)).collect();
        let named = report.left_out.named.iter().filter(|it| !it.reason.is_harmless());
        let named: Vec<String> =
            named.take(NAMED_MAX).map(|it| format!("{}: {}", it.name, it.reason)).collect();
        let meant = |it: &&SecretFinding| what == What::Secrets || it.live == Some(true);
        let found: Vec<&SecretFinding> = report.findings.iter().filter(meant).collect();
        let value = json!({
            "kind": kind, "name": name, "place": place,
            "length": bytes, "files": report.scanned_files, "bytes": report.scanned_bytes,
            "commits": report.scanned_commits, "complete": report.is_complete(),
            "left_out": counts, "left_out_named": named, "findings": found.len(),
        });
        talk.fact("looked", "run", value);
        for it in found.into_iter().take(FINDINGS_MAX) {
            talk.fact("finding", "run", shown(it, name, kind, place));
        }
    }
}

/// A finding as it is written down: where, by which rule, and a digest that tells two apart.
fn shown(it: &SecretFinding, name: &str, kind: &str, place: &str) -> Value {
    json!({
        "in": name, "kind": kind, "place": place,
        "rule": it.rule, "what": it.description, "weight": it.weight,
        "file": it.file, "line": it.line, "column": it.column,
        "commit": it.commit.as_ref().map(|it| it.id.as_str()),
        "written": it.commit.as_ref().map(|it| it.author_time),
        "reachable": it.commit.as_ref().map(|it| it.reachable),
        "digest": it.keyed_digest,
    })
}

/// An error with its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
