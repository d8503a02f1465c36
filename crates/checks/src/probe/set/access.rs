//! What a canary can do, and how soon it can do it no more.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::EventSubscription;
use countersign_model::time::Period;
use serde_json::{Value, json};

use super::judge::{last, last_fact, not_begun, placed, words};
use super::visit::{Opened, Visit, visit};
use crate::check::{Check, Info, Stage};
use crate::live::ask::{Ask, Received};
use crate::talk::Talk;

/// An event about a canary, and what it must end.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(super) info: &'static Info,
    /// The kind of event.
    pub(super) kind: &'static str,
    /// What it carries beside its moment, made with the credential type of the manifest.
    pub(super) payload: fn(&str) -> Value,
    /// What it must end.
    pub(super) ends: fn(&Opened) -> &str,
    /// `a revoked session`.
    pub(super) one: &'static str,
}

#[async_trait::async_trait]
impl Check for Ends {
    fn info(&self) -> &'static Info {
        self.info
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        super::subjects_with(manifest, &[self.kind])
    }

    fn exclusive(&self, subject: &str, manifest: &Manifest) -> Option<String> {
        super::exclusive(subject, manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((_, event)) = super::subscription(manifest, subject) else { return };
        let Some(mut visit) = visit(subject, manifest, talk).await else { return };
        let Some(canary) = visit.open("open", event).await else { return };
        let token = (self.ends)(&canary);
        if !uses(&mut visit, event, "access-before", token).await {
            return;
        }
        let credential = event.stream.as_ref().and_then(|it| it.canary.as_ref());
        let payload = (self.payload)(credential.map_or("", |it| it.credential_type.as_str()));
        if !push(&mut visit, "event", (self.kind, &canary.subject, payload), Period::default())
            .await
        {
            return;
        }
        ended(&mut visit, event, token).await;
        let Some(next) = visit.open("open-again", event).await else { return };
        uses(&mut visit, event, "access-after", (self.ends)(&next)).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        placed(transcript, judged(transcript, self.one))
    }
}

/// Pushes a right event about a canary, as of some time ago; says whether it was acknowledged.
pub(super) async fn push(
    visit: &mut Visit<'_>,
    label: &str,
    (kind, subject, payload): (&str, &str, Value),
    age: Period,
) -> bool {
    visit.maker.now = visit.talk.now();
    let moment = visit.maker.now - age;
    let Some(event) = visit.maker.about(label, kind, subject, payload, moment) else {
        return false;
    };
    visit.talk.setting(&format!("repeat.{label}"), visit.maker.curl(&event));
    visit.talk.send(label, visit.maker.ask(&event)).await.is_success()
}

fn ask(event: &EventSubscription, token: &str) -> Option<Ask> {
    let canary = event.stream.as_ref()?.canary.as_ref()?;
    Some(Ask::parse(&canary.access)?.bearer(Some(token)))
}

/// Whether a token of the canary's opens its call.
pub(super) async fn uses(
    visit: &mut Visit<'_>,
    event: &EventSubscription,
    label: &str,
    token: &str,
) -> bool {
    let Some(ask) = ask(event, token) else { return false };
    visit.talk.send(label, ask).await.is_success()
}

/// Uses a token until it is refused, or until the declared time is over.
pub(super) async fn ended(visit: &mut Visit<'_>, event: &EventSubscription, token: &str) -> bool {
    let Some(ask) = ask(event, token) else { return false };
    let declared = event.stream.as_ref().map_or(Period::default(), |it| it.within);
    let asked = visit.talk.figure("CTS-SET-01.effect_seconds").map(Period::from_seconds);
    let within = asked.map_or(declared, |it| it.min(declared));
    visit.talk.setting("within_ms", within.millis());
    let every = Period::from_millis((within.millis() / 20).clamp(EVERY_MS_MIN, EVERY_MS_MAX));
    let start = visit.talk.stopwatch_ms();
    let refused = |it: &Received| matches!(it.status, 401 | 403);
    let answer = visit.talk.poll("access-ended", &ask, (within, every), refused).await;
    let spent_ms = visit.talk.stopwatch_ms().saturating_sub(start);
    let value = json!({ "ended": answer.is_some(), "ms": spent_ms });
    visit.talk.fact("ended", "partner", value);
    answer.is_some()
}

fn judged(transcript: &Transcript, one: &str) -> Judgement {
    let within = transcript.number("within_ms").unwrap_or(0);
    let expected = format!("a refusal (401 or 403) within {within} ms");
    if let Some(judgement) = not_begun(transcript) {
        return judgement;
    }
    if let Some(judgement) = unless_used(transcript, "access-before") {
        return judgement;
    }
    let pushed = last(transcript, "event");
    if !pushed.is_some_and(|it| it.answer.is_success()) {
        let observed = pushed.map_or("nothing was sent".to_owned(), |it| words(&it.answer));
        return Judgement::inconclusive("a right event is not acknowledged").observed(observed);
    }
    let ended = last_fact(transcript, "ended");
    let ms = ended.and_then(|it| it.get("ms")?.as_u64()).unwrap_or(0);
    let answer = last(transcript, "access-ended");
    if ended.and_then(|it| it.get("ended")?.as_bool()) != Some(true) {
        let is_used = answer.is_some_and(|it| it.answer.is_success());
        let observed = answer.map_or("nothing".to_owned(), |it| it.answer.words());
        if is_used {
            let judgement = Judgement::fail(format!("{one} goes on working"))
                .observed(format!("{observed} after {ms} ms"))
                .expected(expected);
            return match transcript.text("repeat.event") {
                Some(repeat) => judgement.repeat(repeat),
                None => judgement,
            };
        }
        return Judgement::inconclusive(format!("{one} gets no clear answer")).observed(observed);
    }
    // Somebody who refuses everybody has ended nothing.
    if let Some(judgement) = unless_used(transcript, "access-after") {
        return judgement;
    }
    Judgement::pass(format!("{one} is refused"))
        .observed(format!("refused after {ms} ms"))
        .expected(expected)
}

/// Unless a canary that is signed in is let in: then nothing can be concluded.
pub(super) fn unless_used(transcript: &Transcript, label: &str) -> Option<Judgement> {
    let exchange = last(transcript, label);
    if exchange.is_some_and(|it| it.answer.is_success()) {
        return None;
    }
    let observed = exchange.map_or("nothing was sent".to_owned(), |it| words(&it.answer));
    let sentence = "a canary that has just signed in is not let in";
    Some(Judgement::inconclusive(sentence).observed(observed).expected("2xx, as control"))
}

const EVERY_MS_MIN: u64 = 50;
const EVERY_MS_MAX: u64 = 2_000;

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judges, sample};

    fn seen(before: u16, pushed: u16, last: u16, after: u16) -> Sample {
        let ended = json!({ "ended": last == 401, "ms": 120 });
        sample()
            .setting("within_ms", 2_000)
            .answered("access-before", before, "")
            .answered("event", pushed, "")
            .answered("access-ended", last, "")
            .fact("ended", ended)
            .answered("access-after", after, "")
    }

    #[test]
    fn an_end_counts_only_where_others_are_let_in() {
        let table = [
            ("ended", seen(200, 202, 401, 200), Pass),
            ("goes on", seen(200, 202, 200, 200), Fail),
            ("refuses everybody", seen(401, 202, 401, 401), Inconclusive),
            ("refuses everybody from now on", seen(200, 202, 401, 401), Inconclusive),
            ("breaks", seen(200, 202, 500, 200), Inconclusive),
            ("event refused", seen(200, 400, 401, 200), Inconclusive),
            ("no canary", sample().fact("setup", json!({"error": "no canary"})), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        judges(&super::super::session_revoked::CHECK, &table);
        judges(&super::super::key_revoked::CHECK, &table);
    }
}
