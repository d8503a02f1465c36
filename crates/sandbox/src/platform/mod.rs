//! A small identity platform: tokens, an API, events, webhooks, logs, and a gate in front of each.

mod admin;
mod alive;
mod api;
mod assertion;
mod book;
mod calls;
mod client;
mod elsewhere;
mod events;
mod front;
mod ghost;
mod inventory;
mod listing;
mod logs;
mod oauth;
mod objects;
mod own;
mod problem;
mod staff;
mod token;
mod webhook;

use std::collections::BTreeSet;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};

use axum::Router;
use countersign_checks::platform::Delivery;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::enforce::{Call, Reason};
use countersign_seal::{Digest, PublicKey, SigningKey};
use tokio::task::JoinHandle;

use crate::ask::{Ask, GateSlot};
use crate::partner::{Fault, Faults, mood};
use crate::registration::{ClientRegistration, SubscriptionRegistration, WebhookRegistration};
use crate::serve::Served;
use crate::{Authority, Net, StartError, clock, entropy};
pub(crate) use assertion::ASSERTION_TYPE;
pub use elsewhere::IdentityServer;
pub(crate) use token::{JWT_BEARER, token_id};

use book::Book;
use client::KeyCache;

/// How a platform is set up.
#[derive(Debug)]
pub struct PlatformConfig {
    /// Its host: `test.id.example.com`.
    pub host: String,
    /// Which tenant it is. The test tenant hands out copies and its signing key, and observes what
    /// lies outside a declared use instead of refusing it.
    pub lane: Lane,
    /// Where it listens.
    pub listener: TcpListener,
    /// How it reaches partners.
    pub net: Net,
    /// Whether its access tokens are signed and say what they are, or mean nothing to anybody else.
    pub tokens: TokenForm,
}

/// What an access token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenForm {
    /// A word that only its issuer can look up.
    Opaque,
    /// A signed statement (RFC 9068).
    Signed,
}

/// A running platform. It stops when it is dropped.
#[derive(Debug)]
pub struct Platform {
    shared: Arc<Shared>,
    served: Served,
    faults: Faults,
    tasks: Vec<JoinHandle<()>>,
    reader: String,
    killer: String,
}

/// What every handler sees.
pub(crate) struct Shared {
    pub(crate) lane: Lane,
    /// `https://host`, and the address where it really is.
    pub(crate) origins: [String; 2],
    pub(crate) gate: GateSlot,
    pub(crate) book: Book,
    pub(crate) keys: KeyCache,
    pub(crate) http: reqwest::Client,
    pub(crate) event_key: SigningKey,
    /// What the key grew from: a test tenant hands it out.
    pub(crate) event_seed: [u8; 32],
    pub(crate) reader: Digest,
    pub(crate) killer: Digest,
    pub(crate) events: tokio::sync::Notify,
    /// With which it signs access tokens; none where they are opaque.
    pub(crate) token_key: Option<SigningKey>,
    /// Who issues the tokens of its API, where it is not itself.
    pub(crate) identity: OnceLock<IdentityServer>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("origins", &self.origins).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn issuer(&self) -> &str {
        &self.origins[0]
    }

    /// Asks the gate.
    pub(crate) fn ask(&self, call: &Call) -> Reason {
        self.gate.ask(call)
    }

    /// Asks the gate in front of the token endpoint.
    ///
    /// A test tenant is where use is observed before anybody certified it: there, what lies outside
    /// the declared use is let through and written down, so that it can be seen in the log. Whether
    /// the integration stands at all is enforced in both.
    pub(crate) fn ask_mint(&self, call: &Call) -> (Reason, Option<Reason>) {
        let reason = self.ask(call);
        let outside = matches!(
            reason,
            Reason::OutsideAudience
                | Reason::OutsideHours
                | Reason::OutsideNetwork
                | Reason::OutsidePath
                | Reason::OutsideScope
                | Reason::OverRate
        );
        if self.lane == Lane::Trial && outside {
            return (Reason::Admitted, Some(reason));
        }
        (reason, None)
    }
}

impl Platform {
    /// Starts a platform with nobody registered and its gate shut.
    pub fn start(config: PlatformConfig, authority: &Authority) -> Result<Self, StartError> {
        let address = config.listener.local_addr().map_err(StartError::Listen)?;
        let (reader, killer) = (entropy::token()?, entropy::token()?);
        let origins = [format!("https://{}", config.host), format!("https://{address}")];
        let opens = [reader.as_str(), killer.as_str()];
        let shared = shared(config.lane, origins, opens, (&config.net, config.tokens))?;
        let router = oauth_router()
            .merge(api::routes())
            .merge(own::routes())
            .merge(calls::routes())
            .merge(webhook::routes())
            .merge(admin::routes())
            .merge(listing::routes())
            .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::clone(&shared));
        let faults = Faults::default();
        let router = router.layer(axum::middleware::from_fn_with_state(faults.clone(), mood));
        let hosts = [config.host, "orders.example.com".to_owned()];
        let served = Served::start(config.listener, authority.server(&hosts)?, router)?;
        let tasks = vec![tokio::spawn(events::deliver(Arc::clone(&shared)))];
        Ok(Self { shared, served, faults, tasks, reader, killer })
    }

    /// Is of no use in exactly these ways from now on: those that spoil every answer alike. No fault
    /// makes it right again.
    pub async fn set_faults(&self, faults: BTreeSet<Fault>) -> Result<(), StartError> {
        self.faults.set(faults.clone());
        if faults.contains(&Fault::Down) {
            self.served.stop();
            return Ok(());
        }
        self.served.resume().await
    }

    /// Puts a gate in front of it.
    pub fn put_gate(&self, gate: Arc<dyn Ask>) {
        self.shared.gate.put(gate);
    }

    /// Its issuer and address by name: `https://test.id.example.com`.
    pub fn url(&self) -> &str {
        self.shared.issuer()
    }

    /// Where tokens for its API are asked for.
    pub fn token_endpoint(&self) -> String {
        let elsewhere = self.shared.identity.get().map(|it| it.token_endpoint.clone());
        elsewhere.unwrap_or_else(|| format!("{}/oauth/token", self.url()))
    }

    /// Whom clients make their assertions for (RFC 7523, section 3).
    pub fn audience(&self) -> String {
        let elsewhere = self.shared.identity.get().map(|it| it.issuer.clone());
        elsewhere.unwrap_or_else(|| self.token_endpoint())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.served.address()
    }

    /// The token that reads.
    pub fn reader_token(&self) -> &str {
        &self.reader
    }

    /// The token that kills.
    pub fn killer_token(&self) -> &str {
        &self.killer
    }

    /// The key with which its events verify.
    pub fn event_key(&self) -> PublicKey {
        self.shared.event_key.public()
    }

    /// Lets its API take the tokens of another server, and no longer its own. The first call counts.
    pub fn take_tokens_of(&self, server: IdentityServer) {
        self.shared.identity.get_or_init(|| server);
    }

    /// Registers a client, or replaces its registration.
    pub fn register_client(&self, client: ClientRegistration) -> Result<(), StartError> {
        client::check(&client).map_err(|it| StartError::Refused(it.to_owned()))?;
        let id = client.client_id.clone();
        if self.shared.book.put_client(client, clock::now()) {
            let operator = staff::Administrator::inside(OPERATOR);
            operator.did(&self.shared, "register-client", staff::Changed::Client(&id));
        }
        Ok(())
    }

    /// Makes an administrator known by name, who may do what the killer may: the token.
    pub fn administrator_token(&self, name: &str) -> Result<String, StartError> {
        let token = entropy::token()?;
        let mut pages = self.shared.book.open();
        pages.administrators.retain(|_, it| it != name);
        pages.administrators.insert(Digest::of(token.as_bytes()), name.to_owned());
        Ok(token)
    }

    /// Makes a person known who signs in with a password.
    pub fn register_person(&self, name: &str, password: &str) {
        let digest = Digest::of(password.as_bytes());
        self.shared.book.open().people.insert(name.to_owned(), digest);
    }

    /// Takes a client away.
    pub fn remove_client(&self, client: &str) {
        self.shared.book.remove_client(client);
    }

    /// Registers a subscription, or replaces its registration.
    pub fn register_subscription(&self, integration: &str, it: SubscriptionRegistration) {
        let id = it.id.clone();
        if self.shared.book.put_subscription(integration, it) {
            let operator = staff::Administrator::inside(OPERATOR);
            operator.did(&self.shared, "register-subscription", staff::Changed::Other(&id));
        }
    }

    /// Takes a subscription away, with whatever waits.
    pub fn remove_subscription(&self, integration: &str, id: &str) {
        self.shared.book.remove_subscription(integration, id);
    }

    /// Registers a webhook, or replaces its registration.
    pub fn register_webhook(
        &self,
        integration: &str,
        it: WebhookRegistration,
    ) -> Result<(), StartError> {
        let webhook = webhook::Webhook::new(it);
        let webhook = webhook.map_err(|it| StartError::Refused(it.to_string()))?;
        self.shared.book.put_webhook(integration, webhook);
        Ok(())
    }

    /// The token with which an integration pushes its own log.
    pub fn intake_token(&self, integration: &str) -> Result<String, StartError> {
        let token = entropy::token()?;
        self.shared.book.put_intake(integration, Digest::of(token.as_bytes()));
        Ok(token)
    }

    /// What became of an event for one integration; none while it was not tried.
    pub fn delivery(&self, integration: &str, id: &str) -> Option<Delivery> {
        let pages = self.shared.book.open();
        let mut tried = pages.logs.deliveries.iter();
        tried.find(|it| it.integration == integration && it.id == id).cloned()
    }

    /// Produces an event, as if it had happened.
    pub fn emit(&self, kind: &str, data: &serde_json::Value) -> Result<String, StartError> {
        Ok(events::emit(&self.shared, kind, data)?)
    }
}

/// What every handler sees, with nobody registered and the gate shut.
fn shared(
    lane: Lane,
    origins: [String; 2],
    [reader, killer]: [&str; 2],
    (net, tokens): (&Net, TokenForm),
) -> Result<Arc<Shared>, StartError> {
    let event_seed = entropy::random()?;
    Ok(Arc::new(Shared {
        lane,
        origins,
        gate: GateSlot::shut(),
        book: Book::default(),
        keys: KeyCache::default(),
        http: net.client(None)?,
        event_key: SigningKey::from_seed(event_seed),
        event_seed,
        reader: Digest::of(reader.as_bytes()),
        killer: Digest::of(killer.as_bytes()),
        events: tokio::sync::Notify::new(),
        token_key: match tokens {
            TokenForm::Opaque => None,
            TokenForm::Signed => Some(entropy::key()?),
        },
        identity: OnceLock::new(),
    }))
}

fn oauth_router() -> Router<Arc<Shared>> {
    Router::new()
        .merge(oauth::routes())
        .merge(alive::routes())
        .merge(token::routes())
        .merge(front::routes())
}

/// An authorization server that is nothing else: signed tokens, an API that takes them, no administrators.
pub(crate) fn authorization_server(
    host: &str,
    net: &Net,
) -> Result<(Router, Arc<Shared>), StartError> {
    let (reader, killer) = (entropy::token()?, entropy::token()?);
    let origin = format!("https://{host}");
    let origins = [origin.clone(), origin];
    let opens = [reader.as_str(), killer.as_str()];
    let shared = shared(Lane::Trial, origins, opens, (net, TokenForm::Signed))?;
    let router = oauth_router().merge(api::routes()).with_state(Arc::clone(&shared));
    Ok((router, shared))
}

impl Drop for Platform {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Who is said to have changed a registration that no administrator's token changed.
const OPERATOR: &str = "operator";
/// Requests are small; a pushed log is the largest.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
