//! Requests through a browser, and what is done with the codes that come back.
//!
//! Source: RFC 6749, section 4.1; RFC 7636; RFC 9126.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_seal::Digest;
use serde_json::json;
use url::Url;

use crate::live::ask::{Ask, Received};
use crate::live::entropy;
use crate::probe::agent::{Agent, Stop, is_same};
use crate::probe::authz::{Form, Guest, Visit};

/// An authorization request: its parameters, and the verifier of its challenge.
#[derive(Clone)]
pub(super) struct Request {
    pairs: Vec<(String, String)>,
    /// What the challenge was made of.
    pub(super) verifier: String,
}

impl Request {
    /// A request of a client with everything right.
    pub(super) fn right(guest: &Guest) -> Option<Self> {
        let verifier = word()?;
        let request = Self { pairs: Vec::new(), verifier: verifier.clone() }
            .with("response_type", "code")
            .with("client_id", &guest.party.client_id)
            .with("redirect_uri", guest.redirect())
            .with("state", &word()?)
            .with("code_challenge", &challenge(&verifier))
            .with("code_challenge_method", "S256");
        let scope = guest.party.scopes.join(" ");
        Some(if scope.is_empty() { request } else { request.with("scope", &scope) })
    }

    /// With a parameter; one of this name goes.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.pairs.retain(|it| it.0 != name);
        self.pairs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a challenge.
    pub(super) fn bare(mut self) -> Self {
        self.pairs.retain(|it| !it.0.starts_with("code_challenge"));
        self
    }

    /// Its parameters.
    pub(super) fn pairs(&self) -> Vec<(&str, &str)> {
        self.pairs.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect()
    }
}

/// Opens an authorization request in a new browser, and lets the test person sign in where that is asked for.
pub(super) async fn open(
    visit: &mut Visit<'_>,
    label: &str,
    guest: &Guest,
    request: &Request,
) -> Stop {
    open_pairs(visit, label, guest, &request.pairs()).await
}

/// The same with parameters of one's own.
pub(super) async fn open_pairs(
    visit: &mut Visit<'_>,
    label: &str,
    guest: &Guest,
    pairs: &[(&str, &str)],
) -> Stop {
    match authorize(visit, pairs) {
        Some(ask) => browse(visit, label, guest, ask).await,
        None => Stop::Lost,
    }
}

/// The request to the authorization endpoint. That there is none is written down.
pub(super) fn authorize(visit: &mut Visit<'_>, pairs: &[(&str, &str)]) -> Option<Ask> {
    let endpoint = visit.server.endpoint("authorization_endpoint").map(str::to_owned);
    let Some(mut url) = endpoint.and_then(|it| Url::parse(&it).ok()) else {
        let error = "its metadata names no authorization endpoint";
        visit.talk.fact("setup", "server", json!({ "error": error }));
        return None;
    };
    url.query_pairs_mut().extend_pairs(pairs);
    Some(Ask::get(url))
}

async fn browse(visit: &mut Visit<'_>, label: &str, guest: &Guest, ask: Ask) -> Stop {
    let mut agent = agent(visit, guest);
    visit.talk.setting(&repeat(label), by_hand(&ask, guest));
    let ask = if label.starts_with("wrong.") { ask.hostile() } else { ask };
    agent.open(visit.talk, label, ask).await
}

/// A new browser for this server, with the test person in front of it.
pub(super) fn agent(visit: &Visit<'_>, guest: &Guest) -> Agent {
    let endpoint = visit.server.endpoint("authorization_endpoint").unwrap_or_default();
    let urls = [visit.server.issuer.as_str(), endpoint].map(Url::parse);
    let hosts = urls.into_iter().flatten().filter_map(|it| it.host_str().map(str::to_owned));
    Agent::new(hosts).person(guest.login.clone()).end_at(guest.redirect())
}

/// The command to repeat it by hand.
pub(super) fn by_hand(ask: &Ask, guest: &Guest) -> String {
    let curl = ask.curl();
    if guest.login.is_some() {
        format!("# open it in a browser and sign in as the test person\n{curl}")
    } else {
        curl
    }
}

/// The name of the setting that says how to repeat what bears this label.
pub(super) fn repeat(label: &str) -> String {
    format!("repeat.{}", label.strip_prefix("wrong.").unwrap_or(label))
}

/// Gets a code with a right request.
pub(super) async fn code(
    visit: &mut Visit<'_>,
    label: &str,
    guest: &Guest,
    request: &Request,
) -> Option<String> {
    let stop = open(visit, label, guest, request).await;
    code_of(visit, guest, &stop)
}

/// The code at the end of a way: it counts only at the registered address.
pub(super) fn code_of(visit: &mut Visit<'_>, guest: &Guest, stop: &Stop) -> Option<String> {
    let Stop::Away(to) = stop else { return None };
    let known = Url::parse(guest.redirect()).ok()?;
    let code = stop.parameter("code").filter(|it| is_same(to, &known) && !it.is_empty())?;
    visit.talk.hide(&code);
    Some(code)
}

/// Redeems a code, and says whether a token came. `verifier` is left out where it is empty.
pub(super) async fn redeem(
    visit: &mut Visit<'_>,
    label: &str,
    guest: &Guest,
    (code, verifier): (&str, &str),
) -> Option<String> {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", guest.redirect()),
    ];
    if !verifier.is_empty() {
        visit.talk.hide(verifier);
        fields.push(("code_verifier", verifier));
    }
    let form = visit.token_form(&guest.party, &fields)?;
    visit.talk.setting(&repeat(label), form.by_hand());
    let answer = send(visit, label, &form).await;
    let value = answer.json().filter(|_| answer.is_success())?;
    value.get("access_token")?.as_str().map(str::to_owned)
}

/// Sends a form, and takes out of what is written down what the answer gives.
pub(super) async fn send(visit: &mut Visit<'_>, label: &str, form: &Form) -> Received {
    let ask = form.ask();
    let ask = if label.starts_with("wrong.") { ask.hostile() } else { ask };
    visit.talk.send_hiding(label, ask, secrets).await
}

/// What an answer in JSON gives that opens something.
pub(super) fn secrets(answer: &Received) -> Vec<String> {
    let value = answer.json().unwrap_or_default();
    let names = [
        "access_token",
        "client_secret",
        "refresh_token",
        "registration_access_token",
        "request_uri",
    ];
    let found = names.iter().filter_map(|it| value.get(*it)?.as_str());
    found.map(str::to_owned).collect()
}

/// One right code, redeemed: what begins and ends a check of codes. Whether a token came.
pub(super) async fn right(visit: &mut Visit<'_>, label: &str, guest: &Guest) -> bool {
    let Some(request) = Request::right(guest) else { return false };
    let Some(code) = code(visit, label, guest, &request).await else { return false };
    redeem(visit, label, guest, (&code, &request.verifier)).await.is_some()
}

/// A challenge with S256.
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).as_bytes())
}

/// A word that nobody can guess.
pub(super) fn word() -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(entropy::random::<32>()?))
}
