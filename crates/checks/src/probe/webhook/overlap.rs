//! Does the receiver take both keys while one replaces the other, and only the new one afterwards?
//!
//! A receiver that knows one key at a time loses deliveries whenever the key changes, so nobody
//! changes it. One that goes on with the old key makes changing it worthless.
//!
//! Source: Standard Webhooks 1.0, "Webhook headers" (a list of signatures, for rotation); NIST SP 800-57,
//! part 1, section 5.3; WHK-08.

use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{EventSubscription, NextKey};
use countersign_model::time::Period;
use countersign_seal::scheme::{Scheme, WebhookError};
use serde_json::{Value, json};

use super::canary::{Message, Workshop};
use super::hear::{PLAN, Plan, Sent, Visit, right, workshop, wrong};
use super::judge::{Case, judge};
use super::key::{self, Sending};
use super::next_key::{KEY_IN_USE, tell};
use super::receiver::{event, every, scheme_of, subjects};
use super::rotation_order;
use crate::check::{Check, Info, Stage};
use crate::talk::Talk;

/// Does the receiver take both keys while one replaces the other, and only the new one afterwards?
#[derive(Debug, Clone, Copy)]
pub(super) struct RetiresOldWebhookKey;

/// A longer overlap is not waited for.
const OVERLAP_MAX: Period = Period::from_seconds(120);
/// How much longer than the overlap the old key may be taken.
const GRACE_MAX: Period = Period::from_seconds(60);
/// What stands for the new key in a call for a shell.
const NEW_KEY: &str = "$NEW_KEY";

const CASE: Case = Case {
    dropped: "a webhook with the signatures of two keys is refused",
    ..Case::no_effect(
        "a webhook that only an unknown key signed",
        "no webhook that only an unknown key signed",
    )
};

#[async_trait::async_trait]
impl Check for RetiresOldWebhookKey {
    fn info(&self) -> &'static Info {
        &Info {
            name: "retires_old_webhook_key",
            case: Some("WHK-08"),
            controls: &["CTS-CRD-04", "CTS-WHK-03"],
            question: "Does the receiver take both keys while one replaces the other, and only the new one afterwards?",
            sends: "Where a message may bear several signatures: right events with the signature of an unknown key before and after the good one, and with that of the unknown key alone. Then, through the call of `signing.next_key`, a new key; events signed with the old key, with both, and with the new one; after the overlap events signed with the new key and with the old one. At the end the old key is put back.",
            passes: "Both keys are taken during the overlap. A minute after it at most (sooner where the overlap is shorter) the old one has no effect and the new one has. Where no such call is declared only the first half is seen, and the check passes nothing.",
            risk: "A leaked key stays good, or changing it loses deliveries.",
            fix: "Hold a list of keys with their ends, try every signature against every live key, and drop the old key when its time is over. Declare the call in `signing.next_key`.",
            source: r#"Standard Webhooks 1.0, "Webhook headers" (a list of signatures, for rotation); NIST SP 800-57, part 1, section 5.3; WHK-08."#,
        }
    }

    fn stage(&self) -> Stage {
        Stage::Drill
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        subjects(manifest, every)
    }

    fn exclusive(&self, subject: &str, manifest: &Manifest) -> Option<String> {
        rotation_order(subject, manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((index, event)) = event(manifest, subject) else { return };
        let Some(scheme) = scheme_of(event) else { return };
        talk.setting("place", format!("event[{index}].signing"));
        talk.setting("scheme", scheme.name());
        let Some(held) = key::sending(manifest, event, scheme, talk).await else { return };
        let Some(made) = workshop(manifest, event, scheme, &held, talk) else { return };
        let mut visit = Visit::new(manifest, event, made, talk);
        let plan = Plan { sends: halves, ..PLAN };
        let first = visit.run(&plan).await;
        let whole = match (first, &event.signing.next_key) {
            (Ok(()), Some(next)) => rotate(&mut visit, scheme, (event, next), &held).await,
            (first, _) => first,
        };
        if let Err(error) = whole {
            talk.fact("message", "check", json!({ "error": error.to_string() }));
        }
        if event.signing.next_key.is_none() {
            talk.setting("undeclared", true);
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let judgement = judged(transcript);
        match transcript.text("place") {
            Some(place) if judgement.place.is_none() => judgement.at(place),
            _ => judgement,
        }
    }
}

/// What needs no second key at the receiver.
fn halves(workshop: &Workshop<'_>, _: &Message) -> Result<Vec<Sent>, WebhookError> {
    let good = |it: &Message| workshop.entry(it, &workshop.key);
    let foreign = |it: &Message| workshop.entry(it, &workshop.foreign);
    let alone = workshop.right("alone")?;
    let mut all = vec![wrong("unknown-key-alone", workshop.with(&alone, &[foreign(&alone)?]))];
    if workshop.scheme.facts().several {
        let last = workshop.right("last")?;
        let first = workshop.right("first")?;
        let after = workshop.with(&last, &[foreign(&last)?, good(&last)?]);
        let before = workshop.with(&first, &[good(&first)?, foreign(&first)?]);
        all.push(right("good-after-unknown-key", after));
        all.push(right("good-before-unknown-key", before));
    }
    Ok(all)
}

/// Gives the receiver a new key, looks at both, and puts the old one back.
async fn rotate(
    visit: &mut Visit<'_>,
    scheme: &'static dyn Scheme,
    (event, next): (&EventSubscription, &NextKey),
    held: &Sending,
) -> Result<(), WebhookError> {
    visit.talk.setting("overlap_ms", next.overlap.millis());
    if OVERLAP_MAX < next.overlap || !visit.talk.transcript().exchange("closing").is_some_and(taken)
    {
        return Ok(());
    }
    let Some(new) = held.fresh(scheme) else { return Ok(()) };
    visit.talk.hide(&new.text);
    let kind = event.signing.key;
    let told = tell(next, kind, &new.text, NEW_KEY, visit.talk);
    let back = tell(next, kind, &held.text, KEY_IN_USE, visit.talk);
    let (Some((told, repeat)), Some((back, _))) = (told, back) else { return Ok(()) };
    visit.talk.undo_by(back.clone());
    visit.talk.setting("repeat.next-key", repeat);
    let begun = visit.talk.stopwatch_ms();
    if !visit.talk.send("next-key", told).await.is_success() {
        return Ok(());
    }
    let (old, new) = (held.signer.clone(), new.signer);
    let mut both = vec![old.clone(), new.clone()];
    if !scheme.facts().several {
        both.truncate(1);
    }
    for (name, keys) in [
        ("overlap.old", vec![old.clone()]),
        ("overlap.both", both),
        ("overlap.new", vec![new.clone()]),
    ] {
        let message = visit.signed(name, &keys)?;
        visit.taken(name, &message).await;
    }
    let took_ms = visit.talk.stopwatch_ms().saturating_sub(begun);
    visit.talk.setting("took_ms", took_ms);
    let grace = Period::from_millis(next.overlap.millis() / 4).min(GRACE_MAX);
    let end = next.overlap.millis().saturating_add(grace.millis()).saturating_sub(took_ms);
    visit.talk.pause("overlap", Period::from_millis(end)).await;
    let message = visit.signed("after.new", std::slice::from_ref(&new))?;
    visit.taken("after.new", &message).await;
    let message = visit.signed("after.old", std::slice::from_ref(&old))?;
    visit.refused_alone("after.old", &message).await;
    let message = visit.signed("after.closing", &[new])?;
    visit.taken("after.closing", &message).await;
    visit.talk.send("put-back", back).await;
    let message = visit.signed("restored", &[old])?;
    visit.taken("restored", &message).await;
    Ok(())
}

fn taken(exchange: &countersign_model::check::Exchange) -> bool {
    exchange.answer.is_success()
}

fn judged(transcript: &Transcript) -> Judgement {
    let first = judge(transcript, &CASE);
    if first.verdict != Verdict::Pass {
        return first;
    }
    if transcript.settings.contains_key("undeclared") {
        let sentence =
            "only the first half was seen: how the receiver is told its next key is not declared";
        return Judgement::inconclusive(sentence)
            .observed(first.observed)
            .expected("`next_key` with the call, `auth_ref` and `overlap`");
    }
    let overlap = Period::from_millis(transcript.number("overlap_ms").unwrap_or(0));
    if OVERLAP_MAX < overlap {
        return Judgement::inconclusive("the overlap is longer than a check waits")
            .observed(format!("{} s", overlap.seconds()))
            .expected(format!("{} s at most, for the test tenant", OVERLAP_MAX.seconds()));
    }
    if let Some(judgement) = not_told(transcript) {
        return judgement;
    }
    seen(transcript, overlap, first.status_only)
}

/// Why the receiver has no second key.
fn not_told(transcript: &Transcript) -> Option<Judgement> {
    let exchange = transcript.exchange("next-key");
    if exchange.is_some_and(taken) {
        return None;
    }
    let observed = exchange.map_or("nothing was sent".to_owned(), |it| it.answer.words());
    let judgement = Judgement::inconclusive("the receiver does not take its next key")
        .observed(observed)
        .expected("2xx to the call in `signing.next_key`");
    Some(match transcript.text("repeat.next-key") {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    })
}

/// What became of a message: it was taken, refused, or neither can be said.
enum Became {
    Refused(String),
    Taken(String),
    Unknown(String),
}

fn became(transcript: &Transcript, label: &str) -> Became {
    let Some(exchange) = transcript.exchange(label) else {
        return Became::Unknown("nothing was sent".to_owned());
    };
    let words = exchange.answer.words();
    let name = format!("{label}-effect");
    let effect = transcript.facts(&name).last();
    let effect = effect.and_then(|it| it.value.get("seen")?.as_bool());
    let accepted = exchange.answer.is_success();
    match effect {
        Some(true) => Became::Taken(format!("{words}, an effect")),
        Some(false) if accepted => Became::Refused(format!("{words}, no effect")),
        None if accepted => Became::Taken(words),
        _ if exchange.answer.is_refusal() => Became::Refused(words),
        _ => Became::Unknown(words),
    }
}

fn seen(transcript: &Transcript, overlap: Period, status_only: bool) -> Judgement {
    let took_ms = transcript.number("took_ms").unwrap_or(u64::MAX);
    let repeated =
        |judgement: Judgement, label: &str| match transcript.text(&format!("repeat.{label}")) {
            Some(repeat) => judgement.repeat(repeat),
            None => judgement,
        };
    let expected = "both keys during the overlap, only the new one after it";
    let mut told = Vec::new();
    for (label, whose) in [
        ("overlap.old", "the old key during the overlap"),
        ("overlap.both", "both keys during the overlap"),
        ("overlap.new", "the new key during the overlap"),
        ("after.new", "the new key after the overlap"),
        ("after.closing", "the new key after the overlap, again"),
        ("restored", "the old key, when it was put back"),
    ] {
        match became(transcript, label) {
            Became::Taken(words) => told.push(format!("{words} with {whose}")),
            // Whoever is asked too late answers rightly.
            Became::Refused(words)
                if label.starts_with("overlap.") && overlap.millis() <= took_ms =>
            {
                return Judgement::inconclusive("the overlap was over before it was looked at")
                    .observed(format!("{words} after {took_ms} ms"))
                    .expected(format!("an overlap of more than {} ms", overlap.millis()));
            }
            Became::Refused(words) if label == "restored" => {
                return Judgement::inconclusive("the old key could not be put back")
                    .observed(words)
                    .expected("the key in use is taken again when it is told again");
            }
            Became::Refused(words) => {
                let sentence = format!("a webhook signed with {whose} is refused");
                let judgement = Judgement::fail(sentence).observed(words).expected(expected);
                return repeated(judgement, label);
            }
            Became::Unknown(words) => {
                let sentence =
                    format!("a webhook signed with {whose} has no answer that says anything");
                return Judgement::inconclusive(sentence).observed(words).expected(expected);
            }
        }
        if label != "after.new" {
            continue;
        }
        match became(transcript, "after.old") {
            Became::Refused(words) => told.push(format!("{words} with the old key after it")),
            Became::Taken(words) => {
                let sentence = "a webhook signed with the old key takes effect after the overlap";
                let judgement = Judgement::fail(sentence).observed(words).expected(expected);
                return repeated(judgement, "after.old");
            }
            Became::Unknown(words) => {
                let sentence = "the old key has no answer that says anything after the overlap";
                return Judgement::inconclusive(sentence).observed(words).expected(expected);
            }
        }
    }
    let judgement = Judgement::pass("the old webhook key ends with its overlap")
        .observed(told.join(", "))
        .expected(expected);
    if status_only { judgement.status_only() } else { judgement }
}

impl Visit<'_> {
    /// A message of now with the signature of each key.
    fn signed(
        &mut self,
        name: &str,
        keys: &[countersign_seal::scheme::Signer],
    ) -> Result<Message, WebhookError> {
        self.workshop.now = self.talk.now();
        let message = self.workshop.right(name)?;
        let entries: Result<Vec<_>, _> =
            keys.iter().map(|it| self.workshop.entry(&message, it)).collect();
        let message = self.workshop.with(&message, &entries?);
        self.talk.setting(&format!("repeat.{name}"), self.workshop.curl(&message));
        Ok(message)
    }

    /// Sends a message that should be taken, and waits for its effect.
    async fn taken(&mut self, label: &str, message: &Message) {
        let before = self.version(&format!("{label}-before")).await;
        self.right(label, message, before.as_deref()).await;
    }

    /// Sends a message that should not be taken, and listens for an effect.
    async fn refused_alone(&mut self, label: &str, message: &Message) {
        let before = self.version(&format!("{label}-before")).await;
        let ask = self.workshop.ask(message).hostile();
        self.talk.send(label, ask).await;
        self.talk.pause("listen-old", self.listen).await;
        if let Some(seen) = self.has_effect(label, message, before.as_deref()).await {
            let value: Value = json!({ "seen": seen });
            self.talk.fact(&format!("{label}-effect"), "effects", value);
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::probe::webhook::receiver::Receiver;
    use crate::probe::webhook::sample::{holds_for_every_scheme, refusals};
    use crate::sample::{Sample, judges, sample};

    #[test]
    fn the_first_half_is_right_and_wrong_as_it_says() {
        insta::assert_snapshot!(refusals(halves), @r"
        unknown-key-alone: no signature matches
        good-after-unknown-key: right
        good-before-unknown-key: right
        ");
        let first = Receiver {
            info: RetiresOldWebhookKey.info(),
            about: every,
            plan: Plan { sends: halves, ..PLAN },
            case: CASE,
        };
        holds_for_every_scheme(&first);
    }

    /// The first half was right.
    fn half() -> Sample {
        let right = |sample: Sample, label: &str| {
            let sample = sample.answered(label, 200, "");
            sample.fact(&format!("{label}-effect"), json!({ "seen": true }))
        };
        let sample = sample()
            .setting("oracle", "feed")
            .setting("listen_ms", 300)
            .setting("overlap_ms", 2_000)
            .setting("took_ms", 400)
            .setting("wrong", json!(["unknown-key-alone"]));
        let sample = right(sample, "control").answered("wrong.unknown-key-alone", 401, "");
        let sample = sample.waited("listen", 300);
        right(sample.fact("effects", json!({ "control": 1, "wrong": {} })), "closing")
    }

    fn sent(sample: Sample, label: &str, status: u16, seen: bool) -> Sample {
        let sample = sample.answered(label, status, "");
        sample.fact(&format!("{label}-effect"), json!({ "seen": seen }))
    }

    /// The second half, with one message that became another thing.
    fn whole(odd: &str, status: u16, seen: bool) -> Sample {
        let all = [
            ("overlap.old", 200, true),
            ("overlap.both", 200, true),
            ("overlap.new", 200, true),
            ("after.new", 200, true),
            ("after.old", 401, false),
            ("after.closing", 200, true),
            ("restored", 200, true),
        ];
        all.into_iter().fold(
            half().answered("next-key", 204, ""),
            |sample, (label, right, effect)| {
                if label == odd {
                    sent(sample, label, status, seen)
                } else {
                    sent(sample, label, right, effect)
                }
            },
        )
    }

    #[test]
    fn the_old_key_ends_and_nothing_is_lost() {
        judges(
            &RetiresOldWebhookKey,
            &[
                ("right", whole("", 0, false), Pass),
                ("the old one has an effect", whole("after.old", 200, true), Fail),
                ("refused, and an effect", whole("after.old", 401, true), Fail),
                ("200 and no effect", whole("after.old", 200, false), Pass),
                ("500 to the old one", whole("after.old", 500, false), Inconclusive),
                ("the old one is lost at once", whole("overlap.old", 401, false), Fail),
                ("two signatures are too many", whole("overlap.both", 401, false), Fail),
                ("the new one is not taken", whole("overlap.new", 401, false), Fail),
                ("the new one breaks it", whole("overlap.new", 500, false), Inconclusive),
                ("the new one is lost", whole("after.new", 401, false), Fail),
                ("dead afterwards", whole("after.closing", 503, false), Inconclusive),
                ("not put back", whole("restored", 401, false), Inconclusive),
                (
                    "looked at too late",
                    whole("overlap.old", 401, false).setting("took_ms", 2_500),
                    Inconclusive,
                ),
                ("not declared", half().setting("undeclared", true), Inconclusive),
                ("too long", whole("", 0, false).setting("overlap_ms", 86_400_000), Inconclusive),
                ("the call is refused", half().answered("next-key", 403, ""), Inconclusive),
                ("the call was not made", half(), Inconclusive),
                ("nothing was done", sample(), Inconclusive),
            ],
        );
    }
}
