//! Is its source free of secrets, with all of its history, and so is what it builds, publishes and logs?
//!
//! Whoever can read a repository, an image or a log can act with what lies in it. Removing a secret
//! in a later commit removes it from nobody's clone.
//!
//! Where a manifest declares no source, what there is of the partner is looked at: its manifest, its
//! published keys and its log.
//!
//! Source: OWASP NHI2:2025 Secret Leakage; NIST SP 800-53r5, IA-5(7); CWE-798.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;

use super::judge::{failed, findings, read, unread};
use super::look::{WORD, What, look};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Is its source free of secrets, with all of its history, and so is what it builds, publishes and logs?
#[derive(Debug, Clone, Copy)]
pub struct KeepsSecretsOutOfSource;

#[async_trait::async_trait]
impl Check for KeepsSecretsOutOfSource {
    fn info(&self) -> &'static Info {
        &Info {
            name: "keeps_secrets_out_of_source",
            case: None,
            controls: &["CTS-CRD-09"],
            question: "Is its source free of secrets, with all of its history, and so is what it builds, publishes and logs?",
            sends: "Nothing. The copies of the repositories with their whole history and of the images that `[source]` names are read, and the manifest, the published key sets and the partner's own log.",
            passes: "All of it could be read, and no secret was found. What cannot be used as it is, such as an expired token, is told and does not fail.",
            risk: "Whoever can read the repository, an image or a log can act as the partner.",
            fix: "Revoke the secret first; then take it out of the history, and scan before each push.",
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
        look(talk, manifest, What::Secrets).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let found = findings(transcript);
        let expected = "no secret in source, history, images, published documents and logs";
        if !found.is_empty() {
            return failed("a secret", &found, expected);
        }
        if let Some(it) = unread(transcript) {
            return it.expected(expected);
        }
        let light = transcript.facts("finding").count();
        let read = read(transcript);
        Judgement::pass("no secret lies in what could be looked at")
            .observed(match light {
                0 => read,
                _ => format!(
                    "{read}; {light} that cannot be used as they are, such as expired tokens"
                ),
            })
            .expected(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::{Value, json};

    pub(super) fn repository() -> Value {
        json!({"kind": "repository", "name": "https://git.a.example/a.git", "place": "source.repositories[0]",
            "files": 5, "bytes": 100, "commits": 4, "complete": true, "left_out": {}, "left_out_named": []})
    }

    fn with(looked: Value) -> Sample {
        sample().setting("source_declared", true).fact("looked", looked)
    }

    fn set(mut value: Value, name: &str, to: Value) -> Value {
        value[name] = to;
        value
    }

    #[test]
    fn nothing_found_is_worth_what_was_read() {
        let finding = |kind: &str, weight: &str| {
            json!({"in": "x", "kind": kind, "place": "source.repositories[0]", "rule": "r", "what": "key",
                "file": "a.py", "line": 2, "commit": "0123456789abcdef", "weight": weight})
        };
        let all = repository();
        let partly = set(all.clone(), "complete", json!(false));
        let missing =
            json!({"kind": "image", "name": "i", "place": "source.images[0]", "error": "no copy"});
        let keys = json!({"kind": "published document", "name": "https://a.example/jwks", "complete": true});
        let log =
            |length| json!({"kind": "log", "name": "log", "length": length, "complete": true});
        let bare = || sample().setting("source_declared", false);
        judges(
            &KeepsSecretsOutOfSource,
            &[
                ("clean", with(all.clone()), Pass),
                (
                    "a secret",
                    with(all.clone()).fact("finding", finding("repository", "high")),
                    Fail,
                ),
                (
                    "an expired token",
                    with(all.clone()).fact("finding", finding("repository", "low")),
                    Pass,
                ),
                ("left out", with(partly.clone()), Inconclusive),
                (
                    "left out, and a secret",
                    with(partly).fact("finding", finding("log", "high")),
                    Fail,
                ),
                ("empty", with(set(all.clone(), "commits", json!(0))), Inconclusive),
                (
                    "an image is not there",
                    with(all.clone()).fact("unavailable", missing),
                    Inconclusive,
                ),
                (
                    "wanted and not declared",
                    with(all).setting("source_missing", true),
                    Inconclusive,
                ),
                ("no source, but keys", bare().fact("looked", keys), Pass),
                ("no source, but a log", bare().fact("looked", log(10)), Pass),
                ("no source, an empty log", bare().fact("looked", log(0)), Inconclusive),
                ("nothing", sample(), Inconclusive),
            ],
        );
    }

    #[test]
    fn a_finding_names_commit_file_and_line() {
        let finding = json!({"in": "x", "kind": "repository", "place": "source.repositories[0]",
            "rule": "aws-access-key-id", "what": "access key of AWS", "file": "src/settings.py", "line": 1,
            "commit": "0123456789abcdef0123", "weight": "high"});
        let judgement =
            judged(&KeepsSecretsOutOfSource, &with(repository()).fact("finding", finding));
        insta::assert_snapshot!(judgement.sentence, @"a secret lies in the history of its source");
        insta::assert_snapshot!(judgement.observed, @"access key of AWS (`aws-access-key-id`) in src/settings.py, line 1, commit 0123456789ab");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"git show 0123456789abcdef0123:src/settings.py | sed -n 1p");
        let clean = judged(&KeepsSecretsOutOfSource, &with(repository()));
        insta::assert_snapshot!(clean.observed, @"read: 1 repository (4 commits, 5 files)");
    }
}
