//! Is a token safe from a client that is not its owner?
//!
//! If any client may revoke any token, one partner can shut out all others. We see first that a client's own
//! revocation has an effect and how soon; then another client tries the same with tokens of the first.
//!
//! Source: RFC 7009, section 2.1; REV-03.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::time::Period;

use crate::check::{Info, Stage};
use crate::probe::authz::read::{
    error_code, failed, granted, lacks, life, no_control, nobody, unclear, words,
};
use crate::probe::authz::{Life, ServerCheck, Visit, subjects};

/// Is a token safe from a client that is not its owner?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "ignores_revocation_by_another_client",
        case: Some("REV-03"),
        controls: &["CTS-TOK-04"],
        question: "Is a token safe from a client that is not its owner?",
        sends: "A client revokes a token of its own, and we see how soon that shows; then a second client, right in everything else, revokes the tokens of the first, which are used again after twice that time.",
        passes: "The tokens of the first client still work. What the second one is answered does not matter.",
        risk: "One partner ends the sessions of every other.",
        fix: "Hold the client that revokes against the client that the token was given to.",
        source: "RFC 7009, section 2.1.",
    },
    stage: Stage::Probe,
    subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge: |transcript| {
        judged(transcript).expected("tokens of a client that only their owner can revoke")
    },
};

async fn talk(visit: &mut Visit<'_>) {
    let limit = visit.limit();
    if visit.endpoint("revocation_endpoint").is_none() {
        return;
    }
    let Some(owner) = visit.party(|_| true).await else { return };
    let Some(thief) = visit.party(|_| true).await else { return };
    let Some(own) = visit.tokens("owned", &owner).await else { return };
    if visit.look("begun", &owner, &own.access).await != Some(Life::Alive) {
        return;
    }
    visit.revoke("own", &owner, &own.access).await;
    let supported =
        visit.talk.transcript().exchange("own").is_some_and(|it| it.answer.is_success());
    let mut lag_ms = 0;
    if supported {
        let Some(after_ms) = visit.until_dead("own-access", (&owner, &own.access), limit).await
        else {
            return;
        };
        lag_ms = after_ms;
    }
    let Some(tokens) = visit.tokens("control", &owner).await else { return };
    visit.look("before", &owner, &tokens.access).await;
    let Some(endpoint) = visit.endpoint("revocation_endpoint") else { return };
    let both = [("access-token", Some(&tokens.access)), ("refresh-token", tokens.refresh.as_ref())];
    for (name, token) in both {
        let Some(token) = token else { continue };
        if let Some(form) = visit.proved(&thief, &endpoint, &[("token", token)]) {
            visit.wrong(name, &form).await;
        }
    }
    let pause = Period::from_millis((lag_ms * 2).clamp(100, limit.millis().max(100)));
    visit.talk.pause("effect", pause).await;
    visit.look("after", &owner, &tokens.access).await;
    if let Some(token) = tokens.refresh.filter(|_| owner.may("refresh_token")) {
        visit.talk.setting("refreshes", true);
        visit.refresh("refresh-after", &owner, &token).await;
    }
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(it) = nobody(transcript).or_else(|| lacks(transcript, "revocation_endpoint")) {
        return it;
    }
    if life(transcript, "begun") != Some(Life::Alive) {
        return no_control(transcript, "begun", "a new access token");
    }
    let own = transcript.exchange("own");
    // A server need not revoke tokens that say everything themselves (RFC 7009, section 2.2.1).
    let unsupported = own.is_some_and(|it| error_code(it) == "unsupported_token_type");
    if !unsupported && life(transcript, "own-access") != Some(Life::Dead) {
        return no_control(transcript, "own-access", "a revocation by the owner");
    }
    if life(transcript, "before") != Some(Life::Alive) {
        return no_control(transcript, "before", "a second access token");
    }
    let refreshes = transcript.settings.contains_key("refreshes");
    if unsupported && !refreshes {
        return Judgement::not_applicable("the server revokes no token that this client has");
    }
    let tried = |label: &str| transcript.exchanges(label).last().map(words).unwrap_or_default();
    match life(transcript, "after") {
        Some(Life::Alive) => {}
        Some(Life::Dead) => {
            let sentence = "a client can revoke the access token of another";
            return failed(transcript, "after", sentence).details([format!(
                "the other client was answered {}",
                tried("wrong.access-token")
            )]);
        }
        _ => return unclear(transcript, "after", "nobody says whether the token works"),
    }
    if refreshes {
        let after = transcript.exchange("refresh-after");
        if after.is_some_and(|it| error_code(it) == "invalid_grant") {
            let sentence = "a client can revoke the refresh token of another";
            return failed(transcript, "refresh-after", sentence).details([format!(
                "the other client was answered {}",
                tried("wrong.refresh-token")
            )]);
        }
        if !after.is_some_and(granted) {
            let sentence = "nobody says whether the refresh token works";
            return unclear(transcript, "refresh-after", sentence);
        }
    }
    // What never reached the server has revoked nothing.
    if transcript
        .exchange("wrong.access-token")
        .and_then(|it| it.answer.status())
        .is_none_or(|it| 500 <= it || it == 429)
    {
        return unclear(transcript, "wrong.access-token", "the other client was not heard");
    }
    Judgement::pass("only its owner can revoke a token").observed(format!(
        "{} for the other client; the token still works",
        tried("wrong.access-token")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};

    fn seen(wrong: u16, after: u16, refresh: (u16, &str)) -> Sample {
        sample()
            .setting("life_by", "resource")
            .answered("begun", 200, "{}")
            .answered("own", 200, "")
            .answered("own-access", 401, "")
            .answered("before", 200, "{}")
            .answered("wrong.access-token", wrong, "")
            .answered("after", after, "{}")
            .setting("refreshes", true)
            .answered("refresh-after", refresh.0, refresh.1)
    }

    #[test]
    fn a_token_is_ended_by_its_owner_alone() {
        let yes = (200, r#"{"access_token":"[secret 0]"}"#);
        let no = (400, r#"{"error":"invalid_grant"}"#);
        let unsupported = sample()
            .setting("life_by", "resource")
            .answered("begun", 200, "{}")
            .answered("own", 400, r#"{"error":"unsupported_token_type"}"#)
            .answered("before", 200, "{}");
        let table = [
            ("no effect, 200", seen(200, 200, yes), Pass),
            ("no effect, 400", seen(400, 200, yes), Pass),
            ("the token is dead", seen(200, 401, yes), Fail),
            ("the refresh token is dead", seen(200, 200, no), Fail),
            ("not heard", seen(500, 200, yes), Inconclusive),
            ("broken afterwards", seen(200, 500, yes), Inconclusive),
            ("refresh broken", seen(200, 200, (500, "")), Inconclusive),
            ("revokes nothing", unsupported, NotApplicable),
            ("no endpoint", sample().setting("lacks", "revocation_endpoint"), NotApplicable),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }
}
