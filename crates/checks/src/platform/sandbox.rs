//! The connector to the sandbox platform: its administrators' API, its token endpoint, its API.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_model::certify::baseline::Granted;
use countersign_model::declare::Manifest;
use countersign_model::declare::path::PathKind;
use countersign_model::declare::words::Slug;
use countersign_model::time::Timestamp;
use countersign_seal::SigningKey;
use serde_json::{Value, json};

use super::assertion::token_form;
use super::{
    Ability, Accepted, AdminAct, AdminRecord, Answer, ApiAnswer, ApiCall, ClientChange, ClientCopy,
    CopyTerms, Delivery, FrontCopy, FrontTrait, Held, Inventory, Manner, Objects, Platform,
    PlatformError, PlatformFault, Presence, RaisedAlert, Reach, ReceivedCall, SendingKey,
    SubscriptionChange, TokenAnswer, TokenRequest, WebhookCopy,
};
use crate::live::clock::Clock;
use call::{Line, Size, Who};

mod abilities;
mod attempts;
mod call;
mod read;
mod ways;
mod webhook;

/// Where a tenant of the sandbox platform is, and what opens it.
#[derive(Clone)]
pub struct SandboxSettings {
    /// Its issuer, which is its address too: `https://test.id.example.com`.
    pub issuer: String,
    /// The token that reads.
    pub reader: String,
    /// The token that kills.
    pub killer: String,
    /// Names with an address of our own choice.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// Certificates (PEM) of the authorities that vouch for it; public ones when none.
    pub ca: Option<Vec<u8>>,
    /// How long one request may take.
    pub limit: Duration,
}

impl fmt::Debug for SandboxSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SandboxSettings({})", self.issuer)
    }
}

/// A tenant of the sandbox platform.
#[derive(Debug)]
pub struct SandboxPlatform {
    issuer: String,
    line: Line,
    clock: Arc<dyn Clock>,
}

type Done<T> = Result<T, PlatformError>;

impl SandboxPlatform {
    /// A connector with these settings. It asks nobody yet.
    pub fn new(settings: SandboxSettings, clock: Arc<dyn Clock>) -> Done<Self> {
        let issuer = settings.issuer.trim_end_matches('/').to_owned();
        let line = Line::new(&issuer, settings).map_err(wrap("be set up"))?;
        Ok(Self { issuer, line, clock })
    }
}

#[async_trait]
impl Platform for SandboxPlatform {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn token_endpoint(&self) -> String {
        format!("{}/oauth/token", self.issuer)
    }

    fn reach(&self) -> Option<Reach> {
        Some(self.line.reach())
    }

    fn abilities(&self) -> Vec<Ability> {
        abilities::abilities()
    }

    async fn inventory(&self) -> Done<Inventory> {
        let listed = self.read(&["admin", "clients"], &[]).await.and_then(read::inventory);
        listed.map_err(wrap("list every client"))
    }

    async fn admin_log(&self, since: Timestamp) -> Done<Vec<AdminRecord>> {
        let lines = self.lines("audit", &[("since", &since.to_string())]).await;
        let records = lines.and_then(|it| read::records(&it));
        records.map_err(wrap("read who changed what"))
    }

    async fn granted(&self, manifest: &Manifest) -> Done<Held> {
        let action = format!("read what {} holds", manifest.integration.id);
        self.held(manifest).await.map_err(wrap(action))
    }

    async fn scopes(&self) -> Done<BTreeMap<String, BTreeSet<String>>> {
        let scopes = self.read(&["admin", "scopes"], &[]).await.and_then(read::parsed);
        scopes.map_err(wrap("list its scopes"))
    }

    async fn token_log(&self, client: &str, since: Timestamp) -> Done<Vec<u8>> {
        let query = [("client", client), ("since", &since.to_string())];
        let lines = self.lines("token-log", &query).await;
        lines.map_err(wrap(format!("read the token requests of {client}")))
    }

    async fn access_log(&self, client: &str, since: Timestamp) -> Done<Vec<u8>> {
        let query = [("client", client), ("since", &since.to_string())];
        let lines = self.lines("access-log", &query).await;
        lines.map_err(wrap(format!("read the token uses of {client}")))
    }

    async fn pushed_log(&self, integration: &Slug) -> Done<Vec<u8>> {
        let lines = self.lines("pushed-log", &[("integration", integration.as_str())]).await;
        lines.map_err(wrap(format!("read the log that {integration} pushed")))
    }

    async fn accepted(&self, integration: &Slug) -> Done<Accepted> {
        let query = [("integration", integration.as_str())];
        let accepted = self.read(&["admin", "accepted"], &query).await.and_then(read::parsed);
        accepted.map_err(wrap(format!("read what is accepted from {integration}")))
    }

    async fn alerts(&self, integration: &Slug) -> Done<Vec<RaisedAlert>> {
        let query = [("integration", integration.as_str())];
        let alerts = self.read(&["admin", "alerts"], &query).await.and_then(read::list);
        alerts.map_err(wrap(format!("read the alerts about {integration}")))
    }

    async fn deliveries(&self, integration: &Slug, since: Timestamp) -> Done<Vec<Delivery>> {
        let query = [("integration", integration.as_str()), ("since", &since.to_string())];
        let deliveries = self.read(&["admin", "deliveries"], &query).await.and_then(read::list);
        deliveries.map_err(wrap(format!("read the deliveries to {integration}")))
    }

    async fn received(&self, integration: &Slug, since: Timestamp) -> Done<Vec<ReceivedCall>> {
        let query = [("integration", integration.as_str()), ("since", &since.to_string())];
        let calls = self.read(&["admin", "received"], &query).await.and_then(read::list);
        calls.map_err(wrap(format!("read the webhooks of {integration}")))
    }

    async fn client(&self, client: &str, change: ClientChange) -> Done<()> {
        let (word, is_delete) = match change {
            ClientChange::Delete => ("delete", true),
            ClientChange::Disable => ("disable", false),
            ClientChange::Enable => ("enable", false),
            ClientChange::RevokeTokens => ("revoke-tokens", false),
        };
        let done = async {
            if is_delete {
                let ask =
                    self.line.new_ask("DELETE", &["admin", "clients", client], Who::Killer)?;
                return read::is_success(&self.line.send(ask, None, Size::Answer).await?);
            }
            self.kill(&["admin", "clients", client, word]).await.map(drop)
        };
        done.await.map_err(wrap(format!("{word} {client}")))
    }

    async fn copy_client(&self, client: &str) -> Done<ClientCopy> {
        let raw = self.kill(&["admin", "clients", client, "copy"]).await;
        raw.and_then(|it| read::copy(&it)).map_err(wrap(format!("copy {client}")))
    }

    async fn replace_keys(&self, client: &str, keys: &Value) -> Done<()> {
        let done = self.put(&["admin", "clients", client, "keys"], keys).await;
        done.map_err(wrap(format!("replace the keys of {client}")))
    }

    async fn subscription(
        &self,
        integration: &Slug,
        subscription: &str,
        change: SubscriptionChange,
    ) -> Done<()> {
        let word = match change {
            SubscriptionChange::Disable => "disable",
            SubscriptionChange::Enable => "enable",
            SubscriptionChange::Purge => "purge",
        };
        let path = ["admin", "subscriptions", integration.as_str(), subscription, word];
        let done = self.kill(&path).await.map(drop);
        done.map_err(wrap(format!("{word} {subscription} of {integration}")))
    }

    async fn signing_key(&self, integration: &Slug) -> Done<SigningKey> {
        let path = ["admin", "subscriptions", integration.as_str(), "signing-key"];
        let key = async {
            let ask = self.line.get(&path, &[], Who::Killer)?;
            let value = read::json(&self.line.send(ask, None, Size::Answer).await?)?;
            read::key(&value)
        };
        key.await.map_err(wrap(format!("read the key that signs events for {integration}")))
    }

    async fn sending_key(&self, integration: &Slug, subscription: &str) -> Done<SendingKey> {
        let path = ["admin", "subscriptions", integration.as_str(), "signing-key"];
        let key = async {
            let ask = self.line.get(&path, &[("subscription", subscription)], Who::Killer)?;
            read::sending_key(&read::json(&self.line.send(ask, None, Size::Answer).await?)?)
        };
        key.await.map_err(wrap(format!("read the key that signs {subscription} of {integration}")))
    }

    async fn webhook_key(&self, integration: &Slug, webhook: &str, change: Presence) -> Done<()> {
        let word = match change {
            Presence::Remove => "remove-key",
            Presence::Restore => "restore-key",
        };
        let path = ["admin", "webhooks", integration.as_str(), webhook, word];
        let done = self.kill(&path).await.map(drop);
        done.map_err(wrap(format!("{word} of {webhook} of {integration}")))
    }

    async fn redirects(&self, client: &str, change: Presence) -> Done<()> {
        let word = match change {
            Presence::Remove => "remove",
            Presence::Restore => "restore",
        };
        let done = self.kill(&["admin", "redirects", client, word]).await.map(drop);
        done.map_err(wrap(format!("{word} the redirects of {client}")))
    }

    async fn emit(&self, kind: &str, data: &Value) -> Done<String> {
        let id = async {
            let ask = self.line.new_ask("POST", &["admin", "events"], Who::Killer)?;
            let ask = ask.json(json!({ "type": kind, "data": data }).to_string());
            read::id(&read::json(&self.line.send(ask, None, Size::Answer).await?)?)
        };
        id.await.map_err(wrap(format!("produce an event `{kind}`")))
    }

    async fn request_token(&self, copy: &ClientCopy, request: &TokenRequest) -> Done<TokenAnswer> {
        let answer = async {
            let form = token_form(copy, request, &self.token_endpoint(), self.clock.now())?;
            let path = ["oauth", "token"];
            read::token(&self.form(&path, &form, Who::Nobody, request.from).await?)
        };
        answer.await.map_err(wrap(format!("be asked for a token of {}", copy.client_id)))
    }

    async fn use_token(
        &self,
        token: &str,
        method: &str,
        path: &str,
        from: Option<IpAddr>,
    ) -> Done<Answer> {
        let answer = self.use_at(token, method, path, from).await;
        answer.map_err(wrap(format!("be asked for {method} {path}")))
    }

    async fn introspect(&self, token: &str) -> Done<bool> {
        let form = BTreeMap::from([("token".to_owned(), token.to_owned())]);
        let raw = self.form(&["oauth", "introspect"], &form, Who::Reader, None).await;
        let active = raw.and_then(|it| read::json(&it)).and_then(|it| read::active(&it));
        active.map_err(wrap("say whether a token is active"))
    }

    async fn knock(&self, integration: &Slug, kind: PathKind, subject: &str) -> Done<Answer> {
        let answer = async {
            let slug = integration.as_str();
            let ask = match kind {
                PathKind::AssertionIn => {
                    self.line.new_ask("POST", &["assertions", slug, subject], Who::Nobody)?
                }
                PathKind::CallIn => {
                    self.line.new_ask("POST", &["callbacks", slug, subject], Who::Nobody)?
                }
                // These have no address of their own: the platform asks its gate in their name.
                other => {
                    let path = ["admin", "doors", slug, other.word(), subject];
                    self.line.get(&path, &[], Who::Reader)?
                }
            };
            read::answer(&self.line.send(ask, None, Size::Answer).await?)
        };
        answer.await.map_err(wrap(format!("be knocked at for {subject} of {integration}")))
    }

    async fn run_job(
        &self,
        integration: &Slug,
        job: &str,
        causes: &BTreeMap<String, u32>,
    ) -> Done<Answer> {
        let answer = async {
            let path = ["jobs", integration.as_str(), job];
            let ask = self.line.new_ask("POST", &path, Who::Reader)?;
            let ask = ask.json(json!({ "causes": causes }).to_string());
            read::answer(&self.line.send(ask, None, Size::Answer).await?)
        };
        answer.await.map_err(wrap(format!("run {job} of {integration}")))
    }

    async fn run_job_as(&self, token: &str, integration: &Slug, job: &str) -> Done<Answer> {
        let path = format!("/jobs/{integration}/{job}");
        let answer = self.use_at(token, "POST", &path, None).await;
        answer.map_err(wrap(format!("run {job} of {integration} with a token")))
    }

    async fn authorize(&self, client: &str, redirect: &str) -> Done<Answer> {
        let answer = async {
            let query =
                [("response_type", "code"), ("client_id", client), ("redirect_uri", redirect)];
            let ask = self.line.get(&["oauth", "authorize"], &query, Who::Nobody)?;
            read::answer(&self.line.send(ask, None, Size::Answer).await?)
        };
        answer.await.map_err(wrap(format!("be asked for a code of {client}")))
    }

    async fn copy_webhook(&self, integration: &Slug, webhook: &str) -> Done<WebhookCopy> {
        let path = ["admin", "webhooks", integration.as_str(), webhook, "copy"];
        let copy = self.kill(&path).await.and_then(|it| read::webhook_copy(&it));
        copy.map_err(wrap(format!("copy {webhook} of {integration}")))
    }

    async fn delete_webhook(&self, integration: &Slug, copy: &str) -> Done<()> {
        let done = async {
            let path = ["admin", "webhooks", integration.as_str(), copy];
            let ask = self.line.new_ask("DELETE", &path, Who::Killer)?;
            read::is_success(&self.line.send(ask, None, Size::Answer).await?)
        };
        done.await.map_err(wrap(format!("delete {copy} of {integration}")))
    }

    async fn call_webhook(&self, integration: &Slug, copy: &WebhookCopy) -> Done<Answer> {
        let answer = async {
            let ask = self.line.new_ask("POST", &webhook::path(copy), Who::Nobody)?;
            let ask = webhook::signed(ask, copy, self.clock.now())?;
            read::answer(&self.line.send(ask, None, Size::Answer).await?)
        };
        answer.await.map_err(wrap(format!("be called by {} of {integration}", copy.id)))
    }

    async fn copy_front(&self, client: &str, traits: &BTreeSet<FrontTrait>) -> Done<FrontCopy> {
        let copy = self.front_copy(client, traits).await;
        copy.map_err(wrap(format!("copy the front channel of {client}")))
    }

    async fn invitation(&self) -> Done<Option<String>> {
        let raw = self.kill(&["admin", "registration-token"]).await;
        let token = raw.and_then(|it| read::invitation(&it));
        token.map(Some).map_err(wrap("invite a client to register itself"))
    }

    async fn copy_client_on(&self, client: &str, terms: &CopyTerms) -> Done<ClientCopy> {
        if *terms == CopyTerms::default() {
            return self.copy_client(client).await;
        }
        self.copied(client, terms).await.map_err(wrap(format!("copy {client} on other terms")))
    }

    async fn call(&self, token: &str, call: &ApiCall, manner: &Manner) -> Done<ApiAnswer> {
        let answer = self.call_as(token, call, manner).await;
        answer.map_err(wrap(format!("be asked for {} {}", call.method, call.path)))
    }

    async fn objects(&self, client: &str) -> Done<Objects> {
        self.tenant_objects(client).await.map_err(wrap(format!("name objects for {client}")))
    }

    async fn self_grant_calls(&self, client: &str, name: &str) -> Done<Vec<ApiCall>> {
        Ok(attempts::self_grants(client, name))
    }

    async fn suppression_calls(&self, client: &str) -> Done<Vec<ApiCall>> {
        Ok(attempts::suppressions(client))
    }

    async fn registration(&self, client: &str) -> Done<Option<Granted>> {
        let registered = self.registered(client).await;
        registered.map_err(wrap(format!("read what is granted to {client}")))
    }

    async fn tokens_per_hour(&self, client: &str) -> Done<Option<u32>> {
        self.ceiling(client).await.map_err(wrap(format!("read the ceiling of {client}")))
    }

    async fn sign_in(&self, copy: &ClientCopy) -> Done<Answer> {
        self.console(copy).await.map_err(wrap(format!("sign in as {}", copy.client_id)))
    }

    fn by_hand(&self, act: AdminAct<'_>) -> Option<String> {
        Some(attempts::by_hand(&self.issuer, act))
    }
}

/// Says what was attempted.
fn wrap(action: impl Into<String>) -> impl FnOnce(PlatformFault) -> PlatformError {
    move |source| PlatformError { action: action.into(), source }
}
