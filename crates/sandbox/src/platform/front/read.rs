//! What an authorization request asks for, and why it may not (RFC 6749, section 4.1; RFC 9700).

use std::collections::BTreeSet;

use axum::http::StatusCode;
use countersign_model::time::Timestamp;
use url::Url;

use super::super::assertion::Form;
use super::super::book::{Challenge, Client};
use super::super::problem::Problem;
use crate::partner::FrontFault;

/// A request that was read and may be answered.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) client: String,
    pub(super) redirect: Redirect,
    pub(super) scopes: BTreeSet<String>,
    pub(super) challenge: Option<Challenge>,
    pub(super) what: What,
}

/// What is sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A code, in the query.
    Code,
    /// A code and a token, in the fragment: only where the platform is wrong about a client.
    Hybrid,
    /// A token, in the fragment: only where the platform is wrong about a client.
    Token,
}

/// Where the answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redirect {
    /// The manifest's name of the callback.
    pub(super) subject: String,
    pub(super) url: String,
    pub(super) state: Option<String>,
}

/// Why there is no code.
#[derive(Debug, Clone)]
pub(super) enum Refused {
    /// Nothing is sent anywhere: the address is not to be trusted.
    Page(Problem),
    /// The client is told, with a code of RFC 6749.
    Told(Redirect, &'static str),
}

impl Refused {
    /// A page that says why.
    pub(super) fn page(code: &str) -> Self {
        Self::Page(Problem::new(StatusCode::BAD_REQUEST, code))
    }

    /// The code of RFC 6749, for an answer in JSON.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Page(_) => "invalid_request",
            Self::Told(_, code) => code,
        }
    }
}

/// The parameters of a query or body; none of them may come twice (RFC 6749, section 3.1).
pub(super) fn once(query: &str) -> Result<Form, Refused> {
    let mut form = Form::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if form.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refused::page("parameter-twice"));
        }
    }
    Ok(form)
}

/// Reads a request of this client.
pub(super) fn read(client: &Client, form: &Form) -> Result<Asked, Refused> {
    let text = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let registration = &client.registration;
    let state = form.get("state").cloned();
    let redirect = match registered(client, text("redirect_uri")) {
        Some(subject) => Redirect { subject, url: text("redirect_uri").to_owned(), state },
        // Nothing is ever sent to an address that is not registered, an error neither.
        None if !client.errs(FrontFault::RedirectsErrors) => {
            return Err(Refused::page("unknown-redirect"));
        }
        None => {
            let url = text("redirect_uri").to_owned();
            let subject = String::new();
            return Err(Refused::Told(Redirect { subject, url, state }, "invalid_request"));
        }
    };
    let no = |code| Err(Refused::Told(redirect.clone(), code));
    let Some(what) = what(client, text("response_type")) else {
        return no("unsupported_response_type");
    };
    if !registration.grant_types.contains("authorization_code") {
        return no("unauthorized_client");
    }
    if !["", "query"].contains(&text("response_mode")) || form.contains_key("request") {
        return no("invalid_request");
    }
    let scopes: BTreeSet<String> = text("scope").split_whitespace().map(str::to_owned).collect();
    let scopes = if scopes.is_empty() { registration.scopes.clone() } else { scopes };
    if !scopes.is_subset(&registration.scopes) {
        return no("invalid_scope");
    }
    let Ok(challenge) = challenge(client, form) else { return no("invalid_request") };
    let client = registration.client_id.clone();
    Ok(Asked { client, redirect, scopes, challenge, what })
}

/// The callback that an address was registered as: exactly, byte by byte.
fn registered(client: &Client, asked: &str) -> Option<String> {
    let mut known = client.registration.redirects.iter();
    known.find(|it| it.1 == asked || resembles(client, it.1, asked)).map(|it| it.0.clone())
}

/// What a wrong platform takes for the same address.
fn resembles(client: &Client, known: &str, asked: &str) -> bool {
    let (Ok(known), Ok(asked)) = (Url::parse(known), Url::parse(asked)) else { return false };
    let (Some(host), Some(other)) = (known.host_str(), asked.host_str()) else { return false };
    let prefix = &known[..url::Position::AfterHost];
    (client.errs(FrontFault::MatchesRedirectByHost) && known.origin() == asked.origin())
        || (client.errs(FrontFault::MatchesRedirectByPrefix) && asked.as_str().starts_with(prefix))
        || (client.errs(FrontFault::MatchesRedirectLoosely)
            && (other == host || other.ends_with(&format!(".{host}"))))
}

fn what(client: &Client, response_type: &str) -> Option<What> {
    let words: BTreeSet<&str> = response_type.split_whitespace().collect();
    if words == BTreeSet::from(["code"]) {
        return Some(What::Code);
    }
    let is_hybrid = words.contains("code") && client.errs(FrontFault::AnswersHybrid);
    let is_implicit = words.contains("token")
        && !words.contains("code")
        && client.errs(FrontFault::AnswersImplicit);
    match (is_hybrid, is_implicit) {
        (true, _) => Some(What::Hybrid),
        (_, true) => Some(What::Token),
        _ => None,
    }
}

/// RFC 7636, with S256 alone; a public client has to send one (RFC 9700, section 2.1.1).
fn challenge(client: &Client, form: &Form) -> Result<Option<Challenge>, ()> {
    let Some(challenge) = form.get("code_challenge") else {
        let needs_one = client.registration.auth == "none"
            && !client.errs(FrontFault::NeedsNoChallenge)
            || form.contains_key("code_challenge_method");
        return if needs_one { Err(()) } else { Ok(None) };
    };
    let fits = (43..=128).contains(&challenge.len()) && challenge.bytes().all(is_unreserved);
    match form.get("code_challenge_method").map(String::as_str) {
        Some("S256") if fits && challenge.len() == 43 => {
            Ok(Some(Challenge::S256(challenge.clone())))
        }
        Some("plain") | None if fits && client.errs(FrontFault::TakesPlainChallenge) => {
            Ok(Some(Challenge::Plain(challenge.clone())))
        }
        _ => Err(()),
    }
}

/// RFC 3986, section 2.3.
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// When something ends that lives so many milliseconds from now on.
pub(super) fn after(now: Timestamp, life_ms: u64) -> Timestamp {
    now + countersign_model::time::Period::from_millis(life_ms)
}
