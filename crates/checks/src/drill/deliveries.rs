//! Events that drills send, and where they arrive.

use std::collections::BTreeSet;

use countersign_model::declare::manifest::EventSubscription;
use countersign_model::declare::words::Slug;
use countersign_model::time::{Period, Timestamp};

use super::canary;
use super::tries::Came;
use crate::platform::{Delivery, Platform, PlatformError};
use crate::talk::Talk;

/// How often the platform's record is read.
pub(crate) const LOOK_EVERY: Period = Period::from_millis(100);
/// How much earlier than now the record is asked for: clocks differ a little.
const BEFORE: Period = Period::from_seconds(10);
/// How long an event may take to arrive.
const ARRIVAL_MAX: Period = Period::from_seconds(5);

/// One subscription at the platform, as its drills see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feed<'a> {
    pub(crate) platform: &'a dyn Platform,
    pub(crate) integration: &'a Slug,
    pub(crate) event: &'a EventSubscription,
}

impl Feed<'_> {
    /// Sends an event of the first declared kind.
    pub(crate) async fn emit(&self, now: Timestamp) -> Result<String, PlatformError> {
        let kind = self.event.types.first().map(String::as_str).unwrap_or_default();
        self.platform.emit(kind, &canary::data(self.event, kind, now)).await
    }

    /// The platform's record since a moment.
    pub(crate) async fn record(&self, since: Timestamp) -> Result<Vec<Delivery>, PlatformError> {
        self.platform.deliveries(self.integration, since - BEFORE).await
    }

    /// Sends an event and waits until the platform has delivered it over this subscription.
    pub(crate) async fn arrives(&self, talk: &mut Talk) -> (Came, Option<String>) {
        let (since, start) = (talk.now(), talk.stopwatch_ms());
        let id = match self.emit(since).await {
            Ok(it) => it,
            Err(error) => return (error.into(), None),
        };
        let mut last = "no delivery was tried".to_owned();
        loop {
            match self.record(since).await {
                Ok(record) => {
                    let mine = record.iter().filter(|it| it.id == id && self.is_mine(it));
                    let tried: Vec<&Delivery> = mine.collect();
                    if tried.iter().any(|it| it.result == DELIVERED) {
                        return (Came::Open(DELIVERED.to_owned()), Some(id));
                    }
                    if let Some(it) = tried.last() {
                        last = words(it);
                    }
                }
                Err(error) => return (error.into(), Some(id)),
            }
            if ARRIVAL_MAX.millis() <= talk.stopwatch_ms().saturating_sub(start) {
                return (Came::Unclear(last), Some(id));
            }
            talk.pause("arrival", LOOK_EVERY).await;
        }
    }

    /// Whether a delivery went over this subscription.
    pub(crate) fn is_mine(&self, delivery: &Delivery) -> bool {
        delivery.subscription == self.event.id.as_str()
    }
}

/// Whether something really left: what the gate denied did not.
pub(crate) fn left(delivery: &Delivery) -> bool {
    delivery.result == DELIVERED || delivery.result == FAILED
}

/// What tells one attempt from another.
pub(crate) fn names(record: &[Delivery]) -> BTreeSet<(String, String, Timestamp)> {
    record.iter().map(name).collect()
}

/// What tells this attempt from another.
pub(crate) fn name(it: &Delivery) -> (String, String, Timestamp) {
    (it.id.clone(), it.subscription.clone(), it.time)
}

fn words(delivery: &Delivery) -> String {
    match delivery.status {
        Some(status) => format!("{} (HTTP {status})", delivery.result),
        None => delivery.result.clone(),
    }
}

/// The word of a delivery that arrived.
const DELIVERED: &str = "delivered";
/// The word of a delivery that was tried and did not arrive.
const FAILED: &str = "failed";
