//! Does introspection tell the truth, and nothing more about what is dead?
//!
//! Receivers that ask whether a token is alive believe the answer. We ask about a token that lives, one that was
//! revoked, one that nobody knows, one of another client, and, where tokens live for seconds, one that has ended.
//!
//! Source: RFC 7662, section 2.2; REV-05.

use countersign_model::check::{Exchange, Judgement, Transcript};
use countersign_model::time::Period;
use serde_json::Value;

use crate::check::{Info, Stage};
use crate::live::ask::Received;
use crate::probe::authz::read::{body, failed, lacks, no_control, nobody, unclear};
use crate::probe::authz::{Party, ServerCheck, Tokens, Visit, subjects};

/// Does introspection tell the truth, and nothing more about what is dead?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "tells_the_truth_at_introspection",
        case: Some("REV-05"),
        controls: &["CTS-TOK-04"],
        question: "Does introspection tell the truth, and nothing more about what is dead?",
        sends: "Introspection of a token that lives, one that was revoked, one that nobody knows, one of another client, and one that has ended where tokens live for at most five seconds; the living one again at the end.",
        passes: "`active` for the living one; `{\"active\":false}` and no other member for the rest.",
        risk: "A receiver that asks goes on serving a thief, or learns what is none of its business.",
        fix: "Answer `{\"active\":false}` for whatever is not alive, not known, or not the caller's.",
        source: "RFC 7662, section 2.2.",
    },
    stage: Stage::Probe,
    subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge: |transcript| {
        judged(transcript).expected("`{\"active\":false}` and no other member for what is dead")
    },
};

/// A token that ends within this time is waited for.
const WAITED_SECONDS_MAX: u64 = 5;
const DEAD: [&str; 4] = ["revoked", "unknown", "foreign", "expired"];

async fn talk(visit: &mut Visit<'_>) {
    let limit = visit.limit();
    if visit.endpoint("introspection_endpoint").is_none() {
        return;
    }
    let Some(owner) = visit.party(|it| !it.is_public()).await else { return };
    let Some(unknown) = visit.talk.fresh_name("unknown-") else { return };
    let Some(tokens) = visit.tokens("begun", &owner).await else { return };
    visit.introspect("control", &owner, &tokens.access).await;
    visit.introspect("unknown", &owner, &unknown).await;
    let mut ending = vec![(owner.clone(), tokens.clone())];
    if let Some(other) = visit.another().await.filter(|it| !it.is_public()) {
        visit.introspect("foreign", &other, &tokens.access).await;
        if let Some(tokens) = visit.tokens("others", &other).await {
            ending.push((other, tokens));
        }
    }
    expired(visit, &ending).await;
    revoked(visit, &owner, limit).await;
    if let Some(tokens) = visit.tokens("anew", &owner).await {
        visit.introspect("closing", &owner, &tokens.access).await;
    }
}

/// A token that lives for seconds is introspected before and after its end.
async fn expired(visit: &mut Visit<'_>, ending: &[(Party, Tokens)]) {
    let short = |it: &&(Party, Tokens)| it.1.expires_in.is_some_and(|it| it <= WAITED_SECONDS_MAX);
    let Some((party, tokens)) = ending.iter().find(short) else { return };
    visit.introspect("ending", party, &tokens.access).await;
    // Clocks count whole seconds, so that the last one may have just begun.
    let seconds = tokens.expires_in.unwrap_or_default();
    visit.talk.pause("expiry", Period::from_millis(seconds * 1_000 + 1_100)).await;
    visit.introspect("expired", party, &tokens.access).await;
}

/// A token is revoked, and introspected until it is called dead or the time is over.
async fn revoked(visit: &mut Visit<'_>, owner: &Party, limit: Period) {
    let Some(tokens) = visit.tokens("to-revoke", owner).await else { return };
    let answer = visit.revoke("revocation", owner, &tokens.access).await;
    if !answer.is_some_and(|it| it.is_success()) {
        return;
    }
    let Some(endpoint) = visit.endpoint("introspection_endpoint") else { return };
    let fields = [("token", tokens.access.as_str())];
    let Some(form) = visit.proved(owner, &endpoint, &fields) else { return };
    visit.talk.setting("repeat.revoked", form.by_hand());
    let dead = |it: &Received| it.json().and_then(|it| it.get("active")?.as_bool()) == Some(false);
    let proof = matches!(owner.proof, crate::probe::authz::Proof::Key(_));
    // An assertion counts once: with a key, each question is a new one.
    let start = visit.talk.stopwatch_ms();
    loop {
        let Some(form) = visit.proved(owner, &endpoint, &fields) else { return };
        let answer = visit.talk.send("revoked", form.ask()).await;
        let spent = visit.talk.stopwatch_ms().saturating_sub(start);
        if dead(&answer) || limit.millis() <= spent || !answer.is_success() {
            return;
        }
        visit.talk.pause("revoked", Period::from_millis(if proof { 200 } else { 100 })).await;
    }
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
    let mut asked = Vec::new();
    for label in DEAD {
        let Some(exchange) = transcript.exchange(label) else { continue };
        match active(exchange) {
            Some(true) => {
                let sentence = format!("introspection calls {} active", named(label));
                return failed(transcript, label, &sentence);
            }
            Some(false) => asked.push(label),
            None => return unclear(transcript, label, "introspection says neither yes nor no"),
        }
        let more = body(exchange).map(more).unwrap_or_default();
        if !more.is_empty() {
            let sentence = format!("introspection tells {} of {}", more.join(", "), named(label));
            return failed(transcript, label, &sentence);
        }
    }
    if !asked.contains(&"unknown") || transcript.exchange("closing").and_then(active) != Some(true)
    {
        return no_control(transcript, "closing", "introspection of a living token afterwards");
    }
    let left = DEAD.into_iter().filter(|it| !asked.contains(it)).collect::<Vec<_>>().join(", ");
    let left = if left.is_empty() { left } else { format!("; not tried: {left}") };
    Judgement::pass("introspection tells the truth")
        .observed(format!("`{{\"active\":false}}` alone for {}{left}", asked.join(", ")))
}

/// What an answer about something dead tells beside that.
fn more(body: Value) -> Vec<String> {
    let Value::Object(members) = body else { return Vec::new() };
    members.into_iter().map(|it| it.0).filter(|it| it != "active").collect()
}

fn named(label: &str) -> &'static str {
    match label {
        "expired" => "a token that has ended",
        "foreign" => "a token of another client",
        "revoked" => "a revoked token",
        _ => "a token that nobody knows",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};

    const ALIVE: &str = r#"{"active":true,"client_id":"a"}"#;
    const GONE: &str = r#"{"active":false}"#;

    fn seen(changed: &str, status: u16, text: &str) -> Sample {
        let all = [("control", ALIVE), ("closing", ALIVE)];
        let all = all.into_iter().chain(DEAD.map(|it| (it, GONE)));
        all.fold(sample(), |sample, (label, right)| {
            let (status, text) = if label == changed { (status, text) } else { (200, right) };
            sample.answered(label, status, text)
        })
    }

    #[test]
    fn what_is_dead_is_called_dead_and_nothing_else() {
        let told = r#"{"active":false,"client_id":"a"}"#;
        let table = [
            ("right", seen("", 200, ""), Pass),
            ("revoked, active", seen("revoked", 200, ALIVE), Fail),
            ("expired, active", seen("expired", 200, ALIVE), Fail),
            ("foreign, active", seen("foreign", 200, ALIVE), Fail),
            ("revoked, told", seen("revoked", 200, told), Fail),
            ("foreign, refused", seen("foreign", 403, ""), Inconclusive),
            ("broken", seen("unknown", 500, ""), Inconclusive),
            ("never active", seen("control", 200, GONE), Inconclusive),
            ("gone afterwards", seen("closing", 401, ""), Inconclusive),
            ("no endpoint", sample().setting("lacks", "introspection_endpoint"), NotApplicable),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[4].1);
        insta::assert_snapshot!(judgement.sentence, @"introspection tells client_id of a revoked token");
    }
}
