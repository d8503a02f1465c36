//! What follows from a talk with a sender: who came where, not what it said.

use countersign_model::check::{Judgement, Transcript};
use serde_json::Value;

/// What a check asks for, in words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// `an address that leads inward is delivered to`.
    pub(crate) one: &'static str,
    /// `no address that leads inward is delivered to`.
    pub(crate) none: &'static str,
    /// `a refusal, or no connection`.
    pub(crate) expected: &'static str,
}

/// Judges a talk.
pub(crate) fn judge(transcript: &Transcript, case: &Case) -> Judgement {
    let judgement = judged(transcript, case);
    let judgement = match transcript.text("place") {
        Some(place) => judgement.at(place),
        None => judgement,
    };
    if judgement.expected.is_empty() { judgement.expected(case.expected) } else { judgement }
}

fn judged(transcript: &Transcript, case: &Case) -> Judgement {
    if let Some(judgement) = not_begun(transcript) {
        return judgement;
    }
    let names = names(transcript);
    if let Some(name) = names.iter().find(|it| 0 < hits(transcript, it)) {
        return failed(transcript, case, &names, name);
    }
    if let Some(judgement) = not_right(transcript, "control") {
        return judgement;
    }
    if names.is_empty() {
        return Judgement::inconclusive("the check did not send what it wanted to send");
    }
    let (waited, wanted) =
        (transcript.waited_ms("listen"), transcript.number("listen_ms").unwrap_or(0));
    if waited < wanted {
        return Judgement::inconclusive("nobody listened long enough for a delivery")
            .observed(format!("{waited} ms"))
            .expected(format!("{wanted} ms"));
    }
    for name in &names {
        if let Some(judgement) = unsaid(transcript, &names, name) {
            return judgement.details(lines(transcript, &names));
        }
    }
    if let Some(judgement) = not_right(transcript, "closing") {
        return judgement;
    }
    Judgement::pass(case.none)
        .observed(format!(
            "0 of {} addresses ({}), after {waited} ms of listening",
            names.len(),
            names.join(", ")
        ))
        .details(lines(transcript, &names))
}

/// Why nothing could be done at all.
pub(super) fn not_begun(transcript: &Transcript) -> Option<Judgement> {
    if let Some(what) = transcript.text("undeclared") {
        let sentence = "the manifest does not say how a delivery is caused";
        return Some(Judgement::inconclusive(sentence).observed("nothing was sent").expected(what));
    }
    if let Some(what) = transcript.text("undeclared_sign_in") {
        let sentence = "the manifest does not say how a sign-in is begun";
        return Some(Judgement::inconclusive(sentence).observed("nothing was sent").expected(what));
    }
    for label in ["harness", "chance", "setup"] {
        let error = transcript.fact(label).and_then(|it| it.get("error")?.as_str());
        if let Some(error) = error {
            return Some(Judgement::inconclusive("nothing could be sent").observed(error));
        }
    }
    None
}

/// A right address that was not delivered to.
pub(super) fn not_right(transcript: &Transcript, label: &str) -> Option<Judgement> {
    let seen = transcript.fact(label).and_then(|it| it.get("seen")?.as_bool());
    if seen == Some(true) {
        return None;
    }
    let said = |label: &str| transcript.exchange(label).map(|it| it.answer.words());
    let (register, trigger) = match label {
        "control" => (said("register.control"), said("trigger.control")),
        _ => (None, said("trigger")),
    };
    let mut seen: Vec<String> = register.into_iter().map(|it| format!("register: {it}")).collect();
    seen.extend(trigger.map(|it| format!("trigger: {it}")));
    Some(
        Judgement::inconclusive("a right address of ours is not called")
            .observed(format!("no call ({})", seen.join(", ")))
            .expected("a call at a right address of ours, before and after the wrong ones"),
    )
}

fn failed(transcript: &Transcript, case: &Case, names: &[&str], name: &str) -> Judgement {
    let judgement = Judgement::fail(case.one)
        .observed(format!("{} for `{name}`", times(hits(transcript, name))))
        .expected(case.expected)
        .details(lines(transcript, names));
    match transcript.text(&format!("repeat.{name}")) {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    }
}

/// Why a wrong address says nothing.
fn unsaid(transcript: &Transcript, names: &[&str], name: &str) -> Option<Judgement> {
    let Some(value) = transcript.fact(&format!("registered.{name}")) else {
        let sentence = "the check did not send what it wanted to send";
        let judgement = Judgement::inconclusive(sentence);
        return Some(judgement.observed(format!("nothing was sent as `{name}`")));
    };
    if let Some(missing) = value.get("missing").and_then(Value::as_str) {
        let why = value.get("why").and_then(Value::as_str).unwrap_or("nothing is set up for it");
        return Some(
            Judgement::inconclusive("our own side lacks an address to try")
                .observed(format!("`{missing}`: {why}; {}", tried(transcript, names)))
                .expected(format!(
                    "`[harness.names.{missing}]` in the settings of the server (docs/harness.md)"
                )),
        );
    }
    if let Some(why) = value.get("unsaid").and_then(Value::as_str) {
        return Some(
            Judgement::inconclusive("a wrong server of ours was not called at all")
                .observed(format!("{why} for `{name}`"))
                .expected("a connection that is given up before a request is sent"),
        );
    }
    if transcript.fact("unclear").is_some_and(|it| it.get(name).is_some()) {
        let sentence = "whether a wrong server of ours was refused cannot be told";
        return Some(
            Judgement::inconclusive(sentence)
                .observed(format!("neither a refusal nor another message for `{name}`"))
                .expected("a connection that is given up with an alert, or closed"),
        );
    }
    let truth = |name: &str| value.get(name).and_then(Value::as_bool) == Some(true);
    if truth("refused") || (truth("accepted") && truth("would_show")) {
        return None;
    }
    let words = value.get("words").and_then(Value::as_str).unwrap_or_default();
    Some(if truth("accepted") {
        Judgement::inconclusive(
            "a wrong address is taken, and whether it is delivered to cannot be seen",
        )
        .observed(format!("{words} for `{name}`"))
        .expected("a refusal (4xx), since nobody of ours is at that address")
    } else {
        Judgement::inconclusive("a wrong address has no answer that says anything")
            .observed(format!("{words} for `{name}`"))
    })
}

/// Which of the wrong addresses there were, for people.
fn tried(transcript: &Transcript, names: &[&str]) -> String {
    let is_there = |name: &&&str| {
        let value = transcript.fact(&format!("registered.{name}"));
        value.is_some_and(|it| it.get("missing").is_none())
    };
    let there: Vec<&str> = names.iter().filter(is_there).copied().collect();
    let (tried, all) = (there.len(), names.len());
    if there.is_empty() {
        return format!("tried: 0 of {all}");
    }
    format!("tried: {tried} of {all} ({})", there.join(", "))
}

fn lines(transcript: &Transcript, names: &[&str]) -> Vec<String> {
    let line = |name: &&str| {
        let value = transcript.fact(&format!("registered.{name}"));
        let words = value.and_then(|it| it.get("words")?.as_str()).unwrap_or("not sent");
        format!("{name}: {words}, {}", times(hits(transcript, name)))
    };
    names.iter().map(line).collect()
}

fn times(count: u64) -> String {
    if count == 1 { "1 connection".to_owned() } else { format!("{count} connections") }
}

fn hits(transcript: &Transcript, name: &str) -> u64 {
    let facts = transcript.facts("hits");
    facts.filter_map(|it| it.value.get(name)?.as_u64()).max().unwrap_or(0)
}

fn names(transcript: &Transcript) -> Vec<&str> {
    let names = transcript.settings.get("wrong").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};
    use serde_json::json;

    use super::*;
    use crate::sample::{Sample, sample};

    const CASE: Case = Case {
        one: "an address that leads inward is delivered to",
        none: "no address that leads inward is delivered to",
        expected: "a refusal, or no connection",
    };

    fn seen(registered: Value, hits: u64, closing: bool) -> Sample {
        sample()
            .setting("wrong", vec!["one"])
            .setting("listen_ms", 500)
            .fact("control", json!({"seen": true}))
            .fact("registered.one", registered)
            .waited("listen", 500)
            .fact("hits", json!({"one": hits}))
            .fact("closing", json!({"seen": closing}))
    }

    #[test]
    fn only_who_came_counts() {
        let refused = json!({"refused": true, "accepted": false, "words": "HTTP 422"});
        let shown = json!({"refused": false, "accepted": true, "would_show": true});
        let unseen = json!({"refused": false, "accepted": true, "would_show": false});
        let broken = json!({"refused": false, "accepted": false, "words": "HTTP 500"});
        let down = sample().setting("wrong", vec!["one"]).fact("control", json!({"seen": false}));
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("refused", seen(refused.clone(), 0, true), Pass),
            ("taken, nobody came", seen(shown.clone(), 0, true), Pass),
            ("taken, somebody came", seen(shown.clone(), 1, true), Fail),
            (
                "taken, and nobody knows what came",
                seen(shown.clone(), 0, true).fact("unclear", json!({"one": 1})),
                Inconclusive,
            ),
            ("refused, and came all the same", seen(refused.clone(), 2, false), Fail),
            ("taken, and nobody could see", seen(unseen, 0, true), Inconclusive),
            ("breaks", seen(broken, 0, true), Inconclusive),
            ("lacks a name", seen(json!({"missing": "expired"}), 0, true), Inconclusive),
            (
                "a sign-in that nobody can begin",
                sample().setting("undeclared_sign_in", "`start`"),
                Inconclusive,
            ),
            ("down afterwards", seen(refused, 0, false), Inconclusive),
            ("down", down, Inconclusive),
            ("undeclared", sample().setting("undeclared", "`register`"), Inconclusive),
            ("no harness", sample().fact("harness", json!({"error": "none"})), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        for (row, sample, verdict) in table {
            assert_eq!(judge(sample.transcript(), &CASE).verdict, verdict, "{row}");
        }
    }

    #[test]
    fn what_was_not_tried_is_said_and_does_not_hide_what_was() {
        let shown = json!({"refused": false, "accepted": true, "would_show": true});
        let two = |hits: u64| {
            seen(shown.clone(), hits, true)
                .setting("wrong", vec!["one", "revoked"])
                .fact("registered.revoked", json!({"missing": "revoked", "why": "none is set up"}))
        };
        let judgement = judge(two(0).transcript(), &CASE);
        insta::assert_snapshot!(judgement.observed, @"`revoked`: none is set up; tried: 1 of 2 (one)");
        insta::assert_snapshot!(judgement.expected, @"`[harness.names.revoked]` in the settings of the server (docs/harness.md)");
        assert_eq!(judge(two(1).transcript(), &CASE).verdict, Fail, "what was tried still counts");
        let judgement = judge(seen(shown, 0, true).transcript(), &CASE);
        insta::assert_snapshot!(judgement.observed, @"0 of 1 addresses (one), after 500 ms of listening");
    }
}
