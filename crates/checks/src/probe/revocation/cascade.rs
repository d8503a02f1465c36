//! Does revoking a refresh token end the access that came from it?
//!
//! Whoever revokes a grant means everything that came from it. We revoke a refresh token, present it again, and
//! use the access token that came with it until it is refused.
//!
//! Source: RFC 7009, section 2.1; REV-02.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::time::Period;

use crate::check::{Info, Stage};
use crate::probe::authz::read::{
    failed, granted, lacks, life, no_control, no_refresh_token, nobody, refuses_grant, unclear,
    words,
};
use crate::probe::authz::{Life, ServerCheck, Visit};
use crate::probe::oauth::another_client::{may_refresh, refreshing};
use crate::probe::token::number;

/// Does revoking a refresh token end the access that came from it?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "ends_access_when_refresh_token_is_revoked",
        case: Some("REV-02"),
        controls: &["CTS-CRD-03", "CTS-TOK-04"],
        question: "Does revoking a refresh token end the access that came from it?",
        sends: "A refresh token is revoked; then it is presented, and the access token that came with it is used until it is refused. A new grant at the end shows that the server is alive.",
        passes: "The refresh token is refused at once, and the access token inside the time that is declared.",
        risk: "We say revoked, and the thief works on with the token that the grant gave.",
        fix: "When a refresh token is revoked, revoke every access token of the same grant, and let receivers introspect or listen.",
        source: "RFC 7009, sections 2 and 2.1.",
    },
    stage: Stage::Probe,
    subjects: refreshing,
    talk: |visit| Box::pin(talk(visit)),
    judge: |transcript| judged(transcript).expected(EXPECTED),
};

const EXPECTED: &str = "the refresh token refused at once, the access token in time";

async fn talk(visit: &mut Visit<'_>) {
    let limit = visit.limit();
    if visit.endpoint("revocation_endpoint").is_none() {
        return;
    }
    let Some(party) = visit.party(may_refresh).await else { return };
    let Some(tokens) = visit.refreshable("control", &party).await else { return };
    let Some(refresh) = tokens.refresh else { return };
    if visit.look("before", &party, &tokens.access).await != Some(Life::Alive) {
        return;
    }
    visit.revoke("revoked", &party, &refresh).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    if let Some(form) = visit.token_form(&party, &fields) {
        visit.wrong("refresh", &form).await;
    }
    visit.until_dead("access", (&party, &tokens.access), limit).await;
    if let Some(tokens) = visit.tokens("anew", &party).await {
        visit.look("closing", &party, &tokens.access).await;
    }
}

fn judged(transcript: &Transcript) -> Judgement {
    let none = nobody(transcript).or_else(|| lacks(transcript, "revocation_endpoint"));
    if let Some(it) = none.or_else(|| no_refresh_token(transcript)) {
        return it;
    }
    if life(transcript, "before") != Some(Life::Alive) {
        return no_control(transcript, "before", "a new access token");
    }
    let Some(revoked) = transcript.exchange("revoked") else {
        return no_control(transcript, "revoked", "the revocation");
    };
    if revoked.answer.is_refusal() {
        return failed(transcript, "revoked", "a refresh token cannot be revoked");
    }
    if !revoked.answer.is_success() {
        return no_control(transcript, "revoked", "the revocation");
    }
    let seen = |label: &'static str| transcript.exchange(label);
    if seen("wrong.refresh").is_some_and(granted) {
        return failed(transcript, "wrong.refresh", "a revoked refresh token still works");
    }
    if !seen("wrong.refresh").is_some_and(refuses_grant) {
        return unclear(transcript, "wrong.refresh", "nobody says whether the refresh token works");
    }
    match life(transcript, "access") {
        Some(Life::Dead) => {}
        Some(Life::Alive) => {
            let sentence = "an access token outlives the grant that was revoked";
            return failed(transcript, "access", sentence);
        }
        _ => return unclear(transcript, "access", "nobody says whether the access token works"),
    }
    if life(transcript, "closing") != Some(Life::Alive) {
        return no_control(transcript, "closing", "a new access token afterwards");
    }
    let after = number(transcript.fact("access-end"), "after_ms").unwrap_or_default();
    let refresh = seen("wrong.refresh").map(words).unwrap_or_default();
    Judgement::pass("revoking a refresh token ends what came from it").observed(format!(
        "{refresh} at once; the access token after {}",
        Period::from_millis(after)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};
    use serde_json::json;

    fn seen(revoked: u16, refresh: (u16, &str), access: u16, closing: u16) -> Sample {
        sample()
            .setting("life_by", "resource")
            .answered("before", 200, "{}")
            .answered("revoked", revoked, "")
            .answered("wrong.refresh", refresh.0, refresh.1)
            .answered("access", access, "")
            .fact("access-end", json!({"dead": access == 401, "after_ms": 40}))
            .answered("closing", closing, "{}")
    }

    #[test]
    fn what_came_from_a_revoked_grant_ends() {
        let no = (400, r#"{"error":"invalid_grant"}"#);
        let yes = (200, r#"{"access_token":"[secret 0]"}"#);
        let table = [
            ("right", seen(200, no, 401, 200), Pass),
            ("cannot be revoked", seen(400, no, 401, 200), Fail),
            ("the refresh token works", seen(200, yes, 401, 200), Fail),
            ("the access token works", seen(200, no, 200, 200), Fail),
            ("broken", seen(200, (500, ""), 401, 200), Inconclusive),
            ("broken later", seen(200, no, 500, 200), Inconclusive),
            ("gone afterwards", seen(200, no, 401, 401), Inconclusive),
            ("revocation breaks", seen(500, no, 401, 200), Inconclusive),
            ("no endpoint", sample().setting("lacks", "revocation_endpoint"), NotApplicable),
            ("no refresh token", sample().setting("no_refresh_token", true), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }
}
