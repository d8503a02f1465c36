//! Throw-away copies of clients whose front channel is as a check wishes.

use std::collections::BTreeSet;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_seal::{Digest, SigningKey};
use serde::Deserialize;
use serde_json::json;

use super::super::Shared;
use super::super::admin::COPIES_MAX;
use super::super::book::Client;
use super::super::problem::Problem;
use crate::registration::{ClientRegistration, FrontChannel, Login};
use crate::{clock, entropy};

/// How a copy differs from its original.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    traits: BTreeSet<Trait>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Trait {
    /// It has to push its requests.
    MustPush,
    /// It is public.
    Public,
    /// Its codes and pushed requests live for a second.
    ShortLived,
    /// Somebody has to sign in.
    SignsIn,
}

/// A throw-away copy with a key pair of its own; the private half is handed out once.
pub(in super::super) fn copy(shared: &Shared, id: &str, wish: &[u8]) -> Result<Response, Problem> {
    let internal = |_| Problem::internal();
    let wish: Wish = match wish {
        [] => Wish::default(),
        text => serde_json::from_slice(text).map_err(|_| Problem::invalid("wish-refused"))?,
    };
    let seed = entropy::random::<32>().map_err(internal)?;
    let name = format!("{id}.copy-{}", entropy::suffix().map_err(internal)?);
    let mut pages = shared.book.open();
    let original = pages.clients.get(id).ok_or(Problem::not_found())?.clone();
    if original.copy_of.is_some() {
        return Err(Problem::invalid("copy-of-a-copy"));
    }
    if COPIES_MAX <= pages.copies.len()
        && let Some(oldest) = pages.copies.pop_front()
    {
        pages.kill_tokens(&oldest);
        pages.clients.remove(&oldest);
    }
    let (front, login) = front(&original.registration.front, &wish.traits)?;
    let mut body = json!({
        "client_id": name,
        "seed": URL_SAFE_NO_PAD.encode(seed),
        "redirects": original.registration.redirects.values().collect::<Vec<_>>(),
        "code_life_ms": front.code_life_ms,
        "code_life_ms_of_original": original.registration.front.code_life_ms,
    });
    if let Some((user, password)) = login {
        body["login"] = json!({ "user": user, "password": password });
    }
    let mut registration = ClientRegistration {
        client_id: name.clone(),
        auth: "private_key_jwt".to_owned(),
        keys: vec![SigningKey::from_seed(seed).public().to_jwk()],
        jwks_uri: None,
        secret_sha256: None,
        extras: original.registration.extras.of_a_copy(),
        front,
        ..original.registration
    };
    if wish.traits.contains(&Trait::Public) {
        "none".clone_into(&mut registration.auth);
        registration.keys.clear();
        registration.grant_types.remove("client_credentials");
    }
    let copy = Client {
        registration,
        enabled: true,
        created_at: clock::now(),
        copy_of: Some(id.to_owned()),
        redirects_removed: original.redirects_removed,
        since: std::collections::BTreeMap::new(),
        last_used: None,
    };
    pages.copies.push_back(name.clone());
    pages.clients.insert(name, copy);
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// The front channel of a copy, and who may sign in there.
fn front(
    original: &FrontChannel,
    traits: &BTreeSet<Trait>,
) -> Result<(FrontChannel, Option<(String, String)>), Problem> {
    let mut front = original.clone();
    front.must_push |= traits.contains(&Trait::MustPush);
    if traits.contains(&Trait::ShortLived) {
        front.code_life_ms = SHORT_SECONDS * 1_000;
        front.request_life_seconds = SHORT_SECONDS;
    }
    if !traits.contains(&Trait::SignsIn) {
        return Ok((front, None));
    }
    let internal = |_| Problem::internal();
    let user = format!("canary-{}", entropy::suffix().map_err(internal)?);
    let password = entropy::token().map_err(internal)?;
    let password_sha256 = Digest::of(password.as_bytes());
    front.login = Some(Login { user: user.clone(), password_sha256 });
    Ok((front, Some((user, password))))
}

const SHORT_SECONDS: u64 = 1;
