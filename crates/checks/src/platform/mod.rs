//! Platforms: what is granted there, what happened there, and how trust is cut there.
//!
//! A connector holds two credentials: one that reads, one that kills. It never holds a credential
//! of an integration; drills act with a throw-away copy of a client instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use countersign_model::certify::baseline::Granted;
use countersign_model::declare::Manifest;
use countersign_model::declare::path::PathKind;
use countersign_model::declare::words::Slug;
use countersign_model::time::Timestamp;
use countersign_seal::SigningKey;

mod ability;
mod assertion;
pub(crate) mod by_hand;
mod fault;
mod inventory;
pub mod joined;
pub mod keycloak;
mod line;
mod reach;
pub mod sandbox;
mod types;

pub use ability::{Ability, Can, Operation};
pub use by_hand::AdminAct;
pub use fault::{PlatformError, PlatformFault};
pub use inventory::{
    AdminRecord, ClientKind, CredentialKind, Inventory, InventoryClient, InventoryCredential,
};
pub use reach::Reach;
pub use types::{
    Accepted, Answer, ApiAnswer, ApiCall, ClientChange, ClientCopy, CopyTerms, Delivery, FrontCopy,
    FrontTrait, Held, HeldSubscription, Login, Manner, ObjectCall, Objects, Presence, RaisedAlert,
    ReceivedCall, Renewed, Seed, SendingKey, SubscriptionChange, TokenAnswer, TokenRequest,
    Unproven, WebhookCopy,
};

/// A platform, or one tenant of it.
#[async_trait]
pub trait Platform: Send + Sync + fmt::Debug {
    /// The issuer, as its tokens and assertions name it: `https://test.id.example.com`.
    fn issuer(&self) -> &str;

    /// Where tokens are asked for.
    fn token_endpoint(&self) -> String;

    /// The way to it with requests that a check makes by itself, wrong ones included. None where its
    /// connector gives no such way.
    fn reach(&self) -> Option<Reach> {
        None
    }

    /// What this connector can see, revoke and prove there. What stands in no row is not known.
    fn abilities(&self) -> Vec<Ability> {
        Vec::new()
    }

    /// Every client of the platform, whomever it belongs to.
    async fn inventory(&self) -> Result<Inventory, PlatformError> {
        Err(PlatformError::unable("list every client"))
    }

    /// What administrators changed from a moment on, the oldest first.
    async fn admin_log(&self, since: Timestamp) -> Result<Vec<AdminRecord>, PlatformError> {
        let _ = since;
        Err(PlatformError::unable("read who changed what"))
    }

    /// Gives a client a new secret; the old one works on for a while where the platform can do that.
    async fn renew_secret(&self, client: &str) -> Result<Renewed, PlatformError> {
        Err(PlatformError::unable(format!("give {client} a new secret")))
    }

    /// Ends the old secret of a client, where one works on.
    async fn end_old_secret(&self, client: &str) -> Result<(), PlatformError> {
        Err(PlatformError::unable(format!("end the old secret of {client}")))
    }

    /// Registers public keys (a JWK set, RFC 7517, section 5) of a client in the place of those that it
    /// has, and makes sure that keys which are gone are forgotten.
    async fn replace_keys(
        &self,
        client: &str,
        keys: &serde_json::Value,
    ) -> Result<(), PlatformError> {
        let _ = keys;
        Err(PlatformError::unable(format!("replace the keys of {client}")))
    }

    /// What a platform says of a client that asks for a token with no credential at all: proof that it
    /// is refused for what it is, and not for what it lacks. None where the platform does not tell.
    async fn refuses_as_disabled(&self, client: &str) -> Result<Option<String>, PlatformError> {
        let _ = client;
        Ok(None)
    }

    /// What the platform holds for the identities of this manifest, and for the integration beside them.
    async fn granted(&self, manifest: &Manifest) -> Result<Held, PlatformError> {
        let _ = manifest;
        Err(PlatformError::unable("read what is granted"))
    }

    /// Every scope that the platform knows, with the calls that need it: `DELETE /v1/tenants/{id}`.
    /// Empty where it does not say.
    async fn scopes(&self) -> Result<BTreeMap<String, BTreeSet<String>>, PlatformError> {
        Ok(BTreeMap::new())
    }

    /// The platform's own record of token requests, as JSON lines: one client's, from a moment on.
    async fn token_log(&self, client: &str, since: Timestamp) -> Result<Vec<u8>, PlatformError> {
        let (_, _) = (client, since);
        Err(PlatformError::unable("read token requests"))
    }

    /// The platform's own record of token uses, as JSON lines: one client's, from a moment on.
    async fn access_log(&self, client: &str, since: Timestamp) -> Result<Vec<u8>, PlatformError> {
        let (_, _) = (client, since);
        Err(PlatformError::unable("read token uses"))
    }

    /// What the partner pushed as its own log, as JSON lines.
    async fn pushed_log(&self, integration: &Slug) -> Result<Vec<u8>, PlatformError> {
        let _ = integration;
        Err(PlatformError::unable("read a log that a partner pushed"))
    }

    /// What is accepted as proof of the integration's clients, without any secret half. A platform that
    /// does not tell says nothing.
    async fn accepted(&self, integration: &Slug) -> Result<Accepted, PlatformError> {
        let _ = integration;
        Ok(Accepted::default())
    }

    /// The alerts that were raised.
    async fn alerts(&self, integration: &Slug) -> Result<Vec<RaisedAlert>, PlatformError> {
        let _ = integration;
        Err(PlatformError::unable("read alerts"))
    }

    /// The deliveries that were tried from a moment on, to any endpoint of the integration.
    async fn deliveries(
        &self,
        integration: &Slug,
        since: Timestamp,
    ) -> Result<Vec<Delivery>, PlatformError> {
        let (_, _) = (integration, since);
        Err(PlatformError::unable("read deliveries"))
    }

    /// The webhooks of the integration's that came in from a moment on, with what their signature came to.
    async fn received(
        &self,
        integration: &Slug,
        since: Timestamp,
    ) -> Result<Vec<ReceivedCall>, PlatformError> {
        let (_, _) = (integration, since);
        Err(PlatformError::unable("read what came in"))
    }

    /// Disables, enables, empties or deletes a client.
    async fn client(&self, client: &str, change: ClientChange) -> Result<(), PlatformError> {
        let (_, _) = (client, change);
        Err(PlatformError::unable("change a client"))
    }

    /// Makes a throw-away copy of a client, with its own key pair.
    async fn copy_client(&self, client: &str) -> Result<ClientCopy, PlatformError> {
        let _ = client;
        Err(PlatformError::unable("copy a client"))
    }

    /// Disables, enables or purges a subscription.
    async fn subscription(
        &self,
        integration: &Slug,
        subscription: &str,
        change: SubscriptionChange,
    ) -> Result<(), PlatformError> {
        let (_, _, _) = (integration, subscription, change);
        Err(PlatformError::unable("change a subscription"))
    }

    /// The key that signs events for this integration; a test tenant's only.
    async fn signing_key(&self, integration: &Slug) -> Result<SigningKey, PlatformError> {
        let _ = integration;
        Err(PlatformError::unable("tell the key that signs events"))
    }

    /// The key that signs the deliveries of one subscription; a test tenant's only.
    async fn sending_key(
        &self,
        integration: &Slug,
        subscription: &str,
    ) -> Result<SendingKey, PlatformError> {
        let _ = subscription;
        self.signing_key(integration).await.map(SendingKey::Private)
    }

    /// Takes away or gives back the partner's key for a webhook.
    async fn webhook_key(
        &self,
        integration: &Slug,
        webhook: &str,
        change: Presence,
    ) -> Result<(), PlatformError> {
        let (_, _, _) = (integration, webhook, change);
        Err(PlatformError::unable("change the key of a webhook"))
    }

    /// Takes away or gives back the redirect addresses of a client.
    async fn redirects(&self, client: &str, change: Presence) -> Result<(), PlatformError> {
        let (_, _) = (client, change);
        Err(PlatformError::unable("change redirects"))
    }

    /// Produces an event, as if it had happened, and says under which id.
    async fn emit(&self, kind: &str, data: &serde_json::Value) -> Result<String, PlatformError> {
        let (_, _) = (kind, data);
        Err(PlatformError::unable("produce an event"))
    }

    /// Asks for a token as a copy.
    async fn request_token(
        &self,
        copy: &ClientCopy,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, PlatformError> {
        let (_, _) = (copy, request);
        Err(PlatformError::unable("be asked for a token"))
    }

    /// Uses a token at the platform's API.
    async fn use_token(
        &self,
        token: &str,
        method: &str,
        path: &str,
        from: Option<IpAddr>,
    ) -> Result<Answer, PlatformError> {
        let (_, _, _, _) = (token, method, path, from);
        Err(PlatformError::unable("be called"))
    }

    /// Whether the platform calls this token active.
    async fn introspect(&self, token: &str) -> Result<bool, PlatformError> {
        let _ = token;
        Err(PlatformError::unable("say whether a token is active"))
    }

    /// Knocks at a path without any credential of the integration's: only to see whether the gate in
    /// front of it is shut. A shut gate answers 403 with its reason; an open one leads to a refusal
    /// for the missing credential (401). The subject of a token path is the client. Nothing is done.
    async fn knock(
        &self,
        integration: &Slug,
        kind: PathKind,
        subject: &str,
    ) -> Result<Answer, PlatformError> {
        let (_, _, _) = (integration, kind, subject);
        Err(PlatformError::unable("be knocked at"))
    }

    /// Runs an automation that would cause these outcomes.
    async fn run_job(
        &self,
        integration: &Slug,
        job: &str,
        causes: &BTreeMap<String, u32>,
    ) -> Result<Answer, PlatformError> {
        let (_, _, _) = (integration, job, causes);
        Err(PlatformError::unable("run a job"))
    }

    /// Runs an automation with a token of the identity that it belongs to.
    async fn run_job_as(
        &self,
        token: &str,
        integration: &Slug,
        job: &str,
    ) -> Result<Answer, PlatformError> {
        let (_, _) = (token, integration);
        Err(PlatformError::unable(format!("run {job} with a token")))
    }

    /// Asks for a code to be sent to a redirect of a client, as a browser does. It follows nothing.
    async fn authorize(&self, client: &str, redirect: &str) -> Result<Answer, PlatformError> {
        let _ = redirect;
        Err(PlatformError::unable(format!("authorize {client}")))
    }

    /// Makes a throw-away copy of a webhook: of the same scheme, with a key of its own.
    async fn copy_webhook(
        &self,
        integration: &Slug,
        webhook: &str,
    ) -> Result<WebhookCopy, PlatformError> {
        let _ = integration;
        Err(PlatformError::unable(format!("copy the webhook {webhook}")))
    }

    /// Takes a copy of a webhook away.
    async fn delete_webhook(&self, integration: &Slug, copy: &str) -> Result<(), PlatformError> {
        let _ = integration;
        Err(PlatformError::unable(format!("delete the webhook {copy}")))
    }

    /// Calls in as the partner does, signed with the key of a copy.
    async fn call_webhook(
        &self,
        integration: &Slug,
        copy: &WebhookCopy,
    ) -> Result<Answer, PlatformError> {
        let _ = integration;
        Err(PlatformError::unable(format!("call the webhook {}", copy.id)))
    }

    /// Makes a throw-away copy of a client whose front channel is as a check wishes.
    async fn copy_front(
        &self,
        client: &str,
        traits: &BTreeSet<FrontTrait>,
    ) -> Result<FrontCopy, PlatformError> {
        let _ = traits;
        Err(PlatformError::unable(format!("copy the front channel of {client}")))
    }

    /// A token with which clients may register themselves (RFC 7591, section 1.2); none where there
    /// is no such way.
    async fn invitation(&self) -> Result<Option<String>, PlatformError> {
        Ok(None)
    }

    /// Makes a throw-away copy of a client on terms of its own, so that nobody has to wait for an
    /// hour to see it end.
    async fn copy_client_on(
        &self,
        client: &str,
        terms: &CopyTerms,
    ) -> Result<ClientCopy, PlatformError> {
        if *terms == CopyTerms::default() {
            return self.copy_client(client).await;
        }
        Err(PlatformError::unable(format!("copy {client} on other terms")))
    }

    /// Makes a call at the platform's API in a manner of our own, and tells what stands in the answer.
    async fn call(
        &self,
        token: &str,
        call: &ApiCall,
        manner: &Manner,
    ) -> Result<ApiAnswer, PlatformError> {
        let (_, _) = (token, manner);
        Err(PlatformError::unable(format!("be asked for {}", call.name)))
    }

    /// Calls for objects of the test tenant: a client's own, another customer's, and ones that nobody has.
    async fn objects(&self, client: &str) -> Result<Objects, PlatformError> {
        Err(PlatformError::unable(format!("name objects of {client} and of another customer")))
    }

    /// The calls of its API with which a client could give itself more. `name` is one that nothing has.
    async fn self_grant_calls(
        &self,
        client: &str,
        name: &str,
    ) -> Result<Vec<ApiCall>, PlatformError> {
        let _ = name;
        Err(PlatformError::unable(format!("name the calls that change {client}")))
    }

    /// The calls of its API with which a client could delete what is written down about it.
    async fn suppression_calls(&self, client: &str) -> Result<Vec<ApiCall>, PlatformError> {
        Err(PlatformError::unable(format!("name the calls that delete records of {client}")))
    }

    /// What is granted to one client, a copy too; none where it is not known.
    async fn registration(&self, client: &str) -> Result<Option<Granted>, PlatformError> {
        Err(PlatformError::unable(format!("read what is granted to {client}")))
    }

    /// How many tokens a client gets in an hour at most; none where nothing limits it.
    async fn tokens_per_hour(&self, client: &str) -> Result<Option<u32>, PlatformError> {
        Err(PlatformError::unable(format!("read the ceiling of {client}")))
    }

    /// Signs in where people do, with the credential of a copy.
    async fn sign_in(&self, copy: &ClientCopy) -> Result<Answer, PlatformError> {
        Err(PlatformError::unable(format!("sign in as {}", copy.client_id)))
    }

    /// The request with which an administrator does this, as a line for a shell; none where the
    /// connector does not say.
    fn by_hand(&self, act: AdminAct<'_>) -> Option<String> {
        let _ = act;
        None
    }
}
