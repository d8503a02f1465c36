//! A code, as a browser gets it: the test person signs in where the server asks for that.
//!
//! Source: RFC 6749, section 4.1; RFC 7636.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_seal::Digest;
use serde_json::json;
use url::Url;

use super::party::Party;
use super::visit::Visit;
use crate::live::ask::Ask;
use crate::live::entropy;
use crate::platform::Login;
use crate::probe::agent::{Agent, Stop};

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
        if scope.split(' ').any(|it| it == "offline_access") {
            // Without it a server may leave the refresh token out (OpenID Connect Core, section 11).
            url.query_pairs_mut().append_pair("prompt", "consent");
        }
        let hosts = [self.server.issuer.as_str(), endpoint.as_str()].map(Url::parse);
        let hosts = hosts.into_iter().flatten().filter_map(|it| it.host_str().map(str::to_owned));
        let person = self.login().map(|(user, password)| Login { user, password });
        let mut agent = Agent::new(hosts).person(person).end_at(&redirect);
        let stop = agent.open(self.talk, label, Ask::get(url)).await;
        let Some(code) = code_of(&stop, &redirect) else {
            let error = match &stop {
                Stop::Away(_) => "it led elsewhere than to the redirect address with a code",
                Stop::Here => "it ended at a page that nobody can fill in, or without an answer",
                Stop::Lost => "it led around for too long",
            };
            let error = format!("the authorization endpoint gave no code: {error}");
            self.talk.fact("setup", "server", json!({ "error": error }));
            return None;
        };
        self.talk.hide(&code);
        self.talk.hide(&verifier);
        Some(Code { code, verifier, redirect })
    }
}

/// The code, where the way ended at the redirect address.
pub(crate) fn code_of(stop: &Stop, redirect: &str) -> Option<String> {
    let Stop::Away(to) = stop else { return None };
    let redirect = Url::parse(redirect).ok()?;
    let same = to.origin() == redirect.origin() && to.path() == redirect.path();
    stop.parameter("code").filter(|it| same && !it.is_empty())
}

/// A word that nobody can guess.
fn word() -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(entropy::random::<32>()?))
}
