//! Somebody signs in: one form, one ticket, one browser.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form as FormBody, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::post;
use countersign_seal::Digest;

use super::super::Shared;
use super::super::assertion::Form;
use super::super::problem::Problem;
use super::code::{NO_STORE, answer};
use super::pages::Waiting;
use super::read::{Asked, after};
use crate::partner::FrontFault;
use crate::{clock, entropy};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/oauth/login", post(login))
}

/// Asks a person to sign in before a request is answered.
pub(super) fn ask(shared: &Shared, asked: Asked) -> Result<Response, Problem> {
    let internal = |_| Problem::internal();
    let ticket = entropy::token().map_err(internal)?;
    let browser = entropy::token().map_err(internal)?;
    let now = clock::now();
    let waiting = Waiting {
        asked,
        browser: Digest::of(browser.as_bytes()),
        expires_at: after(now, LOGIN_MS_MAX),
        tries_left: TRIES_MAX,
    };
    let mut pages = shared.book.open();
    pages.make_room(now);
    pages.front.waiting.insert(Digest::of(ticket.as_bytes()), waiting);
    drop(pages);
    let cookie = format!("{COOKIE}={browser}; Path=/; Secure; HttpOnly; SameSite=Lax");
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::internal())?;
    Ok(([(header::SET_COOKIE, cookie)], form(&ticket, "", StatusCode::OK)).into_response())
}

async fn login(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    FormBody(sent): FormBody<Form>,
) -> Response {
    let text = |name: &str| sent.get(name).map(String::as_str).unwrap_or_default();
    let ticket = Digest::of(text("ticket").as_bytes());
    let mut pages = shared.book.open();
    let now = clock::now();
    let is_mine =
        |it: &&Waiting| now < it.expires_at && browser(&headers).is_some_and(|b| b == it.browser);
    let Some(waiting) = pages.front.waiting.get(&ticket).filter(is_mine).cloned() else {
        return Problem::new(StatusCode::BAD_REQUEST, "unknown-ticket").into_response();
    };
    let client = pages.clients.get(&waiting.asked.client).cloned();
    let Some(client) = client.filter(|it| it.enabled) else {
        return Problem::new(StatusCode::BAD_REQUEST, "unknown-client").into_response();
    };
    let person = client.registration.front.login.as_ref();
    let is_right = person.is_some_and(|it| {
        it.user == text("user") && it.password_sha256 == Digest::of(text("password").as_bytes())
    });
    if is_right {
        pages.front.waiting.remove(&ticket);
        drop(pages);
        // A browser sends a form again after 307, password and all (RFC 9700, section 4.12).
        let status = if client.errs(FrontFault::RepostsLogin) {
            StatusCode::TEMPORARY_REDIRECT
        } else {
            StatusCode::SEE_OTHER
        };
        return answer(&shared, &waiting.asked, status);
    }
    match pages.front.waiting.get_mut(&ticket) {
        Some(it) if 1 < it.tries_left => it.tries_left -= 1,
        _ => drop(pages.front.waiting.remove(&ticket)),
    }
    drop(pages);
    form(text("ticket"), "<p>That is not right.</p>", StatusCode::UNAUTHORIZED)
}

fn browser(headers: &HeaderMap) -> Option<Digest> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|it| it.0 == COOKIE).map(|it| Digest::of(it.1.as_bytes()))
}

/// `ticket` is a word of ours, or comes from a form that was already matched to one.
fn form(ticket: &str, told: &str, status: StatusCode) -> Response {
    let page = format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head><body>
<h1>Sign in</h1>{told}
<form method="post" action="/oauth/login">
<input type="hidden" name="ticket" value="{ticket}">
<label>Name <input name="user" autocomplete="username" required></label>
<label>Password <input type="password" name="password" autocomplete="current-password" required></label>
<button type="submit">Sign in</button>
</form></body></html>
"#
    );
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    let policy = [(header::CONTENT_SECURITY_POLICY, policy)];
    (status, policy, NO_STORE, Html(page)).into_response()
}

const COOKIE: &str = "__Host-sign-in";
const LOGIN_MS_MAX: u64 = 300_000;
const TRIES_MAX: u8 = 5;
