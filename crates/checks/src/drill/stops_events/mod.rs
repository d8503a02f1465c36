//! Do events end when the subscription is disabled?
//!
//! A subscription that is switched off and still delivers goes on telling the partner who left, who
//! was locked, whose access changed. So it is done: an event is sent and seen to arrive, in the
//! platform's record and, where the partner names an oracle, in its effects. Then the subscription is
//! disabled, more events are produced, and it is listened: at least as long as an effect takes to
//! show and as three tries take. What counts is every delivery after the command, to whatever address
//! of this integration, over this subscription or over one that nobody declared; and every effect of
//! an event that was produced afterwards, whatever the record says. At last it is enabled again: the
//! next event has to arrive, and none of those before it, where `drop_queued` is declared.
//!
//! Deliveries between the command and `disable.within` are allowed; the time of the last one is the
//! figure. When some are seen, it is listened until after that.
//!
//! Source: NIST SP 800-53r5, AC-2(3); OWASP NHI1:2025; CTS-WDR-01.

mod listen;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::Value;

use super::tries::OPEN;
use super::{listen_for, seconds, subscriptions_of};
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Do events end when the subscription is disabled?
#[derive(Debug, Clone, Copy)]
pub struct StopsEventsWhenDisabled;

#[async_trait::async_trait]
impl Check for StopsEventsWhenDisabled {
    fn info(&self) -> &'static Info {
        &Info {
            name: "stops_events_when_disabled",
            case: None,
            controls: &["CTS-WDR-01"],
            question: "Do events end when the subscription is disabled?",
            sends: "An event is sent and seen to arrive. The subscription is disabled at the test tenant, more events are produced, and the deliveries and the effects at the partner are read: at least as long as an effect takes to show and as three tries take. Then it is enabled again, and one more event is sent.",
            passes: "The event before and the one afterwards arrive and have their effect. Nothing arrives later than `disable.within` after the command, over whatever subscription, and nothing of what happened meanwhile is delivered afterwards where `drop_queued` is declared.",
            risk: "The partner goes on learning who left and whose access changed, after it was cut off.",
            fix: "Remove every subscription that delivers to this partner and is not declared, and drop what waits when one is disabled.",
            source: "NIST SP 800-53r5, AC-2(3); OWASP NHI1:2025.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Drill
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        manifest.events.iter().map(|it| it.id.to_string()).collect()
    }

    fn exclusive(&self, _subject: &str, manifest: &Manifest) -> Option<String> {
        Some(subscriptions_of(manifest))
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let mut events = manifest.events.iter().enumerate();
        let Some((index, event)) = events.find(|it| it.1.id.as_str() == subject) else { return };
        talk.setting("place", format!("event[{index}].disable"));
        let disable = event.disable.as_ref();
        let within = disable.map_or(manifest.revocation.deny_within, |it| it.within);
        talk.setting("within_ms", within.millis());
        talk.setting("drop_queued", disable.is_some_and(|it| it.drop_queued));
        talk.setting("has_effects", manifest.effects.is_some());
        let settle = manifest.effects.as_ref().map(|it| it.settle);
        let length = listen_for(settle, event.retry_every);
        talk.setting("listen_ms", length.millis());
        let Some(platform) = talk.platform() else { return };
        let drill = listen::Drill { manifest, event, platform: platform.as_ref(), within, length };
        let _stopped = drill.run(talk).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let within = transcript.number("within_ms").unwrap_or_default();
        decide(transcript)
            .unwrap_or_else(|it| *it)
            .expected(format!("no delivery {} after the command, and none of the past when it is enabled again", seconds(within)))
            .at(transcript.text("place").unwrap_or_default())
            .repeat(format!(
                "disable `{}` at the test tenant, produce events of its kind, and read the deliveries of the integration",
                transcript.subject
            ))
    }
}

fn decide(transcript: &Transcript) -> Result<Judgement, Box<Judgement>> {
    control(transcript, "control", "an event does not arrive while the subscription is on")?;
    let Some(disabled) = transcript.fact("disabled") else {
        return Err(Judgement::inconclusive("the subscription was not disabled").into());
    };
    if let Some(error) = disabled.get("error").and_then(Value::as_str) {
        return Err(Judgement::inconclusive("the platform did not disable the subscription")
            .observed(error)
            .into());
    }
    let within = transcript.number("within_ms").unwrap_or_default();
    let late: Vec<Late> = transcript.facts("late").filter_map(|it| Late::read(&it.value)).collect();
    let too_late: Vec<&Late> = late.iter().filter(|it| within < it.after_ms).collect();
    if let Some(last) = too_late.last() {
        let lines = too_late.iter().map(|it| it.words());
        return Err(Judgement::fail("events still arrive after the subscription was disabled")
            .observed(format!("{} of them, the last: {}", too_late.len(), last.words()))
            .details(lines)
            .into());
    }
    if let Some(error) = error(transcript, "record") {
        return Err(Judgement::inconclusive("the platform's record of deliveries cannot be read")
            .observed(error)
            .into());
    }
    if let Some(error) = error(transcript, "effects") {
        return Err(Judgement::inconclusive("the partner's effects cannot be read")
            .observed(error)
            .into());
    }
    let flushed: Vec<Late> =
        transcript.facts("flushed").filter_map(|it| Late::read(&it.value)).collect();
    let drops = transcript.settings.get("drop_queued") == Some(&Value::Bool(true));
    if let Some(first) = flushed.first().filter(|_| drops) {
        return Err(Judgement::fail("what happened while it was disabled is delivered afterwards")
            .observed(format!("{} of them, the first: {}", flushed.len(), first.words()))
            .details(flushed.iter().map(Late::words))
            .into());
    }
    if transcript.fact("listened").is_none() {
        return Err(Judgement::inconclusive("it was not listened to the end").into());
    }
    control(
        transcript,
        "again",
        "an event does not arrive after the subscription was enabled again",
    )?;
    Ok(passed(transcript, &late))
}

fn passed(transcript: &Transcript, late: &[Late]) -> Judgement {
    let produced = transcript.facts("produced").count();
    let ended = late.iter().map(|it| it.after_ms).max().map_or_else(
        || "none was delivered after the command".to_owned(),
        |it| format!("the last was delivered {} after the command", seconds(it)),
    );
    let listened = transcript.fact("listened").and_then(|it| it.get("ms")?.as_u64());
    let observed = format!(
        "{produced} events produced while it was off, listened for {}: {ended}",
        seconds(listened.unwrap_or_default())
    );
    let passed = Judgement::pass("events end when the subscription is disabled").observed(observed);
    let has_effects = transcript.settings.get("has_effects") == Some(&Value::Bool(true));
    if has_effects { passed } else { passed.status_only() }
}

/// An event has to arrive: in the record, and where there is an oracle, as an effect.
fn control(transcript: &Transcript, label: &str, sentence: &str) -> Result<(), Box<Judgement>> {
    let Some(fact) = transcript.fact(label) else {
        let why = error(transcript, "platform").or_else(|| error(transcript, "before"));
        return Err(Judgement::inconclusive(sentence)
            .observed(why.unwrap_or("nobody was asked"))
            .into());
    };
    let text = |name: &str| fact.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("came") != OPEN {
        return Err(Judgement::inconclusive(sentence).observed(text("seen")).into());
    }
    if transcript.settings.get("has_effects") != Some(&Value::Bool(true)) {
        return Ok(());
    }
    match transcript.fact(&format!("{label}-effect")) {
        Some(Value::Bool(true)) => Ok(()),
        other => {
            let error = other.and_then(|it| it.get("error")?.as_str());
            Err(Judgement::inconclusive("an event is delivered, and has no effect at the partner")
                .observed(error.unwrap_or("no effect in time"))
                .into())
        }
    }
}

fn error<'a>(transcript: &'a Transcript, label: &'a str) -> Option<&'a str> {
    transcript.facts(label).find_map(|it| it.value.get("error")?.as_str())
}

/// A delivery, or an effect, after the command.
#[derive(Debug)]
struct Late {
    what: String,
    after_ms: u64,
}

impl Late {
    fn read(fact: &Value) -> Option<Self> {
        let text = |name: &str| fact.get(name).and_then(Value::as_str);
        let after_ms = fact.get("after_ms")?.as_u64()?;
        let id = text("id")?;
        let what = match (text("subscription"), text("endpoint")) {
            (Some(subscription), Some(endpoint)) => {
                let undeclared = fact.get("declared") == Some(&Value::Bool(false));
                let whose = if undeclared { ", which nobody declared," } else { "" };
                format!("{id} over `{subscription}`{whose} to {endpoint}")
            }
            _ => format!("{id} had an effect at the partner"),
        };
        Some(Self { what, after_ms })
    }

    fn words(&self) -> String {
        format!("{} after {}", self.what, seconds(self.after_ms))
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::json;

    use super::*;
    use crate::sample::{Sample, judged, judges, sample};

    fn came(came: &str) -> Value {
        json!({"path": "sub:x", "came": came, "seen": came, "after_ms": 0})
    }

    fn begun() -> Sample {
        sample()
            .setting("within_ms", 5_000)
            .setting("drop_queued", true)
            .setting("has_effects", true)
    }

    fn disabled() -> Sample {
        begun()
            .fact("control", came("open"))
            .fact("control-effect", json!(true))
            .fact("disabled", json!({"after_ms": 4}))
            .fact("produced", json!({"id": "msg_1", "after_ms": 9}))
    }

    fn back(sample: Sample) -> Sample {
        sample
            .fact("listened", json!({"ms": 900}))
            .fact("again", came("open"))
            .fact("again-effect", json!(true))
    }

    fn late(subscription: &str, after_ms: u64) -> Value {
        json!({
            "id": "msg_1", "subscription": subscription, "endpoint": "https://in.x.example/e",
            "declared": subscription == "sub:x", "after_ms": after_ms,
        })
    }

    #[test]
    fn silence_counts_between_two_events_that_arrive() {
        judges(
            &StopsEventsWhenDisabled,
            &[
                ("right", back(disabled()), Pass),
                ("ends in time", back(disabled().fact("late", late("sub:x", 300))), Pass),
                ("goes on", back(disabled().fact("late", late("sub:x", 5_001))), Fail),
                ("over a relay", disabled().fact("late", late("sub:relay", 5_300)), Fail),
                (
                    "only the effect shows it",
                    disabled().fact("late", json!({"id": "msg_1", "after_ms": 5_300})),
                    Fail,
                ),
                ("flushed", back(disabled().fact("flushed", late("sub:x", 6_000))), Fail),
                (
                    "flushed, as declared",
                    back(
                        disabled()
                            .setting("drop_queued", false)
                            .fact("flushed", late("sub:x", 6_000)),
                    ),
                    Pass,
                ),
                ("not listened", disabled(), Inconclusive),
                (
                    "not back",
                    disabled().fact("listened", json!({"ms": 900})).fact("again", came("unclear")),
                    Inconclusive,
                ),
            ],
        );
    }

    #[test]
    fn what_did_not_arrive_before_proves_nothing() {
        let error = json!({"error": "timed out"});
        let delivered = || begun().fact("control", came("open"));
        judges(
            &StopsEventsWhenDisabled,
            &[
                ("partner down or broken", begun().fact("control", came("unclear")), Inconclusive),
                (
                    "answers 200 and does nothing",
                    delivered().fact("control-effect", json!(false)),
                    Inconclusive,
                ),
                (
                    "effects cannot be read",
                    delivered().fact("control-effect", error.clone()),
                    Inconclusive,
                ),
                ("platform down", begun().fact("platform", error.clone()), Inconclusive),
                (
                    "was off before",
                    begun().fact("before", json!({"error": "it is off"})),
                    Inconclusive,
                ),
                (
                    "not disabled",
                    delivered().fact("control-effect", json!(true)).fact("disabled", error.clone()),
                    Inconclusive,
                ),
                ("record gone meanwhile", disabled().fact("record", error.clone()), Inconclusive),
                ("effects gone meanwhile", back(disabled().fact("effects", error)), Inconclusive),
            ],
        );
        let without = back(disabled()).setting("has_effects", false);
        assert!(judged(&StopsEventsWhenDisabled, &without).status_only);
    }

    #[test]
    fn the_finding_says_where_it_went() {
        let relay = disabled().fact("late", late("sub:x.relay", 5_300));
        let judgement = judged(&StopsEventsWhenDisabled, &relay);
        insta::assert_snapshot!(judgement.observed, @"1 of them, the last: msg_1 over `sub:x.relay`, which nobody declared, to https://in.x.example/e after 5.30 s");
        let right = judged(&StopsEventsWhenDisabled, &back(disabled()));
        insta::assert_snapshot!(right.observed, @"1 events produced while it was off, listened for 0.90 s: none was delivered after the command");
    }
}
