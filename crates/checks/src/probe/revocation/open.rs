//! Is introspection shut to strangers, and slow for whoever guesses?
//!
//! An introspection endpoint that answers to anybody, or as fast as anybody likes, is a machine for finding tokens.
//! We ask without any proof, and then as a client about up to a hundred tokens that never were.
//!
//! Source: RFC 7662, sections 2.1 and 4; REV-06.

use std::collections::BTreeMap;

use countersign_model::check::{Exchange, Judgement, Transcript};
use serde_json::{Value, json};

use crate::check::{Info, Stage};
use crate::probe::authz::read::{body, failed, lacks, no_control, nobody, unclear, words};
use crate::probe::authz::{Form, Party, ServerCheck, Visit, subjects};
use crate::probe::refusal::no;
use crate::probe::token::{number, says};

/// Is introspection shut to strangers, and slow for whoever guesses?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "shuts_introspection_to_strangers_and_guessers",
        case: Some("REV-06"),
        controls: &["CTS-TOK-04"],
        question: "Is introspection shut to strangers, and slow for whoever guesses?",
        sends: "Introspection of a living token without proof, and with a client id alone; then, as a client that proves itself, up to a hundred tokens that never were, at the rate of the manifest, until the first sign of a brake.",
        passes: "401 (or 400, 403) without proof; 429, 503 with `Retry-After`, or answers that become clearly slower for the guesses.",
        risk: "Anybody tries tokens until one is alive, and learns whose it is.",
        fix: "Ask every caller of introspection for proof, and slow down callers that ask for many unknown tokens.",
        source: "RFC 7662, sections 2.1 and 4.",
    },
    // After all probes: what is slowed down here would slow down others.
    stage: Stage::Drill,
    subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge: |transcript| judged(transcript).expected("401 without proof; a brake on guesses"),
};

const GUESSES_MAX: usize = 100;
const STRANGERS: [&str; 2] = ["wrong.no-proof", "wrong.client-id-alone"];

async fn talk(visit: &mut Visit<'_>) {
    let Some(endpoint) = visit.endpoint("introspection_endpoint") else { return };
    let Some(party) = visit.party(|it| !it.is_public()).await else { return };
    let Some(tokens) = visit.tokens("begun", &party).await else { return };
    visit.introspect("control", &party, &tokens.access).await;
    let bare = Form::new(&endpoint).with("token", &tokens.access);
    visit.wrong("no-proof", &bare).await;
    visit.wrong("client-id-alone", &bare.with("client_id", &party.client_id)).await;
    guess(visit, &party, &endpoint).await;
}

/// Asks about tokens that never were, until somebody brakes.
async fn guess(visit: &mut Visit<'_>, party: &Party, endpoint: &str) {
    let Some(stem) = visit.talk.fresh_name("guess-") else { return };
    let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
    let mut times = Vec::new();
    let mut throttled = false;
    for index in 0..GUESSES_MAX {
        let token = format!("{stem}-{index}");
        let Some(form) = visit.proved(party, endpoint, &[("token", token.as_str())]) else { break };
        if index == 0 {
            visit.talk.setting("repeat.guesses", form.by_hand());
        }
        let answer = visit.talk.send_unwritten(form.ask().hostile()).await;
        let dead = answer.json().and_then(|it| it.get("active")?.as_bool()) == Some(false);
        let kind =
            if answer.is_success() && !dead { "no answer".to_owned() } else { answer.words() };
        *statuses.entry(kind).or_default() += 1;
        times.push(answer.took_ms);
        let later = answer.headers.iter().any(|it| it.0 == "retry-after");
        throttled = answer.status == 429 || answer.status == 503 && later;
        if throttled || !answer.is_success() {
            break;
        }
    }
    let fact = json!({
        "sent": times.len(), "throttled": throttled, "answers": statuses,
        "first_ms": middle(times.get(..TIMED).unwrap_or_default()),
        "last_ms": middle(times.len().checked_sub(TIMED).map_or(&[][..], |it| &times[it..])),
    });
    visit.talk.fact("guesses", "server", fact);
}

/// How many answers are timed at the beginning and at the end.
const TIMED: usize = 10;

fn middle(times: &[u64]) -> u64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn active(exchange: &Exchange) -> Option<bool> {
    body(exchange).filter(|_| exchange.answer.is_success())?.get("active")?.as_bool()
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(it) = nobody(transcript).or_else(|| lacks(transcript, "introspection_endpoint")) {
        return it;
    }
    if transcript.exchange("control").and_then(active) != Some(true) {
        return no_control(transcript, "control", "introspection of a living token by its client");
    }
    for label in STRANGERS {
        let exchange = transcript.exchange(label);
        if exchange.and_then(active) == Some(true) {
            return failed(transcript, label, "introspection answers to anybody");
        }
        if !exchange.is_some_and(no) {
            return unclear(transcript, label, "a stranger is neither answered nor refused");
        }
    }
    let guesses = transcript.fact("guesses");
    let sent = number(guesses, "sent").unwrap_or_default();
    let [first, last] = ["first_ms", "last_ms"].map(|it| number(guesses, it).unwrap_or_default());
    let told = |word: &str| {
        let stranger = transcript.exchange(STRANGERS[0]).map(words).unwrap_or_default();
        format!("{stranger} without proof; {word}")
    };
    if says(guesses, "throttled") {
        let observed = told(&format!("a brake after {sent} guesses"));
        return Judgement::pass("introspection is shut to strangers and slow for guessers")
            .observed(observed);
    }
    if first * SLOWER < last && first + SLOWER_MS < last {
        let observed = told(&format!("{first} ms for the first guesses, {last} ms for the last"));
        return Judgement::pass("introspection is shut to strangers and slow for guessers")
            .observed(observed);
    }
    let answered =
        guesses.and_then(|it| it.get("answers")?.get("HTTP 200")).and_then(Value::as_u64);
    if answered == Some(GUESSES_MAX as u64) {
        let judgement = Judgement::fail("tokens can be guessed as fast as anybody likes")
            .observed(told(&format!("{sent} guesses answered, the last in {last} ms")));
        return match transcript.text("repeat.guesses") {
            Some(it) => judgement.repeat(format!("# a hundred times, each with a new token\n{it}")),
            None => judgement,
        };
    }
    Judgement::inconclusive("the guesses have no answer that says anything")
        .observed(guesses.map_or("nothing".to_owned(), ToString::to_string))
}

/// How many times slower, and by how much, answers have to become to count as a brake.
const SLOWER: u64 = 4;
const SLOWER_MS: u64 = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};

    fn seen(stranger: (u16, &str), guesses: Value) -> Sample {
        sample()
            .answered("control", 200, r#"{"active":true}"#)
            .answered("wrong.no-proof", stranger.0, stranger.1)
            .answered("wrong.client-id-alone", 401, "")
            .fact("guesses", guesses)
    }

    #[test]
    fn strangers_are_refused_and_guessers_slowed_down() {
        let no = (401, "");
        let braked =
            json!({"sent": 31, "throttled": true, "answers": {"HTTP 200": 30, "HTTP 429": 1}});
        let free = |last: u64| json!({"sent": 100, "throttled": false, "answers": {"HTTP 200": 100}, "first_ms": 2, "last_ms": last});
        let broken =
            json!({"sent": 3, "throttled": false, "answers": {"HTTP 200": 2, "HTTP 500": 1}});
        let table = [
            ("right", seen(no, braked.clone()), Pass),
            ("slower", seen(no, free(900)), Pass),
            ("a little slower", seen(no, free(60)), Fail),
            ("free", seen(no, free(2)), Fail),
            ("open", seen((200, r#"{"active":true}"#), braked.clone()), Fail),
            ("not told", seen((200, r#"{"active":false}"#), braked.clone()), Inconclusive),
            ("broken", seen(no, broken), Inconclusive),
            ("no endpoint", sample().setting("lacks", "introspection_endpoint"), NotApplicable),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }
}
