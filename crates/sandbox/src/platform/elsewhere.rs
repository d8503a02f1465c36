//! Tokens that another server issues: this platform's API asks there about every one, at every call
//! (RFC 7662), so that a revocation there counts here at once.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::Digest;
use serde::Deserialize;
use url::form_urlencoded;

use super::Shared;
use super::api::Bearer;
use super::assertion::Proof;
use super::book::{Client, Token};
use super::problem::Problem;
use super::token::token_id;
use crate::clock;

/// A server that issues the tokens of a tenant, and answers for them.
#[derive(Clone)]
pub struct IdentityServer {
    /// Its issuer, which assertions of clients name as audience.
    pub issuer: String,
    /// Where partners ask for tokens.
    pub token_endpoint: String,
    /// Where the API asks about tokens.
    pub introspection_endpoint: String,
    /// How the API proves itself there, as an `authorization` header (RFC 7662, section 2.1).
    pub authorization: String,
}

impl IdentityServer {
    /// The header of a client with a secret (RFC 6749, section 2.3.1).
    pub fn basic(client_id: &str, secret: &str) -> String {
        let encoded = |it: &str| form_urlencoded::byte_serialize(it.as_bytes()).collect::<String>();
        format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
    }
}

impl fmt::Debug for IdentityServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IdentityServer({})", self.issuer)
    }
}

/// What such a server says about a token (RFC 7662, section 2.2).
#[derive(Debug, Default, Deserialize)]
struct Introspected {
    active: bool,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    iat: Option<u64>,
    #[serde(default)]
    exp: Option<u64>,
    /// The client that this one is a throw-away copy of.
    #[serde(default)]
    countersign_copy_of: Option<String>,
}

impl Introspected {
    /// The client of a token that is alive. Some servers describe dead ones, too.
    fn client(&self) -> Option<&str> {
        self.client_id.as_deref().filter(|_| self.active)
    }

    fn scopes(&self) -> BTreeSet<String> {
        self.scope.iter().flat_map(|it| it.split_ascii_whitespace()).map(str::to_owned).collect()
    }
}

/// Whose a token is; none where it is nobody's, or where nobody can say.
pub(super) async fn bearer(
    shared: &Shared,
    server: &IdentityServer,
    token: &str,
    peer: IpAddr,
) -> Result<Bearer, Problem> {
    let invalid = || Problem::unauthorized("invalid-token");
    let said = ask(shared, server, token).await.ok_or_else(invalid)?;
    let id = said.client().ok_or_else(invalid)?.to_owned();
    let scopes = said.scopes();
    let known_as = said.countersign_copy_of.clone().unwrap_or_else(|| id.clone());
    let mut pages = shared.book.open();
    let original = pages.clients.get(&known_as).ok_or_else(invalid)?.clone();
    let mut registration = original.registration;
    registration.client_id.clone_from(&id);
    let client = Client { registration, copy_of: said.countersign_copy_of, ..original };
    let seconds = |it: u64| Timestamp::from_seconds(i64::try_from(it).unwrap_or(i64::MAX));
    let now = clock::now();
    let digest = Digest::of(token.as_bytes());
    let known = Token {
        client: id,
        scopes,
        issued_at: said.iat.map_or(now, seconds),
        expires_at: said.exp.map_or(now + LIFE, seconds),
        // Where it was asked for, only its issuer knows; what can be told is where it was first used.
        ip: pages.first_use(digest, peer, now),
        family: None,
        proof: Proof::default(),
    };
    Ok(Bearer { id: token_id(token), token: known, client })
}

async fn ask(shared: &Shared, server: &IdentityServer, token: &str) -> Option<Introspected> {
    let request = shared
        .http
        .post(&server.introspection_endpoint)
        .header(AUTHORIZATION, &server.authorization)
        .form(&[("token", token)]);
    let answer = request.send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    answer.json().await.ok()
}

/// How long a token counts whose end nobody tells.
const LIFE: Period = Period::from_seconds(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_somebody_s_while_it_is_alive() {
        for (said, expected) in [
            (r#"{"active":true,"client_id":"a"}"#, Some("a")),
            (r#"{"active":true,"client_id":"a","aud":["b"],"exp":1}"#, Some("a")),
            (r#"{"active":false,"client_id":"a"}"#, None),
            (r#"{"active":false}"#, None),
            (r#"{"active":true}"#, None),
        ] {
            let said: Introspected = serde_json::from_str(said).unwrap();
            assert_eq!(said.client(), expected, "{said:?}");
        }
        for said in [r#"{"client_id":"a"}"#, r#"{"active":"true","client_id":"a"}"#, "[]"] {
            assert!(serde_json::from_str::<Introspected>(said).is_err(), "{said}");
        }
    }

    #[test]
    fn scopes_are_words_and_a_secret_is_sent_as_a_form_writes_it() {
        let said = Introspected { scope: Some(" a  b:c ".to_owned()), ..Introspected::default() };
        assert_eq!(said.scopes().into_iter().collect::<Vec<_>>(), ["a", "b:c"]);
        assert_eq!(Introspected::default().scopes().len(), 0);
        let header = IdentityServer::basic("a b:", "c%");
        let encoded = header.strip_prefix("Basic ").unwrap();
        // RFC 6749, section 2.3.1.
        assert_eq!(STANDARD.decode(encoded).unwrap(), b"a+b%3A:c%25");
    }
}
