//! What the platform remembers: clients, tokens, subscriptions, webhooks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign_checks::platform::RaisedAlert;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::Digest;

use super::assertion::Proof;
use super::front::FrontPages;
use super::inventory::since;
use super::logs::Logs;
use super::webhook::Webhook;
use crate::AccessFault;
use crate::partner::FrontFault;
use crate::registration::{ClientRegistration, Lapse, SubscriptionRegistration};
use crate::{OauthFault, clock};

/// Everything, behind one lock that is never held across a wait.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Pages>);

#[derive(Debug, Default)]
pub(crate) struct Pages {
    pub(crate) clients: BTreeMap<String, Client>,
    pub(crate) copies: VecDeque<String>,
    pub(crate) tokens: BTreeMap<Digest, Token>,
    pub(crate) refreshes: BTreeMap<Digest, Refresh>,
    pub(crate) codes: BTreeMap<Digest, Code>,
    pub(crate) front: FrontPages,
    pub(crate) assertions: BTreeMap<Digest, Timestamp>,
    /// Administrators beside the connector, by the digest of their token.
    pub(crate) administrators: BTreeMap<Digest, String>,
    /// People by name, with the digest of their password.
    pub(crate) people: BTreeMap<String, Digest>,
    /// What was revoked and is not wholly dead: only where that is a lapse.
    pub(crate) ghosts: BTreeMap<Digest, Ghost>,
    /// When each client last asked for tokens that nobody knows.
    pub(crate) guesses: BTreeMap<String, VecDeque<Instant>>,
    pub(crate) subscriptions: BTreeMap<(String, String), Subscription>,
    pub(crate) webhooks: BTreeMap<(String, String), Webhook>,
    pub(crate) intakes: BTreeMap<Digest, String>,
    /// Objects of another customer, by id, and ids that nothing has any more.
    pub(crate) objects: BTreeMap<String, Object>,
    /// Tokens of clients that a replica still knows: a lapse.
    pub(crate) replica: BTreeMap<String, Vec<(Digest, Token)>>,
    /// Copies of webhooks that were deleted, the oldest first, with whom they belonged to.
    pub(crate) retired: VecDeque<((String, String), Webhook)>,
    /// Tokens of the current hour, by client.
    pub(crate) minted: BTreeMap<String, (Timestamp, u32)>,
    /// Where each token of another server was first used.
    pub(crate) first_uses: BTreeMap<Digest, (Timestamp, IpAddr)>,
    pub(crate) logs: Logs,
}

#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) registration: ClientRegistration,
    pub(crate) enabled: bool,
    pub(crate) created_at: Timestamp,
    /// The client that this is a copy of: the gate knows it under that name.
    pub(crate) copy_of: Option<String>,
    pub(crate) redirects_removed: BTreeMap<String, String>,
    /// Since when each of its credentials is there.
    pub(crate) since: BTreeMap<String, Timestamp>,
    /// When it last got a token.
    pub(crate) last_used: Option<Timestamp>,
}

impl Client {
    /// The name under which the gate knows it.
    pub(crate) fn known_as(&self) -> &str {
        self.copy_of.as_deref().unwrap_or(&self.registration.client_id)
    }

    /// Whether the front channel is wrong about it in this way.
    pub(crate) fn errs(&self, fault: FrontFault) -> bool {
        self.registration.lapses.contains(&Lapse::Front(fault))
    }

    /// Whether revoking its tokens does nothing: a lapse.
    pub(crate) fn keeps_revoked_tokens(&self) -> bool {
        let lapses = &self.registration.lapses;
        lapses.contains(&Lapse::KeepsRevokedTokens) || self.tokens_outlive_it()
    }

    /// Whether its tokens work while it is disabled: a lapse.
    pub(crate) fn tokens_outlive_it(&self) -> bool {
        self.registration.lapses.contains(&Lapse::TokensOutliveDisable)
    }

    /// Whether the platform is wrong about it in this way.
    pub(crate) fn has(&self, fault: AccessFault) -> bool {
        self.registration.lapses.contains(&Lapse::Access(fault))
    }

    /// Whether it gets tokens.
    pub(crate) fn may_mint(&self) -> bool {
        self.enabled || self.has(AccessFault::MintsWhileDisabled)
    }
}

/// Something that a client could ask for, and that is not its own.
#[derive(Debug, Clone)]
pub(crate) enum Object {
    /// Another customer's.
    Foreign {
        /// The name that stands in it.
        name: String,
        /// How often it was changed.
        version: u64,
    },
    /// Nobody's.
    Gone,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) client: String,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) ip: IpAddr,
    pub(crate) family: Option<Digest>,
    /// How the client proved itself that got it.
    pub(crate) proof: Proof,
}

/// A token that was revoked, and when.
#[derive(Debug, Clone)]
pub(crate) struct Ghost {
    pub(crate) token: Token,
    pub(crate) since: Instant,
}

#[derive(Debug, Clone)]
pub(crate) struct Refresh {
    pub(crate) client: String,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) family: Digest,
    pub(crate) began_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) used: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) client: String,
    pub(crate) redirect: String,
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) challenge: Option<Challenge>,
    /// It came once.
    pub(crate) is_redeemed: bool,
    /// It came again: nothing that it gave may live.
    pub(crate) is_replayed: bool,
}

/// What a verifier is held against (RFC 7636).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// The verifier itself: only where the platform is wrong about a client.
    Plain(String),
    /// Its hash.
    S256(String),
}

#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) registration: SubscriptionRegistration,
    pub(crate) enabled: bool,
    pub(crate) queue: VecDeque<Message>,
    /// Held while something is on its way, so that disabling can wait for it.
    pub(crate) on_the_way: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
    pub(crate) attempts: u32,
    pub(crate) due: Timestamp,
}

impl Book {
    pub(crate) fn open(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A replaced client keeps whether it is enabled and when it was created; its tokens stay. Whether
    /// that changed anything about a client that was there before.
    pub(crate) fn put_client(&self, registration: ClientRegistration, now: Timestamp) -> bool {
        let mut pages = self.open();
        let before = pages.clients.get(&registration.client_id);
        let is_changed = before.is_some_and(|it| it.registration != registration);
        let client = Client {
            enabled: before.is_none_or(|it| it.enabled),
            created_at: before.map_or(now, |it| it.created_at),
            copy_of: before.and_then(|it| it.copy_of.clone()),
            redirects_removed: BTreeMap::new(),
            since: since(before, &registration, now),
            last_used: before.and_then(|it| it.last_used),
            registration,
        };
        pages.clients.insert(client.registration.client_id.clone(), client);
        is_changed
    }

    pub(crate) fn remove_client(&self, client: &str) -> bool {
        let mut pages = self.open();
        pages.kill_tokens(client);
        pages.front.forget(client);
        pages.copies.retain(|it| it != client);
        pages.clients.remove(client).is_some()
    }

    /// Whether that changed anything about a subscription that was there before.
    pub(crate) fn put_subscription(&self, integration: &str, it: SubscriptionRegistration) -> bool {
        let mut pages = self.open();
        let key = (integration.to_owned(), it.id.clone());
        if let Some(subscription) = pages.subscriptions.get_mut(&key) {
            let is_changed = subscription.registration != it;
            subscription.registration = it;
            return is_changed;
        }
        let subscription = Subscription {
            registration: it,
            enabled: true,
            queue: VecDeque::new(),
            on_the_way: Arc::default(),
        };
        pages.subscriptions.insert(key, subscription);
        false
    }

    pub(crate) fn remove_subscription(&self, integration: &str, id: &str) {
        self.open().subscriptions.remove(&(integration.to_owned(), id.to_owned()));
    }

    pub(crate) fn put_webhook(&self, integration: &str, it: Webhook) {
        let key = (integration.to_owned(), it.registration.id.clone());
        self.open().webhooks.insert(key, it);
    }

    pub(crate) fn put_intake(&self, integration: &str, token: Digest) {
        let mut pages = self.open();
        pages.intakes.retain(|_, it| it != integration);
        pages.intakes.insert(token, integration.to_owned());
    }
}

impl Pages {
    /// Whether the front channel is wrong in this way about any client.
    pub(crate) fn anybody_errs(&self, fault: FrontFault) -> bool {
        self.clients.values().any(|it| it.errs(fault))
    }

    /// Every token and refresh token of a client is dead.
    pub(crate) fn kill_tokens(&mut self, client: &str) {
        let remembers = |it: &Client| it.has(AccessFault::IntrospectsFromMemory);
        if self.clients.get(client).is_some_and(remembers) {
            let mine = self.tokens.iter().filter(|it| it.1.client == client);
            let since = clock::steady();
            let mine = mine.map(|it| (*it.0, Ghost { token: it.1.clone(), since }));
            self.ghosts.extend(mine.take(REMEMBERED_MAX).collect::<Vec<_>>());
        }
        self.tokens.retain(|_, it| it.client != client);
        let keeps = |it: &Client| it.has(AccessFault::KeepsRefreshTokens);
        if !self.clients.get(client).is_some_and(keeps) {
            self.refreshes.retain(|_, it| it.client != client);
        }
        self.codes.retain(|_, it| it.client != client);
        self.front.drop_requests(client);
    }

    /// A token that works again a moment after it was revoked: a lapse.
    pub(crate) fn revived(&self, digest: &Digest) -> Option<&Token> {
        let ghost = self.ghosts.get(digest)?;
        let client = self.clients.get(&ghost.token.client)?;
        let revives = client.registration.is_wrong(OauthFault::RevivesRevokedTokens);
        let awake = REVIVED_AFTER < clock::steady().saturating_duration_since(ghost.since);
        (revives && awake).then_some(&ghost.token)
    }

    /// Whether a client asks for too many tokens that nobody knows (RFC 7662, section 4).
    pub(crate) fn guesses_too_much(&mut self, client: &str, now: Instant) -> bool {
        if GUESSERS_MAX <= self.guesses.len() {
            self.guesses.clear();
        }
        let times = self.guesses.entry(client.to_owned()).or_default();
        times.retain(|it| now.saturating_duration_since(*it) < GUESSES_WITHIN);
        if GUESSES_MAX <= times.len() {
            return true;
        }
        times.push_back(now);
        false
    }

    /// Every token that came from one first grant is dead.
    pub(crate) fn kill_family(&mut self, family: Digest) {
        self.tokens.retain(|_, it| it.family != Some(family));
        self.refreshes.retain(|_, it| it.family != family);
    }

    /// Counts a token of a client, if there is room in its hour.
    pub(crate) fn count(&mut self, client: &Client, now: Timestamp) -> bool {
        let Some(limit) = client.registration.max_per_hour else { return true };
        if COUNTED_MAX <= self.minted.len() {
            self.minted.retain(|_, it| now < it.0 + HOUR);
        }
        let id = client.registration.client_id.clone();
        let counted = self.minted.entry(id).or_insert((now, 0));
        if counted.0 + HOUR <= now {
            *counted = (now, 0);
        }
        counted.1 = counted.1.saturating_add(1);
        counted.1 <= limit || client.has(AccessFault::IgnoresCeiling)
    }

    /// Makes room: what has ended goes first, then what ends soonest.
    pub(crate) fn make_room(&mut self, now: Timestamp) {
        if TOKENS_MAX <= self.tokens.len() {
            self.tokens.retain(|_, it| now < it.expires_at);
            trim(&mut self.tokens, |it| it.expires_at);
        }
        if TOKENS_MAX <= self.refreshes.len() {
            self.refreshes.retain(|_, it| now < it.expires_at);
            trim(&mut self.refreshes, |it| it.expires_at);
        }
        if TOKENS_MAX <= self.codes.len() {
            self.codes.retain(|_, it| now < it.expires_at);
            trim(&mut self.codes, |it| it.expires_at);
        }
        self.front.make_room(now);
        if TOKENS_MAX <= self.assertions.len() {
            self.assertions.retain(|_, until| now < *until);
            trim(&mut self.assertions, |it| *it);
        }
    }

    /// Where a token of another server was first used: here and now, where nobody has seen it yet.
    pub(crate) fn first_use(&mut self, token: Digest, ip: IpAddr, now: Timestamp) -> IpAddr {
        if TOKENS_MAX <= self.first_uses.len() {
            trim(&mut self.first_uses, |it| it.0);
        }
        self.first_uses.entry(token).or_insert((now, ip)).1
    }

    /// Raises an alert about a client, if that alert is wired for it.
    pub(crate) fn raise(&mut self, client: &str, signal: &str, now: Timestamp) {
        let Some(found) = self.clients.get(client) else { return };
        if !found.registration.alerts.contains(signal) {
            return;
        }
        let alert =
            RaisedAlert { signal: signal.to_owned(), at: now, client_id: client.to_owned() };
        self.logs.alerts.push((found.registration.integration.clone(), alert));
    }
}

/// Leaves three quarters of what may be kept.
fn trim<T>(map: &mut BTreeMap<Digest, T>, end: impl Fn(&T) -> Timestamp) {
    if map.len() < TOKENS_MAX {
        return;
    }
    let mut ends: Vec<Timestamp> = map.values().map(&end).collect();
    ends.sort_unstable();
    let cut = ends[ends.len() / 4];
    map.retain(|_, it| cut < end(it));
}

/// How soon a token works again where that is a lapse.
const REVIVED_AFTER: Duration = Duration::from_millis(300);
/// How many unknown tokens a client may ask about.
const REMEMBERED_MAX: usize = 100;
const GUESSES_MAX: usize = 30;
/// In which time.
const GUESSES_WITHIN: Duration = Duration::from_secs(10);
const GUESSERS_MAX: usize = 10_000;
const HOUR: Period = Period::from_hours(1);
const COUNTED_MAX: usize = 10_000;
const TOKENS_MAX: usize = 100_000;
