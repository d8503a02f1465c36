//! Events: queued per subscription, signed, delivered by one task, tried again, and asked for at the gate.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use countersign_checks::platform::Delivery;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::{Call, Reason};
use countersign_model::time::{Period, Timestamp};
use countersign_seal::scheme::{Draft, Signer};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::Shared;
use super::book::Message;
use crate::registration::{SubscriptionRegistration, scheme_of};
use crate::{NoEntropy, clock, entropy};

/// Puts an event into the queue of every enabled subscription of its kind, and says under which id.
pub(super) fn emit(shared: &Shared, kind: &str, data: &Value) -> Result<String, NoEntropy> {
    let id = format!("msg_{}", entropy::suffix()?);
    let now = clock::now();
    let mut pages = shared.book.open();
    for subscription in pages.subscriptions.values_mut() {
        let registration = &subscription.registration;
        let takes = subscription.enabled || registration.keeps_for_later;
        if !takes || !registration.types.contains(kind) {
            continue;
        }
        let mut body = body(kind, now, data, &registration.fields);
        if let Some(scheme) = scheme_of(registration.scheme) {
            scheme.put_id(&mut body, &id);
        }
        let body = body.to_string().into_bytes();
        if QUEUE_MAX <= subscription.queue.len() {
            subscription.queue.pop_front();
        }
        let message =
            Message { id: id.clone(), kind: kind.to_owned(), body, attempts: 0, due: now };
        subscription.queue.push_back(message);
    }
    drop(pages);
    shared.events.notify_one();
    Ok(id)
}

/// What leaves: the kind, the time, and of the data nothing but the declared fields.
fn body(kind: &str, now: Timestamp, data: &Value, fields: &BTreeSet<String>) -> Value {
    let mut kept = Value::Object(Map::new());
    if fields.is_empty() {
        kept = data.clone();
    }
    for field in fields {
        let nested = field.split('.').try_fold(data, |at, name| at.get(name));
        if let Some(value) = nested.or_else(|| data.get(field)) {
            put(&mut kept, field, value.clone());
        }
    }
    json!({"type": kind, "timestamp": now.to_string(), "data": kept})
}

fn put(into: &mut Value, field: &str, value: Value) {
    match field.split_once('.') {
        Some((first, rest)) => {
            if !into[first].is_object() {
                into[first] = Value::Object(Map::new());
            }
            put(&mut into[first], rest, value);
        }
        None => into[field] = value,
    }
}

/// Delivers whatever is due, for as long as the platform runs; one message of a subscription at a time.
pub(super) async fn deliver(shared: Arc<Shared>) {
    let mut running = JoinSet::new();
    let mut busy = BTreeSet::new();
    loop {
        let now = clock::now();
        let (due, next) = due(&shared, &busy, now);
        for key in due {
            busy.insert(key.clone());
            let shared = Arc::clone(&shared);
            running.spawn(async move {
                deliver_first(&shared, &key).await;
                key
            });
        }
        let wait = next.map_or(LONG, |it| Duration::from_millis(it.since(now).millis().max(1)));
        tokio::select! {
            () = shared.events.notified() => {}
            () = tokio::time::sleep(wait) => {}
            Some(done) = running.join_next() => {
                if let Ok(key) = done {
                    busy.remove(&key);
                }
            }
        }
    }
}

/// Subscriptions with something due, and when the next one will be.
fn due(
    shared: &Shared,
    busy: &BTreeSet<(String, String)>,
    now: Timestamp,
) -> (Vec<(String, String)>, Option<Timestamp>) {
    let pages = shared.book.open();
    let waiting = pages.subscriptions.iter().filter(|it| it.1.enabled && !busy.contains(it.0));
    let (mut due, mut next) = (Vec::new(), None::<Timestamp>);
    for (key, subscription) in waiting {
        match subscription.queue.front().map(|it| it.due) {
            Some(moment) if moment <= now => due.push(key.clone()),
            Some(moment) => next = Some(next.map_or(moment, |it| it.min(moment))),
            None => {}
        }
    }
    (due, next)
}

async fn deliver_first(shared: &Shared, key: &(String, String)) {
    let lock = {
        let pages = shared.book.open();
        pages.subscriptions.get(key).map(|it| Arc::clone(&it.on_the_way))
    };
    let Some(lock) = lock else { return };
    let _on_the_way = lock.lock().await;
    let (message, registration) = {
        let mut pages = shared.book.open();
        let Some(subscription) = pages.subscriptions.get_mut(key).filter(|it| it.enabled) else {
            return;
        };
        let Some(message) = subscription.queue.pop_front() else { return };
        (message, subscription.registration.clone())
    };
    let mut call = Call::new(PathKind::EventOut, key.0.clone());
    call.subject = Some(registration.relay_of.clone().unwrap_or_else(|| key.1.clone()));
    call.event = Some(message.kind.clone());
    call.url = Some(registration.endpoint.clone());
    let reason = shared.ask(&call);
    let time = clock::now();
    let (status, result) = if reason == Reason::Admitted {
        let status = send(shared, &registration, &message, time).await;
        let arrived = status.is_some_and(|it| (200..300).contains(&it));
        (status, if arrived { "delivered" } else { "failed" })
    } else {
        // What was denied is dropped: it must not come back when the gate opens again.
        (None, reason.code())
    };
    let mut pages = shared.book.open();
    let delivery = Delivery {
        time,
        id: message.id.clone(),
        integration: key.0.clone(),
        subscription: key.1.clone(),
        kind: message.kind.clone(),
        endpoint: registration.endpoint,
        status,
        result: result.to_owned(),
    };
    pages.logs.deliveries.push(delivery);
    let gone = status == Some(410);
    let Some(subscription) = pages.subscriptions.get_mut(key) else { return };
    if gone {
        subscription.enabled = false;
    } else if result == "failed" && message.attempts + 1 < ATTEMPTS_MAX {
        let due = clock::now() + Period::from_millis(registration.retry_every_ms);
        let again = Message { attempts: message.attempts + 1, due, ..message };
        subscription.queue.push_back(again);
    }
    drop(pages);
    shared.events.notify_one();
}

async fn send(
    shared: &Shared,
    registration: &SubscriptionRegistration,
    message: &Message,
    time: Timestamp,
) -> Option<u16> {
    let scheme = scheme_of(registration.scheme)?;
    let key = match &registration.secret {
        Some(text) => Signer::Shared(scheme.secret(text).ok()?),
        None => Signer::Private(shared.event_key.clone()),
    };
    let draft = Draft {
        method: "POST",
        url: &registration.endpoint,
        id: &message.id,
        time_seconds: time.seconds(),
        body: &message.body,
    };
    let sealed = scheme.sign(&draft, &[&key]).ok()?;
    let request = shared
        .http
        .post(&registration.endpoint)
        .header("content-type", scheme.content_type())
        .timeout(DELIVERY_MAX);
    let request = sealed.headers.iter().fold(request, |it, (name, value)| it.header(name, value));
    request.body(sealed.body).send().await.ok().map(|it| it.status().as_u16())
}

/// Waits until nothing of this subscription is on its way any more.
pub(super) async fn settle(shared: &Shared, key: &(String, String)) {
    let lock = {
        let pages = shared.book.open();
        pages.subscriptions.get(key).map(|it| Arc::clone(&it.on_the_way))
    };
    if let Some(lock) = lock {
        drop(lock.lock().await);
    }
}

const QUEUE_MAX: usize = 1_000;
const ATTEMPTS_MAX: u32 = 5;
const DELIVERY_MAX: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_declared_fields_leave() {
        let data = json!({"user": {"id": "u-1", "mail": "r@example.com"}, "event.time": "now"});
        let fields = ["user.id", "event.time", "absent"].map(str::to_owned).into();
        let body = body("user.locked", Timestamp::from_seconds(0), &data, &fields);
        assert_eq!(body["data"], json!({"user": {"id": "u-1"}, "event": {"time": "now"}}));
        assert_eq!(body["type"], "user.locked");
    }
}
