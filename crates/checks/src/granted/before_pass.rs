//! Did it get nothing in production before its certificate?
//!
//! An integration that works in production before it is checked is never checked honestly.
//!
//! Source: NIST SP 800-53r5, CA-6, SA-9; policy.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Timestamp;
use serde_json::{Value, json};

use super::{identity, token_clients};
use crate::check::{Check, Info, Stage};
use crate::log::record::{Record, Told};
use crate::talk::Talk;

/// Did it get nothing in production before its certificate?
#[derive(Debug, Clone, Copy)]
pub struct GotNoProductionTrustBeforeAPass;

#[async_trait::async_trait]
impl Check for GotNoProductionTrustBeforeAPass {
    fn info(&self) -> &'static Info {
        &Info {
            name: "got_no_production_trust_before_a_pass",
            case: None,
            controls: &["CTS-GOV-05"],
            question: "Did it get nothing in production before its certificate?",
            sends: "Nothing. The production platform is asked for its whole log of token requests of each client.",
            passes: "The log holds no token that was granted before the certificate; without a certificate, none at all. A grant without a time counts as too early, and every line can be read.",
            risk: "An integration that works in production before it is checked is never checked honestly.",
            fix: "Put the gate in front of the token endpoint, and suspend what was granted early.",
            source: "NIST SP 800-53r5, CA-6, SA-9; policy.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Ask
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        token_clients(manifest).map(|(_, it)| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((_, identity)) = identity(manifest, subject) else { return };
        let Some(means) = talk.means() else { return };
        let Some(production) = &means.production else {
            talk.fact("issued", "platform", json!({ "error": "no production platform is set up" }));
            return;
        };
        let client = identity.client_id();
        let log = production.token_log(client, Timestamp::from_seconds(0)).await;
        talk.heard("issued", log, |log| early(log, client, means.certified_since));
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let expected = "no token in production before the certificate";
        let fact = transcript.fact("issued");
        if let Some(error) = fact.and_then(|it| it.get("error")?.as_str()) {
            return Judgement::inconclusive("the production platform could not be asked")
                .observed(error)
                .expected(expected);
        }
        let number = |name: &str| fact.and_then(|it| it.get(name)?.as_u64());
        match (number("early"), number("unreadable")) {
            (Some(0), Some(0)) => Judgement::pass("nothing was granted before the certificate")
                .observed(format!("{} requests in the log", number("lines").unwrap_or_default()))
                .expected(expected),
            (Some(early @ 1..), _) => {
                Judgement::fail("tokens were granted in production before the certificate")
                    .observed(format!("{early} tokens"))
                    .expected(expected)
            }
            _ => Judgement::inconclusive("the production log cannot be read").expected(expected),
        }
    }
}

/// Counts the tokens that were granted before the certificate; a grant without a time is early.
fn early(log: &[u8], client: &str, since: Option<Timestamp>) -> Value {
    let (mut lines, mut early, mut unreadable) = (0_u64, 0_u64, 0_u64);
    for line in log.split(|it| *it == b'\n').filter(|it| !it.trim_ascii().is_empty()) {
        lines += 1;
        let Ok(record) = Record::parse(line) else {
            unreadable += 1;
            continue;
        };
        let own = record.client_id.as_deref().is_none_or(|it| it == client);
        let before = record.time.is_none_or(|it| since.is_none_or(|since| it < since));
        let tells = record.granted && record.told() != Told::Aside;
        early += u64::from(own && tells && before);
    }
    json!({ "lines": lines, "early": early, "unreadable": unreadable, "certified_since": since })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    #[test]
    fn a_token_before_the_certificate_is_early() {
        let granted = br#"{"time":"2026-11-24T03:00:00Z","client_id":"a","result":"granted"}"#;
        let refused = br#"{"time":"2026-11-24T03:00:00Z","client_id":"a","result":"uncertified"}"#;
        let later = "2026-11-24T04:00:00Z".parse().ok();
        let earlier = "2026-11-24T02:00:00Z".parse().ok();
        let with = |log: &[u8], since| sample().fact("issued", early(log, "a", since));
        judges(
            &GotNoProductionTrustBeforeAPass,
            &[
                ("never certified, never granted", with(refused, None), Pass),
                ("never certified, granted", with(granted, None), Fail),
                ("granted first", with(granted, later), Fail),
                ("certified first", with(granted, earlier), Pass),
                ("empty", with(b"", None), Pass),
                ("rubbish", with(b"rubbish", None), Inconclusive),
                ("not set up", sample().fact("issued", json!({"error": "none"})), Inconclusive),
                ("not asked", sample(), Inconclusive),
            ],
        );
    }
}
