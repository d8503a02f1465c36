//! An identity server and the services behind it, as one platform.
//!
//! An identity server knows clients, keys and tokens; the API, the webhooks, the events and the jobs
//! live elsewhere. A check asks one platform for both.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_model::certify::baseline::Granted;
use countersign_model::declare::Manifest;
use countersign_model::declare::path::PathKind;
use countersign_model::declare::words::Slug;
use countersign_model::time::Timestamp;
use countersign_seal::SigningKey;
use serde_json::Value;

use super::{
    Ability, Accepted, AdminAct, AdminRecord, Answer, ApiAnswer, ApiCall, Can, ClientChange,
    ClientCopy, CopyTerms, Delivery, FrontCopy, FrontTrait, Held, Inventory, Manner, Objects,
    Operation, Platform, PlatformError, Presence, RaisedAlert, Reach, ReceivedCall, Renewed,
    SendingKey, SubscriptionChange, TokenAnswer, TokenRequest, WebhookCopy,
};

type Done<T> = Result<T, PlatformError>;

/// An identity server and the services behind it.
#[derive(Debug)]
pub struct Joined {
    identity: Arc<dyn Platform>,
    services: Arc<dyn Platform>,
}

impl Joined {
    /// Both as one. The services have to take the tokens of the identity server.
    pub fn new(identity: Arc<dyn Platform>, services: Arc<dyn Platform>) -> Self {
        Self { identity, services }
    }
}

/// What one of the two can do, where the other has no such thing.
fn either(one: &[Ability], other: &[Ability], operation: Operation) -> Option<Ability> {
    let find = |it: &[Ability]| it.iter().find(|it| it.operation == operation).cloned();
    let is_here = |it: &Ability| it.see != Can::NotHere || it.revoke != Can::NotHere;
    find(one).filter(is_here).or_else(|| find(other)).or_else(|| find(one))
}

#[async_trait]
impl Platform for Joined {
    fn issuer(&self) -> &str {
        self.identity.issuer()
    }

    fn token_endpoint(&self) -> String {
        self.identity.token_endpoint()
    }

    /// The API is what checks call by themselves; the identity server's hosts are ours as well.
    fn reach(&self) -> Option<Reach> {
        let mut reach = self.services.reach()?;
        if let Some(other) = self.identity.reach() {
            reach.hosts.extend(other.hosts);
            reach.resolver.fixed.extend(other.resolver.fixed);
        }
        Some(reach)
    }

    fn abilities(&self) -> Vec<Ability> {
        let (identity, services) = (self.identity.abilities(), self.services.abilities());
        Operation::ALL.iter().filter_map(|it| either(&identity, &services, *it)).collect()
    }

    fn by_hand(&self, act: AdminAct<'_>) -> Option<String> {
        match act {
            AdminAct::AccessLog(_) => self.services.by_hand(act),
            _ => self.identity.by_hand(act),
        }
    }

    /// The services know the subscriptions, and nothing else of a client that counts.
    async fn granted(&self, manifest: &Manifest) -> Done<Held> {
        let mut held = self.identity.granted(manifest).await?;
        if !manifest.events.is_empty() {
            held.subscriptions.extend(self.services.granted(manifest).await?.subscriptions);
        }
        Ok(held)
    }

    async fn inventory(&self) -> Done<Inventory> {
        self.identity.inventory().await
    }

    async fn admin_log(&self, since: Timestamp) -> Done<Vec<AdminRecord>> {
        self.identity.admin_log(since).await
    }

    async fn renew_secret(&self, client: &str) -> Done<Renewed> {
        self.identity.renew_secret(client).await
    }

    async fn end_old_secret(&self, client: &str) -> Done<()> {
        self.identity.end_old_secret(client).await
    }

    async fn replace_keys(&self, client: &str, keys: &Value) -> Done<()> {
        self.identity.replace_keys(client, keys).await
    }

    async fn refuses_as_disabled(&self, client: &str) -> Done<Option<String>> {
        self.identity.refuses_as_disabled(client).await
    }

    /// The identity server knows which scopes there are; the services know what each is good for.
    async fn scopes(&self) -> Done<BTreeMap<String, BTreeSet<String>>> {
        let mut scopes = self.identity.scopes().await?;
        for (scope, calls) in self.services.scopes().await? {
            if let Some(known) = scopes.get_mut(&scope) {
                known.extend(calls);
            }
        }
        Ok(scopes)
    }

    async fn token_log(&self, client: &str, since: Timestamp) -> Done<Vec<u8>> {
        self.identity.token_log(client, since).await
    }

    async fn access_log(&self, client: &str, since: Timestamp) -> Done<Vec<u8>> {
        self.services.access_log(client, since).await
    }

    async fn pushed_log(&self, integration: &Slug) -> Done<Vec<u8>> {
        self.services.pushed_log(integration).await
    }

    async fn accepted(&self, integration: &Slug) -> Done<Accepted> {
        self.identity.accepted(integration).await
    }

    async fn alerts(&self, integration: &Slug) -> Done<Vec<RaisedAlert>> {
        self.services.alerts(integration).await
    }

    async fn deliveries(&self, integration: &Slug, since: Timestamp) -> Done<Vec<Delivery>> {
        self.services.deliveries(integration, since).await
    }

    async fn received(&self, integration: &Slug, since: Timestamp) -> Done<Vec<ReceivedCall>> {
        self.services.received(integration, since).await
    }

    async fn client(&self, client: &str, change: ClientChange) -> Done<()> {
        self.identity.client(client, change).await
    }

    async fn copy_client(&self, client: &str) -> Done<ClientCopy> {
        self.identity.copy_client(client).await
    }

    async fn copy_client_on(&self, client: &str, terms: &CopyTerms) -> Done<ClientCopy> {
        self.identity.copy_client_on(client, terms).await
    }

    async fn subscription(
        &self,
        integration: &Slug,
        subscription: &str,
        change: SubscriptionChange,
    ) -> Done<()> {
        self.services.subscription(integration, subscription, change).await
    }

    async fn signing_key(&self, integration: &Slug) -> Done<SigningKey> {
        self.services.signing_key(integration).await
    }

    async fn sending_key(&self, integration: &Slug, subscription: &str) -> Done<SendingKey> {
        self.services.sending_key(integration, subscription).await
    }

    async fn webhook_key(&self, integration: &Slug, webhook: &str, change: Presence) -> Done<()> {
        self.services.webhook_key(integration, webhook, change).await
    }

    async fn redirects(&self, client: &str, change: Presence) -> Done<()> {
        self.identity.redirects(client, change).await
    }

    async fn emit(&self, kind: &str, data: &Value) -> Done<String> {
        self.services.emit(kind, data).await
    }

    async fn request_token(&self, copy: &ClientCopy, request: &TokenRequest) -> Done<TokenAnswer> {
        self.identity.request_token(copy, request).await
    }

    async fn use_token(
        &self,
        token: &str,
        method: &str,
        path: &str,
        from: Option<IpAddr>,
    ) -> Done<Answer> {
        self.services.use_token(token, method, path, from).await
    }

    async fn introspect(&self, token: &str) -> Done<bool> {
        self.identity.introspect(token).await
    }

    async fn knock(&self, integration: &Slug, kind: PathKind, subject: &str) -> Done<Answer> {
        self.services.knock(integration, kind, subject).await
    }

    async fn run_job(
        &self,
        integration: &Slug,
        job: &str,
        causes: &BTreeMap<String, u32>,
    ) -> Done<Answer> {
        self.services.run_job(integration, job, causes).await
    }

    async fn run_job_as(&self, token: &str, integration: &Slug, job: &str) -> Done<Answer> {
        self.services.run_job_as(token, integration, job).await
    }

    async fn authorize(&self, client: &str, redirect: &str) -> Done<Answer> {
        self.identity.authorize(client, redirect).await
    }

    async fn copy_webhook(&self, integration: &Slug, webhook: &str) -> Done<WebhookCopy> {
        self.services.copy_webhook(integration, webhook).await
    }

    async fn delete_webhook(&self, integration: &Slug, copy: &str) -> Done<()> {
        self.services.delete_webhook(integration, copy).await
    }

    async fn call_webhook(&self, integration: &Slug, copy: &WebhookCopy) -> Done<Answer> {
        self.services.call_webhook(integration, copy).await
    }

    async fn copy_front(&self, client: &str, traits: &BTreeSet<FrontTrait>) -> Done<FrontCopy> {
        self.identity.copy_front(client, traits).await
    }

    async fn invitation(&self) -> Done<Option<String>> {
        self.identity.invitation().await
    }

    async fn call(&self, token: &str, call: &ApiCall, manner: &Manner) -> Done<ApiAnswer> {
        self.services.call(token, call, manner).await
    }

    async fn objects(&self, client: &str) -> Done<Objects> {
        self.services.objects(client).await
    }

    async fn self_grant_calls(&self, client: &str, name: &str) -> Done<Vec<ApiCall>> {
        self.services.self_grant_calls(client, name).await
    }

    async fn suppression_calls(&self, client: &str) -> Done<Vec<ApiCall>> {
        self.services.suppression_calls(client).await
    }

    async fn registration(&self, client: &str) -> Done<Option<Granted>> {
        self.identity.registration(client).await
    }

    async fn tokens_per_hour(&self, client: &str) -> Done<Option<u32>> {
        self.identity.tokens_per_hour(client).await
    }

    async fn sign_in(&self, copy: &ClientCopy) -> Done<Answer> {
        self.services.sign_in(copy).await
    }
}
