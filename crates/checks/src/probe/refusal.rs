//! Wrong requests between two right ones: what refuses them all, and what takes one of them.
//!
//! A refusal counts only where a right request was taken before and after it: somebody who refuses
//! or breaks on everything passes nothing.

use countersign_model::check::transcript::FailureKind;
use countersign_model::check::{Answer, Entry, Exchange, Judgement, Transcript};
use serde_json::Value;

use crate::live::ask::Ask;
use crate::talk::Talk;

/// What a check asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusals {
    /// `a token without a signature`.
    pub(crate) one: &'static str,
    /// `no token without a signature`.
    pub(crate) none: &'static str,
    /// What has to come back for a wrong one: `401 or 403`.
    pub(crate) expected: &'static str,
    /// Whether an answer takes the request.
    pub(crate) taken: fn(&Exchange) -> bool,
    /// Whether an answer refuses the request. What does neither says nothing.
    pub(crate) refused: fn(&Exchange) -> bool,
    /// Whether breaking (5xx, no answer) on a wrong request fails, where right ones are taken.
    pub(crate) breaking_fails: bool,
}

/// A 2xx takes a request.
pub(crate) fn success(exchange: &Exchange) -> bool {
    exchange.answer.is_success()
}

/// 400, 401 and 403 refuse a request.
pub(crate) fn no(exchange: &Exchange) -> bool {
    matches!(exchange.answer.status(), Some(400 | 401 | 403))
}

/// A wrong request: its name, the request, and how to repeat it by hand.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    pub(crate) name: String,
    pub(crate) ask: Ask,
    pub(crate) repeat: String,
}

/// Sends a right request, the wrong ones, and the right one again. `right` makes one anew each time.
pub(crate) async fn round(
    talk: &mut Talk,
    case: &Refusals,
    mut right: impl FnMut(&mut Talk) -> Option<(Ask, String)>,
    wrong: Vec<Wrong>,
) {
    let names: Vec<Value> = wrong.iter().map(|it| it.name.as_str().into()).collect();
    talk.setting("wrong", names);
    if !send_right(talk, case, "control", &mut right).await {
        return;
    }
    for it in wrong {
        talk.setting(&format!("repeat.{}", it.name), it.repeat);
        talk.send(&format!("wrong.{}", it.name), it.ask.hostile()).await;
    }
    send_right(talk, case, "closing", &mut right).await;
}

async fn send_right(
    talk: &mut Talk,
    case: &Refusals,
    label: &str,
    right: &mut impl FnMut(&mut Talk) -> Option<(Ask, String)>,
) -> bool {
    let Some((ask, repeat)) = right(talk) else { return false };
    talk.setting(&format!("repeat.{label}"), repeat);
    talk.send(label, ask).await;
    talk.transcript().exchange(label).is_some_and(case.taken)
}

/// Judges such a round.
pub(crate) fn judge(transcript: &Transcript, case: &Refusals) -> Judgement {
    let judgement = judged(transcript, case);
    let judgement = match transcript.text("place") {
        Some(place) => judgement.at(place),
        None => judgement,
    };
    if judgement.expected.is_empty() { judgement.expected(case.expected) } else { judgement }
}

fn judged(transcript: &Transcript, case: &Refusals) -> Judgement {
    if let Some(error) = nobody(transcript) {
        return Judgement::inconclusive("nothing could be sent").observed(error);
    }
    if let Some(judgement) = right(transcript, case.taken, "control") {
        return judgement;
    }
    let names = names(transcript);
    let of = |name: &str| last(transcript, &format!("wrong.{name}"));
    // What was taken was taken, whatever else went wrong.
    if let Some(name) = names.iter().find(|it| of(it).is_some_and(case.taken)) {
        return failed(transcript, case, name, format!("{} is accepted", case.one));
    }
    if names.is_empty() {
        return Judgement::inconclusive("the check did not send what it wanted to send");
    }
    if let Some(judgement) = right(transcript, case.taken, "closing") {
        return judgement;
    }
    for name in &names {
        let Some(exchange) = of(name) else {
            return Judgement::inconclusive("the check did not send what it wanted to send")
                .observed(format!("nothing was sent as `{name}`"));
        };
        if (case.refused)(exchange) {
            continue;
        }
        if case.breaking_fails && breaks(&exchange.answer) {
            return failed(transcript, case, name, format!("{} breaks it", case.one));
        }
        return Judgement::inconclusive(format!("{} has no answer that says anything", case.one))
            .observed(format!("{} for `{name}`", words(&exchange.answer)));
    }
    let answers =
        names.iter().filter_map(|name| Some(format!("{} for `{name}`", of(name)?.answer.words())));
    Judgement::pass(format!("{} is accepted", case.none))
        .observed(answers.collect::<Vec<_>>().join(", "))
}

fn failed(transcript: &Transcript, case: &Refusals, name: &str, sentence: String) -> Judgement {
    let names = names(transcript);
    let lines = names.iter().map(|it| {
        let answer = last(transcript, &format!("wrong.{it}"));
        format!("{it}: {}", answer.map_or("not sent".to_owned(), |it| it.answer.words()))
    });
    let observed = last(transcript, &format!("wrong.{name}")).map(|it| words(&it.answer));
    let judgement = Judgement::fail(sentence)
        .observed(format!("{} for `{name}`", observed.unwrap_or_default()))
        .expected(case.expected)
        .details(lines.collect::<Vec<_>>());
    match transcript.text(&format!("repeat.{name}")) {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    }
}

/// Why there was nobody to send anything to, or nothing to send.
pub(crate) fn nobody(transcript: &Transcript) -> Option<&str> {
    ["platform", "harness", "chance", "copy", "setup"].iter().find_map(|label| {
        let mut facts = transcript.facts(label);
        facts.find_map(|it| it.value.get("error")?.as_str())
    })
}

/// A right request that was not taken.
pub(crate) fn right(
    transcript: &Transcript,
    taken: fn(&Exchange) -> bool,
    label: &str,
) -> Option<Judgement> {
    let expected = "a right request is accepted, before and after the wrong ones";
    let Some(exchange) = last(transcript, label) else {
        let sentence = "no right request was sent";
        return Some(Judgement::inconclusive(sentence).expected(expected));
    };
    if taken(exchange) {
        return None;
    }
    let judgement = Judgement::inconclusive("a right request is not accepted")
        .observed(words(&exchange.answer))
        .expected(expected);
    Some(match transcript.text(&format!("repeat.{label}")) {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    })
}

/// Whether somebody broke on a request instead of answering it.
fn breaks(answer: &Answer) -> bool {
    match answer {
        Answer::Response { status, .. } => 500 <= *status,
        Answer::Failure { kind, .. } => {
            matches!(kind, FailureKind::Closed | FailureKind::Connect | FailureKind::Timeout)
        }
    }
}

fn names(transcript: &Transcript) -> Vec<&str> {
    let names = transcript.settings.get("wrong").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The last exchange of this label.
fn last<'a>(transcript: &'a Transcript, label: &str) -> Option<&'a Exchange> {
    transcript.entries.iter().rev().find_map(|it| match it {
        Entry::Exchange(it) if it.label == label => Some(it),
        _ => None,
    })
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Failure { kind, detail } if !detail.is_empty() => {
            format!("{} ({detail})", kind.words())
        }
        other => other.words(),
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};
    use serde_json::json;

    use super::*;
    use crate::sample::{Sample, sample};

    const CASE: Refusals = Refusals {
        one: "a token without a signature",
        none: "no token without a signature",
        expected: "401 or 403",
        taken: success,
        refused: no,
        breaking_fails: false,
    };
    const STRICT: Refusals = Refusals { breaking_fails: true, ..CASE };

    /// A round of a right request, two wrong ones and a right one.
    fn seen(control: u16, one: u16, other: u16, closing: u16) -> Sample {
        sample()
            .setting("wrong", vec!["one", "other"])
            .setting("repeat.other", "curl other")
            .answered("control", control, "")
            .answered("wrong.one", one, "")
            .answered("wrong.other", other, "")
            .answered("closing", closing, "")
    }

    #[test]
    fn a_refusal_counts_only_between_two_right_requests() {
        let silent = |kind| {
            sample()
                .setting("wrong", vec!["one"])
                .answered("control", 200, "")
                .silent("wrong.one", kind)
                .answered("closing", 200, "")
        };
        let down = sample().setting("wrong", vec!["one"]).silent("control", FailureKind::Connect);
        let cut = sample().setting("wrong", vec!["one"]).answered("control", 200, "");
        let nobody = seen(200, 401, 401, 200).fact("platform", json!({"error": "down"}));
        let table: Vec<(&str, Sample, Verdict, Verdict)> = vec![
            ("all refused", seen(200, 401, 403, 200), Pass, Pass),
            ("one taken", seen(200, 401, 200, 200), Fail, Fail),
            ("all taken", seen(200, 200, 200, 200), Fail, Fail),
            ("one taken, then down", seen(200, 401, 200, 500), Fail, Fail),
            ("one breaks", seen(200, 401, 500, 200), Inconclusive, Fail),
            ("all break", seen(500, 500, 500, 500), Inconclusive, Inconclusive),
            ("right refused", seen(401, 401, 401, 401), Inconclusive, Inconclusive),
            ("right refused, wrong taken", seen(401, 200, 200, 401), Inconclusive, Inconclusive),
            ("right refused afterwards", seen(200, 401, 401, 401), Inconclusive, Inconclusive),
            ("not found", seen(200, 404, 401, 200), Inconclusive, Inconclusive),
            ("throttled", seen(200, 429, 401, 200), Inconclusive, Inconclusive),
            ("hangs up", silent(FailureKind::Closed), Inconclusive, Fail),
            ("may not be sent", silent(FailureKind::AddressRefused), Inconclusive, Inconclusive),
            ("down", down, Inconclusive, Inconclusive),
            ("cut off", cut, Inconclusive, Inconclusive),
            ("no platform", nobody, Inconclusive, Inconclusive),
            ("nothing", sample(), Inconclusive, Inconclusive),
        ];
        for (row, sample, lenient, strict) in table {
            assert_eq!(judge(sample.transcript(), &CASE).verdict, lenient, "{row}");
            assert_eq!(judge(sample.transcript(), &STRICT).verdict, strict, "{row}");
        }
    }

    #[test]
    fn a_failure_shows_what_was_taken_and_how_to_repeat_it() {
        let judgement = judge(seen(200, 401, 200, 200).transcript(), &CASE);
        insta::assert_snapshot!(judgement.sentence, @"a token without a signature is accepted");
        insta::assert_snapshot!(judgement.observed, @"HTTP 200 for `other`");
        insta::assert_snapshot!(judgement.expected, @"401 or 403");
        assert_eq!(judgement.repeat.as_deref(), Some("curl other"));
        assert_eq!(judgement.details, ["one: HTTP 401", "other: HTTP 200"]);
    }
}
