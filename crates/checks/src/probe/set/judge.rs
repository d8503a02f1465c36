//! What follows from a talk with a receiver of security events.

use countersign_model::check::transcript::FailureKind;
use countersign_model::check::{Answer, Entry, Exchange, Judgement, Transcript};
use serde_json::Value;

/// What is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The wrong events are refused and have no effect.
    Refusal,
    /// The repeated event is acknowledged and has the one effect that it had the first time.
    OneEffect,
}

/// What a check asks for, in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) wanted: Wanted,
    /// `an unsigned event`.
    pub(super) one: &'static str,
    /// `no unsigned event`.
    pub(super) none: &'static str,
    /// `HTTP 400 with invalid_request, and no effect`.
    pub(super) expected: &'static str,
}

/// Judges a talk.
pub(super) fn judge(transcript: &Transcript, case: &Case) -> Judgement {
    let judgement = judged(transcript, case);
    let judgement =
        if judgement.expected.is_empty() { judgement.expected(case.expected) } else { judgement };
    placed(transcript, judgement)
}

/// With the place in the manifest.
pub(super) fn placed(transcript: &Transcript, judgement: Judgement) -> Judgement {
    match transcript.text("place") {
        Some(place) => judgement.at(place),
        None => judgement,
    }
}

fn judged(transcript: &Transcript, case: &Case) -> Judgement {
    if let Some(judgement) = not_begun(transcript).or_else(|| not_right(transcript, "control")) {
        return judgement;
    }
    let names = names(transcript);
    if let Some(judgement) = failed(transcript, case, &names) {
        return judgement;
    }
    if names.is_empty() {
        return Judgement::inconclusive("the check did not send what it wanted to send");
    }
    for name in &names {
        let Some(exchange) = last(transcript, &format!("wrong.{name}")) else {
            return Judgement::inconclusive("the check did not send what it wanted to send")
                .observed(format!("nothing was sent as `{name}`"));
        };
        let answer = &exchange.answer;
        let is_clear = match case.wanted {
            Wanted::Refusal => answer.is_refusal(),
            Wanted::OneEffect => answer.is_success() || answer.is_refusal(),
        };
        if !is_clear {
            let sentence = format!("{} has no answer that says anything", case.one);
            return Judgement::inconclusive(sentence)
                .observed(format!("{} for `{name}`", words(answer)));
        }
    }
    if let Some(judgement) = not_ended(transcript) {
        return judgement;
    }
    passed(transcript, case, &names)
}

fn failed(transcript: &Transcript, case: &Case, names: &[&str]) -> Option<Judgement> {
    let of = |name: &str| last(transcript, &format!("wrong.{name}"));
    let (name, what, seen) = match case.wanted {
        Wanted::OneEffect => {
            let count = effects(transcript, None).filter(|it| 1 < *it)?;
            (names.first().copied()?, "takes effect again", format!("{count} effects"))
        }
        Wanted::Refusal => {
            let count = |name: &str| effects(transcript, Some(name)).unwrap_or(0);
            if let Some(name) = names.iter().find(|it| 0 < count(it)) {
                (*name, "takes effect", format!("{} effects for `{name}`", count(name)))
            } else {
                let taken =
                    names.iter().find(|it| of(it).is_some_and(|it| it.answer.is_success()))?;
                (*taken, "is acknowledged", format!("for `{taken}`"))
            }
        }
    };
    let answer = of(name).map(|it| words(&it.answer)).unwrap_or_default();
    let lines = names.iter().map(|it| {
        let answer = of(it).map_or("not sent".to_owned(), |it| words(&it.answer));
        format!("{it}: {answer}, {} effects", effects(transcript, Some(it)).unwrap_or(0))
    });
    let judgement = Judgement::fail(format!("{} {what}", case.one))
        .observed(format!("{answer}, {seen}"))
        .expected(case.expected)
        .details(lines.collect::<Vec<_>>());
    let judgement = if has_feed(transcript) { judgement } else { judgement.status_only() };
    Some(match transcript.text(&format!("repeat.{name}")) {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    })
}

fn passed(transcript: &Transcript, case: &Case, names: &[&str]) -> Judgement {
    let answers = names.iter().filter_map(|it| {
        let answer = &last(transcript, &format!("wrong.{it}"))?.answer;
        Some(format!("{} for `{it}`", words(answer)))
    });
    let answers = answers.collect::<Vec<_>>().join(", ");
    let taken = |it: &&str| {
        last(transcript, &format!("wrong.{it}")).is_some_and(|it| it.answer.is_success())
    };
    match (case.wanted, has_feed(transcript)) {
        (Wanted::Refusal, true) => Judgement::pass(format!("{} is accepted", case.none))
            .observed(format!("no effect: {answers}")),
        (Wanted::Refusal, false) => {
            Judgement::pass(format!("{} is accepted", case.none)).observed(answers).status_only()
        }
        (Wanted::OneEffect, true) => Judgement::pass(format!("{} takes effect again", case.none))
            .observed(format!("1 effect: {answers}")),
        (Wanted::OneEffect, false) if names.iter().any(taken) => {
            Judgement::inconclusive("whether it took effect again cannot be seen")
                .observed(answers)
                .expected("a feed under `[effects]` in the manifest")
                .status_only()
        }
        (Wanted::OneEffect, false) => Judgement::pass(format!("{} is accepted again", case.none))
            .observed(answers)
            .status_only(),
    }
}

/// Why there was nobody to send anything to, or nothing to send.
pub(super) fn not_begun(transcript: &Transcript) -> Option<Judgement> {
    ["harness", "chance", "setup"].iter().find_map(|label| {
        let mut facts = transcript.facts(label);
        let error = facts.find_map(|it| it.value.get("error")?.as_str())?;
        Some(Judgement::inconclusive("no right event can be made").observed(error))
    })
}

/// A right event that was not acknowledged, or had no effect.
pub(super) fn not_right(transcript: &Transcript, label: &str) -> Option<Judgement> {
    let expected = "a right event is acknowledged (202) and has its effect";
    let Some(exchange) = last(transcript, label) else {
        let sentence = "no right event was sent";
        return Some(Judgement::inconclusive(sentence).expected(expected));
    };
    let seen =
        last_fact(transcript, &format!("{label}-effect")).and_then(|it| it.get("seen")?.as_bool());
    let judgement = if !exchange.answer.is_success() {
        Judgement::inconclusive("a right event is not acknowledged")
            .observed(words(&exchange.answer))
    } else if has_feed(transcript) && seen != Some(true) {
        let last = last(transcript, &format!("{label}-effect"));
        let said = last.map(|it| it.answer.words()).unwrap_or_default();
        Judgement::inconclusive("a right event has no effect that can be seen")
            .observed(format!("the effects answer {said} and do not show it"))
    } else {
        return None;
    };
    let judgement = judgement.expected(expected);
    Some(match transcript.text(&format!("repeat.{label}")) {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    })
}

fn not_ended(transcript: &Transcript) -> Option<Judgement> {
    let wanted = transcript.number("listen_ms").unwrap_or(0);
    let waited = transcript.waited_ms("listen");
    if waited < wanted {
        return Some(
            Judgement::inconclusive("nobody listened long enough for an effect")
                .observed(format!("{waited} ms"))
                .expected(format!("{wanted} ms")),
        );
    }
    if let Some(judgement) = not_right(transcript, "closing") {
        return Some(judgement);
    }
    if !has_feed(transcript) {
        return None;
    }
    let Some(fact) = last_fact(transcript, "effects") else {
        return Some(Judgement::inconclusive("the effects were not read"));
    };
    if let Some(error) = fact.get("error").and_then(Value::as_str) {
        return Some(Judgement::inconclusive("the effects cannot be read").observed(error));
    }
    (effects(transcript, None).unwrap_or(0) == 0).then(|| {
        Judgement::inconclusive("the effects forgot an event that they had shown")
            .observed("0 effects")
    })
}

pub(super) fn has_feed(transcript: &Transcript) -> bool {
    transcript.text("oracle") == Some("feed")
}

/// How many effects a wrong event had; of the right one where no name is given.
fn effects(transcript: &Transcript, name: Option<&str>) -> Option<u64> {
    let fact = last_fact(transcript, "effects")?;
    match name {
        None => fact.get("control")?.as_u64(),
        Some(name) => fact.get("wrong")?.get(name)?.as_u64(),
    }
}

fn names(transcript: &Transcript) -> Vec<&str> {
    let names = transcript.settings.get("wrong").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The last exchange of this label.
pub(super) fn last<'a>(transcript: &'a Transcript, label: &str) -> Option<&'a Exchange> {
    transcript.entries.iter().rev().find_map(|it| match it {
        Entry::Exchange(it) if it.label == label => Some(it),
        _ => None,
    })
}

/// The last fact of this label.
pub(super) fn last_fact<'a>(transcript: &'a Transcript, label: &str) -> Option<&'a Value> {
    transcript.entries.iter().rev().find_map(|it| match it {
        Entry::Fact(it) if it.label == label => Some(&it.value),
        _ => None,
    })
}

/// An answer with the error code of RFC 8935, where it has one.
pub(super) fn words(answer: &Answer) -> String {
    let code = answer.json().and_then(|it| it.get("err")?.as_str().map(str::to_owned));
    match (answer, code) {
        (Answer::Failure { kind: FailureKind::AddressRefused, detail }, _) => detail.clone(),
        (_, Some(code)) => {
            format!("{} {}", answer.words(), code.chars().take(40).collect::<String>())
        }
        _ => answer.words(),
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};
    use serde_json::json;

    use super::*;
    use crate::sample::{Sample, sample};

    const REFUSAL: Case = Case {
        wanted: Wanted::Refusal,
        one: "a forged event",
        none: "no forged event",
        expected: "HTTP 400, and no effect",
    };
    const ONCE: Case = Case { wanted: Wanted::OneEffect, ..REFUSAL };

    /// A whole talk with one wrong event.
    fn seen(control: u16, wrong: u16, effects: (u64, u64), closing: u16) -> Sample {
        sample()
            .setting("wrong", vec!["one"])
            .setting("oracle", "feed")
            .setting("listen_ms", 900)
            .answered("control", control, "")
            .fact("control-effect", json!({"seen": control == 202}))
            .answered("wrong.one", wrong, "{\"err\":\"invalid_key\"}")
            .waited("listen", 900)
            .answered("closing", closing, "")
            .fact("closing-effect", json!({"seen": closing == 202}))
            .fact("effects", json!({"control": effects.0, "wrong": {"one": effects.1}}))
    }

    #[test]
    fn a_wrong_event_is_refused_and_has_no_effect() {
        let short = seen(202, 400, (1, 0), 202).setting("listen_ms", 1_800);
        let blind = seen(202, 400, (1, 0), 202).setting("oracle", "none");
        let table: Vec<(&str, Sample, Verdict, Verdict)> = vec![
            ("refused", seen(202, 400, (1, 0), 202), Pass, Pass),
            ("acknowledged", seen(202, 202, (1, 0), 202), Fail, Pass),
            ("takes effect", seen(202, 400, (1, 1), 202), Fail, Pass),
            ("takes effect again", seen(202, 202, (2, 0), 202), Fail, Fail),
            ("status only", blind, Pass, Pass),
            ("breaks on it", seen(202, 500, (1, 0), 202), Inconclusive, Inconclusive),
            ("refuses everything", seen(400, 400, (0, 0), 400), Inconclusive, Inconclusive),
            ("breaks afterwards", seen(202, 400, (1, 0), 500), Inconclusive, Inconclusive),
            ("forgets effects", seen(202, 400, (0, 0), 202), Inconclusive, Inconclusive),
            ("not heard long enough", short, Inconclusive, Inconclusive),
            ("nothing", sample(), Inconclusive, Inconclusive),
        ];
        for (row, sample, refusal, once) in table {
            assert_eq!(judge(sample.transcript(), &REFUSAL).verdict, refusal, "{row}");
            assert_eq!(judge(sample.transcript(), &ONCE).verdict, once, "{row}");
        }
        let judgement = judge(seen(202, 202, (1, 0), 202).transcript(), &REFUSAL);
        insta::assert_snapshot!(judgement.observed, @"HTTP 202 invalid_key, for `one`");
    }
}
