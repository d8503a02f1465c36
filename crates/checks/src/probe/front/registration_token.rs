//! Does the token of a registration die when it is replaced, and with its client?
//!
//! Whoever holds it can turn the client into another: its redirects, its keys. We register a client, change it,
//! delete it, and try the token each time.
//!
//! Source: RFC 7592, sections 2 and 3; OAU-20.

use countersign_model::check::{Exchange, Judgement, Transcript};
use serde_json::json;

use super::invited::{made, right, send};
use super::register::not_offered;
use crate::check::{Info, Stage};
use crate::probe::authz::read::{body, nobody};
use crate::probe::authz::{ServerCheck, Visit};
use crate::probe::token::says;

/// Does the token of a registration die when it is replaced, and with its client?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "ends_registration_tokens",
        case: Some("OAU-20"),
        controls: &["CTS-AUT-05"],
        question: "Does the token of a registration die when it is replaced, and with its client?",
        sends: "A registration, which is read with its token; a change of it, after which the old token is tried where there is a new one; its deletion, after which the token is tried once more.",
        passes: "A token that was replaced gets 401, and so does the token of a deleted client. A server that does not let clients look after their registration is not asked.",
        risk: "A token from an old log changes the redirects of a client, or brings it back.",
        fix: "Replace the registration token at each change, and forget it with its client.",
        source: "RFC 7592, sections 2.1, 2.3 and 3.",
    },
    stage: Stage::Probe,
    subjects: super::registering,
    talk: |visit| Box::pin(talk(visit)),
    judge,
};

async fn talk(visit: &mut Visit<'_>) {
    let Some(endpoint) = visit.endpoint("registration_endpoint") else { return };
    let Some(invited) = visit.invited().await else { return };
    let metadata = right(&invited.redirect);
    let post = ("POST", endpoint.as_str());
    let answer = send(visit, "made", post, (invited.token.as_deref(), Some(&metadata))).await;
    let Some(first) = made(&answer) else { return };
    let offered = first.own.is_some();
    visit.talk.fact("own", "server", json!({ "offered": offered }));
    let Some((mut url, token)) = first.own else { return };
    let answer = send(visit, "read", ("GET", &url), (Some(&token), None)).await;
    let mut current = made(&answer).and_then(|it| it.own).map_or(token.clone(), |it| it.1);
    let mut changed = metadata;
    changed["client_id"] = first.client_id.into();
    changed["client_name"] = "Countersign probe, changed".into();
    let answer = send(visit, "changed", ("PUT", &url), (Some(&current), Some(&changed))).await;
    if let Some((next, token)) = made(&answer).and_then(|it| it.own) {
        (url, current) = (next, token);
    }
    let is_replaced = current != token;
    visit.talk.fact("replaced", "server", json!({ "replaced": is_replaced }));
    if is_replaced {
        send(visit, "wrong.old", ("GET", &url), (Some(&token), None)).await;
    }
    send(visit, "still", ("GET", &url), (Some(&current), None)).await;
    send(visit, "deleted", ("DELETE", &url), (Some(&current), None)).await;
    send(visit, "wrong.gone", ("GET", &url), (Some(&current), None)).await;
}

fn judge(transcript: &Transcript) -> Judgement {
    judged(transcript)
        .expected("401 for a token that was replaced, and for one whose client is gone")
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(it) = not_offered(transcript).or_else(|| nobody(transcript)) {
        return it;
    }
    let seen = |label: &'static str| transcript.exchange(label);
    let words = |label| seen(label).map_or("not sent".to_owned(), |it| it.answer.words());
    let unclear = |label: &'static str, sentence: &str| {
        Judgement::inconclusive(sentence).observed(format!("{} for `{label}`", words(label)))
    };
    if !seen("made").is_some_and(shows) {
        return unclear("made", "no client could be registered");
    }
    let own = transcript.fact("own");
    if own.is_some() && !says(own, "offered") {
        return Judgement::not_applicable("clients cannot look after their registration there")
            .observed("no registration_client_uri in the answer to a registration");
    }
    if !seen("read").is_some_and(shows) {
        return unclear("read", "a registration could not be read with its token");
    }
    let is_replaced = says(transcript.fact("replaced"), "replaced");
    let mut tried = vec![("wrong.gone", "the token of a deleted client works")];
    if is_replaced {
        tried.insert(0, ("wrong.old", "a registration token works after it was replaced"));
    }
    let was_deleted = seen("deleted").is_some_and(|it| it.answer.is_success());
    for (label, sentence) in &tried {
        if (*label != "wrong.gone" || was_deleted) && seen(label).is_some_and(shows) {
            let name = label.trim_start_matches("wrong.");
            let judgement = Judgement::fail(*sentence).observed(words(label));
            return match transcript.text(&format!("repeat.{name}")) {
                Some(it) => judgement.repeat(format!(
                    "# TOKEN: the `registration_access_token` that was replaced, or whose client was deleted\n{it}"
                )),
                None => judgement,
            };
        }
    }
    if !seen("still").is_some_and(shows) {
        return unclear("still", "the registration could not be read again");
    }
    if !was_deleted {
        return unclear("deleted", "the client could not be deleted");
    }
    for (label, _) in tried {
        if !matches!(seen(label).and_then(|it| it.answer.status()), Some(401 | 403)) {
            return unclear(label, "a dead registration token has no answer that says anything");
        }
    }
    let replaced = if is_replaced { "was replaced, and then " } else { "" };
    Judgement::pass("a registration token ends with what it opens")
        .observed(format!("{} for the token {replaced}of a deleted client", words("wrong.gone")))
}

/// Whether an answer shows a registration.
fn shows(exchange: &Exchange) -> bool {
    let has_id = body(exchange).is_some_and(|it| it.get("client_id").is_some());
    exchange.answer.is_success() && has_id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};

    const MADE: &str = r#"{"client_id":"dyn-1"}"#;

    fn seen(old: Option<u16>, deleted: u16, gone: u16) -> Sample {
        let text = |status| if status == 200 { MADE } else { "{}" };
        let begun = sample()
            .answered("made", 201, MADE)
            .fact("own", json!({"offered": true}))
            .answered("read", 200, MADE)
            .answered("changed", 200, MADE)
            .fact("replaced", json!({"replaced": old.is_some()}));
        let begun = match old {
            Some(it) => begun.answered("wrong.old", it, text(it)),
            None => begun,
        };
        begun.answered("still", 200, MADE).answered("deleted", deleted, "").answered(
            "wrong.gone",
            gone,
            text(gone),
        )
    }

    #[test]
    fn a_dead_token_opens_nothing() {
        let none = sample().answered("made", 201, MADE).fact("own", json!({"offered": false}));
        let table = [
            ("right", seen(Some(401), 204, 401), Pass),
            ("never replaced", seen(None, 204, 401), Pass),
            ("works after it was replaced", seen(Some(200), 204, 401), Fail),
            ("works after deletion", seen(Some(401), 204, 200), Fail),
            ("not deleted", seen(Some(401), 405, 200), Inconclusive),
            ("broken", seen(Some(500), 204, 401), Inconclusive),
            ("not found", seen(Some(401), 204, 404), Inconclusive),
            ("not offered", none, NotApplicable),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[3].1);
        insta::assert_snapshot!(judgement.sentence, @"the token of a deleted client works");
    }
}
