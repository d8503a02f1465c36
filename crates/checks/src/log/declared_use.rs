//! Does it do what it declared, and nothing else?
//!
//! The platform's own records of token requests and of what was done with the tokens, held against scopes, grant, networks,
//! hours, rate and calls of the manifest. Whatever lies outside was reviewed by nobody.
//!
//! Source: NIST SP 800-53r5, AU-6, SI-4, AC-4; policy: `[declared_use]` and the `uses` of each scope.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::json;

use super::attributable::manifest_with;
use super::observe::{Need, found_fact, observe, share_fact};
use super::rules::Expectation;
use super::verdict::{bound, counted, judge_shares};
use crate::check::{Check, Info, Stage};
use crate::granted::clients;
use crate::talk::Talk;

/// Does it do what it declared, and nothing else?
#[derive(Debug, Clone, Copy)]
pub struct KeepsToItsDeclaredUse;

#[async_trait::async_trait]
impl Check for KeepsToItsDeclaredUse {
    fn info(&self) -> &'static Info {
        &Info {
            name: "keeps_to_its_declared_use",
            case: None,
            controls: &["CTS-LOG-02", "CTS-SCP-06"],
            question: "Does it do what it declared, and nothing else?",
            sends: "The partner is asked for its published keys, to see that it is there. The test tenant's logs of token requests and of token uses are read, over the declared observation.",
            passes: "The observation is long enough, and the declared share of token requests and of calls (all of them where none is declared) keeps to the scopes, grant, networks, hours, rate and calls of the manifest.",
            risk: "A thief, or a new release, uses the credential for something that nobody reviewed.",
            fix: "Stop the use that is not declared, or declare it and be reviewed again.",
            source: "NIST SP 800-53r5, AU-6, SI-4, AC-4; policy.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Afterwards
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        manifest_with(clients(manifest).next().is_some())
    }

    async fn talk(&self, _subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let share = manifest.observation.as_ref().map(|it| it.within_declared.to_string());
        talk.setting("within_declared", share.unwrap_or_else(|| "100%".to_owned()));
        let Some(observed) = observe(talk, manifest, Need::Platform).await else { return };
        let expectation = match Expectation::compile(manifest) {
            Ok(it) => it,
            Err(it) => {
                talk.fact("declared", "manifest", json!({ "error": it.to_string() }));
                return;
            }
        };
        let report = observed.platform_report(&expectation);
        let fact = json!({
            "requests": share_fact(&report.consistent),
            "uses": share_fact(&report.used_as_declared),
            "unreadable": found_fact(&report.unreadable),
            "cut": report.cut,
        });
        talk.fact("platform", "log", fact);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let bound = bound(transcript, "within_declared");
        let expected = format!("{bound} inside the declared use");
        let demands = [
            ("platform", "requests", "requests inside the declared use"),
            ("platform", "uses", "calls that are declared"),
        ];
        let failed = |_: &str, missing| {
            let verb = counted(missing, "request or call lies", "requests or calls lie");
            format!("{verb} outside the declared use")
        };
        match judge_shares(transcript, &bound, &demands, failed) {
            Err(judgement) => judgement.expected(expected),
            Ok(seen) => Judgement::pass("it does what it declared, and nothing else was seen")
                .observed(seen)
                .expected(expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::observe::ALIVE;
    use crate::log::tests::{down, short, undeclared, window};
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use countersign_model::check::transcript::FailureKind;

    fn with(good: u64, used: u64, unreadable: u64) -> Sample {
        let failing = ["token log:9 (…): grant `password`, declared is `client_credentials`"];
        let fact = json!({
            "requests": {"good": good, "all": 50, "failing": failing},
            "uses": {"good": used, "all": 50, "failing": []},
            "unreadable": {"count": unreadable, "first": ["token log:3: line is not UTF-8"]},
        });
        window().setting("within_declared", "100%").fact("platform", fact)
    }

    #[test]
    fn use_stays_inside_what_is_declared() {
        let table = [
            ("right", with(50, 50, 0), Pass),
            ("another grant", with(42, 50, 0), Fail),
            ("another call", with(50, 49, 0), Fail),
            ("too few", with(50, 50, 0).fact("window", short(39)), Inconclusive),
            ("none at all", with(50, 50, 0).fact("window", undeclared(0)), Inconclusive),
            ("unreadable", with(50, 50, 1), Inconclusive),
            ("unreadable and wrong", with(49, 50, 1), Fail),
            ("partner there", with(50, 50, 0).answered(ALIVE, 200, "{\"keys\": []}"), Pass),
            ("partner away", with(50, 50, 0).silent(ALIVE, FailureKind::Connect), Inconclusive),
            ("partner broken", with(50, 50, 0).answered(ALIVE, 500, ""), Inconclusive),
            ("partner says yes to all", with(50, 50, 0).answered(ALIVE, 200, "ok"), Inconclusive),
            ("platform down", with(50, 50, 0).fact("window", down()), Inconclusive),
            ("cut off", window(), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&KeepsToItsDeclaredUse, &table);
        let judgement = judged(&KeepsToItsDeclaredUse, &table[1].1);
        insta::assert_snapshot!(judgement.sentence, @"8 requests or calls lie outside the declared use");
        insta::assert_snapshot!(judgement.observed, @"the platform log: 42 of 50 requests inside the declared use (84.0 %)");
        insta::assert_snapshot!(judged(&KeepsToItsDeclaredUse, &table[5].1).observed, @"1 lines");
    }
}
