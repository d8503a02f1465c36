//! What follows from a talk with a client: its token requests count, not its pages.

use countersign_model::check::{Entry, Judgement, Transcript};
use serde_json::Value;

/// What must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Never {
    /// A code is redeemed.
    Redeems,
    /// A sign-in is begun.
    Begins,
    /// A browser is sent elsewhere.
    Leaves,
}

/// What a check asks for, in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) never: Never,
    /// `a code of another issuer is redeemed`.
    pub(super) one: &'static str,
    /// `no code of another issuer is redeemed`.
    pub(super) none: &'static str,
    /// `no token request`.
    pub(super) expected: &'static str,
    /// Whether the client has to tie a sign-in to the browser by a state.
    pub(super) needs_state: bool,
}

/// Judges a talk.
pub(super) fn judge(transcript: &Transcript, case: &Case) -> Judgement {
    let judgement = judged(transcript, case);
    let judgement = match transcript.text("place") {
        Some(place) => judgement.at(place),
        None => judgement,
    };
    if judgement.expected.is_empty() { judgement.expected(case.expected) } else { judgement }
}

fn judged(transcript: &Transcript, case: &Case) -> Judgement {
    if let Some(what) = transcript.text("undeclared") {
        return Judgement::inconclusive("the manifest does not say how a sign-in is begun")
            .observed("nothing was sent")
            .expected(what);
    }
    for label in ["harness", "chance", "setup"] {
        if let Some(error) = text(transcript, label, "error") {
            return Judgement::inconclusive("nothing could be sent").observed(error);
        }
    }
    let names = names(transcript);
    // What happened has happened, whatever else went wrong.
    if let Some(name) = names.iter().find(|it| happened(transcript, case, it)) {
        return failed(transcript, case, &names, name);
    }
    if let Some(judgement) = right(transcript, "control") {
        return judgement;
    }
    if let Some(judgement) = unbound(transcript, case) {
        return judgement;
    }
    if names.is_empty() {
        return Judgement::inconclusive("the check did not send what it wanted to send");
    }
    for name in &names {
        if let Some(judgement) = unsaid(transcript, case, name) {
            return judgement;
        }
    }
    let (waited, wanted) =
        (transcript.waited_ms("listen"), transcript.number("listen_ms").unwrap_or(0));
    if waited < wanted {
        return Judgement::inconclusive("nobody listened long enough for a token request")
            .observed(format!("{waited} ms"))
            .expected(format!("{wanted} ms"));
    }
    if let Some(judgement) = right(transcript, "closing") {
        return judgement;
    }
    let lines = names.iter().map(|it| format!("{it}: {}", words(transcript, it)));
    Judgement::pass(case.none)
        .observed(format!("0 of {} wrong ones, after {waited} ms of listening", names.len()))
        .details(lines.collect::<Vec<_>>())
}

/// Whether what must not happen has happened.
fn happened(transcript: &Transcript, case: &Case, name: &str) -> bool {
    match case.never {
        Never::Redeems => 0 < redeemed(transcript, name),
        Never::Begins => truth(transcript, &format!("begun.{name}"), "begun") == Some(true),
        Never::Leaves => truth(transcript, &format!("tried.{name}"), "off_site") == Some(true),
    }
}

fn failed(transcript: &Transcript, case: &Case, names: &[&str], name: &str) -> Judgement {
    let observed = match case.never {
        Never::Redeems => format!("{} token request for `{name}`", redeemed(transcript, name)),
        Never::Begins => format!("a redirect to our authorization endpoint for `{name}`"),
        Never::Leaves => format!("{} for `{name}`", words(transcript, name)),
    };
    let lines = names.iter().map(|it| {
        let seen = if happened(transcript, case, it) { "taken" } else { "not taken" };
        format!("{it}: {seen}, {}", words(transcript, it))
    });
    let judgement = Judgement::fail(case.one)
        .observed(observed)
        .expected(case.expected)
        .details(lines.collect::<Vec<_>>());
    match transcript.text(&format!("repeat.{name}")) {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    }
}

/// A right sign-in whose code was not redeemed.
fn right(transcript: &Transcript, label: &str) -> Option<Judgement> {
    if truth(transcript, label, "seen") == Some(true) {
        return None;
    }
    let last = |it: &str| {
        let label = format!("{it}.{label}");
        let exchange = transcript.exchange(&label)?;
        Some(format!("{it}: {}", exchange.answer.words()))
    };
    let seen: Vec<String> = ["start", "callback"].into_iter().filter_map(last).collect();
    let why = text(transcript, label, "error").unwrap_or("no token request came to our server");
    Some(
        Judgement::inconclusive("a right sign-in does not come to its end")
            .observed(format!("{why} ({})", seen.join(", ")))
            .expected("a right sign-in is redeemed at our token endpoint, before and after"),
    )
}

/// A client without a state is tied to its browser by something else, or by nothing.
fn unbound(transcript: &Transcript, case: &Case) -> Option<Judgement> {
    if !case.needs_state || truth(transcript, "bound", "state") == Some(true) {
        return None;
    }
    if truth(transcript, "bound", "pkce_or_nonce") == Some(true) {
        let sentence = "the client sends no state, and what else protects it is not looked at";
        return Some(
            Judgement::inconclusive(sentence)
                .observed("an authorization request with a challenge or a nonce alone")
                .expected("an authorization request with a state"),
        );
    }
    Some(
        Judgement::fail("a sign-in is tied to no browser")
            .observed("an authorization request without state, challenge and nonce")
            .expected("an authorization request with a state that belongs to the browser"),
    )
}

/// Why a wrong sign-in says nothing. Only what came back counts: a page of any status is an answer,
/// since the token requests show what was done.
fn unsaid(transcript: &Transcript, case: &Case, name: &str) -> Option<Judgement> {
    let label = format!("tried.{name}");
    if let Some(error) = text(transcript, &label, "error") {
        return Some(Judgement::inconclusive("a wrong sign-in cannot be made").observed(error));
    }
    let Some(answered) = truth(transcript, &label, "answered") else {
        return Some(
            Judgement::inconclusive("the check did not send what it wanted to send")
                .observed(format!("nothing was sent as `{name}`")),
        );
    };
    if !answered {
        return Some(
            Judgement::inconclusive("a wrong sign-in has no answer that says anything")
                .observed(format!("{} for `{name}`", words(transcript, name))),
        );
    }
    let read = last(transcript, &label).and_then(|it| it.get("read")?.as_u64());
    if case.never == Never::Begins && read.unwrap_or(0) == 0 {
        return Some(
            Judgement::inconclusive("the client did not read the metadata")
                .observed(format!("no request for them, for `{name}`"))
                .expected("metadata that are read at the issuer, and refused"),
        );
    }
    None
}

/// How the last answer to a wrong sign-in looked.
fn words(transcript: &Transcript, name: &str) -> String {
    if let Some(it) = text(transcript, &format!("tried.{name}"), "words") {
        return it.to_owned();
    }
    let label = format!("start.{name}");
    let start = transcript.exchange(&label);
    start.map_or_else(|| "not sent".to_owned(), |it| it.answer.words())
}

/// The most token requests with the code of this sign-in that were ever seen.
fn redeemed(transcript: &Transcript, name: &str) -> u64 {
    let facts = transcript.facts("token-requests");
    facts.filter_map(|it| it.value.get(name)?.as_u64()).max().unwrap_or(0)
}

fn truth(transcript: &Transcript, label: &str, name: &str) -> Option<bool> {
    last(transcript, label)?.get(name)?.as_bool()
}

fn text<'a>(transcript: &'a Transcript, label: &str, name: &str) -> Option<&'a str> {
    last(transcript, label)?.get(name)?.as_str()
}

fn last<'a>(transcript: &'a Transcript, label: &str) -> Option<&'a Value> {
    transcript.entries.iter().rev().find_map(|it| match it {
        Entry::Fact(it) if it.label == label => Some(&it.value),
        _ => None,
    })
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
        never: Never::Redeems,
        one: "a foreign state is taken",
        none: "no foreign state is taken",
        expected: "no token request",
        needs_state: true,
    };
    const BEGINS: Case = Case { never: Never::Begins, needs_state: false, ..CASE };
    const LEAVES: Case = Case { never: Never::Leaves, needs_state: false, ..CASE };

    /// `bound` names what ties the sign-in to its browser.
    fn begun(bound: &[&str]) -> Sample {
        let (state, other) = (bound.contains(&"state"), bound.contains(&"pkce"));
        sample()
            .setting("wrong", vec!["one"])
            .setting("listen_ms", 500)
            .setting("repeat.one", "curl one")
            .fact("bound", json!({"state": state, "pkce_or_nonce": other}))
            .fact("control", json!({"seen": true}))
    }

    fn seen(tried: Value, redeemed: u64, closing: bool) -> Sample {
        begun(&["state", "pkce"])
            .fact("tried.one", tried)
            .waited("listen", 500)
            .fact("token-requests", json!({"control": 1, "one": redeemed}))
            .fact("closing", json!({"seen": closing}))
    }

    fn answered() -> Value {
        json!({"answered": true, "words": "HTTP 400", "off_site": false, "read": 1})
    }

    #[test]
    fn only_what_our_server_saw_counts() {
        let down = sample().setting("wrong", vec!["one"]).fact("control", json!({"seen": false}));
        let nobody = sample().fact("harness", json!({"error": "no harness"}));
        let late = begun(&["state", "pkce"]).fact("tried.one", answered()).waited("listen", 20);
        let silent = seen(json!({"answered": false, "words": "timed out"}), 0, true);
        let gone = seen(json!({"off_site": true, "answered": true}), 0, true);
        let lied = seen(answered(), 0, true).fact("begun.one", json!({"begun": true}));
        let unread = seen(json!({"answered": true, "read": 0}), 0, true);
        let table: Vec<(&str, Sample, &Case, Verdict)> = vec![
            ("refused", seen(answered(), 0, true), &CASE, Pass),
            ("redeemed", seen(answered(), 1, true), &CASE, Fail),
            ("redeemed, then down", seen(answered(), 1, false), &CASE, Fail),
            ("down afterwards", seen(answered(), 0, false), &CASE, Inconclusive),
            ("silent", silent, &CASE, Inconclusive),
            ("not tried", begun(&["state", "pkce"]).waited("listen", 500), &CASE, Inconclusive),
            ("not listened", late, &CASE, Inconclusive),
            ("down", down, &CASE, Inconclusive),
            ("no harness", nobody, &CASE, Inconclusive),
            ("undeclared", sample().setting("undeclared", "`start`"), &CASE, Inconclusive),
            ("tied to nothing", begun(&[]), &CASE, Fail),
            ("tied by a challenge", begun(&["pkce"]), &CASE, Inconclusive),
            ("left", gone, &LEAVES, Fail),
            ("stayed", seen(answered(), 0, true), &LEAVES, Pass),
            ("believed", lied, &BEGINS, Fail),
            ("not believed", seen(answered(), 0, true), &BEGINS, Pass),
            ("not read", unread, &BEGINS, Inconclusive),
            ("nothing", sample(), &CASE, Inconclusive),
        ];
        for (row, sample, case, verdict) in table {
            assert_eq!(judge(sample.transcript(), case).verdict, verdict, "{row}");
        }
    }

    #[test]
    fn a_failure_shows_what_was_taken() {
        let judgement = judge(seen(answered(), 1, true).transcript(), &CASE);
        insta::assert_snapshot!(judgement.observed, @"1 token request for `one`");
        assert_eq!(judgement.details, ["one: taken, HTTP 400"]);
        assert_eq!(judgement.repeat.as_deref(), Some("curl one"));
    }
}
