//! Reads a manifest: TOML, or JSON as its exact equal.

use std::collections::BTreeMap;
use std::ops::Range;

use countersign_seal::Digest;
use serde_json::Value;

use super::code::PreflightCode;
use super::digest::digest;
use super::read::node::{Kind, Node, Problems, join_index, join_key};
use super::read::{json, toml};
use super::sections::{self, Fault};
use super::shape::{closest, known};
use super::spans::{Source, Spans};
use super::{Diagnostic, Manifest, secret_like, validate};

/// How a manifest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `countersign.json`.
    Json,
    /// `countersign.toml`.
    Toml,
}

impl Format {
    /// The format of a file, by its name: JSON when it ends in `.json`, else TOML.
    pub fn of_file(name: &str) -> Self {
        let extension = name.rsplit_once('.').map(|(_, it)| it);
        if extension.is_some_and(|it| it.eq_ignore_ascii_case("json")) {
            Self::Json
        } else {
            Self::Toml
        }
    }
}

/// A manifest that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What it says.
    pub manifest: Manifest,
    /// As it was written: no defaults, `x-*` keys kept.
    pub value: Value,
    /// The digest that certificates are bound to.
    pub digest: Digest,
    /// Where everything stands.
    pub spans: Spans,
}

/// The longest text that is read, in bytes.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Reads a manifest and holds it against the rules that need more than one value.
pub fn read(text: &str, format: Format) -> Result<Parsed, Vec<Diagnostic>> {
    let parsed = parse(text, format)?;
    let refused = validate::validate(&parsed);
    if refused.is_empty() { Ok(parsed) } else { Err(refused) }
}

/// Reads a manifest: its text, its keys, its values, its ids. Never panics, whatever the text.
pub fn parse(text: &str, format: Format) -> Result<Parsed, Vec<Diagnostic>> {
    if TEXT_BYTES_MAX < text.len() {
        let message =
            format!("the text has {} bytes; at most {TEXT_BYTES_MAX} are read", text.len());
        return Err(vec![Diagnostic::new(PreflightCode::TooLarge, "", message)]);
    }
    let mut problems = Problems::new(Source::new(text));
    let root = match format {
        Format::Json => json::read(&mut problems),
        Format::Toml => toml::read(&mut problems),
    };
    let Some(root) = root else { return Err(problems.into_diagnostics()) };
    secret_like::report(&mut problems, &root);
    let known = known(&mut problems, &root);
    if !version(&mut problems, &root, &known) {
        return Err(problems.into_diagnostics());
    }
    duplicates(&mut problems, &root);
    let spans = Spans::new(problems.source.clone(), &root);
    let manifest = match sections::manifest(&known) {
        Ok(manifest) => Some(manifest),
        Err(faults) => {
            for fault in &faults {
                tell(&mut problems, &spans, fault);
            }
            None
        }
    };
    let value = root.value().unwrap_or_default();
    match (manifest, digest(&value)) {
        (Some(manifest), Ok(digest)) if problems.is_empty() => {
            Ok(Parsed { manifest, value, digest, spans })
        }
        (_, digest) => {
            if let (true, Err(error)) = (problems.is_empty(), digest) {
                let message = error.to_string();
                problems.add((PreflightCode::ForbiddenKind, ""), &(0..0), message, |it| it);
            }
            Err(problems.into_diagnostics())
        }
    }
}

/// Whether this is version 1; another would make every other message misleading.
fn version(problems: &mut Problems, root: &Node, known: &Value) -> bool {
    match known.get("manifest").and_then(Value::as_i64) {
        Some(version) if version != 1 => {
            let Kind::Table(members) = &root.kind else { return true };
            let member = members.iter().find(|it| it.key == "manifest");
            let span = member.map_or(0..0, |it| it.node.span.clone());
            let message = format!("manifest version {version} is not known here");
            problems.add((PreflightCode::WrongValue, "manifest"), &span, message, |it| {
                it.with_label("this program reads version 1")
            });
            false
        }
        _ => true,
    }
}

/// A refused value, at its place. What has been reported as missing is not reported again.
fn tell(problems: &mut Problems, spans: &Spans, fault: &Fault) {
    if fault.message.starts_with("missing field") && !problems.is_empty() {
        return;
    }
    let name = if fault.path.is_empty() { "the manifest" } else { &fault.path };
    let place = spans.nearest(&fault.path);
    let mut diagnostic = Diagnostic::new(
        PreflightCode::WrongValue,
        &fault.path,
        format!("`{name}`: {}", fault.message),
    )
    .at(place);
    let mut words = fault.message.split('`').skip(1).step_by(2);
    if fault.message.starts_with("unknown variant")
        && let Some(given) = words.next()
        && let Some(meant) = closest(given, words)
    {
        diagnostic = diagnostic.with_label(format!("did you mean `{meant}`?"));
    }
    problems.push(diagnostic);
}

/// Sections whose ids share one namespace: an id names one path of the certificate.
const WITH_ID: [&str; 8] = [
    "authorization_server",
    "automation",
    "callback",
    "data_path",
    "event",
    "identity",
    "resource",
    "webhook",
];

fn duplicates(problems: &mut Problems, root: &Node) {
    let Kind::Table(sections) = &root.kind else { return };
    let mut ids = BTreeMap::new();
    for section in sections.iter().filter(|it| WITH_ID.contains(&it.key.as_str())) {
        for (index, entry) in items(&section.node).iter().enumerate() {
            let path = join_index(&section.key, index);
            once(problems, &mut ids, (entry, &path), ("id", "in this manifest"));
            let mut scopes = BTreeMap::new();
            for (index, scope) in member(entry, "scope").map_or(&[][..], items).iter().enumerate() {
                let path = join_index(&join_key(&path, "scope"), index);
                once(problems, &mut scopes, (scope, &path), ("name", "in this identity"));
            }
        }
    }
}

fn once<'a>(
    problems: &mut Problems,
    seen: &mut BTreeMap<&'a str, &'a Range<usize>>,
    (entry, path): (&'a Node, &str),
    (key, within): (&str, &str),
) {
    let Some(Node { kind: Kind::Text(name), span }) = member(entry, key) else { return };
    if let Some(first) = seen.get(name.as_str()) {
        let first = problems.source.place(first);
        let message = format!("{key} `{name}` is used twice {within}");
        let path = join_key(path, key);
        problems.add((PreflightCode::Duplicate, &path), span, message, |it| {
            it.with_label("used again here").and_at(Some(first), "first used here")
        });
    } else {
        seen.insert(name, span);
    }
}

fn items(node: &Node) -> &[Node] {
    if let Kind::List(items) = &node.kind { items } else { &[] }
}

fn member<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Kind::Table(members) = &node.kind else { return None };
    members.iter().find(|it| it.key == key).map(|it| &it.node)
}
