//! Codes: how one is given, and what it is worth once (RFC 6749, section 4.1; RFC 7636; RFC 9700).

use std::collections::BTreeSet;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::Digest;
use url::Url;

use super::super::Shared;
use super::super::assertion::{Form, Proof};
use super::super::book::{Challenge, Client, Code, Token};
use super::super::problem::Problem;
use super::read::{Asked, Redirect, Refused, What, after, is_unreserved};
use crate::partner::FrontFault;
use crate::{clock, entropy};

/// What a code gives.
#[derive(Debug, Clone)]
pub(in super::super) struct Redeemed {
    pub(in super::super) scopes: BTreeSet<String>,
    /// Everything that comes from this code, and when it was given.
    pub(in super::super) family: (Digest, Timestamp),
}

/// Redeems a code, or says why not with a code of RFC 6749.
///
/// It counts once, for its client, its address and its verifier. A second time kills what came from the first.
pub(in super::super) fn redeem(
    shared: &Shared,
    client: &Client,
    form: &Form,
    now: Timestamp,
) -> Result<Redeemed, &'static str> {
    let code = form.get("code").ok_or("invalid_request")?;
    let digest = Digest::of(code.as_bytes());
    let mut pages = shared.book.open();
    let kept = pages.codes.get_mut(&digest);
    let kept = kept.filter(|it| it.client == client.registration.client_id).ok_or(NO)?;
    let found = kept.clone();
    kept.is_redeemed = true;
    if found.is_redeemed && !client.errs(FrontFault::RedeemsCodeTwice) {
        if !client.errs(FrontFault::KeepsTokensOfReplayedCode) {
            kept.is_replayed = true;
            pages.kill_family(digest);
        }
        return Err(NO);
    }
    drop(pages);
    let is_here = form.get("redirect_uri") == Some(&found.redirect);
    if !is_here || found.expires_at <= now || !is_verified(client, &found, form) {
        return Err(NO);
    }
    Ok(Redeemed { scopes: found.scopes, family: (digest, found.issued_at) })
}

fn is_verified(client: &Client, code: &Code, form: &Form) -> bool {
    if code.challenge.is_some() && client.errs(FrontFault::IgnoresVerifier) {
        return true;
    }
    let fits = |it: &&String| (43..=128).contains(&it.len()) && it.bytes().all(is_unreserved);
    match (&code.challenge, form.get("code_verifier")) {
        (None, None) => true,
        // A verifier without a challenge is somebody else's code (RFC 9700, section 4.8.2).
        (None, Some(_)) => client.errs(FrontFault::IgnoresStrayVerifier),
        (Some(Challenge::Plain(it)), Some(verifier)) => it == verifier,
        (Some(Challenge::S256(it)), Some(verifier)) if fits(&verifier) => {
            URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).as_bytes()) == *it
        }
        _ => false,
    }
}

/// Sends a code back, with this status.
pub(super) fn answer(shared: &Shared, asked: &Asked, status: StatusCode) -> Response {
    match given(shared, asked) {
        Ok(pairs) => back(shared, &asked.redirect, asked.what, &pairs, status),
        Err(problem) => problem.into_response(),
    }
}

/// Says why there is no code: to the client where its address is known, else to the person.
pub(super) fn refuse(shared: &Shared, refused: Refused) -> Response {
    match refused {
        Refused::Page(problem) => problem.into_response(),
        Refused::Told(redirect, code) => {
            let pairs = [("error", code.to_owned())];
            back(shared, &redirect, What::Code, &pairs, StatusCode::FOUND)
        }
    }
}

fn given(shared: &Shared, asked: &Asked) -> Result<Vec<(&'static str, String)>, Problem> {
    let now = clock::now();
    let internal = |_| Problem::internal();
    let mut pages = shared.book.open();
    pages.make_room(now);
    let client = pages.clients.get(&asked.client).filter(|it| it.enabled);
    let client = client.ok_or(Problem::new(StatusCode::BAD_REQUEST, "unknown-client"))?;
    let slow = if client.errs(FrontFault::CodesLiveLong) { 10 } else { 1 };
    let life_ms = client.registration.front.code_life_ms.saturating_mul(slow);
    let token_life = Period::from_seconds(client.registration.token_ttl_seconds);
    let mut pairs = Vec::new();
    if asked.what != What::Token {
        let code = entropy::token().map_err(internal)?;
        let kept = Code {
            client: asked.client.clone(),
            redirect: asked.redirect.url.clone(),
            scopes: asked.scopes.clone(),
            issued_at: now,
            expires_at: after(now, life_ms),
            challenge: asked.challenge.clone(),
            is_redeemed: false,
            is_replayed: false,
        };
        pages.codes.insert(Digest::of(code.as_bytes()), kept);
        pairs.push(("code", code));
    }
    if asked.what != What::Code {
        let token = entropy::token().map_err(internal)?;
        let kept = Token {
            client: asked.client.clone(),
            scopes: asked.scopes.clone(),
            issued_at: now,
            expires_at: now + token_life,
            ip: std::net::Ipv4Addr::LOCALHOST.into(),
            family: None,
            proof: Proof::default(),
        };
        pages.tokens.insert(Digest::of(token.as_bytes()), kept);
        pairs.extend([("access_token", token), ("token_type", "Bearer".to_owned())]);
    }
    Ok(pairs)
}

/// A redirect with an answer, which says whose it is (RFC 9207).
fn back(
    shared: &Shared,
    redirect: &Redirect,
    what: What,
    pairs: &[(&'static str, String)],
    status: StatusCode,
) -> Response {
    let Ok(mut to) = Url::parse(&redirect.url) else {
        return Problem::new(StatusCode::BAD_REQUEST, "unknown-redirect").into_response();
    };
    let state = redirect.state.iter().map(|it| ("state", it.as_str()));
    let pairs = pairs.iter().map(|(name, it)| (*name, it.as_str()));
    let pairs = pairs.chain([("iss", shared.issuer())]).chain(state);
    if what == What::Code {
        to.query_pairs_mut().extend_pairs(pairs);
    } else {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        to.set_fragment(Some(&text.extend_pairs(pairs).finish()));
    }
    let Ok(location) = HeaderValue::from_str(to.as_str()) else {
        return Problem::internal().into_response();
    };
    (status, [(header::LOCATION, location)], NO_STORE).into_response()
}

/// What nobody may keep.
pub(super) const NO_STORE: [(header::HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];
const NO: &str = "invalid_grant";
