//! Does every exception have a second person and an end?
//!
//! A temporary exception without an end becomes the rule.
//!
//! Source: NIST SP 800-53r5, CA-5; policy: the profile's longest exception.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does every exception have a second person and an end?
#[derive(Debug, Clone, Copy)]
pub struct KeepsExceptionsDated;

#[async_trait::async_trait]
impl Check for KeepsExceptionsDated {
    fn info(&self) -> &'static Info {
        &Info {
            name: "keeps_exceptions_dated",
            case: None,
            controls: &["CTS-GOV-06"],
            question: "Does every exception have a second person and an end?",
            sends: "Nothing. The exceptions that the server knows for this manifest, and that are in force now, are read.",
            passes: "Each was granted by somebody else than the person who asked for it, and ends within the days that the profile allows. No exception at all passes too.",
            risk: "A temporary exception without an end becomes the rule.",
            fix: "End the exception, or have another person grant a shorter one.",
            source: "NIST SP 800-53r5, CA-5; policy.",
        }
    }

    /// The list of exceptions is the server's.
    fn stage(&self) -> Stage {
        Stage::Ask
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let _ = manifest;
        vec![super::MANIFEST.to_owned()]
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let _ = (subject, manifest);
        let Some(means) = talk.means() else { return };
        talk.figure("CTS-GOV-06.max_days");
        let now = talk.now();
        let live = means.waivers.iter().filter(|it| it.covers(means.digest, now));
        let live = live.map(|it| {
            json!({
                "waiver": it.id, "control": it.control, "until": it.until,
                "same_person": it.granter.as_ref() == Some(&it.requester),
            })
        });
        talk.fact("exceptions", "server", json!({ "now": now, "live": live.collect::<Vec<_>>() }));
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("exceptions") else {
            return Judgement::inconclusive("the list of exceptions was not given");
        };
        let live = fact.get("live").and_then(Value::as_array);
        let moment = |it: &Value| it.as_str().and_then(|it| it.parse::<Timestamp>().ok());
        let days = transcript.number("CTS-GOV-06.max_days");
        let (Some(live), Some(now), Some(days)) = (live, fact.get("now").and_then(moment), days)
        else {
            return Judgement::inconclusive("the list of exceptions cannot be read");
        };
        let expected = format!("another person's name, and an end within {days} days");
        for waiver in live {
            let word = |name: &str| waiver.get(name).and_then(Value::as_str).unwrap_or_default();
            let until = waiver.get("until").and_then(moment);
            let problem = if waiver.get("same_person") != Some(&Value::Bool(false)) {
                Some("was granted by the person who asked for it")
            } else if until.is_none_or(|it| now + Period::from_days(days) < it) {
                Some("ends too late")
            } else {
                None
            };
            if let Some(problem) = problem {
                return Judgement::fail(format!("the exception to {} {problem}", word("control")))
                    .observed(format!("{} until {}", word("waiver"), word("until")))
                    .expected(expected);
            }
        }
        Judgement::pass("every exception has a second person and an end")
            .observed(format!("{} in force", live.len()))
            .expected(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    #[test]
    fn an_exception_needs_a_second_person_and_an_end() {
        let one = |until: &str, same: bool| {
            let live = json!([{"waiver": "wvr_1", "control": "CTS-WHK-02", "until": until, "same_person": same}]);
            let value = json!({ "now": "2026-11-24T03:00:00.000Z", "live": live });
            sample().setting("CTS-GOV-06.max_days", 60).fact("exceptions", value)
        };
        let none = json!({ "now": "2026-11-24T03:00:00.000Z", "live": [] });
        judges(
            &KeepsExceptionsDated,
            &[
                (
                    "none",
                    sample().setting("CTS-GOV-06.max_days", 60).fact("exceptions", none),
                    Pass,
                ),
                ("short", one("2026-12-24T03:00:00.000Z", false), Pass),
                ("long", one("2027-03-24T03:00:00.000Z", false), Fail),
                ("one person", one("2026-12-24T03:00:00.000Z", true), Fail),
                ("not given", sample(), Inconclusive),
            ],
        );
    }
}
