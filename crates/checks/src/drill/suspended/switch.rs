//! The kill switch at the test tenant: open, cut, try, give back.

use std::collections::BTreeMap;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::EventSubscription;
use countersign_model::declare::path::{Path, PathKind};
use countersign_model::time::Period;
use serde_json::json;

use crate::drill::deliveries::{Feed, left};
use crate::drill::listen_for;
use crate::drill::tries::{self, Came};
use crate::granted::token_clients;
use crate::platform::{
    ClientChange, ClientCopy, Held, Platform, PlatformError, Presence, SubscriptionChange,
    TokenRequest, WebhookCopy,
};
use crate::talk::Talk;
use crate::undo::Undo;

/// How often an open path is tried again.
const TRY_EVERY: Period = Period::from_millis(100);
/// A path is tried no longer than this, however much time the manifest gives.
const TRY_MAX: Period = Period::from_seconds(120);

/// Ways to revoke that end a client, and with it what it runs.
const OF_A_CLIENT: [&str; 3] = ["account-disable", "client-disable", "token-revocation"];

/// A copy of a client, and the token that it got before the cut.
#[derive(Debug)]
struct Copied {
    copy: ClientCopy,
    token: Option<String>,
    /// A refresh token, where it got one; the last one that it got.
    refresh: Option<String>,
    call: Option<(String, String)>,
}

/// What is cut and given back.
#[derive(Debug)]
struct Switch<'a> {
    manifest: &'a Manifest,
    platform: &'a dyn Platform,
    held: Result<Held, PlatformError>,
    /// By identity.
    copies: BTreeMap<String, Copied>,
    /// By webhook.
    hooks: BTreeMap<String, WebhookCopy>,
    /// The identities about whose tokens introspection was asked.
    introspected: Vec<String>,
}

/// Opens, cuts, tries and gives back every path.
pub(super) async fn drill(talk: &mut Talk, manifest: &Manifest, platform: &dyn Platform) {
    let held = platform.granted(manifest).await;
    let mut switch = Switch {
        manifest,
        platform,
        held,
        copies: BTreeMap::new(),
        hooks: BTreeMap::new(),
        introspected: Vec::new(),
    };
    let open = switch.open(talk).await;
    let began = talk.stopwatch_ms();
    let events_ms = switch.cut(talk, &open, began).await;
    switch.wait_until_shut(talk, &open, began).await;
    switch.listen(talk, &open, (began, &events_ms)).await;
    switch.give_back(talk, &open).await;
}

impl<'a> Switch<'a> {
    /// Tries every path with all that it needs; says which were open.
    async fn open(&mut self, talk: &mut Talk) -> Vec<Path> {
        for (_, identity) in token_clients(self.manifest) {
            let copy = talk.copy_client(self.platform, identity.client_id()).await;
            if let Some(copy) = copy {
                let call = tries::declared_call(identity);
                self.copies.insert(
                    identity.id.to_string(),
                    Copied { copy, token: None, refresh: None, call },
                );
            }
        }
        for webhook in &self.manifest.webhooks {
            let id = webhook.id.as_str();
            let integration = &self.manifest.integration.id;
            if let Some(copy) = talk.copy_webhook(self.platform, integration, id).await {
                self.hooks.insert(id.to_owned(), copy);
            }
        }
        let mut open = Vec::new();
        for path in self.manifest.paths() {
            if path.kind == PathKind::AssertionIn && !self.is_registered(&path.subject) {
                let came = self.knock(&path).await;
                talk.fact("unregistered", "platform", came.value(&path.to_string(), 0));
                continue;
            }
            let came = self.attempt(talk, &path).await;
            talk.fact("open", "platform", came.value(&path.to_string(), 0));
            if came.is_open() {
                open.push(path);
            }
        }
        for identity in self.refreshers() {
            let came = self.refresh(&identity).await;
            talk.fact("open", "platform", came.value(&refresh_path(&identity), 0));
        }
        for identity in self.introspected().await {
            let came = Came::Open("introspection calls it active".to_owned());
            talk.fact("open", "platform", came.value(&introspect_path(&identity), 0));
            self.introspected.push(identity);
        }
        open
    }

    /// The identities whose copy has a token that introspection calls active.
    async fn introspected(&self) -> Vec<String> {
        let mut active = Vec::new();
        for (identity, copied) in &self.copies {
            let Some(token) = &copied.token else { continue };
            if tries::introspect(self.platform, token).await.is_open() {
                active.push(identity.clone());
            }
        }
        active
    }

    /// Asks about the token of a copy.
    async fn introspect(&self, identity: &str) -> Came {
        match self.copies.get(identity).and_then(|it| it.token.as_ref()) {
            Some(token) => tries::introspect(self.platform, token).await,
            None => no_copy(),
        }
    }

    /// The identities whose copy got a refresh token.
    fn refreshers(&self) -> Vec<String> {
        let mine = self.copies.iter().filter(|it| it.1.refresh.is_some());
        mine.map(|it| it.0.clone()).collect()
    }

    /// Presents the refresh token of a copy. One that is taken is followed by the next one.
    async fn refresh(&mut self, identity: &str) -> Came {
        let Some(copied) = self.copies.get_mut(identity) else { return no_copy() };
        let Some(token) = copied.refresh.clone() else {
            return Came::Unable("the platform gave the copy no refresh token".to_owned());
        };
        let request = TokenRequest {
            grant: Some("refresh_token".to_owned()),
            refresh_token: Some(token),
            ..TokenRequest::default()
        };
        let (came, answer) = tries::mint(self.platform, &copied.copy, &request).await;
        copied.refresh = answer.refresh_token.or_else(|| copied.refresh.take());
        came
    }

    /// Withdraws trust. Says when each subscription was off, in milliseconds since the beginning.
    async fn cut(&self, talk: &mut Talk, open: &[Path], began: u64) -> BTreeMap<String, u64> {
        let integration = &self.manifest.integration.id;
        let mut off = BTreeMap::new();
        for copied in self.copies.values() {
            let client = &copied.copy.client_id;
            let disabled = self.platform.client(client, ClientChange::Disable).await;
            cut(talk, "client-disable", began, disabled);
            let revoked = self.platform.client(client, ClientChange::RevokeTokens).await;
            cut(talk, "token-revocation", began, revoked);
            if !self.manifest.callbacks.is_empty() {
                let removed = self.platform.redirects(client, Presence::Remove).await;
                cut(talk, "redirect-removal", began, removed);
            }
        }
        for copy in self.hooks.values() {
            let removed = self.platform.webhook_key(integration, &copy.id, Presence::Remove).await;
            cut(talk, "key-removal", began, removed);
        }
        for event in self.events(open) {
            let id = event.id.to_string();
            // Only what was on is switched on again.
            talk.undo_later(Undo::EnableSubscription(integration.clone(), id.clone()));
            let disable = SubscriptionChange::Disable;
            let disabled = self.platform.subscription(integration, &id, disable).await;
            cut(talk, "subscription-disable", began, disabled);
            off.insert(id, talk.stopwatch_ms().saturating_sub(began));
        }
        off
    }

    /// Tries what answers at once, until it refuses or the time is over.
    async fn wait_until_shut(&mut self, talk: &mut Talk, open: &[Path], began: u64) {
        let limit = self.manifest.revocation.deny_within.min(TRY_MAX).millis();
        let mut left: Vec<&Path> = open.iter().filter(|it| it.kind != PathKind::EventOut).collect();
        let mut refreshers = self.refreshers();
        let mut asked = self.introspected.clone();
        loop {
            let mut still = Vec::new();
            for path in left {
                let came = self.attempt(talk, path).await;
                let after_ms = talk.stopwatch_ms().saturating_sub(began);
                if came.is_shut() || limit <= after_ms {
                    talk.fact("shut", "platform", came.value(&path.to_string(), after_ms));
                } else {
                    still.push(path);
                }
            }
            left = still;
            let mut still = Vec::new();
            for identity in refreshers {
                let came = self.refresh(&identity).await;
                let after_ms = talk.stopwatch_ms().saturating_sub(began);
                if came.is_shut() || limit <= after_ms {
                    talk.fact("shut", "platform", came.value(&refresh_path(&identity), after_ms));
                } else {
                    still.push(identity);
                }
            }
            refreshers = still;
            let mut still = Vec::new();
            for identity in asked {
                let came = self.introspect(&identity).await;
                let after_ms = talk.stopwatch_ms().saturating_sub(began);
                if came.is_shut() || limit <= after_ms {
                    talk.fact(
                        "shut",
                        "platform",
                        came.value(&introspect_path(&identity), after_ms),
                    );
                } else {
                    still.push(identity);
                }
            }
            asked = still;
            if left.is_empty() && refreshers.is_empty() && asked.is_empty() {
                return;
            }
            talk.pause("shut", TRY_EVERY).await;
        }
    }

    /// Produces events after the cut, and listens whether any leaves.
    async fn listen(
        &self,
        talk: &mut Talk,
        open: &[Path],
        (began, off): (u64, &BTreeMap<String, u64>),
    ) {
        for event in self.events(open) {
            let path = Path { kind: PathKind::EventOut, subject: event.id.to_string() };
            let off_ms = off.get(event.id.as_str()).copied().unwrap_or_default();
            let (came, after_ms) = self.silence(talk, event, (began, off_ms)).await;
            talk.fact("shut", "platform", came.value(&path.to_string(), after_ms));
        }
    }

    async fn silence(
        &self,
        talk: &mut Talk,
        event: &EventSubscription,
        (began, off_ms): (u64, u64),
    ) -> (Came, u64) {
        let feed = self.feed(event);
        let settle = self.manifest.effects.as_ref().map(|it| it.settle);
        let listen = listen_for(settle, event.retry_every);
        let limit = self.manifest.revocation.deny_within.min(TRY_MAX).millis();
        let mut quiet_since = off_ms;
        loop {
            let since = talk.now();
            let id = match feed.emit(since).await {
                Ok(it) => it,
                Err(error) => return (error.into(), quiet_since),
            };
            talk.pause("silence", listen).await;
            let record = match feed.record(since).await {
                Ok(it) => it,
                Err(error) => return (error.into(), quiet_since),
            };
            let came_out = record.iter().find(|it| it.id == id && feed.is_mine(it) && left(it));
            let now = talk.stopwatch_ms().saturating_sub(began);
            match came_out {
                None => return (Came::Shut("nothing is delivered".to_owned()), quiet_since),
                Some(it) if limit <= now => {
                    let seen = format!("an event is still delivered to {}", it.endpoint);
                    return (Came::Open(seen), now);
                }
                Some(_) => quiet_since = now,
            }
        }
    }

    /// Gives everything back, sees that it is back, and that no old token is.
    async fn give_back(&mut self, talk: &mut Talk, open: &[Path]) {
        let integration = &self.manifest.integration.id;
        let mut back = Vec::new();
        for copied in self.copies.values() {
            let client = &copied.copy.client_id;
            back.push(self.platform.client(client, ClientChange::Enable).await);
            if !self.manifest.callbacks.is_empty() {
                back.push(self.platform.redirects(client, Presence::Restore).await);
            }
        }
        for copy in self.hooks.values() {
            let restore = Presence::Restore;
            back.push(self.platform.webhook_key(integration, &copy.id, restore).await);
        }
        for event in self.events(open) {
            let enable = SubscriptionChange::Enable;
            back.push(self.platform.subscription(integration, event.id.as_str(), enable).await);
        }
        for error in back.into_iter().filter_map(Result::err) {
            let error = format!("{error}: {}", error.source);
            talk.fact("give-back", "platform", json!({ "error": error }));
        }
        for (identity, copied) in &mut self.copies {
            let Some(token) = copied.token.take() else { continue };
            let came = tries::token(self.platform, &token, copied.call.as_ref()).await;
            if let Came::Open(seen) = came {
                talk.fact("risen", "platform", json!(format!("{identity}: {seen}")));
            }
        }
        let refreshers = self.refreshers();
        for identity in &refreshers {
            if let Came::Open(seen) = self.refresh(identity).await {
                let risen = format!("refresh token of {identity}: {seen}");
                talk.fact("risen", "platform", json!(risen));
            }
            if let Some(copied) = self.copies.get_mut(identity) {
                copied.refresh = None;
            }
        }
        for path in open {
            let came = self.attempt(talk, path).await;
            talk.fact("restored", "platform", came.value(&path.to_string(), 0));
        }
        for identity in &refreshers {
            let came = self.refresh(identity).await;
            talk.fact("restored", "platform", came.value(&refresh_path(identity), 0));
        }
        for identity in &self.introspected {
            let came = self.introspect(identity).await;
            talk.fact("restored", "platform", came.value(&introspect_path(identity), 0));
        }
    }

    /// One attempt over a path. A token that it gets is kept where there is none yet.
    async fn attempt(&mut self, talk: &mut Talk, path: &Path) -> Came {
        let integration = &self.manifest.integration.id;
        match path.kind {
            PathKind::TokenMint => {
                let Some(copied) = self.copies.get_mut(&path.subject) else { return no_copy() };
                let request = TokenRequest::default();
                let (came, answer) = tries::mint(self.platform, &copied.copy, &request).await;
                if copied.token.is_none() {
                    copied.token = answer.access_token;
                }
                if copied.refresh.is_none() {
                    copied.refresh = answer.refresh_token;
                }
                came
            }
            PathKind::TokenUse => match self.copies.get(&path.subject) {
                Some(Copied { token: Some(token), call, .. }) => {
                    match tries::call(self.platform, token, call.as_ref()).await {
                        // Where nothing can be called, what introspection says of it is all there is.
                        Came::Unable(_) => tries::introspect(self.platform, token).await,
                        came => came,
                    }
                }
                _ => no_copy(),
            },
            PathKind::AssertionIn => {
                Came::Unable("it is registered, and no copy of it can be made".to_owned())
            }
            PathKind::CallIn => match self.hooks.get(&path.subject) {
                Some(copy) => tries::webhook(self.platform, integration, copy).await,
                None => self.redirect(&path.subject).await,
            },
            PathKind::EventOut => {
                let event = self.manifest.events.iter().find(|it| it.id.as_str() == path.subject);
                match event {
                    Some(event) => self.feed(event).arrives(talk).await.0,
                    None => no_copy(),
                }
            }
            PathKind::Automation => match self.runner(&path.subject) {
                Some(token) => tries::job(self.platform, token, integration, &path.subject).await,
                None => Came::Unable("it names no identity whose end would end it too".to_owned()),
            },
        }
    }

    /// Asks for a code at a redirect, in the name of each client: one that gets it leaves it open.
    async fn redirect(&self, callback: &str) -> Came {
        let found = self.manifest.callbacks.iter().find(|it| it.id.as_str() == callback);
        let Some(callback) = found else { return no_copy() };
        let mut worst = no_copy();
        for copied in self.copies.values() {
            let client = &copied.copy.client_id;
            let came = tries::authorize(self.platform, client, callback.url.as_str()).await;
            match came {
                Came::Open(_) => return came,
                Came::Shut(_) if matches!(worst, Came::Unclear(_)) => {}
                other => worst = other,
            }
        }
        worst
    }

    /// The token of the identity that an automation ends with.
    fn runner(&self, automation: &str) -> Option<&str> {
        let automations = &self.manifest.automations;
        let found = automations.iter().find(|it| it.id.as_str() == automation)?;
        let mut copied =
            found.revoke_by.iter().filter_map(|it| match it.strip_prefix("identity:") {
                Some(identity) => self.copies.get(identity),
                None if OF_A_CLIENT.contains(&it.as_str()) => self.copies.values().next(),
                None => None,
            });
        copied.next()?.token.as_deref()
    }

    fn is_registered(&self, subject: &str) -> bool {
        let identity = self.manifest.identities.iter().find(|it| it.id.as_str() == subject);
        match (&self.held, identity) {
            (Ok(held), Some(identity)) => held.granted.contains_key(identity.client_id()),
            // Who cannot be asked may well hold it.
            _ => true,
        }
    }

    async fn knock(&self, path: &Path) -> Came {
        let integration = &self.manifest.integration.id;
        tries::knocked(self.platform.knock(integration, path.kind, &path.subject).await)
    }

    fn feed<'b>(&'b self, event: &'b EventSubscription) -> Feed<'b> {
        Feed { platform: self.platform, integration: &self.manifest.integration.id, event }
    }

    /// The subscriptions that were seen open.
    fn events(&self, open: &[Path]) -> Vec<&'a EventSubscription> {
        let is_open = |event: &&EventSubscription| {
            let path = Path { kind: PathKind::EventOut, subject: event.id.to_string() };
            open.contains(&path)
        };
        self.manifest.events.iter().filter(is_open).collect()
    }
}

/// The name of the way in that a refresh token is.
fn refresh_path(identity: &str) -> String {
    format!("token-refresh {identity}")
}

/// What introspection says of a token is a path of its own: whoever asks it is let in by it.
fn introspect_path(identity: &str) -> String {
    format!("token-introspect {identity}")
}

fn no_copy() -> Came {
    Came::Unable("there is no copy to try it with".to_owned())
}

fn cut(talk: &mut Talk, how: &str, began: u64, done: Result<(), PlatformError>) {
    let after_ms = talk.stopwatch_ms().saturating_sub(began);
    if let Err(error) = &done
        && error.is_unable()
    {
        // Whether the path is shut all the same is seen when it is tried.
        talk.fact("cut", "platform", json!({ "how": how, "unable": error.to_string() }));
        return;
    }
    talk.heard("cut", done, |()| json!({ "how": how, "after_ms": after_ms }));
}
