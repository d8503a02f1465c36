//! A code, as a browser gets it: one request, no page, no person.
//!
//! Source: RFC 6749, section 4.1; RFC 7636.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_seal::Digest;
use serde_json::json;
use url::Url;

use super::party::Party;
use super::visit::Visit;
use crate::live::ask::{Ask, Received};
use crate::live::entropy;

/// A code, and what belongs to it.
pub(crate) struct Code {
    /// The code.
    pub(crate) code: String,
    /// The verifier whose challenge was sent.
    pub(crate) verifier: String,
    /// Where it was sent.
    pub(crate) redirect: String,
}

impl Visit<'_> {
    /// Asks for a code with everything right: an exact redirect, PKCE with S256, a state.
    pub(crate) async fn code(&mut self, label: &str, party: &Party, scope: &str) -> Option<Code> {
        let redirect = party.redirect.clone()?;
        let endpoint = self.server.endpoint("authorization_endpoint")?.to_owned();
        let verifier = word()?;
        let challenge = URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).as_bytes());
        let mut url = Url::parse(&endpoint).ok()?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &party.client_id)
            .append_pair("redirect_uri", &redirect)
            .append_pair("state", &word()?)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if !scope.is_empty() {
            url.query_pairs_mut().append_pair("scope", scope);
        }
        let answer = self.talk.send(label, Ask::get(url)).await;
        let Some(code) = code_of(&answer, &redirect) else {
            let error = format!("the authorization endpoint gave no code: {}", answer.words());
            self.talk.fact("setup", "server", json!({ "error": error }));
            return None;
        };
        self.talk.hide(&code);
        self.talk.hide(&verifier);
        Some(Code { code, verifier, redirect })
    }
}

/// The code in an answer that leads to the redirect address.
pub(crate) fn code_of(answer: &Received, redirect: &str) -> Option<String> {
    if !matches!(answer.status, 302 | 303) {
        return None;
    }
    let location = answer.headers.iter().find(|it| it.0 == "location")?;
    let (to, redirect) = (Url::parse(&location.1).ok()?, Url::parse(redirect).ok()?);
    let same = to.origin() == redirect.origin() && to.path() == redirect.path();
    let code = to.query_pairs().find(|it| it.0 == "code")?.1.into_owned();
    (same && !code.is_empty()).then_some(code)
}

/// A word that nobody can guess.
fn word() -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(entropy::random::<32>()?))
}
