//! Does it refuse a secret from a client that is registered with a key?
//!
//! A client that proves itself with a key is only as safe as the weakest proof that is taken from it. We send
//! secrets in every way that OAuth knows, and no proof at all.
//!
//! Source: RFC 9700, section 2.5; RFC 6749, section 2.3.1; FAPI 2.0 Security Profile, section 5.3.2.1; OAU-10.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Auth, TestAuth};

use crate::check::{Info, Stage};
use crate::granted::token_clients;
use crate::probe::authz::party::basic;
use crate::probe::authz::read::{granted, refuses_client};
use crate::probe::authz::{Form, Party, ServerCheck, Visit, between};
use crate::probe::refusal::{self, Refusals};

/// Does it refuse a secret from a client that is registered with a key?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "refuses_secret_of_asymmetric_client",
        case: Some("OAU-10"),
        controls: &["CTS-AUT-01"],
        question: "Does it refuse a secret from a client that is registered with a key?",
        sends: "Right requests of a client with a key, but with a secret in the header, in the body and in the address, with an empty secret, and without any proof.",
        passes: "`invalid_client` each time, while the same requests with an assertion are granted.",
        risk: "Whoever knows the id of the client is the client: its key protects nothing.",
        fix: "Bind each client to one way to prove itself, and refuse every other before looking at it.",
        source: "RFC 9700, section 2.5; RFC 6749, section 2.3.1; FAPI 2.0 Security Profile, section 5.3.2.1.",
    },
    stage: Stage::Probe,
    subjects: with_key,
    talk: |visit| {
        Box::pin(async move {
            let Some(party) = visit.party(Party::has_key).await else { return };
            let Some(secret) = visit.talk.fresh_name("wrong-") else { return };
            let Some(right) = visit.plain_form("control", &party).await else { return };
            let wrong = wrong(visit, &party, &secret, &right);
            between(visit, &CASE, &party, wrong).await;
        })
    },
    judge: |transcript| refusal::judge(transcript, &CASE),
};

const CASE: Refusals = Refusals {
    one: "a client without its key",
    none: "no client without its key",
    expected: "`invalid_client` each time",
    taken: granted,
    refused: refuses_client,
    breaking_fails: false,
};

/// The servers that know a client with a key.
pub(super) fn with_key(manifest: &Manifest) -> Vec<String> {
    let own = token_clients(manifest).filter(|(_, it)| it.auth == Auth::PrivateKeyJwt);
    let has_key = |it: &&countersign_model::declare::manifest::AuthorizationServer| {
        it.clients.iter().any(|it| it.auth == TestAuth::PrivateKeyJwt)
    };
    let theirs = manifest.authorization_servers.iter().filter(has_key);
    own.map(|(_, it)| it.id.to_string()).chain(theirs.map(|it| it.id.to_string())).collect()
}

fn wrong(
    visit: &Visit<'_>,
    party: &Party,
    secret: &str,
    right: &Form,
) -> Vec<(&'static str, Form)> {
    let id = party.client_id.as_str();
    let with_id = || right.clone().with("client_id", id);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let query = query.append_pair("client_id", id).append_pair("client_secret", secret).finish();
    let endpoint = visit.server.token_endpoint();
    let mark = if endpoint.contains('?') { '&' } else { '?' };
    vec![
        ("secret-in-header", right.clone().authorized(basic(id, secret))),
        ("empty-secret-in-header", right.clone().authorized(basic(id, ""))),
        ("secret-in-body", with_id().with("client_secret", secret)),
        ("empty-secret-in-body", with_id().with("client_secret", "")),
        ("secret-in-address", right.clone().to(format!("{endpoint}{mark}{query}"))),
        ("no-proof", with_id()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    #[test]
    fn a_client_with_a_key_is_known_by_its_key_alone() {
        let token = r#"{"access_token":"[secret 0]"}"#;
        let seen = |status: u16, text: &str| {
            sample()
                .setting("wrong", vec!["secret-in-body"])
                .answered("control", 200, token)
                .answered("wrong.secret-in-body", status, text)
                .answered("closing", 200, token)
        };
        let table = [
            ("refused", seen(401, r#"{"error":"invalid_client"}"#), Pass),
            ("refused, 400", seen(400, r#"{"error":"invalid_client"}"#), Pass),
            ("not for this client", seen(400, r#"{"error":"unauthorized_client"}"#), Pass),
            ("granted", seen(200, token), Fail),
            ("another complaint", seen(400, r#"{"error":"invalid_scope"}"#), Inconclusive),
            ("broken", seen(500, ""), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }
}
