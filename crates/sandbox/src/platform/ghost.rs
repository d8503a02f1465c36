//! What comes back after it was deleted: a lapse. And which keys belonged to copies that are gone.

use std::time::Duration;

use countersign_seal::Digest;

use super::book::{Client, Pages, Token};
use super::webhook::Webhook;
use crate::AccessFault;

/// What a replica will bring back, and when.
#[derive(Debug)]
pub(super) struct Back {
    client: Client,
    tokens: Vec<(Digest, Token)>,
    pub(super) after: Duration,
}

/// How soon a replica brings back what was deleted.
pub(super) const SOON: Duration = Duration::from_millis(150);
/// How soon a backup does.
const LATE: Duration = Duration::from_millis(450);
/// How many deleted copies of webhooks are remembered.
const RETIRED_MAX: usize = 256;

fn after(client: &Client) -> Option<Duration> {
    match client {
        it if it.has(AccessFault::GhostAfterDeletion) => Some(SOON),
        it if it.has(AccessFault::GhostLongAfterDeletion) => Some(LATE),
        _ => None,
    }
}

impl Pages {
    /// What will come back of a client, where the platform is wrong about a copy.
    pub(super) fn ghost(&self, id: &str) -> Option<Back> {
        let client = self.clients.get(id).filter(|it| it.copy_of.is_some())?;
        let after = after(client)?;
        let mut tokens = self.replica.get(id).cloned().unwrap_or_default();
        tokens.retain(|it| it.1.client == id);
        Some(Back { client: Client { enabled: true, ..client.clone() }, tokens, after })
    }

    pub(super) fn bring_back(&mut self, id: String, back: Back) {
        self.clients.insert(id, back.client);
        self.tokens.extend(back.tokens);
    }

    /// A replica keeps what is about to be deleted, where the platform is wrong about a client.
    pub(crate) fn replicate(&mut self, client: &str) {
        if self.clients.get(client).is_some_and(|it| after(it).is_some()) {
            let mine = self.tokens.iter().filter(|it| it.1.client == client);
            let mine = mine.map(|it| (*it.0, it.1.clone())).collect();
            self.replica.insert(client.to_owned(), mine);
        }
    }

    /// Whether a copy of a webhook will come back.
    pub(super) fn brings_back(&self, integration: &str, webhook: &Webhook) -> bool {
        let mut mine =
            self.clients.values().filter(|it| it.registration.integration == integration);
        webhook.copy_of.is_some() && mine.any(|it| it.has(AccessFault::GhostWebhookAfterDeletion))
    }

    /// Remembers whose key it was: whoever calls with it is a drill, and no partner.
    pub(super) fn retire(&mut self, key: (String, String), webhook: Webhook) {
        if webhook.copy_of.is_none() {
            return;
        }
        if RETIRED_MAX <= self.retired.len() {
            self.retired.pop_front();
        }
        self.retired.push_back((key, webhook));
    }

    /// The copies of webhooks that an integration had.
    pub(super) fn retired(&self, integration: &str) -> impl Iterator<Item = &Webhook> {
        let mine = self.retired.iter().filter(move |it| it.0.0 == integration);
        mine.map(|it| &it.1)
    }

    /// A deleted copy of a webhook is there again.
    pub(super) fn take_back(&mut self, key: (String, String)) {
        let retired = self.retired.iter().find(|it| it.0 == key);
        if let Some(webhook) = retired.map(|it| it.1.clone()) {
            self.webhooks.insert(key, webhook);
        }
    }
}
