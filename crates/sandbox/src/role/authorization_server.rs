//! An authorization server of the partner's whose tokens we trust: its access tokens are signed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::declare::manifest::{AuthorizationServer, TestAuth, TestClient};
use countersign_model::enforce::{Call, Reason};
use countersign_seal::{Digest, SigningKey};

use super::{Role, Setting};
use crate::manifests::manifest;
use crate::partner::Faults;
use crate::platform::{Shared, authorization_server};
use crate::registration::{ClientRegistration, Extras, FrontChannel};
use crate::world::oauth_lapses;
use crate::{Kind, StartError, entropy};

/// The role.
pub(super) const ROLE: Role = Role { host: HOST, router };

const HOST: &str = "login.meridian.example";
/// How long tokens live.
const LIFE_SECONDS: u64 = 600;
/// How long they live for clients with a secret: long enough to be seen, short enough to be seen ending.
const SHORT_LIFE_SECONDS: u64 = 2;
const REFRESH_LIFE_SECONDS: u64 = 8 * 3_600;

fn router(setting: &Arc<Setting>) -> Result<Router, StartError> {
    let (router, shared) = authorization_server(HOST, &setting.net)?;
    shared.gate.put(Arc::new(|_: &Call| Reason::Admitted));
    for server in &manifest(Kind::Meridian)?.authorization_servers {
        people(&shared, setting, server)?;
        for client in &server.clients {
            let registration = registration(setting, server, client)?;
            shared.book.put_client(registration, crate::clock::now());
        }
    }
    let state = (shared, setting.faults.clone());
    Ok(router.layer(from_fn_with_state(state, as_faults_have_it)))
}

/// The person of the manifest can sign in, and their password is held for the checker.
fn people(
    shared: &Shared,
    setting: &Setting,
    server: &AuthorizationServer,
) -> Result<(), StartError> {
    let Some(login) = &server.login else { return Ok(()) };
    let (user, password) = (format!("canary-{}", entropy::suffix()?), entropy::token()?);
    let digest = Digest::of(password.as_bytes());
    shared.book.open().people.insert(user.clone(), digest);
    setting.secrets.hold(&login.user_ref, &user);
    setting.secrets.hold(&login.password_ref, &password);
    Ok(())
}

/// A test client, whose secret is held for the checker.
fn registration(
    setting: &Setting,
    server: &AuthorizationServer,
    client: &TestClient,
) -> Result<ClientRegistration, StartError> {
    let hold = |secret: &str| {
        if let Some(name) = &client.auth_ref {
            setting.secrets.hold(name, secret);
        }
    };
    let (mut keys, mut secret_sha256) = (Vec::new(), None);
    let (auth, life) = match client.auth {
        TestAuth::ClientSecretBasic => ("client_secret_basic", SHORT_LIFE_SECONDS),
        TestAuth::ClientSecretPost => ("client_secret_post", SHORT_LIFE_SECONDS),
        TestAuth::None => ("none", LIFE_SECONDS),
        TestAuth::PrivateKeyJwt => ("private_key_jwt", LIFE_SECONDS),
    };
    match client.auth {
        TestAuth::ClientSecretBasic | TestAuth::ClientSecretPost => {
            let secret = entropy::token()?;
            secret_sha256 = Some(Digest::of(secret.as_bytes()));
            hold(&secret);
        }
        TestAuth::PrivateKeyJwt => {
            let seed = entropy::random::<32>()?;
            let mut jwk = SigningKey::from_seed(seed).public().to_jwk();
            keys.push(jwk.clone());
            jwk["d"] = URL_SAFE_NO_PAD.encode(seed).into();
            hold(&jwk.to_string());
        }
        TestAuth::None => {}
    }
    let redirect = client.redirect.iter().map(|it| ("cb:test".to_owned(), it.to_string()));
    Ok(ClientRegistration {
        client_id: client.client_id.clone(),
        integration: Kind::Meridian.slug().to_owned(),
        auth: auth.to_owned(),
        scopes: server.scopes.iter().map(ToString::to_string).collect(),
        keys,
        jwks_uri: None,
        secret_sha256,
        redirects: redirect.collect::<BTreeMap<_, _>>(),
        grant_types: client.grants.iter().cloned().collect(),
        token_ttl_seconds: life,
        refresh_ttl_seconds: REFRESH_LIFE_SECONDS,
        networks: Vec::new(),
        max_per_hour: None,
        alerts: BTreeSet::new(),
        front: FrontChannel::default(),
        extras: Extras::default(),
        lapses: BTreeSet::new(),
    })
}

/// Is wrong about every client in the way of the moment.
async fn as_faults_have_it(
    State((shared, faults)): State<(Arc<Shared>, Faults)>,
    request: Request,
    next: Next,
) -> Response {
    let lapses: BTreeSet<_> = oauth_lapses(&faults.all()).collect();
    for client in shared.book.open().clients.values_mut() {
        client.registration.lapses.clone_from(&lapses);
    }
    next.run(request).await
}
