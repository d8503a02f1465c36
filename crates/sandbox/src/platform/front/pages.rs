//! What the front channel remembers.

use std::collections::BTreeMap;

use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use serde_json::Value;

use super::super::assertion::Form;
use super::read::Asked;

/// Requests on their way, and clients that registered themselves.
#[derive(Debug, Default)]
pub(crate) struct FrontPages {
    /// Pushed requests, by their reference.
    pub(super) pushed: BTreeMap<Digest, Pushed>,
    /// Requests that wait for somebody to sign in, by their ticket.
    pub(super) waiting: BTreeMap<Digest, Waiting>,
    /// Clients that registered themselves, by id.
    pub(super) registered: BTreeMap<String, Registered>,
    /// Registration tokens that outlive their client: a lapse.
    pub(super) ghosts: BTreeMap<Digest, (String, Value)>,
    /// Initial access tokens, and until when each counts.
    pub(super) invitations: BTreeMap<Digest, Timestamp>,
}

/// A request that a client pushed.
#[derive(Debug, Clone)]
pub(super) struct Pushed {
    pub(super) client: String,
    pub(super) form: Form,
    pub(super) expires_at: Timestamp,
}

/// A request that waits for somebody to sign in.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) asked: Asked,
    /// The browser that it belongs to.
    pub(super) browser: Digest,
    pub(super) expires_at: Timestamp,
    pub(super) tries_left: u8,
}

/// A client that registered itself.
#[derive(Debug, Clone)]
pub(super) struct Registered {
    pub(super) token: Digest,
    /// Tokens that were rotated away and still work: a lapse.
    pub(super) old: Vec<Digest>,
    pub(super) metadata: Value,
    pub(super) created_at: Timestamp,
}

impl FrontPages {
    /// A client is gone.
    pub(crate) fn forget(&mut self, client: &str) {
        self.drop_requests(client);
        self.registered.remove(client);
    }

    /// Nothing that a client has asked for is answered any more.
    pub(crate) fn drop_requests(&mut self, client: &str) {
        self.pushed.retain(|_, it| it.client != client);
        self.waiting.retain(|_, it| it.asked.client != client);
    }

    /// Makes room: what has ended goes, then everything of its kind.
    pub(crate) fn make_room(&mut self, now: Timestamp) {
        room(&mut self.pushed, |it| now < it.expires_at);
        room(&mut self.waiting, |it| now < it.expires_at);
        room(&mut self.invitations, |until| now < *until);
        room(&mut self.ghosts, |_| false);
    }
}

fn room<T>(map: &mut BTreeMap<Digest, T>, is_alive: impl Fn(&T) -> bool) {
    if KEPT_MAX <= map.len() {
        map.retain(|_, it| is_alive(it));
    }
    if KEPT_MAX <= map.len() {
        map.clear();
    }
}

const KEPT_MAX: usize = 10_000;
