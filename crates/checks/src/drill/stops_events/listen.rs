//! Sends an event, disables, produces more, listens, enables.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Effects, EffectsKind, EventSubscription};
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

use crate::drill::deliveries::{Feed, LOOK_EVERY, left, name, names};
use crate::live::ask::Ask;
use crate::platform::{Delivery, Platform, SubscriptionChange};
use crate::probe::effects::{self, Seen};
use crate::talk::Talk;
use crate::undo::Undo;

/// How many events are produced just before the command, so that some may be on their way.
const BURST: usize = 3;
/// How often an event is produced while the subscription is off, at most.
const PRODUCE_EVERY: u64 = 250;
/// How many are produced at most.
const PRODUCED_MAX: usize = 500;
/// How long an effect may take, beside what the manifest says.
const EFFECT_MAX: Period = Period::from_seconds(3);
/// A longer `disable.within` is not waited for.
const WITHIN_MAX: Period = Period::from_seconds(10 * 60);

/// One subscription, and how it is looked at.
#[derive(Debug)]
pub(super) struct Drill<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) event: &'a EventSubscription,
    pub(super) platform: &'a dyn Platform,
    pub(super) within: Period,
    pub(super) length: Period,
}

/// What was seen since the command.
#[derive(Debug, Default)]
struct Since {
    /// Events that were produced just before the command.
    burst: BTreeSet<String>,
    /// Events that were produced after it, with the time.
    produced: BTreeMap<String, u64>,
    /// Deliveries that are written down already.
    known: BTreeSet<(String, String, Timestamp)>,
    /// Effects that are written down already.
    effects: BTreeSet<String>,
    /// The version of the canary object before the command.
    version: Option<String>,
    /// When the last thing came, after the command.
    last_ms: Option<u64>,
}

impl Drill<'_> {
    /// Nothing means: it stopped, and the transcript says where.
    pub(super) async fn run(&self, talk: &mut Talk) -> Option<()> {
        self.is_on(talk).await?;
        let started = talk.now();
        let version = self.arrives(talk, "control", started).await?;
        let mut since = Since { version, ..Since::default() };
        // A canary object cannot tell whose event changed it.
        let counts = self.oracle().is_none_or(|it| it.kind == EffectsKind::Feed);
        for _ in 0..if counts { BURST } else { 0 } {
            let id = self.feed().emit(talk.now()).await;
            since.burst.insert(talk.heard("burst", id, |it| json!({ "id": it }))?);
        }
        let (integration, id) = (&self.manifest.integration.id, self.event.id.as_str());
        talk.undo_later(Undo::EnableSubscription(integration.clone(), id.to_owned()));
        let (commanded, began) = (talk.now(), talk.stopwatch_ms());
        let disable = SubscriptionChange::Disable;
        let disabled = self.platform.subscription(integration, id, disable).await;
        let took = talk.stopwatch_ms().saturating_sub(began);
        talk.heard("disabled", disabled, |()| json!({ "after_ms": took }))?;
        since.known = names(&self.record(talk, started).await?);
        self.listen(talk, &mut since, (started, commanded, began)).await?;
        let enabled = self.platform.subscription(integration, id, SubscriptionChange::Enable).await;
        talk.heard("enabled", enabled, |()| json!({ "subscription": id }))?;
        self.flush(talk, &since, (started, began)).await
    }

    fn feed(&self) -> Feed<'_> {
        Feed {
            platform: self.platform,
            integration: &self.manifest.integration.id,
            event: self.event,
        }
    }

    /// Only what is on is switched off, and on again.
    async fn is_on(&self, talk: &mut Talk) -> Option<()> {
        let held = self.platform.granted(self.manifest).await;
        let subscriptions = talk.heard("before", held, |_| json!({}))?.subscriptions;
        let id = self.event.id.as_str();
        let is_on = subscriptions.iter().any(|it| it.id == id && it.enabled);
        let others: Vec<&str> = subscriptions
            .iter()
            .filter(|it| it.enabled && !self.is_declared(&it.id))
            .map(|it| it.id.as_str())
            .collect();
        let value = if is_on {
            json!({ "on": true, "undeclared": others })
        } else {
            json!({ "error": format!("`{id}` is off at the test tenant, or not there") })
        };
        talk.fact("before", "platform", value);
        is_on.then_some(())
    }

    /// An event has to arrive, with its effect; the version of the canary object afterwards.
    async fn arrives(
        &self,
        talk: &mut Talk,
        label: &str,
        since: Timestamp,
    ) -> Option<Option<String>> {
        let version = match self.oracle() {
            Some(oracle) if oracle.kind == EffectsKind::Object => {
                match self.ask(talk, &format!("{label}-effect"), oracle, since).await? {
                    Seen::Object(version) => Some(version),
                    Seen::Feed(_) => None,
                }
            }
            _ => None,
        };
        let (came, id) = self.feed().arrives(talk).await;
        talk.fact(label, "platform", came.value(self.event.id.as_str(), 0));
        let (true, Some(id), Some(oracle)) = (came.is_open(), id, self.oracle()) else {
            return came.is_open().then_some(None);
        };
        let (limit, start) = (oracle.settle + EFFECT_MAX, talk.stopwatch_ms());
        let label = format!("{label}-effect");
        loop {
            let seen = self.ask(talk, &label, oracle, since).await?;
            let newer = match &seen {
                Seen::Object(it) if Some(it) != version.as_ref() => Some(it.clone()),
                _ => None,
            };
            let shown = newer.is_some() || seen.count(&id).is_some_and(|it| 0 < it);
            let over = limit.millis() <= talk.stopwatch_ms().saturating_sub(start);
            if shown || over {
                talk.fact(&label, "partner", json!(shown));
                return shown.then_some(newer);
            }
            talk.pause("effect", LOOK_EVERY).await;
        }
    }

    fn oracle(&self) -> Option<&Effects> {
        self.manifest.effects.as_ref()
    }

    /// Asks the oracle; why it cannot be read is written down.
    async fn ask(
        &self,
        talk: &mut Talk,
        label: &str,
        oracle: &Effects,
        since: Timestamp,
    ) -> Option<Seen> {
        let means = talk.means()?;
        let question: Ask = effects::question(oracle, means.secrets.get(&oracle.auth_ref), since);
        let answer = means.client.send(question, talk.now()).await;
        match effects::read(oracle.kind, &answer) {
            Ok(it) => Some(it),
            Err(error) => {
                talk.fact(label, "partner", json!({ "error": error }));
                None
            }
        }
    }

    async fn record(&self, talk: &mut Talk, since: Timestamp) -> Option<Vec<Delivery>> {
        match self.feed().record(since).await {
            Ok(it) => Some(it),
            Err(error) => talk.heard("record", Err(error), |_: &Vec<Delivery>| Value::Null),
        }
    }

    /// Produces and listens: as long as silence needs, and when something came, until it must be over.
    async fn listen(
        &self,
        talk: &mut Talk,
        since: &mut Since,
        (started, commanded, began): (Timestamp, Timestamp, u64),
    ) -> Option<()> {
        let every = PRODUCE_EVERY.max(self.length.millis() / 16);
        let mut next = 0;
        loop {
            let spent = talk.stopwatch_ms().saturating_sub(began);
            // The last events need as much silence as the first.
            let came = since.last_ms.is_some();
            let end = if came { self.within + self.length.times(2) } else { self.length };
            if next <= spent && since.produced.len() < PRODUCED_MAX {
                next = spent + every;
                let id = self.feed().emit(talk.now()).await;
                let id = talk.heard("produced", id, |it| json!({ "id": it, "after_ms": spent }))?;
                since.produced.insert(id, spent);
            }
            let record = self.record(talk, started).await?;
            self.note(talk, since, &record, (commanded, began));
            if end.millis() <= spent {
                self.effects(talk, since, (commanded, began)).await?;
                if came || since.last_ms.is_none() {
                    talk.fact("listened", "run", json!({ "ms": spent }));
                    return Some(());
                }
            }
            // It is known by now that they do not end.
            if since.last_ms.is_some_and(|it| self.within.millis() < it) {
                return None;
            }
            if WITHIN_MAX < self.within && since.last_ms.is_some() {
                let why =
                    format!("`disable.within` is longer than a run may listen ({WITHIN_MAX})");
                talk.fact("record", "run", json!({ "error": why }));
                return None;
            }
            talk.pause("listening", LOOK_EVERY).await;
        }
    }

    /// Writes down what left after the command.
    fn note(
        &self,
        talk: &mut Talk,
        since: &mut Since,
        record: &[Delivery],
        (commanded, began): (Timestamp, u64),
    ) {
        for it in record.iter().filter(|it| self.is_ours(it) && left(it)) {
            let was_before = it.time < commanded && !since.produced.contains_key(&it.id);
            if since.known.insert(name(it)) && !was_before {
                let after_ms = talk.stopwatch_ms().saturating_sub(began);
                since.last_ms = since.last_ms.max(Some(after_ms));
                talk.fact("late", "platform", self.shown(it, after_ms));
            }
        }
    }

    /// Writes down effects of what was produced after the command, whatever the record says.
    async fn effects(
        &self,
        talk: &mut Talk,
        since: &mut Since,
        (commanded, began): (Timestamp, u64),
    ) -> Option<()> {
        let Some(oracle) = self.oracle() else { return Some(()) };
        let seen = self.ask(talk, "effects", oracle, commanded).await?;
        let found: Vec<(String, u64)> = match &seen {
            Seen::Feed(ids) => {
                let produced = |id: &String| Some((id.clone(), *since.produced.get(id)?));
                ids.iter().filter_map(produced).collect()
            }
            Seen::Object(now) if since.version.as_ref().is_some_and(|it| it != now) => {
                since.version = Some(now.clone());
                vec![(format!("version {now}"), talk.stopwatch_ms().saturating_sub(began))]
            }
            Seen::Object(_) => Vec::new(),
        };
        for (id, after_ms) in found {
            if since.effects.insert(id.clone()) && !self.goes_elsewhere(since, &id) {
                since.last_ms = since.last_ms.max(Some(after_ms));
                talk.fact("late", "partner", json!({ "id": id, "after_ms": after_ms }));
            }
        }
        Some(())
    }

    /// Whether another declared subscription, which stays on, delivers the event too.
    fn goes_elsewhere(&self, since: &Since, id: &str) -> bool {
        let other = |subscription: &str| {
            subscription != self.event.id.as_str() && self.is_declared(subscription)
        };
        let kind = self.event.types.first();
        let takes_it = |it: &EventSubscription| {
            other(it.id.as_str()) && kind.is_some_and(|kind| it.types.contains(kind))
        };
        since.produced.contains_key(id) && self.manifest.events.iter().any(takes_it)
    }

    /// It was enabled again: what was produced before must not come, what is produced now must.
    async fn flush(
        &self,
        talk: &mut Talk,
        since: &Since,
        (started, began): (Timestamp, u64),
    ) -> Option<()> {
        let start = talk.stopwatch_ms();
        self.arrives(talk, "again", talk.now()).await;
        loop {
            let record = self.record(talk, started).await?;
            let past = record.iter().filter(|it| self.feed().is_mine(it) && left(it));
            let mut past = past.filter(|it| {
                let is_past = since.burst.contains(&it.id) || since.produced.contains_key(&it.id);
                is_past && !since.known.contains(&name(it))
            });
            if let Some(it) = past.next() {
                let after_ms = talk.stopwatch_ms().saturating_sub(began);
                talk.fact("flushed", "platform", self.shown(it, after_ms));
                return Some(());
            }
            if self.length.millis() <= talk.stopwatch_ms().saturating_sub(start) {
                return Some(());
            }
            talk.pause("flush", LOOK_EVERY).await;
        }
    }

    /// Deliveries over this subscription, and over those that nobody declared.
    fn is_ours(&self, delivery: &Delivery) -> bool {
        self.feed().is_mine(delivery) || !self.is_declared(&delivery.subscription)
    }

    fn is_declared(&self, subscription: &str) -> bool {
        self.manifest.events.iter().any(|it| it.id.as_str() == subscription)
    }

    fn shown(&self, delivery: &Delivery, after_ms: u64) -> Value {
        json!({
            "id": delivery.id, "subscription": delivery.subscription, "result": delivery.result,
            "endpoint": delivery.endpoint, "declared": self.is_declared(&delivery.subscription),
            "time": delivery.time, "after_ms": after_ms,
        })
    }
}
