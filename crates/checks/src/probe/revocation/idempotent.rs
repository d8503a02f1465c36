//! Is every revocation answered alike, whether the token was known or not?
//!
//! Whoever revokes in an emergency revokes twice, and revokes what has ended. If that is an error, scripts stop
//! half-way; and an answer that differs tells which tokens exist.
//!
//! Source: RFC 7009, section 2.2; REV-04.

use countersign_model::check::{Judgement, Transcript};

use crate::check::{Info, Stage};
use crate::probe::authz::read::{
    error_code, failed, lacks, life, no_control, nobody, unclear, words,
};
use crate::probe::authz::{Life, ServerCheck, Visit, subjects};

/// Is every revocation answered alike, whether the token was known or not?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "answers_every_revocation_alike",
        case: Some("REV-04"),
        controls: &["CTS-TOK-04"],
        question: "Is every revocation answered alike, whether the token was known or not?",
        sends: "A token is revoked, and used until it is refused; then it is revoked again, and so is one that never was.",
        passes: "HTTP 200 each time.",
        risk: "In an emergency the script that revokes stops at the first token that has ended already.",
        fix: "Answer 200 to every revocation of a client that proved itself, whatever the token is.",
        source: "RFC 7009, section 2.2.",
    },
    stage: Stage::Probe,
    subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge: |transcript| judged(transcript).expected("HTTP 200 each time"),
};

const TRIED: [(&str, &str); 2] = [
    ("again", "revoking a token a second time is an error"),
    ("unknown", "revoking a token that nobody knows is an error"),
];

async fn talk(visit: &mut Visit<'_>) {
    let limit = visit.limit();
    if visit.endpoint("revocation_endpoint").is_none() {
        return;
    }
    let Some(party) = visit.party(|_| true).await else { return };
    let Some(unknown) = visit.talk.fresh_name("unknown-") else { return };
    let Some(tokens) = visit.tokens("control", &party).await else { return };
    if visit.look("before", &party, &tokens.access).await != Some(Life::Alive) {
        return;
    }
    visit.revoke("first", &party, &tokens.access).await;
    let first = visit.talk.transcript().exchange("first");
    let unsupported = first.is_some_and(|it| error_code(it) == "unsupported_token_type");
    // A token that says everything itself need not be revoked; then the refresh token is.
    let token = match tokens.refresh {
        Some(refresh) if unsupported => {
            visit.revoke("first", &party, &refresh).await;
            refresh
        }
        _ => {
            visit.until_dead("dead", (&party, &tokens.access), limit).await;
            tokens.access
        }
    };
    visit.revoke("again", &party, &token).await;
    visit.revoke("unknown", &party, &unknown).await;
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(it) = nobody(transcript).or_else(|| lacks(transcript, "revocation_endpoint")) {
        return it;
    }
    if life(transcript, "before") != Some(Life::Alive) {
        return no_control(transcript, "before", "a new access token");
    }
    let first = transcript.exchange("first");
    if first.is_some_and(|it| error_code(it) == "unsupported_token_type") {
        return Judgement::not_applicable("the server revokes no token that this client has");
    }
    if first.and_then(|it| it.answer.status()) != Some(200) {
        return no_control(transcript, "first", "a right revocation");
    }
    if life(transcript, "dead").is_some_and(|it| it != Life::Dead) {
        return no_control(transcript, "dead", "a right revocation");
    }
    for (label, sentence) in TRIED {
        let status = transcript.exchange(label).and_then(|it| it.answer.status());
        match status {
            Some(200) => {}
            Some(status) if (201..500).contains(&status) && status != 429 => {
                return failed(transcript, label, sentence);
            }
            _ => return unclear(transcript, label, "a revocation has no answer"),
        }
    }
    let seen = |label: &'static str| transcript.exchange(label).map(words).unwrap_or_default();
    Judgement::pass("every revocation is answered alike").observed(format!(
        "{}, {}, {}",
        seen("first"),
        seen("again"),
        seen("unknown")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};

    fn seen(first: (u16, &str), dead: u16, again: u16, unknown: u16) -> Sample {
        sample()
            .setting("life_by", "resource")
            .answered("before", 200, "{}")
            .answered("first", first.0, first.1)
            .answered("dead", dead, "")
            .answered("again", again, "")
            .answered("unknown", unknown, "")
    }

    #[test]
    fn every_revocation_is_answered_with_yes() {
        let yes = (200, "");
        let table = [
            ("right", seen(yes, 401, 200, 200), Pass),
            ("the second time is an error", seen(yes, 401, 400, 200), Fail),
            ("the unknown is an error", seen(yes, 401, 200, 404), Fail),
            ("throttled", seen(yes, 401, 200, 429), Inconclusive),
            ("broken", seen(yes, 401, 500, 200), Inconclusive),
            ("no effect", seen(yes, 200, 200, 200), Inconclusive),
            ("refused", seen((401, ""), 401, 200, 200), Inconclusive),
            (
                "not supported",
                seen((400, r#"{"error":"unsupported_token_type"}"#), 200, 200, 200),
                NotApplicable,
            ),
            ("no endpoint", sample().setting("lacks", "revocation_endpoint"), NotApplicable),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }
}
