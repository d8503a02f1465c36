//! Is none of its own live credentials in its source, in what it builds, publishes or logs?
//!
//! A secret that was found may be dead. This looks for those that are known to be alive: secrets that
//! the server holds for the integration, by keyed digest in every common form; shared secrets of which
//! the platform keeps a digest; and private keys whose public half is published or registered.
//!
//! Source: OWASP NHI2:2025 Secret Leakage; NIST SP 800-53r5, IA-5(7); CWE-798.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::Value;

use super::judge::{failed, findings, read, unread};
use super::look::{WORD, What, look};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Is none of its own live credentials in its source, in what it builds, publishes or logs?
#[derive(Debug, Clone, Copy)]
pub struct KeepsLiveCredentialsOutOfSource;

#[async_trait::async_trait]
impl Check for KeepsLiveCredentialsOutOfSource {
    fn info(&self) -> &'static Info {
        &Info {
            name: "keeps_live_credentials_out_of_source",
            case: None,
            controls: &["CTS-CRD-09"],
            question: "Is none of its own live credentials in its source, in what it builds, publishes or logs?",
            sends: "Nothing. The same material is read as for `keeps_secrets_out_of_source`, and searched for what is known to be alive: secrets that the server holds, secrets of which the platforms keep digests, and private keys whose public half is published or registered.",
            passes: "At least one live credential is known to look for, all of the material could be read, and none of them lies in it.",
            risk: "Whoever can read it can act as the partner now.",
            fix: "Rotate the credential now, and end the old one; then take it out of the history.",
            source: "OWASP NHI2:2025 Secret Leakage; NIST SP 800-53r5, IA-5(7); CWE-798.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Ask
    }

    fn subjects(&self, _: &Manifest) -> Vec<String> {
        vec!["source".to_owned()]
    }

    fn exclusive(&self, _: &str, _: &Manifest) -> Option<String> {
        Some(WORD.to_owned())
    }

    async fn talk(&self, _: &str, manifest: &Manifest, talk: &mut Talk) {
        look(talk, manifest, What::Live).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let found = findings(transcript);
        let expected = "none of its credentials that are alive";
        if !found.is_empty() {
            return failed("a live credential", &found, expected);
        }
        if let Some(it) = unread(transcript) {
            return it.expected(expected);
        }
        let known = transcript.fact("known");
        let count = |name: &str| known.and_then(|it| it.get(name)?.as_u64()).unwrap_or_default();
        let (keys, secrets, digests) = (count("keys"), count("secrets"), count("digests"));
        if keys + secrets + digests == 0 {
            return Judgement::inconclusive("nothing is known of its live credentials")
                .observed("no published key, and no secret that the server holds")
                .expected(expected);
        }
        let without = known.and_then(|it| it.get("without_key_set")?.as_array());
        let without: Vec<&str> = without.into_iter().flatten().filter_map(Value::as_str).collect();
        let blind = match without.as_slice() {
            [] => String::new(),
            some => format!("; nothing is known of a key of {}", some.join(", ")),
        };
        Judgement::pass("none of its live credentials lies in what could be looked at")
            .observed(format!(
                "looked for {} and {}; {}{blind}",
                several(keys, "key"),
                several(secrets + digests, "secret"),
                read(transcript),
            ))
            .expected(expected)
    }
}

fn several(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::json;

    fn with(keys: u64, secrets: u64) -> Sample {
        let looked = json!({"kind": "repository", "name": "r", "place": "source.repositories[0]",
            "files": 5, "commits": 4, "complete": true});
        sample()
            .setting("source_declared", true)
            .fact("known", json!({"keys": keys, "secrets": secrets, "without_key_set": ["x509:a"]}))
            .fact("looked", looked)
    }

    #[test]
    fn only_what_is_known_can_be_missing() {
        let finding = json!({"in": "r", "kind": "repository", "place": "source.repositories[0]",
            "rule": "live-credential", "what": "a live credential", "file": "k.pem", "line": 1, "weight": "high"});
        let missing = json!({"kind": "published document", "name": "jwks", "error": "timed out"});
        judges(
            &KeepsLiveCredentialsOutOfSource,
            &[
                ("one key, not there", with(1, 0), Pass),
                ("one secret, not there", with(0, 1), Pass),
                ("there", with(1, 0).fact("finding", finding), Fail),
                ("nothing known", with(0, 0), Inconclusive),
                ("no key set", with(0, 1).fact("unavailable", missing), Inconclusive),
                ("nothing", sample(), Inconclusive),
            ],
        );
        insta::assert_snapshot!(judged(&KeepsLiveCredentialsOutOfSource, &with(1, 2)).observed, @"looked for 1 key and 2 secrets; read: 1 repository (4 commits, 5 files); nothing is known of a key of x509:a");
    }
}
