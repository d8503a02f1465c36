//! The talk with a sender: a right address, wrong ones, one delivery to all of them.

use std::time::Duration;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Webhook;
use countersign_model::declare::request::OutsideRequest;
use countersign_model::time::Period;
use serde_json::{Map, Value, json};

use super::wrong::{Trap, Wrong, taken};
use super::{to_declare, webhook};
use crate::harness::Booth;
use crate::live::ask::{Ask, Received};
use crate::talk::Talk;

/// How long is listened where nothing is declared.
const RETRY_MS: u64 = 1_000;
/// How long is listened at least, and at most.
const LISTEN_MS_MIN: u64 = 500;
const LISTEN_MS_MAX: u64 = 10 * 60 * 1_000;
/// How long a right delivery is waited for at least.
const CONTROL_MS_MIN: u64 = 5_000;

/// The calls with which a sender is set to work.
pub(super) struct Calls<'a> {
    webhook: &'a Webhook,
    secret: Option<String>,
    /// What was registered, to end it.
    registered: Vec<(String, Option<String>)>,
}

impl<'a> Calls<'a> {
    /// The calls that are declared; what is missing is written down.
    pub(super) fn of(subject: &str, manifest: &'a Manifest, talk: &mut Talk) -> Option<Self> {
        let (index, webhook) = webhook(manifest, subject)?;
        talk.setting("place", format!("webhook[{index}]"));
        if webhook.register.is_none() || webhook.trigger.is_none() {
            talk.setting("undeclared", to_declare(index));
            return None;
        }
        let means = talk.means();
        let secret = webhook
            .auth_ref
            .as_ref()
            .and_then(|name| means.as_ref().and_then(|it| it.secrets.get(name).map(str::to_owned)));
        if let (Some(name), None) = (&webhook.auth_ref, &secret) {
            let error = format!("the server holds no secret named `{name}`");
            talk.fact("setup", "manifest", json!({ "error": error }));
            return None;
        }
        Some(Self { webhook, secret, registered: Vec::new() })
    }

    /// How often the partner tries again.
    pub(super) fn retry_ms(&self) -> u64 {
        self.webhook.retry_every.map_or(RETRY_MS, Period::millis).max(1)
    }

    fn call(&self, call: Option<&String>, id: Option<&str>) -> Option<Ask> {
        let call: OutsideRequest = call?.parse().ok()?;
        let url = call.url(|name| if name == "id" { id.map(str::to_owned) } else { None })?;
        Some(Ask::new(call.method.word(), url).bearer(self.secret.as_deref()))
    }

    /// Registers an address; says whether it was taken.
    pub(super) async fn register(
        &mut self,
        talk: &mut Talk,
        label: &str,
        url: &str,
        is_hostile: bool,
    ) -> Received {
        let Some(ask) = self.call(self.webhook.register.as_ref(), None) else {
            return Received::nobody();
        };
        let mut ask = ask.json(json!({ "url": url }).to_string());
        ask.hostile = is_hostile;
        let received = talk.send(label, ask).await;
        if received.is_success() {
            let id = received.json().and_then(|it| match it.get("id")? {
                Value::String(it) => Some(it.clone()),
                Value::Number(it) => Some(it.to_string()),
                _ => None,
            });
            self.registered.push((url.to_owned(), id));
        }
        received
    }

    /// Causes one delivery to every registered address.
    pub(super) async fn trigger(&self, talk: &mut Talk, label: &str) {
        let id = self.registered.first().and_then(|it| it.1.as_deref());
        if let Some(ask) = self.call(self.webhook.trigger.as_ref(), id) {
            talk.send(label, ask).await;
        }
    }

    /// Ends every registration.
    pub(super) async fn end(&mut self, talk: &mut Talk) {
        for (url, id) in std::mem::take(&mut self.registered) {
            if let Some(ask) = self.call(self.webhook.unregister.as_ref(), id.as_deref()) {
                let ask = ask.json(json!({ "url": url }).to_string());
                talk.send("unregister", ask).await;
            }
        }
    }

    /// How to repeat it by hand.
    pub(super) fn by_hand(&self, url: &str) -> String {
        let call = |call: Option<&String>| {
            let text = call.map_or("", String::as_str);
            let (method, url) = text.split_once(' ').unwrap_or(("POST", text));
            format!("curl -i -X {method} '{url}' -H 'authorization: Bearer $TOKEN'")
        };
        let body = json!({ "url": url });
        format!(
            "{} -H 'content-type: application/json' --data-binary '{body}' # $TOKEN is the secret named in `auth_ref`\n{} # and listen at that address",
            call(self.webhook.register.as_ref()),
            call(self.webhook.trigger.as_ref()),
        )
    }
}

/// Registers a right address and waits for a delivery there.
pub(super) async fn control(calls: &mut Calls<'_>, talk: &mut Talk, booth: &Booth) -> bool {
    let taken = calls.register(talk, "register.control", booth.url(), false).await.is_success();
    calls.trigger(talk, "trigger.control").await;
    let seen = taken && delivered(calls, booth, 0).await;
    talk.fact("control", "harness", json!({ "seen": seen, "registered": taken }));
    seen
}

/// Waits until more than so many deliveries have come.
pub(super) async fn delivered(calls: &Calls<'_>, booth: &Booth, before: usize) -> bool {
    let limit = calls.retry_ms().saturating_mul(3).clamp(CONTROL_MS_MIN, LISTEN_MS_MAX);
    booth.wait(Duration::from_millis(limit), |seen| before < seen.len()).await
}

/// Talks with the sender of a webhook.
pub(crate) async fn visit(subject: &str, manifest: &Manifest, talk: &mut Talk, wrong: &[Wrong]) {
    let names: Vec<Value> = wrong.iter().map(|it| it.name().into()).collect();
    talk.setting("wrong", names);
    let Some(mut calls) = Calls::of(subject, manifest, talk) else { return };
    let listen = calls.retry_ms().saturating_mul(3).clamp(LISTEN_MS_MIN, LISTEN_MS_MAX);
    talk.setting("listen_ms", listen);
    let Some(harness) = talk.harness() else { return };
    let Some(stem) = talk.fresh_name("hk-") else { return };
    let right = harness.open(&stem, taken);
    if !control(&mut calls, talk, &right).await {
        return calls.end(talk).await;
    }
    let peers = right.seen();
    let same_machine = peers.iter().all(|it| it.peer.ip().is_loopback());
    let mut traps = Vec::new();
    for it in wrong {
        let trap = match Trap::set(*it, &harness, (&stem, talk.now())).await {
            Ok(trap) => trap,
            Err(why) => {
                let value = json!({ "missing": it.name(), "why": why });
                talk.fact(&format!("registered.{}", it.name()), "harness", value);
                continue;
            }
        };
        let mut accepted = false;
        let mut refused = true;
        let mut words = String::new();
        for url in &trap.urls {
            let label = format!("register.{}", trap.name);
            talk.setting(&format!("repeat.{}", trap.name), calls.by_hand(url));
            let received = calls.register(talk, &label, url, true).await;
            accepted |= received.is_success();
            refused &= (400..500).contains(&received.status);
            words = received.words();
        }
        let value = json!({
            "accepted": accepted,
            "refused": refused,
            "words": words,
            "would_show": trap.would_show(same_machine),
        });
        talk.fact(&format!("registered.{}", trap.name), "harness", value);
        traps.push(trap);
    }
    let before = right.seen().len();
    calls.trigger(talk, "trigger").await;
    talk.pause("listen", Period::from_millis(listen)).await;
    let (mut hits, mut unclear) = (Map::new(), Map::new());
    for trap in &traps {
        hits.insert(trap.name.to_owned(), trap.hits(&harness).into());
        unclear.insert(trap.name.to_owned(), trap.unclear(&harness).into());
    }
    unclear.retain(|_, it| *it != 0);
    talk.fact("hits", "harness", Value::Object(hits));
    talk.fact("unclear", "harness", Value::Object(unclear));
    let seen = delivered(&calls, &right, before).await;
    talk.fact("closing", "harness", json!({ "seen": seen }));
    calls.end(talk).await;
}
