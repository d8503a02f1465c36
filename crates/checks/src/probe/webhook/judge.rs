//! What follows from a talk with a receiver: its effects count, not its status codes.

use countersign_model::check::transcript::FailureKind;
use countersign_model::check::{Answer, Exchange, Judgement, Transcript};
use serde_json::Value;

use super::late;
use super::view::View;

/// What is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The wrong events have no effect.
    NoEffect,
    /// The repeated event has the one effect that it had the first time.
    OneEffect,
}

/// What a check asks for, in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) wanted: Wanted,
    /// `an unsigned webhook`.
    pub(super) one: &'static str,
    /// `no unsigned webhook`.
    pub(super) none: &'static str,
    /// What it comes to where a right but unusual event is refused.
    pub(super) dropped: &'static str,
    /// What it comes to where an event that has to be answered breaks it, or takes too long.
    pub(super) breaks: &'static str,
}

impl Case {
    /// Wrong events have no effect, and there are no other ones.
    pub(super) const fn no_effect(one: &'static str, none: &'static str) -> Self {
        Self { wanted: Wanted::NoEffect, one, none, dropped: "", breaks: "" }
    }

    fn expected(&self) -> &'static str {
        match self.wanted {
            Wanted::NoEffect => "a refusal (4xx), and no effect",
            Wanted::OneEffect => "any answer, and one effect",
        }
    }
}

/// Judges a talk.
pub(super) fn judge(transcript: &Transcript, case: &Case) -> Judgement {
    let judgement = judged(&View(transcript), case);
    let judgement = match transcript.text("place") {
        Some(place) => judgement.at(place),
        None => judgement,
    };
    if judgement.expected.is_empty() { judgement.expected(case.expected()) } else { judgement }
}

fn judged(view: &View<'_>, case: &Case) -> Judgement {
    // An effect that was seen is one, whatever else went wrong.
    if let Some(judgement) = failed(view, case) {
        return judgement;
    }
    if let Some(judgement) = not_begun(view) {
        return judgement;
    }
    if let Some(judgement) = not_taken(view, case) {
        return judgement;
    }
    let names = view.names();
    for name in &names {
        let Some(exchange) = view.wrong(name) else {
            return Judgement::inconclusive("the check did not send what it wanted to send")
                .observed(format!("nothing was sent as `{name}`"));
        };
        if !is_answer(&exchange.answer) {
            return unanswered(case.one, name, &exchange.answer);
        }
    }
    if names.is_empty() {
        return Judgement::inconclusive("the check did not send what it wanted to send");
    }
    if let Some(judgement) = not_ended(view) {
        return judgement;
    }
    if let Some(judgement) = renamed(view, case, &names) {
        return judgement;
    }
    if let Some(judgement) = broken(view, case) {
        return judgement;
    }
    // Where nothing shows effects, what was accepted at once has said all that it can.
    let is_blind = !view.has_oracle() && names.iter().any(|it| view.is_accepted(it));
    if case.wanted == Wanted::OneEffect
        && !is_blind
        && let Some(judgement) = late::judged(view, case)
    {
        return judgement;
    }
    passed(view, case, &names)
}

/// A right but unusual event that was refused, or had no effect, where ordinary ones have theirs.
fn not_taken(view: &View<'_>, case: &Case) -> Option<Judgement> {
    for name in view.list("taken") {
        let Some(exchange) = view.sent("taken", name) else {
            return Some(
                Judgement::inconclusive("the check did not send what it wanted to send")
                    .observed(format!("nothing was sent as `{name}`")),
            );
        };
        let seen = view.fact(&format!("taken.{name}-effect"));
        let seen = seen.and_then(|it| it.get("seen")?.as_bool());
        let no_effect = exchange.answer.is_success() && view.has_oracle() && seen != Some(true);
        if exchange.answer.is_success() && !no_effect {
            continue;
        }
        if !is_answer(&exchange.answer) {
            return Some(unanswered("a right event", name, &exchange.answer));
        }
        if let Some(judgement) = right(view, "closing") {
            return Some(judgement);
        }
        let effect = if no_effect { ", no effect" } else { "" };
        let judgement = Judgement::fail(case.dropped)
            .observed(format!("{}{effect} for `{name}`", exchange.answer.words()))
            .expected("it is accepted (2xx) and has its effect");
        return Some(with_details(view, judgement, Some(name)));
    }
    None
}

/// An event that came again under another id, where the scheme lets anybody change it.
fn renamed(view: &View<'_>, case: &Case, names: &[&str]) -> Option<Judgement> {
    let name = names.iter().find(|it| 0 < view.effects_of_wrong(it))?;
    if case.wanted != Wanted::OneEffect {
        return None;
    }
    let scheme = view.0.text("scheme").unwrap_or_default();
    let sentence = format!(
        "the scheme `{scheme}` signs no id: a delivery that comes again under another id takes effect again"
    );
    let judgement = Judgement::inconclusive(sentence)
        .observed(format!("{} for `{name}`", effects(view.effects_of_wrong(name))))
        .expected(
            "a receiver that knows what it has seen by its body, or a scheme that signs the id",
        );
    Some(with_details(view, judgement, Some(name)))
}

/// An event that broke the receiver, or that it worked on for too long.
fn broken(view: &View<'_>, case: &Case) -> Option<Judgement> {
    let names = view.list("heavy");
    if names.is_empty() {
        return None;
    }
    if !view.0.exchange("alive").is_some_and(|it| it.answer.is_success()) {
        return right(view, "alive")
            .or_else(|| Some(Judgement::inconclusive("a right event is not accepted")));
    }
    let usual = ["control", "closing", "alive"].iter().filter_map(|it| view.0.exchange(it));
    let mut usual: Vec<u64> = usual.map(|it| it.elapsed_ms).collect();
    usual.sort_unstable();
    let usual = usual.get(usual.len() / 2).copied().unwrap_or(0);
    let limit = usual.saturating_mul(SLOWER_MAX).saturating_add(SLOW_MS);
    let all: Vec<(&str, &Exchange)> =
        names.iter().filter_map(|name| Some((*name, view.sent("heavy", name)?))).collect();
    if all.len() < names.len() {
        return Some(Judgement::inconclusive("the check did not send what it wanted to send"));
    }
    let told = |(name, it): &(&str, &Exchange)| {
        format!("{} in {} ms for `{name}`", it.answer.words(), it.elapsed_ms)
    };
    let observed = all.iter().map(told).collect::<Vec<_>>().join(", ");
    let expected = format!("any answer below 500, here within {limit} ms");
    let fail = |name: &str| {
        let judgement = Judgement::fail(case.breaks).observed(&observed).expected(&expected);
        Some(with_details(view, judgement, Some(name)))
    };
    // One slow answer may be chance; two are not.
    let slow: Vec<&str> = all.iter().filter(|it| limit < it.1.elapsed_ms).map(|it| it.0).collect();
    if let [name, _, ..] = slow[..] {
        return fail(name);
    }
    for (name, exchange) in &all {
        match &exchange.answer {
            Answer::Response { status: 500.., .. }
            | Answer::Failure { kind: FailureKind::Timeout, .. } => return fail(name),
            // A server in front may hang up on a header of this size; it goes on taking right ones.
            Answer::Response { .. } | Answer::Failure { kind: FailureKind::Closed, .. } => {}
            Answer::Failure { .. } => {
                return Some(unanswered(case.one, name, &exchange.answer));
            }
        }
    }
    None
}

/// A wrong event had an effect; without an oracle: it was accepted.
fn failed(view: &View<'_>, case: &Case) -> Option<Judgement> {
    let (name, seen) = match case.wanted {
        Wanted::OneEffect => {
            let seen = if view.object_changed() {
                "the canary object changed again".to_owned()
            } else {
                effects(view.effects("control").filter(|it| 1 < *it)?)
            };
            let sentence = format!("{} takes effect again", case.one);
            let judgement = Judgement::fail(sentence).observed(seen);
            return Some(with_details(view, judgement, view.names().first().copied()));
        }
        Wanted::NoEffect if view.has_oracle() => {
            let count = |name: &&str| view.effects_of_wrong(name);
            let name = view.names().into_iter().find(|it| 0 < count(it));
            match name {
                Some(name) => (name, format!("{} for `{name}`", effects(count(&name)))),
                None if view.object_changed() => {
                    (view.accepted()?, "the canary object changed".to_owned())
                }
                None => return None,
            }
        }
        Wanted::NoEffect => {
            view.control_accepted().then_some(())?;
            let name = view.names().into_iter().find(|it| view.is_accepted(it))?;
            (name, "the effect was not looked at".to_owned())
        }
    };
    let verb = if view.has_oracle() { "takes effect" } else { "is accepted" };
    let answer = view.wrong(name).map(|it| it.answer.words()).unwrap_or_default();
    let judgement = Judgement::fail(format!("{} {verb}", case.one))
        .observed(format!("{answer}, {seen}"))
        .expected(case.expected());
    let judgement = if view.has_oracle() { judgement } else { judgement.status_only() };
    Some(with_details(view, judgement, Some(name)))
}

pub(super) fn effects(count: u64) -> String {
    if count == 1 { "1 effect".to_owned() } else { format!("{count} effects") }
}

pub(super) fn with_details(view: &View<'_>, judgement: Judgement, name: Option<&str>) -> Judgement {
    let lines = view.names().into_iter().map(|it| {
        let answer = view.wrong(it).map_or("not sent".to_owned(), |it| it.answer.words());
        format!("{it}: {answer}, {}", effects(view.effects_of_wrong(it)))
    });
    let others = ["taken", "heavy"].into_iter().flat_map(|kind| {
        let sent =
            view.list(kind).into_iter().filter_map(move |it| Some((it, view.sent(kind, it)?)));
        sent.map(|(name, it)| format!("{name}: {} in {} ms", it.answer.words(), it.elapsed_ms))
    });
    let lines = lines.chain(others);
    let judgement = judgement.details(lines.collect::<Vec<_>>());
    match name.and_then(|it| view.0.text(&format!("repeat.{it}"))) {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    }
}

/// Why nothing wrong was sent, or nothing that counts.
fn not_begun(view: &View<'_>) -> Option<Judgement> {
    if let Some(it) = view.0.settings.get("unsupported") {
        let text = |name| it.get(name).and_then(Value::as_str).unwrap_or_default();
        return Some(
            Judgement::inconclusive(text("sentence"))
                .observed("nothing was sent: there is nothing that it could tell")
                .expected(text("expected")),
        );
    }
    for (label, sentence) in [
        ("platform", "no right event can be made without a platform"),
        ("key", "no right event can be made without the key of the test tenant"),
        ("chance", "no right event can be made without randomness"),
        ("message", "no right event can be made"),
        ("before", "the canary object cannot be read"),
        ("quiet", "the canary object cannot be read"),
    ] {
        if let Some(error) = view.error(label) {
            return Some(Judgement::inconclusive(sentence).observed(error));
        }
    }
    if let Some(other) = view.0.text("sibling") {
        match view.0.exchange("sibling") {
            Some(it) if it.answer.is_success() => {}
            it => {
                let seen = it.map_or("nothing was sent".to_owned(), |it| words(&it.answer));
                return Some(
                    Judgement::inconclusive("a right event is not accepted at the other endpoint")
                        .observed(format!("{seen} for `{other}`"))
                        .expected("a right event is accepted (2xx) at both endpoints"),
                );
            }
        }
    }
    right(view, "control").or_else(|| {
        let moved = view.is_object() && view.version("quiet") != view.version_settled();
        moved.then(|| {
            Judgement::inconclusive("the canary object changes by itself")
                .observed("another version, though nothing had been sent")
                .expected("a canary object that nothing but canary events change")
        })
    })
}

/// Why the wrong events were not listened to long enough, or by nobody.
fn not_ended(view: &View<'_>) -> Option<Judgement> {
    let (waited, wanted) = (view.0.waited_ms("listen"), view.0.number("listen_ms").unwrap_or(0));
    if waited < wanted {
        return Some(
            Judgement::inconclusive("nobody listened long enough for an effect")
                .observed(format!("{waited} ms"))
                .expected(format!("{wanted} ms")),
        );
    }
    if view.has_oracle() {
        match view.0.fact("effects") {
            None => return Some(Judgement::inconclusive("the effects were not read")),
            Some(it) => {
                if let Some(error) = it.get("error").and_then(Value::as_str) {
                    let judgement = Judgement::inconclusive("the effects cannot be read");
                    return Some(judgement.observed(error));
                }
            }
        }
        if !view.is_object() && view.effects("control").unwrap_or(0) == 0 {
            let sentence = "the effects forgot an event that they had shown";
            return Some(Judgement::inconclusive(sentence).observed("0 effects"));
        }
    }
    right(view, "closing")
}

/// A right event that was not accepted, or had no effect.
pub(super) fn right(view: &View<'_>, label: &str) -> Option<Judgement> {
    let judgement = not_right(view, label)?;
    Some(match view.0.text("repeat.control") {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    })
}

fn not_right(view: &View<'_>, label: &str) -> Option<Judgement> {
    let expected = "a right event is accepted (2xx) and has its effect";
    let Some(exchange) = view.0.exchange(label) else {
        let sentence = "no right event was sent";
        return Some(Judgement::inconclusive(sentence).expected(expected));
    };
    if !exchange.answer.is_success() {
        return Some(
            Judgement::inconclusive("a right event is not accepted")
                .observed(words(&exchange.answer))
                .expected(expected),
        );
    }
    let label = format!("{label}-effect");
    let seen = view.0.fact(&label).and_then(|it| it.get("seen")?.as_bool());
    if view.has_oracle() && seen != Some(true) {
        let last = view.0.exchange(&label).map(|it| it.answer.words()).unwrap_or_default();
        return Some(
            Judgement::inconclusive("a right event has no effect that can be seen")
                .observed(format!("the effects answer {last} and do not show it"))
                .expected(expected),
        );
    }
    None
}

/// Whether an answer says anything about the event. What is broken, busy, elsewhere or gone does not.
pub(super) fn is_answer(answer: &Answer) -> bool {
    answer.is_success() || answer.is_refusal()
}

pub(super) fn unanswered(one: &str, name: &str, answer: &Answer) -> Judgement {
    let guard = matches!(answer, Answer::Failure { kind: FailureKind::AddressRefused, .. });
    let sentence = if guard {
        format!("{one} may not be sent")
    } else {
        format!("{one} has no answer that says anything")
    };
    Judgement::inconclusive(sentence).observed(format!("{} for `{name}`", words(answer)))
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Failure { kind, detail } if !detail.is_empty() => {
            format!("{} ({detail})", kind.words())
        }
        other => other.words(),
    }
}

fn passed(view: &View<'_>, case: &Case, names: &[&str]) -> Judgement {
    let answers = names.iter().filter_map(|it| {
        let words = view.wrong(it)?.answer.words();
        Some(format!("{words} for `{it}`"))
    });
    let taken = view.list("taken").into_iter().filter_map(|it| {
        let words = view.sent("taken", it)?.answer.words();
        Some(format!("{words} for `{it}`, as it should be"))
    });
    let answers = answers.chain(taken).collect::<Vec<_>>().join(", ");
    match (case.wanted, view.has_oracle()) {
        (Wanted::NoEffect, true) => Judgement::pass(format!("{} takes effect", case.none))
            .observed(format!("no effect: {answers}")),
        (Wanted::OneEffect, true) => Judgement::pass(format!("{} takes effect again", case.none))
            .observed(format!("1 effect: {answers}, {}{}", late::words(view), unsigned_id(view))),
        (Wanted::NoEffect, false) => {
            Judgement::pass(format!("{} is accepted", case.none)).observed(answers).status_only()
        }
        // An answer of 200 is right for a repeated event, and says nothing about its effect.
        (Wanted::OneEffect, false) if names.iter().any(|it| view.is_accepted(it)) => {
            Judgement::inconclusive("whether it took effect again cannot be seen")
                .observed(answers)
                .expected("`[effects]` in the manifest, or a refusal")
                .status_only()
        }
        (Wanted::OneEffect, false) => Judgement::pass(format!("{} is accepted again", case.none))
            .observed(format!("{answers}, {}", late::words(view)))
            .status_only(),
    }
}

fn unsigned_id(view: &View<'_>) -> &'static str {
    let is_signed = view.0.settings.get("id_signed").and_then(Value::as_bool).unwrap_or(true);
    if is_signed { "" } else { "; the scheme does not sign the id" }
}

/// How many times longer than an ordinary event, and how many milliseconds beside that, one may
/// take that has to be answered soon.
const SLOWER_MAX: u64 = 5;
const SLOW_MS: u64 = 500;
