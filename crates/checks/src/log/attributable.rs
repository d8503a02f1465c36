//! Can every token request be tied to somebody, and to a reason?
//!
//! The platform's own record decides: what the manifest says that every request carries has to be in it, and the actor has to
//! look as declared. The partner's own log is held against the fields that it declares.
//!
//! Source: NIST SP 800-53r5, AU-3; policy: `must_carry` and `actor_pattern` of the manifest.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::json;

use super::observe::{Need, found_fact, observe, share_fact};
use super::rules::Expectation;
use super::verdict::{bound, counted, judge_shares};
use crate::check::{Check, Info, Stage};
use crate::granted::token_clients;
use crate::talk::Talk;

/// Can every token request be tied to somebody, and to a reason?
#[derive(Debug, Clone, Copy)]
pub struct AttributesEveryTokenRequest;

#[async_trait::async_trait]
impl Check for AttributesEveryTokenRequest {
    fn info(&self) -> &'static Info {
        &Info {
            name: "attributes_every_token_request",
            case: None,
            controls: &["CTS-LOG-01"],
            question: "Can every token request be tied to somebody, and to a reason?",
            sends: "The partner is asked for its published keys, to see that it is there. The test tenant's log of token requests and the partner's own log are read, over the declared observation.",
            passes: "The observation is long enough, and in both logs the declared share of all token requests (all of them where none is declared) carries what the manifest promises, with an actor as declared. An empty log passes nothing.",
            risk: "Misuse leaves a trace that leads to nobody.",
            fix: "Send the declared fields with every token request, retries too, and write them to your own log.",
            source: "NIST SP 800-53r5, AU-3; policy.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Afterwards
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        manifest_with(token_clients(manifest).next().is_some())
    }

    async fn talk(&self, _subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let attributable = manifest.observation.as_ref().map(|it| it.attributable.to_string());
        talk.setting("attributable", attributable.unwrap_or_else(|| "100%".to_owned()));
        talk.setting("must_carry", carried(manifest));
        let Some(observed) = observe(talk, manifest, Need::Both).await else { return };
        let compiled = || Expectation::compile(manifest);
        let (platform, own) = match (compiled(), compiled()) {
            (Ok(platform), Ok(own)) => (platform, own.carrying(&manifest.logging.fields)),
            (Err(it), _) | (_, Err(it)) => {
                talk.fact("declared", "manifest", json!({ "error": it.to_string() }));
                return;
            }
        };
        let report = observed.platform_report(&platform);
        let fact = json!({
            "attributable": share_fact(&report.attributable),
            "unreadable": found_fact(&report.unreadable),
        });
        talk.fact("platform", "log", fact);
        let fact = match (&observed.own, observed.own_report(&own)) {
            (_, Some(report)) => json!({
                "attributable": share_fact(&report.attributable),
                "unreadable": found_fact(&report.unreadable),
            }),
            (own, None) => json!({ "error": own.as_ref().err() }),
        };
        talk.fact("own", "log", fact);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let carried = transcript.text("must_carry").unwrap_or_default();
        let bound = bound(transcript, "attributable");
        let expected = format!("{bound} carry {carried}");
        let demands =
            [("platform", "attributable", "attributable"), ("own", "attributable", "attributable")];
        let failed = |_: &str, missing| {
            let requests = counted(missing, "token request", "token requests");
            format!("{requests} cannot be attributed")
        };
        match judge_shares(transcript, &bound, &demands, failed) {
            Err(judgement) => judgement.expected(expected),
            // All of nothing is nothing: whoever answers 200 to everything has an empty log.
            Ok(seen) if ["platform", "own"].iter().any(|it| is_empty(transcript, it)) => {
                Judgement::inconclusive("a log holds no token request of this time")
                    .observed(seen)
                    .expected(expected)
            }
            Ok(seen) => Judgement::pass("every token request can be attributed")
                .observed(seen)
                .expected(expected),
        }
    }
}

fn is_empty(transcript: &Transcript, label: &str) -> bool {
    let all = transcript.fact(label).and_then(|it| it.pointer("/attributable/all")?.as_u64());
    all == Some(0)
}

/// The manifest as the one subject, where it has something to look at.
pub(super) fn manifest_with(something: bool) -> Vec<String> {
    if something { vec!["manifest".to_owned()] } else { Vec::new() }
}

fn carried(manifest: &Manifest) -> String {
    let declared = manifest.declared_use.as_ref().map(|it| it.must_carry.as_slice());
    let declared = declared.filter(|it| !it.is_empty()).map(|it| it.join(", "));
    declared.unwrap_or_else(|| "client and token".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::{down, parts, short, window};
    use crate::sample::{judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    #[test]
    fn everybody_is_named() {
        let with = |good: u64, own_good: u64| {
            parts(window(), "platform", "attributable", good, 0)
                .setting("attributable", "100%")
                .setting("must_carry", "order_id, actor")
                .fact("own", crate::log::tests::part("attributable", own_good, 0))
        };
        let nothing = json!({"good": 0, "all": 0, "failing": []});
        let unreadable = json!({"count": 0, "first": []});
        let empty = json!({"attributable": nothing, "unreadable": unreadable});
        let table = [
            ("right", with(50, 50), Pass),
            ("nobody in the platform's log", with(48, 50), Fail),
            ("nobody in its own log", with(50, 49), Fail),
            ("half is enough here", with(25, 25).setting("attributable", "50%"), Pass),
            ("too few", with(50, 50).fact("window", short(12)), Inconclusive),
            ("too few and wrong", with(40, 40).fact("window", short(12)), Inconclusive),
            ("nothing in its own log", with(50, 50).fact("own", empty), Inconclusive),
            ("own log away", with(50, 50).fact("own", down()), Inconclusive),
            ("unreadable", parts(window(), "platform", "attributable", 50, 2), Inconclusive),
            ("platform down", sample().fact("window", down()), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&AttributesEveryTokenRequest, &table);
        let judgement = judged(&AttributesEveryTokenRequest, &table[1].1);
        insta::assert_snapshot!(judgement.sentence, @"2 token requests cannot be attributed");
        insta::assert_snapshot!(judgement.observed, @"the platform log: 48 of 50 attributable (96.0 %)");
        insta::assert_snapshot!(judgement.expected, @"100% carry order_id, actor");
        let judgement = judged(&AttributesEveryTokenRequest, &table[4].1);
        insta::assert_snapshot!(judgement.waiting.unwrap().reached, @"12 of 40 requests, 1300ms of 2s");
    }
}
