//! Does it refuse a refresh token that belongs to another client?
//!
//! A refresh token that anybody may present is a password without an owner. One client gets one and uses it;
//! another client, right in everything else, presents it; then its owner uses it again.
//!
//! Source: RFC 6749, sections 6 and 10.4; RFC 9700, section 4.14; OAU-09.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;

use crate::check::{Info, Stage};
use crate::granted::token_clients;
use crate::probe::authz::read::{granted, no_refresh_token, refuses_grant};
use crate::probe::authz::{Party, ServerCheck, Visit};
use crate::probe::refusal::{self, Refusals};

/// Does it refuse a refresh token that belongs to another client?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "refuses_refresh_token_of_another_client",
        case: Some("OAU-09"),
        controls: &["CTS-CRD-03"],
        question: "Does it refuse a refresh token that belongs to another client?",
        sends: "One client refreshes; a second one, right in everything else, presents the refresh token of the first, under its own name and under that of the first; then the first refreshes again.",
        passes: "`invalid_grant` for the second client, and the first goes on.",
        risk: "A refresh token that leaks from one partner works for every other.",
        fix: "Hold the client that presents a refresh token against the client that it was given to.",
        source: "RFC 6749, sections 6 and 10.4; RFC 9700, section 4.14.",
    },
    stage: Stage::Probe,
    subjects: refreshing,
    talk: |visit| Box::pin(talk(visit)),
    judge,
};

const CASE: Refusals = Refusals {
    one: "a refresh token of another client",
    none: "no refresh token of another client",
    expected: "`invalid_grant`, and its owner goes on",
    taken: granted,
    refused: refuses_grant,
    breaking_fails: false,
};

/// The servers where a client may refresh.
pub(crate) fn refreshing(manifest: &Manifest) -> Vec<String> {
    let allowed = |it: &countersign_model::declare::manifest::Identity| {
        it.refresh.as_ref().is_some_and(|it| it.allowed)
    };
    let own =
        token_clients(manifest).filter(|(_, it)| allowed(it)).map(|(_, it)| it.id.to_string());
    let theirs = manifest
        .authorization_servers
        .iter()
        .filter(|it| it.clients.iter().any(|it| it.grants.iter().any(|it| it == "refresh_token")));
    own.chain(theirs.map(|it| it.id.to_string())).collect()
}

/// Whether a client may refresh.
pub(crate) fn may_refresh(party: &Party) -> bool {
    party.may("refresh_token")
}

async fn talk(visit: &mut Visit<'_>) {
    let Some(owner) = visit.party(may_refresh).await else { return };
    // Whoever may not refresh at all is refused for that, whoever owns the token.
    let Some(thief) = visit.party(may_refresh).await else { return };
    let Some(token) = visit.refreshable("begun", &owner).await.and_then(|it| it.refresh) else {
        return;
    };
    if visit.tokens("thief", &thief).await.is_none() {
        return;
    }
    let Some(next) = visit.refresh("control", &owner, &token).await else { return };
    let token = next.refresh.unwrap_or(token);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    let Some(own_name) = visit.token_form(&thief, &fields) else { return };
    let forms = [
        ("under-its-own-name", own_name.clone()),
        ("under-the-owners-name", own_name.with("client_id", &owner.client_id)),
    ];
    let names: Vec<_> = forms.iter().map(|it| it.0).collect();
    visit.talk.setting("wrong", names);
    for (name, form) in forms {
        visit.wrong(name, &form).await;
    }
    visit.refresh("closing", &owner, &token).await;
}

fn judge(transcript: &Transcript) -> Judgement {
    if let Some(judgement) = no_refresh_token(transcript) {
        return judgement;
    }
    refusal::judge(transcript, &CASE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    #[test]
    fn a_refresh_token_has_one_owner() {
        let token = r#"{"access_token":"[secret 0]"}"#;
        let error = |code: &str| format!(r#"{{"error":"{code}"}}"#);
        let seen = |status: u16, text: &str, closing: u16| -> Sample {
            sample()
                .setting("wrong", vec!["under-its-own-name"])
                .answered("control", 200, token)
                .answered("wrong.under-its-own-name", status, text)
                .answered("closing", closing, if closing == 200 { token } else { "" })
        };
        let table = [
            ("refused", seen(400, &error("invalid_grant"), 200), Pass),
            ("granted", seen(200, token, 400), Fail),
            (
                "refused, and lost to its owner",
                seen(400, &error("invalid_grant"), 400),
                Inconclusive,
            ),
            ("broken", seen(500, "", 200), Inconclusive),
            ("no refresh token", sample().setting("no_refresh_token", true), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }
}
