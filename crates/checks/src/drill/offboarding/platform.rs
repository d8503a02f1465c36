//! The end of a throw-away copy of a client at the platform.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Identity;
use countersign_model::time::Period;
use serde_json::json;

use crate::drill::tries::{self, Came};
use crate::platform::{ClientChange, ClientCopy, Platform, TokenRequest};
use crate::talk::Talk;

/// How often what still answers is tried again.
const TRY_EVERY: Period = Period::from_millis(100);
/// However much time the manifest gives.
const TRY_MAX: Period = Period::from_seconds(120);

/// A way in.
#[derive(Debug, Clone)]
enum Way {
    /// Its key, at the token endpoint.
    Key,
    /// A code at a redirect.
    Redirect(String),
    /// A refresh token.
    Refresh(String),
    /// A token, at the API.
    Token(String),
    /// A token, at introspection.
    Introspection(String),
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Self::Key => "token request",
            Self::Redirect(_) => "authorization code",
            Self::Refresh(_) => "refresh token",
            Self::Token(_) => "token at the API",
            Self::Introspection(_) => "token at introspection",
        }
    }
}

/// One copy, and what it may call.
struct Copied<'a> {
    platform: &'a dyn Platform,
    copy: ClientCopy,
    call: Option<(String, String)>,
}

/// Opens every way, ends the copy, and tries every way again.
pub(super) async fn end(talk: &mut Talk, manifest: &Manifest, identity: &Identity) {
    let Some(platform) = talk.platform() else { return };
    let copy = talk.copy_client(platform.as_ref(), identity.client_id()).await;
    let Some(copy) = copy else { return };
    let call = tries::declared_call(identity);
    let copied = Copied { platform: platform.as_ref(), copy, call };
    let ways = copied.open(talk, manifest, identity).await;
    let client = &copied.copy.client_id;
    let began = talk.stopwatch_ms();
    for (how, change) in [
        ("disable", ClientChange::Disable),
        ("revoke-tokens", ClientChange::RevokeTokens),
        ("delete", ClientChange::Delete),
    ] {
        let done = copied.platform.client(client, change).await;
        talk.heard("end", done, |()| json!({ "how": how }));
    }
    let limit = manifest.revocation.deny_within.min(TRY_MAX).millis();
    for way in &ways {
        loop {
            let came = copied.attempt(way).await;
            let after_ms = talk.stopwatch_ms().saturating_sub(began);
            if came.is_shut() || limit <= after_ms {
                talk.fact("after", "platform", came.value(way.name(), after_ms));
                break;
            }
            talk.pause("after", TRY_EVERY).await;
        }
    }
}

impl Copied<'_> {
    /// Every way that a client of this kind has, each tried once; those that were open.
    async fn open(&self, talk: &mut Talk, manifest: &Manifest, identity: &Identity) -> Vec<Way> {
        let mut open = Vec::new();
        let (came, first) = tries::mint(self.platform, &self.copy, &TokenRequest::default()).await;
        note(talk, &mut open, Way::Key, &came);
        if let Some(token) = first.access_token {
            self.token(talk, &mut open, token).await;
        }
        if identity.refresh.as_ref().is_some_and(|it| it.allowed) {
            self.refresh(talk, &mut open, first.refresh_token).await;
        }
        if let Some(callback) = manifest.callbacks.first() {
            let way = Way::Redirect(callback.url.to_string());
            let came = self.attempt(&way).await;
            // Not every client of a manifest has its redirect.
            if came.is_open() {
                note(talk, &mut open, way, &came);
            }
        }
        open
    }

    async fn token(&self, talk: &mut Talk, open: &mut Vec<Way>, token: String) {
        for way in [Way::Token(token.clone()), Way::Introspection(token)] {
            let came = self.attempt(&way).await;
            note(talk, open, way, &came);
        }
    }

    /// Uses the refresh token once, since each use may replace it; what it brings is tried at the end.
    async fn refresh(&self, talk: &mut Talk, open: &mut Vec<Way>, token: Option<String>) {
        let Some(token) = token else {
            let came = Came::Unclear("it is declared, and none was given".to_owned());
            note(talk, open, Way::Refresh(String::new()), &came);
            return;
        };
        let (came, answer) = self.exchange(&token).await;
        let newest = answer.refresh_token.unwrap_or(token);
        note(talk, open, Way::Refresh(newest), &came);
    }

    async fn exchange(&self, token: &str) -> (Came, crate::platform::TokenAnswer) {
        let request = TokenRequest {
            grant: Some("refresh_token".to_owned()),
            refresh_token: Some(token.to_owned()),
            ..TokenRequest::default()
        };
        tries::mint(self.platform, &self.copy, &request).await
    }

    async fn attempt(&self, way: &Way) -> Came {
        match way {
            Way::Key => tries::mint(self.platform, &self.copy, &TokenRequest::default()).await.0,
            Way::Redirect(url) => tries::authorize(self.platform, &self.copy.client_id, url).await,
            Way::Refresh(token) => self.exchange(token).await.0,
            Way::Token(token) => tries::call(self.platform, token, self.call.as_ref()).await,
            Way::Introspection(token) => tries::introspect(self.platform, token).await,
        }
    }
}

fn note(talk: &mut Talk, open: &mut Vec<Way>, way: Way, came: &Came) {
    talk.fact("before", "platform", came.value(way.name(), 0));
    if came.is_open() {
        open.push(way);
    }
}
