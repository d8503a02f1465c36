//! A client at work: it fetches tokens and calls the API, so many times a second.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use tokio::time::MissedTickBehavior;

use crate::drill::tries::{self, Came};
use crate::platform::{ClientCopy, Platform, TokenRequest};

/// How many pieces of work are under way at most: what is slow is not piled up.
const AT_ONCE_MAX: usize = 64;
/// How many failures are told in words.
const TOLD_MAX: usize = 5;

/// What happens around it while it works.
pub(super) const PHASES: [&str; 4] = ["before", "two-keys", "switched", "new-key-alone"];

/// How hard it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Pieces of work in a second.
    pub(super) per_second: u64,
    /// For so long.
    pub(super) seconds: u64,
    /// A token is fetched for every piece of work, or for one of so many.
    pub(super) token_every: u64,
}

/// What the work came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Pieces of work, by what happened around them.
    pub(super) done: BTreeMap<String, u64>,
    /// Those that failed.
    pub(super) failed: BTreeMap<String, u64>,
    /// Those that failed because the platform asks for patience (RFC 6585, section 4).
    #[serde(default)]
    pub(super) slowed: u64,
    /// Tokens that it was given.
    pub(super) tokens: u64,
    /// Calls that the API let in.
    pub(super) calls: u64,
    /// Tokens that introspection called active, where there is no API to call.
    pub(super) introspected: u64,
    /// The first failures, in words.
    pub(super) failures: Vec<String>,
}

/// A client at work with the key that it has at the moment.
pub(super) struct Worker<'a> {
    platform: &'a dyn Platform,
    /// A call that it declares; none where there is no API to call.
    call: Option<(String, String)>,
    pace: Pace,
    phase: AtomicUsize,
    key: Mutex<ClientCopy>,
    token: Mutex<Option<String>>,
}

struct Piece {
    phase: usize,
    fetched: bool,
    used: Used,
    failure: Option<String>,
}

/// What a token was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Used {
    Called,
    Introspected,
    Nothing,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        platform: &'a dyn Platform,
        copy: ClientCopy,
        call: Option<(String, String)>,
        pace: Pace,
    ) -> Self {
        let (key, token) = (Mutex::new(copy), Mutex::default());
        Self { platform, call, pace, phase: AtomicUsize::new(0), key, token }
    }

    /// From now on it uses this key.
    pub(super) fn switch(&self, copy: ClientCopy) {
        *lock(&self.key) = copy;
    }

    /// Something changed around it.
    pub(super) fn enter(&self, phase: usize) {
        self.phase.store(phase, Ordering::Relaxed);
    }

    /// Works until its time is over.
    pub(super) async fn work(&self) -> Tally {
        let Pace { per_second, seconds, .. } = self.pace;
        let all = per_second * seconds;
        let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / per_second.max(1)));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut running = FuturesUnordered::new();
        let mut tally = Tally::default();
        let mut started = 0;
        loop {
            tokio::select! {
                _ = tick.tick(), if started < all && running.len() < AT_ONCE_MAX => {
                    running.push(self.piece(started));
                    started += 1;
                }
                Some(piece) = running.next(), if !running.is_empty() => tally.count(piece),
                else => return tally,
            }
        }
    }

    async fn piece(&self, number: u64) -> Piece {
        let (fetched, used) = self.once(number).await;
        let (used, failure) = match used {
            Ok(used) => (used, None),
            Err(failure) => (Used::Nothing, Some(failure)),
        };
        // It belongs to the step in which it ends: one that began before saw the change, too.
        Piece { phase: self.phase.load(Ordering::Relaxed), fetched, used, failure }
    }

    /// Whether it was given a token, and what that was good for, or why it failed.
    async fn once(&self, number: u64) -> (bool, Result<Used, String>) {
        let has_token = lock(&self.token).is_some();
        let fetches = number.is_multiple_of(self.pace.token_every.max(1)) || !has_token;
        if fetches {
            let copy = lock(&self.key).clone();
            let request = TokenRequest::default();
            let (came, answer) = tries::mint(self.platform, &copy, &request).await;
            let Some(token) = answer.access_token else {
                return (false, Err(words("token", came)));
            };
            *lock(&self.token) = Some(token);
        }
        let token = lock(&self.token).clone();
        let Some(token) = token else { return (fetches, Ok(Used::Nothing)) };
        let used = match tries::call(self.platform, &token, self.call.as_ref()).await {
            Came::Open(_) => Ok(Used::Called),
            Came::Unable(_) => match tries::introspect(self.platform, &token).await {
                Came::Open(_) => Ok(Used::Introspected),
                Came::Unable(_) => Ok(Used::Nothing),
                came => Err(words("introspection", came)),
            },
            came => Err(words("call", came)),
        };
        (fetches, used)
    }
}

impl Tally {
    fn count(&mut self, piece: Piece) {
        let phase = PHASES.get(piece.phase).copied().unwrap_or_default();
        *self.done.entry(phase.to_owned()).or_default() += 1;
        self.tokens += u64::from(piece.fetched);
        self.calls += u64::from(piece.used == Used::Called);
        self.introspected += u64::from(piece.used == Used::Introspected);
        let Some(failure) = piece.failure else { return };
        self.slowed += u64::from(failure.contains("429"));
        *self.failed.entry(phase.to_owned()).or_default() += 1;
        if self.failures.len() < TOLD_MAX {
            self.failures.push(format!("{phase}: {failure}"));
        }
    }

    /// Pieces of work, and those that failed, of a phase.
    pub(super) fn of(&self, phase: &str) -> (u64, u64) {
        let number = |of: &BTreeMap<String, u64>| of.get(phase).copied().unwrap_or_default();
        (number(&self.done), number(&self.failed))
    }

    /// All of them, and those that failed.
    pub(super) fn all(&self) -> (u64, u64) {
        (self.done.values().sum(), self.failed.values().sum())
    }
}

fn words(what: &str, came: Came) -> String {
    let (Came::Open(seen) | Came::Shut(seen) | Came::Unclear(seen) | Came::Unable(seen)) = came;
    format!("{what}: {seen}")
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
