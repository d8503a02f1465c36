//! Does every token end in time, and is none used afterwards?
//!
//! The platform's own record of what it issued and of what was done with it: each token ends inside its declared life, and
//! nothing goes through with it after its end.
//!
//! Source: RFC 9700, section 2.2; NIST SP 800-53r5, AC-12, SC-23; policy: `max_token_ttl` and the profile's longest lifetime.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;
use serde_json::json;

use super::attributable::manifest_with;
use super::observe::{Need, found_fact, observe, share_fact};
use super::rules::Expectation;
use super::verdict::{bound, counted, judge_shares};
use crate::check::{Check, Info, Stage};
use crate::granted::token_clients;
use crate::talk::Talk;

/// Does every token end in time, and is none used afterwards?
#[derive(Debug, Clone, Copy)]
pub struct BoundsEveryTokenInTime;

#[async_trait::async_trait]
impl Check for BoundsEveryTokenInTime {
    fn info(&self) -> &'static Info {
        &Info {
            name: "bounds_every_token_in_time",
            case: None,
            controls: &["CTS-CRD-02", "CTS-LOG-01"],
            question: "Does every token end in time, and is none used afterwards?",
            sends: "The partner is asked for its published keys, to see that it is there. The test tenant's logs of token requests and of token uses are read, over the declared observation.",
            passes: "The observation is long enough; the declared share of all tokens ends within `max_token_ttl` and the profile's limit, and not one call went through with a token after its end.",
            risk: "A stolen token works long after the theft.",
            fix: "Lower the token lifetime of the client at the platform, and ask for a new token before the old one ends.",
            source: "RFC 9700, section 2.2; NIST SP 800-53r5, AC-12, SC-23; policy.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Afterwards
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        manifest_with(token_clients(manifest).next().is_some())
    }

    async fn talk(&self, _subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let share = manifest.observation.as_ref().map(|it| it.time_bounded.to_string());
        talk.setting("time_bounded", share.unwrap_or_else(|| "100%".to_owned()));
        let longest = token_clients(manifest).map(|(_, it)| it.max_token_ttl).max();
        let longest = longest.unwrap_or_default();
        let profile = talk.figure("CTS-CRD-02.max_lifetime_seconds").map(Period::from_seconds);
        let limit = profile.map_or(longest, |it| it.min(longest));
        talk.setting("limit_ms", limit.millis());
        let Some(observed) = observe(talk, manifest, Need::Platform).await else { return };
        let expectation = match Expectation::compile(manifest) {
            Ok(it) => it.living_at_most(limit),
            Err(it) => {
                talk.fact("declared", "manifest", json!({ "error": it.to_string() }));
                return;
            }
        };
        let report = observed.platform_report(&expectation);
        let fact = json!({
            "time_bounded": share_fact(&report.time_bounded),
            "used_in_time": share_fact(&report.used_in_time),
            "unreadable": found_fact(&report.unreadable),
            "cut": report.cut,
        });
        talk.fact("platform", "log", fact);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let bound = bound(transcript, "time_bounded");
        let limit = Period::from_millis(transcript.number("limit_ms").unwrap_or_default());
        let expected = format!(
            "{bound} end within {limit} or what their client declares, and none is used afterwards"
        );
        let lives = [("platform", "time_bounded", "tokens end in time")];
        let failed = |_: &str, missing| {
            format!("{} longer than declared", counted(missing, "token lives", "tokens live"))
        };
        let lives = match judge_shares(transcript, &bound, &lives, failed) {
            Err(judgement) => return judgement.expected(expected),
            Ok(it) => it,
        };
        let uses = [("platform", "used_in_time", "uses while the token lives")];
        let failed = |_: &str, missing| {
            format!(
                "{} after its token's end",
                counted(missing, "call goes through", "calls go through")
            )
        };
        // A share of late uses is never a term that somebody may declare.
        match judge_shares(transcript, &super::verdict::bound(transcript, "whole"), &uses, failed) {
            Err(judgement) => judgement.expected(expected),
            Ok(used) => Judgement::pass("every token ends in time")
                .observed(format!("{lives}; {used}"))
                .expected(expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::{down, short, undeclared, window};
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::Value;

    fn with(good: u64, used: u64) -> Sample {
        let failing = ["token log:7 (…): token lives 1h, declared are 5m at most"];
        let fact = json!({
            "time_bounded": {"good": good, "all": 50, "failing": failing},
            "used_in_time": {"good": used, "all": 120, "failing": []},
            "unreadable": {"count": 0, "first": []}, "cut": false,
        });
        window().setting("time_bounded", "99%").setting("limit_ms", 300_000).fact("platform", fact)
    }

    #[test]
    fn tokens_end_and_are_not_used_afterwards() {
        let cut = |it: Sample| {
            let mut fact: Value = it.transcript().fact("platform").unwrap().clone();
            fact["cut"] = true.into();
            it.fact("platform", fact)
        };
        let untold = |it: Sample| {
            let mut fact: Value = it.transcript().fact("platform").unwrap().clone();
            fact["time_bounded"] = json!({"good": 0, "all": 0, "failing": [], "untold": 50});
            it.fact("platform", fact)
        };
        let table = [
            ("right", with(50, 120), Pass),
            ("too long", with(49, 120), Fail),
            ("used afterwards", with(50, 119), Fail),
            ("too few", with(50, 120).fact("window", short(39)), Inconclusive),
            ("none at all", with(50, 120).fact("window", undeclared(0)), Inconclusive),
            ("few, and none are asked for", with(50, 120).fact("window", undeclared(1)), Pass),
            ("too many to keep", cut(with(50, 120)), Inconclusive),
            ("platform down", with(50, 120).fact("window", down()), Inconclusive),
            ("not told by its source", untold(with(40, 120)), Inconclusive),
            ("cut off", window(), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&BoundsEveryTokenInTime, &table);
        let judgement = judged(&BoundsEveryTokenInTime, &table[1].1);
        insta::assert_snapshot!(judgement.sentence, @"1 token lives longer than declared");
        insta::assert_snapshot!(judgement.observed, @"the platform log: 49 of 50 tokens end in time (98.0 %)");
        insta::assert_snapshot!(judgement.details[0], @"token log:7 (…): token lives 1h, declared are 5m at most");
        insta::assert_snapshot!(judged(&BoundsEveryTokenInTime, &table[0].1).observed, @"the platform log: 50 of 50 tokens end in time (100.0 %); the platform log: 120 of 120 uses while the token lives (100.0 %)");
    }
}
