//! One check of this group: a right token, wrong ones, and a right one again.

use countersign_model::check::{Entry, Exchange, Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Resource;
use serde_json::Value;

use super::bench::{Bench, Token};
use crate::check::{Check, Info, Stage};
use crate::probe::refusal::{self, Refusals};
use crate::talk::Talk;

/// Makes a wrong token; none where it makes no sense here.
pub(super) type Make = fn(&Bench) -> Option<Token>;

/// A check that sends wrong tokens, all of which have to be refused.
pub(crate) struct Refuses {
    pub(super) info: &'static Info,
    pub(super) case: Refusals,
    /// Which resources it is about.
    pub(super) applies: fn(&Resource) -> bool,
    pub(super) wrong: &'static [(&'static str, Make)],
    /// Tokens that may be taken or refused: what came of them is told.
    pub(super) noted: &'static [(&'static str, Make)],
    /// How many milliseconds an answer to a wrong one may take; three times a right one is always allowed.
    pub(super) limit_ms: Option<u64>,
}

/// Every resource.
pub(super) fn every(_: &Resource) -> bool {
    true
}

/// The resources that a check is about.
pub(super) fn subjects(manifest: &Manifest, applies: fn(&Resource) -> bool) -> Vec<String> {
    let resources = manifest.resources.iter().filter(|it| applies(it));
    resources.map(|it| it.id.to_string()).collect()
}

/// One check at a time asks for an issuer's keys, so that its reads can be counted.
pub(super) fn exclusive(manifest: &Manifest) -> String {
    format!("issuer:{}", manifest.integration.id)
}

#[async_trait::async_trait]
impl Check for Refuses {
    fn info(&self) -> &'static Info {
        self.info
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        subjects(manifest, self.applies)
    }

    fn exclusive(&self, _: &str, manifest: &Manifest) -> Option<String> {
        Some(exclusive(manifest))
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some(mut bench) = Bench::set_up(subject, manifest, talk).await else { return };
        if let Some(limit_ms) = self.limit_ms {
            talk.setting("limit_ms", limit_ms);
        }
        if !right(&mut bench, talk, "control").await {
            return;
        }
        let wrong = send_all(&mut bench, talk, self.wrong, self.limit_ms).await;
        talk.setting("wrong", wrong);
        let noted = send_all(&mut bench, talk, self.noted, None).await;
        talk.setting("noted", noted);
        right(&mut bench, talk, "closing").await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        judge(transcript, &self.case)
    }
}

/// Sends a right token, and says whether it was taken.
pub(super) async fn right(bench: &mut Bench, talk: &mut Talk, label: &str) -> bool {
    (bench.now, bench.label) = (talk.now(), label.to_owned());
    let Some(token) = bench.right() else { return false };
    let Some(ask) = bench.ask(&token) else { return false };
    hide(talk, &token);
    talk.setting(&format!("repeat.{label}"), bench.repeat(&token));
    talk.send(label, ask).await.is_success()
}

async fn send_all(
    bench: &mut Bench,
    talk: &mut Talk,
    tokens: &[(&'static str, Make)],
    limit_ms: Option<u64>,
) -> Vec<Value> {
    let mut names = Vec::new();
    for (name, make) in tokens {
        (bench.now, bench.label) = (talk.now(), (*name).to_owned());
        let Some(token) = make(bench) else { continue };
        names.push((*name).into());
        send(bench, talk, (name, &token), limit_ms).await;
    }
    names
}

/// Sends a wrong token; again, when the answer took longer than it may: another load of this machine
/// or of theirs is not the token's doing.
pub(super) async fn send(
    bench: &Bench,
    talk: &mut Talk,
    (name, token): (&str, &Token),
    limit_ms: Option<u64>,
) {
    let Some(ask) = bench.ask(token) else { return };
    hide(talk, token);
    talk.setting(&format!("repeat.{name}"), bench.repeat(token));
    let label = format!("wrong.{name}");
    for _ in 0..TRIES {
        let received = talk.send(&label, ask.clone().hostile()).await;
        let Some(limit_ms) = limit_ms else { return };
        let seen = talk.transcript();
        let slow = quickest(seen, &label).is_some_and(|it| allowed(seen, limit_ms) < it);
        if !slow || received.failure.is_some() {
            return;
        }
    }
}

pub(super) fn hide(talk: &mut Talk, token: &Token) {
    if let Some(text) = &token.text {
        talk.hide(text);
    }
}

/// Judges such a talk.
pub(super) fn judge(transcript: &Transcript, case: &Refusals) -> Judgement {
    let judgement = refusal::judge(transcript, case);
    match judgement.verdict {
        Verdict::Inconclusive => untrusted(transcript, judgement),
        Verdict::Pass => slow(transcript, case).unwrap_or_else(|| noted(transcript, judgement)),
        Verdict::Fail | Verdict::NotApplicable => judgement,
    }
}

/// A right token that is refused is mostly a matter of set-up: says what to do.
pub(super) fn untrusted(transcript: &Transcript, judgement: Judgement) -> Judgement {
    let status = transcript.exchange("control").and_then(|it| it.answer.status());
    let (Some(401 | 403), Some(issuer)) = (status, transcript.text("issuer")) else {
        return judgement;
    };
    let trust = format!(
        "the resource server has to trust the issuer `{issuer}` in this test; its keys are at `{issuer}/jwks`"
    );
    judgement.details([trust])
}

/// A token that is refused, and takes too long for it.
fn slow(transcript: &Transcript, case: &Refusals) -> Option<Judgement> {
    let limit_ms = allowed(transcript, transcript.number("limit_ms")?);
    let late = names(transcript, "wrong").find_map(|name| {
        let took = quickest(transcript, &format!("wrong.{name}"))?;
        (limit_ms < took).then_some((name, took))
    });
    let (name, took) = late?;
    let judgement = Judgement::fail(format!("{} keeps it busy", case.one))
        .observed(format!("{took} ms for `{name}`, at best"))
        .expected(format!("a refusal within {limit_ms} ms"))
        .at(transcript.text("place").unwrap_or("resource"));
    Some(match transcript.text(&format!("repeat.{name}")) {
        Some(repeat) => judgement.repeat(repeat),
        None => judgement,
    })
}

fn noted(transcript: &Transcript, judgement: Judgement) -> Judgement {
    let lines: Vec<String> = names(transcript, "noted")
        .filter_map(|name| {
            let label = format!("wrong.{name}");
            let exchange = transcript.exchange(&label)?;
            Some(format!("for information: {} for `{name}`", exchange.answer.words()))
        })
        .collect();
    if lines.is_empty() { judgement } else { judgement.details(lines) }
}

fn names<'a>(transcript: &'a Transcript, setting: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let names = transcript.settings.get(setting).and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// The quickest answer under this label.
fn quickest(transcript: &Transcript, label: &str) -> Option<u64> {
    exchanges(transcript).filter(|it| it.label == label).map(|it| it.elapsed_ms).min()
}

/// How long an answer may take: right tokens take their time, too.
fn allowed(transcript: &Transcript, limit_ms: u64) -> u64 {
    let right = exchanges(transcript).filter(|it| ["control", "closing"].contains(&&*it.label));
    let slowest = right.map(|it| it.elapsed_ms).max().unwrap_or_default();
    limit_ms.max(slowest.saturating_mul(3))
}

fn exchanges(transcript: &Transcript) -> impl Iterator<Item = &Exchange> {
    transcript.entries.iter().filter_map(|it| match it {
        Entry::Exchange(it) => Some(it),
        _ => None,
    })
}

/// Refusals of what is too large count as well.
pub(super) fn no_or_too_large(exchange: &Exchange) -> bool {
    refusal::no(exchange) || matches!(exchange.answer.status(), Some(413 | 414 | 431))
}

const TRIES: usize = 3;
