//! The talk with a receiver: a right event, the wrong ones, and a right one again.
//!
//! The last one shows that the receiver and what shows its effects were alive the whole time: what
//! had no effect by then has none.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Direction, Effects, EffectsKind, EventSubscription};
use countersign_model::time::Period;
use countersign_seal::scheme::{Facts, Place, SCHEMES, Scheme, WebhookError};
use serde_json::{Map, Value, json};

use super::canary::{Message, Workshop};
use super::key::{self, Sending};
use super::receiver::{event, is_judged, scheme_of};
use crate::live::ask::{Ask, Received};
use crate::probe::effects::{Seen, question, read};
use crate::talk::Talk;

/// The longest time that a receiver may look back, where the profile does not say.
const TOLERANCE_SECONDS: u64 = 300;

/// What a check sends.
pub(super) struct Plan {
    /// What the scheme has to be able to do.
    pub(super) needs: Needs,
    /// How old the right event is that begins, in seconds, for this window.
    pub(super) age: fn(i64) -> i64,
    /// Whether another endpoint of the same partner is needed.
    pub(super) sibling: bool,
    /// Whether the first right event comes again just before its window ends.
    pub(super) late: bool,
    /// What is sent between the right ones, made with the first of them in hand.
    pub(super) sends: Sends,
}

/// A plan that needs nothing and sends nothing.
pub(super) const PLAN: Plan = Plan {
    needs: Needs::Nothing,
    age: fresh,
    sibling: false,
    late: false,
    sends: |_, _| Ok(Vec::new()),
};

/// What a scheme has to be able to do so that a check can look at anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing that a scheme could lack.
    Nothing,
    /// It signs a time.
    SignedTime,
}

/// The right event that begins is as old as a delivery that took no time.
pub(super) fn fresh(_: i64) -> i64 {
    0
}

/// The right event that begins is nearly as old as is allowed; where that is seconds, its own way
/// through the network takes them.
pub(super) fn four_fifths(window_seconds: i64) -> i64 {
    if window_seconds < 60 { 0 } else { window_seconds / 5 * 4 }
}

/// What has to become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// It has no effect.
    Refused,
    /// It has its effect: it is right, only unusual.
    Taken,
    /// It is answered, and soon.
    Answered,
}

/// A message, its name, and what has to become of it.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) name: &'static str,
    pub(super) wish: Wish,
    pub(super) message: Message,
}

/// A wrong message.
pub(super) fn wrong(name: &'static str, message: Message) -> Sent {
    Sent { name, wish: Wish::Refused, message }
}

/// A right but unusual message.
pub(super) fn right(name: &'static str, message: Message) -> Sent {
    Sent { name, wish: Wish::Taken, message }
}

/// A message that has to be answered soon, in whatever way.
pub(super) fn heavy(name: &'static str, message: Message) -> Sent {
    Sent { name, wish: Wish::Answered, message }
}

/// How messages are made.
pub(super) type Sends = fn(&Workshop<'_>, &Message) -> Result<Vec<Sent>, WebhookError>;

/// Talks with the receiver of a subscription.
pub(super) async fn hear(subject: &str, manifest: &Manifest, talk: &mut Talk, plan: &Plan) {
    let Some((index, event)) = event(manifest, subject) else { return };
    let Some(scheme) = scheme_of(event) else { return };
    talk.setting("place", format!("event[{index}]"));
    talk.setting("scheme", scheme.name());
    talk.setting("id_signed", scheme.facts().id_signed);
    if plan.needs == Needs::SignedTime && scheme.facts().time.is_none() {
        talk.setting("unsupported", unsupported(scheme));
        return;
    }
    let Some(held) = key::sending(manifest, event, scheme, talk).await else { return };
    let Some(mut workshop) = workshop(manifest, event, scheme, &held, talk) else { return };
    if plan.sibling && !with_sibling(manifest, &mut workshop, talk).await {
        return;
    }
    let mut visit = Visit::new(manifest, event, workshop, talk);
    if let Err(error) = visit.run(plan).await {
        talk.fact("message", "check", json!({ "error": error.to_string() }));
    }
}

/// Sends a right event to another endpoint, and makes messages for it too.
async fn with_sibling<'a>(
    manifest: &'a Manifest,
    workshop: &mut Workshop<'a>,
    talk: &mut Talk,
) -> bool {
    let Some(other) = sibling(manifest, workshop.event) else { return false };
    let Some(scheme) = scheme_of(other) else { return false };
    talk.setting("sibling", other.id.as_str());
    let Some(held) = key::sending(manifest, other, scheme, talk).await else { return false };
    let other = Workshop { event: other, scheme, key: held.signer, ..workshop.clone() };
    match other.right("sibling") {
        Ok(message) => {
            talk.send("sibling", other.ask(&message)).await;
        }
        Err(error) => talk.fact("message", "check", json!({ "error": error.to_string() })),
    }
    workshop.sibling = Some(Box::new(other));
    true
}

/// Another endpoint of the same partner: one that signs in the same way, where there is one.
pub(super) fn sibling<'a>(
    manifest: &'a Manifest,
    event: &EventSubscription,
) -> Option<&'a EventSubscription> {
    let others = manifest.events.iter().filter(|it| {
        it.direction == Direction::Out && it.endpoint != event.endpoint && is_judged(it)
    });
    let mut others: Vec<&EventSubscription> = others.collect();
    let is_other_way = |it: &EventSubscription| {
        (it.signing.scheme, it.signing.key) != (event.signing.scheme, event.signing.key)
    };
    others.sort_by_key(|it| is_other_way(it));
    others.first().copied()
}

/// Why nothing can be seen with this scheme, and which ones are better.
fn unsupported(scheme: &dyn Scheme) -> Value {
    let better = SCHEMES.iter().filter(|it| it.facts().time.is_some());
    let better: Vec<String> = better.map(|it| format!("`{}`", it.name())).collect();
    let name = scheme.name();
    json!({
        "sentence": format!("the scheme `{name}` signs no time: a stale delivery cannot be told from a fresh one"),
        "expected": format!("a scheme that signs the time of sending: {}", better.join(", ")),
    })
}

/// Where messages for this receiver are made; why there are none is written down.
pub(super) fn workshop<'a>(
    manifest: &Manifest,
    event: &'a EventSubscription,
    scheme: &'static dyn Scheme,
    held: &Sending,
    talk: &mut Talk,
) -> Option<Workshop<'a>> {
    let stem = talk.fresh_name("msg_")?;
    let foreign = held.fresh(scheme)?.signer;
    let tolerance = talk.figure("CTS-WHK-02.tolerance_seconds").unwrap_or(TOLERANCE_SECONDS);
    let window = event.signing.replay_window.seconds().min(tolerance);
    talk.setting("window_seconds", window);
    let counts = manifest.effects.as_ref().is_some_and(|it| it.kind == EffectsKind::Feed);
    Some(Workshop {
        event,
        scheme,
        key: held.signer.clone(),
        foreign,
        stem,
        sibling: None,
        window_seconds: i64::try_from(window).unwrap_or(i64::MAX),
        counts,
        now: talk.now(),
    })
}

/// Whether effects show under the id that a message bears in a header or body of its own.
pub(super) fn header_id(facts: &Facts) -> Option<&'static str> {
    match facts.id {
        Place::Body(_) => None,
        Place::Header(name) => Some(name),
    }
}

/// One visit at a receiver.
pub(super) struct Visit<'a> {
    pub(super) workshop: Workshop<'a>,
    oracle: Option<Oracle>,
    pub(super) listen: Period,
    pub(super) talk: &'a mut Talk,
}

/// What shows the effects.
struct Oracle {
    kind: EffectsKind,
    ask: Ask,
}

impl Oracle {
    fn new(effects: &Effects, talk: &Talk) -> Self {
        let means = talk.means();
        let secret = means.as_ref().and_then(|it| it.secrets.get(&effects.auth_ref));
        Self { kind: effects.kind, ask: question(effects, secret, talk.now()) }
    }

    fn seen(&self, answer: &Received) -> Option<Seen> {
        read(self.kind, answer).ok()
    }
}

impl<'a> Visit<'a> {
    pub(super) fn new(
        manifest: &Manifest,
        event: &EventSubscription,
        workshop: Workshop<'a>,
        talk: &'a mut Talk,
    ) -> Self {
        let effects = manifest.effects.as_ref();
        let kind = match effects.map(|it| it.kind) {
            Some(EffectsKind::Feed) => "feed",
            Some(EffectsKind::Object) => "object",
            None => "none",
        };
        talk.setting("oracle", kind);
        let settle = effects.map_or(Period::default(), |it| it.settle);
        let retry = event.retry_every.unwrap_or_default();
        let listen = Period::from_millis(retry.millis().saturating_mul(3)).max(settle);
        talk.setting("listen_ms", listen.millis());
        let oracle = effects.map(|it| Oracle::new(it, talk));
        Self { workshop, oracle, listen, talk }
    }

    pub(super) async fn run(&mut self, plan: &Plan) -> Result<(), WebhookError> {
        let before = self.version("before").await;
        self.workshop.now = self.talk.now();
        let signed_at = self.workshop.now;
        let age = (plan.age)(self.workshop.window_seconds);
        let control = self.workshop.at("control", age.saturating_neg())?;
        self.talk.setting("repeat.control", self.workshop.curl(&control));
        let Some(shown) = self.right("control", &control, before.as_deref()).await else {
            return Ok(());
        };
        let mut last = shown.as_ref().and_then(|it| self.version_of(it));
        for it in self.wished(plan, &control, Wish::Taken)? {
            let label = format!("taken.{}", it.name);
            let shown = self.right(&label, &it.message, last.as_deref()).await.flatten();
            last = shown.as_ref().and_then(|it| self.version_of(it)).or(last);
        }
        self.refused(plan, &control, last).await?;
        if plan.late {
            self.late(&control, signed_at).await?;
        }
        let heavy = self.wished(plan, &control, Wish::Answered)?;
        for it in &heavy {
            let ask = self.workshop.ask(&it.message).hostile();
            self.talk.send(&format!("heavy.{}", it.name), ask).await;
        }
        if !heavy.is_empty() {
            self.workshop.now = self.talk.now();
            let alive = self.workshop.right("alive")?;
            let ask = self.workshop.ask(&alive);
            self.talk.send("alive", ask).await;
        }
        Ok(())
    }

    /// The messages of a plan that have to come to this, made now.
    fn wished(
        &mut self,
        plan: &Plan,
        control: &Message,
        wish: Wish,
    ) -> Result<Vec<Sent>, WebhookError> {
        self.workshop.now = self.talk.now();
        let mut all = (plan.sends)(&self.workshop, control)?;
        all.retain(|it| it.wish == wish);
        let setting = match wish {
            Wish::Answered => "heavy",
            Wish::Refused => "wrong",
            Wish::Taken => "taken",
        };
        let names: Vec<Value> = all.iter().map(|it| it.name.into()).collect();
        self.talk.setting(setting, names);
        for it in &all {
            let curl: String = self.workshop.curl(&it.message).chars().take(REPEAT_MAX).collect();
            self.talk.setting(&format!("repeat.{}", it.name), curl);
        }
        Ok(all)
    }

    /// Sends wrong messages, listens whether they have an effect, and sends a right one again.
    async fn refused(
        &mut self,
        plan: &Plan,
        control: &Message,
        last: Option<String>,
    ) -> Result<(), WebhookError> {
        if self.is_object() {
            self.talk.pause("quiet", self.listen).await;
            self.version("quiet").await;
        }
        let wrong = self.wished(plan, control, Wish::Refused)?;
        for it in &wrong {
            let ask = self.workshop.ask(&it.message).hostile();
            self.talk.send(&format!("wrong.{}", it.name), ask).await;
        }
        self.talk.pause("listen", self.listen).await;
        let after = self.look("effects", control, &wrong).await;
        self.workshop.now = self.talk.now();
        let closing = self.workshop.right("closing")?;
        let last = after.or(last);
        let shown = self.right("closing", &closing, last.as_deref()).await;
        if let Some(Some(answer)) = shown
            && !self.is_object()
        {
            self.count("effects", &answer, control, &wrong);
        }
        Ok(())
    }

    pub(super) fn is_object(&self) -> bool {
        self.oracle.as_ref().is_some_and(|it| it.kind == EffectsKind::Object)
    }

    /// Sends a right event and waits for its effect. None means that there is no use going on;
    /// inside is what showed the effect, where anything shows effects.
    pub(super) async fn right(
        &mut self,
        label: &str,
        message: &Message,
        before: Option<&str>,
    ) -> Option<Option<Received>> {
        let ask = self.workshop.ask(message);
        if !self.talk.send(label, ask).await.is_success() {
            return None;
        }
        let Some(oracle) = &self.oracle else { return Some(None) };
        let fits = |it: &Received| match oracle.seen(it) {
            Some(Seen::Feed(ids)) => ids.contains(&message.id),
            Some(Seen::Object(version)) => before.is_some_and(|it| it != version),
            None => false,
        };
        let label = format!("{label}-effect");
        let times = times(self.listen);
        let answer = self.talk.poll(&label, &oracle.ask, times, fits).await;
        let version = answer.as_ref().and_then(|it| self.version_of(it));
        let value = json!({ "seen": answer.is_some(), "version": version });
        self.talk.fact(&label, "effects", value);
        answer.map(Some)
    }

    /// Whether a message had an effect, where anything shows effects.
    pub(super) async fn has_effect(
        &mut self,
        label: &str,
        message: &Message,
        before: Option<&str>,
    ) -> Option<bool> {
        let oracle = self.oracle.as_ref()?;
        let ask = oracle.ask.clone();
        let answer = self.talk.send(&format!("{label}-effect"), ask).await;
        match self.oracle.as_ref()?.seen(&answer)? {
            Seen::Feed(ids) => Some(ids.contains(&message.id)),
            Seen::Object(version) => before.map(|it| it != version),
        }
    }

    pub(super) fn version_of(&self, answer: &Received) -> Option<String> {
        match self.oracle.as_ref()?.seen(answer)? {
            Seen::Feed(_) => None,
            Seen::Object(version) => Some(version),
        }
    }

    /// The version of the canary object, where there is one.
    pub(super) async fn version(&mut self, label: &str) -> Option<String> {
        let oracle = self.oracle.as_ref().filter(|it| it.kind == EffectsKind::Object)?;
        let answer = self.talk.send(&format!("{label}-object"), oracle.ask.clone()).await;
        let (value, version) = match oracle.seen(&answer) {
            Some(Seen::Object(version)) => (json!({ "version": version }), Some(version)),
            _ => (json!({ "error": answer.words() }), None),
        };
        self.talk.fact(label, "effects", value);
        version
    }

    /// Which effects there are now.
    pub(super) async fn look(
        &mut self,
        label: &str,
        control: &Message,
        wrong: &[Sent],
    ) -> Option<String> {
        let ask = self.oracle.as_ref()?.ask.clone();
        let answer = self.talk.send(label, ask).await;
        self.count(label, &answer, control, wrong);
        self.version_of(&answer)
    }

    /// Writes down which effects an answer shows.
    pub(super) fn count(
        &mut self,
        label: &str,
        answer: &Received,
        control: &Message,
        wrong: &[Sent],
    ) {
        let Some(oracle) = &self.oracle else { return };
        let value = match read(oracle.kind, answer) {
            Ok(Seen::Feed(ids)) => {
                let count = |id: &str| ids.iter().filter(|it| *it == id).count();
                let wrong = wrong.iter().filter(|it| it.message.id != control.id);
                let wrong: Map<String, Value> =
                    wrong.map(|it| (it.name.to_owned(), count(&it.message.id).into())).collect();
                json!({ "control": count(&control.id), "wrong": wrong })
            }
            Ok(Seen::Object(version)) => json!({ "version": version }),
            Err(error) => json!({ "error": error }),
        };
        self.talk.fact(label, "effects", value);
    }
}

/// How long to wait for the effect of a right event, and how often to look.
fn times(listen: Period) -> (Period, Period) {
    let limit = Period::from_millis(listen.millis().saturating_mul(2).max(LIMIT_MS_MIN));
    (limit, Period::from_millis((listen.millis() / 8).clamp(EVERY_MS_MIN, EVERY_MS_MAX)))
}

/// How much of a request to repeat by hand is kept.
const REPEAT_MAX: usize = 8_000;
const LIMIT_MS_MIN: u64 = 1_000;
const EVERY_MS_MIN: u64 = 50;
const EVERY_MS_MAX: u64 = 5_000;
