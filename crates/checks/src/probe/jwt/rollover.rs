//! Does the resource server follow its issuer when keys change?
//!
//! A key that has just been published has to work soon, and one that was withdrawn has to end: else a stolen key
//! works for ever. And tokens with names that nobody published must not make it read the keys again and again.
//!
//! Source: RFC 8725, section 3.8; the numbers are policy; JWT-17.

use std::sync::Arc;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;
use serde_json::{Value, json};

use super::bench::{Bench, Signer, Token, by, new_pair, pair_alg};
use super::confused::is_asymmetric;
use super::hear::{exclusive, hide, right, subjects, untrusted};
use crate::check::{Check, Info, Stage};
use crate::harness::issuer::Issuer;
use crate::harness::keys::KeyPair;
use crate::live::ask::Received;
use crate::probe::refusal::{nobody, right as right_judgement, success};
use crate::talk::Talk;

pub(super) const CHECK: FollowsKeyRollover = FollowsKeyRollover;

/// Does the resource server follow its issuer when keys change?
#[derive(Debug, Clone, Copy)]
pub(crate) struct FollowsKeyRollover;

#[async_trait::async_trait]
impl Check for FollowsKeyRollover {
    fn info(&self) -> &'static Info {
        &Info {
            name: "follows_key_rollover",
            case: Some("JWT-17"),
            controls: &["CTS-CRD-04", "CTS-TOK-02"],
            question: "Does the resource server follow its issuer when keys change?",
            sends: "A right token; tokens of a key that has just been published, until one is accepted; tokens of that key after it was withdrawn, until one is refused; a dozen tokens with names of keys that nobody published; then a right token again. The windows are the profile's, shortened to what `jwks_max_age` declares.",
            passes: "The new key works and the withdrawn one ends inside their windows, and the dozen makes it read the issuer's keys once a minute (or once in `jwks_max_age`) at most.",
            risk: "A stolen key works after it was withdrawn, or anybody makes the server flood its issuer.",
            fix: "Keep the issuer's keys for some minutes, read them again when they are old, and for an unknown `kid` at most once a minute.",
            source: "RFC 8725, section 3.8; the numbers are policy; JWT-17.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        subjects(manifest, is_asymmetric)
    }

    fn exclusive(&self, _: &str, manifest: &Manifest) -> Option<String> {
        Some(exclusive(manifest))
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some(mut bench) = Bench::set_up(subject, manifest, talk).await else { return };
        let new = talk.figure("CTS-TOK-02.new_key_seconds").unwrap_or(NEW_SECONDS);
        let removed = talk.figure("CTS-TOK-02.removed_key_seconds").unwrap_or(REMOVED_SECONDS);
        let keep = bench.resource.jwks_max_age;
        if let Some(keep) = keep {
            talk.setting("keep_ms", keep.millis());
        }
        if !right(&mut bench, talk, "control").await {
            return;
        }
        let Some(alg) = pair_alg(bench.resource.alg) else { return };
        let (Some(pair), Some(stranger)) = (new_pair(alg).await, new_pair(alg).await) else {
            return;
        };
        bench.issuer.publish(&pair);
        let shown = Shown { issuer: Arc::clone(&bench.issuer), kid: pair.kid().to_owned() };
        let accepted =
            until((&mut bench, &pair), talk, ("new-key", window(new, keep)), Received::is_success);
        let accepted = accepted.await;
        drop(shown);
        if accepted {
            let refuses = |it: &Received| matches!(it.status, 400 | 401 | 403);
            let window = window(removed, keep);
            until((&mut bench, &pair), talk, ("withdrawn-key", window), refuses).await;
        }
        flood((&mut bench, &stranger), talk).await;
        right(&mut bench, talk, "closing").await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let judgement = judged(transcript);
        match transcript.text("place") {
            Some(place) => judgement.at(place),
            None => judgement,
        }
    }
}

/// A key that is published until this is dropped, whatever happens.
struct Shown {
    issuer: Arc<Issuer>,
    kid: String,
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.issuer.withdraw(&self.kid);
    }
}

/// The profile's window; twice the declared time and a little, where that is shorter.
fn window(seconds: u64, keep: Option<Period>) -> Period {
    let policy = Period::from_seconds(seconds);
    let declared = keep.map(|it| Period::from_millis(it.millis().saturating_mul(2) + GRACE_MS));
    declared.map_or(policy, |it| it.min(policy))
}

fn token(bench: &mut Bench, talk: &mut Talk, pair: &Arc<KeyPair>, label: &str) -> Option<Token> {
    (bench.now, bench.label) = (talk.now(), label.to_owned());
    let mut header = bench.header();
    header.insert("kid".to_owned(), pair.kid().into());
    let mut claims = bench.claims();
    // It is sent again and again, and ends after the longest window.
    claims.insert("exp".to_owned(), (bench.now.seconds() + LIFE_SECONDS).into());
    let (header, claims) = (Value::Object(header).to_string(), Value::Object(claims).to_string());
    let who = format!("signed with the key `{}` of the issuer", pair.kid());
    let token = by(&Signer::Pair(Arc::clone(pair)), &header, &claims, &who)?;
    hide(talk, &token);
    talk.setting(&format!("repeat.{label}"), bench.repeat(&token));
    Some(token)
}

/// Sends a token until the answer fits, and writes down how long that took.
async fn until(
    (bench, pair): (&mut Bench, &Arc<KeyPair>),
    talk: &mut Talk,
    (label, window): (&str, Period),
    fits: impl Fn(&Received) -> bool + Send,
) -> bool {
    let Some(token) = token(bench, talk, pair, label) else { return false };
    let Some(ask) = bench.ask(&token) else { return false };
    let every = Period::from_millis((window.millis() / 20).clamp(EVERY_MS_MIN, EVERY_MS_MAX));
    let start = talk.stopwatch_ms();
    let found = talk.poll(label, &ask.hostile(), (window, every), fits).await;
    let after_ms = talk.stopwatch_ms().saturating_sub(start);
    let value =
        json!({ "fits": found.is_some(), "after_ms": after_ms, "window_ms": window.millis() });
    talk.fact(label, "partner", value);
    found.is_some()
}

/// A dozen tokens with names that nobody published.
async fn flood((bench, stranger): (&mut Bench, &Arc<KeyPair>), talk: &mut Talk) {
    let (before, start) = (bench.issuer.reads(), talk.stopwatch_ms());
    let mut answered = 0;
    for number in 0..FLOOD {
        (bench.now, bench.label) = (talk.now(), format!("flood-{number}"));
        let mut header = bench.header();
        header.insert("kid".to_owned(), format!("{}-{number}", stranger.kid()).into());
        let (header, claims) =
            (Value::Object(header).to_string(), Value::Object(bench.claims()).to_string());
        let who = "signed with a key that nobody published";
        let token = by(&Signer::Pair(Arc::clone(stranger)), &header, &claims, who);
        let Some(token) = token else { continue };
        let Some(ask) = bench.ask(&token) else { continue };
        hide(talk, &token);
        if number == 0 {
            talk.setting("repeat.flood", bench.repeat(&token));
        }
        let received = talk.send("flood", ask.hostile()).await;
        answered += u64::from(received.failure.is_none());
    }
    let reads = bench.issuer.reads().saturating_sub(before);
    let took_ms = talk.stopwatch_ms().saturating_sub(start);
    let value = json!({ "sent": FLOOD, "answered": answered, "reads": reads, "took_ms": took_ms });
    talk.fact("flood", "harness", value);
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(error) = nobody(transcript) {
        return Judgement::inconclusive("nothing could be sent").observed(error);
    }
    if let Some(judgement) = right_judgement(transcript, success, "control") {
        return untrusted(transcript, judgement);
    }
    let expected = expected(transcript);
    let number =
        |label: &str, name: &str| -> Option<u64> { transcript.fact(label)?.get(name)?.as_u64() };
    let fits = |label: &str| transcript.fact(label).and_then(|it| it.get("fits")?.as_bool());
    let status = |label: &str| transcript.exchange(label).and_then(|it| it.answer.status());
    let listened = |label: &str| number(label, "after_ms").unwrap_or_default();
    let fail = |label: &str, sentence: &str| {
        let judgement = Judgement::fail(sentence).expected(expected.clone());
        match transcript.text(&format!("repeat.{label}")) {
            Some(repeat) => judgement.repeat(repeat),
            None => judgement,
        }
    };
    if fits("withdrawn-key") == Some(false) && status("withdrawn-key").is_some_and(is_taken) {
        let observed = format!("still accepted after {} ms", listened("withdrawn-key"));
        let sentence = "a key that its issuer has withdrawn still works";
        return fail("withdrawn-key", sentence).observed(observed);
    }
    // Whoever went away meanwhile refused nothing.
    if let Some(judgement) = right_judgement(transcript, success, "closing") {
        return judgement;
    }
    if fits("new-key") == Some(false) && matches!(status("new-key"), Some(400 | 401 | 403)) {
        let observed = format!("still refused after {} ms", listened("new-key"));
        return fail("new-key", "a key that its issuer has published does not work")
            .observed(observed);
    }
    let (Some(true), Some(true)) = (fits("new-key"), fits("withdrawn-key")) else {
        return Judgement::inconclusive("the answers about a changed key say nothing")
            .expected(expected);
    };
    let flood = |name: &str| number("flood", name);
    let (Some(sent), Some(answered), Some(reads), Some(took_ms)) =
        (flood("sent"), flood("answered"), flood("reads"), flood("took_ms"))
    else {
        return Judgement::inconclusive("no flood of unknown keys was sent").expected(expected);
    };
    let seen = format!("{reads} reads of the key set for {sent} unknown keys in {took_ms} ms");
    if allowed(transcript, took_ms) < reads {
        return fail("flood", "unknown keys make it read the issuer's keys again and again")
            .observed(seen);
    }
    if answered < sent {
        return Judgement::inconclusive("tokens of unknown keys have no answer").expected(expected);
    }
    let (new, gone) = (listened("new-key"), listened("withdrawn-key"));
    Judgement::pass("it follows its issuer when keys change")
        .observed(format!(
            "the new key worked after {new} ms, the withdrawn one ended after {gone} ms; {seen}"
        ))
        .expected(expected)
}

fn is_taken(status: u16) -> bool {
    (200..300).contains(&status)
}

/// How often a key set may be read: once for what is unknown, once for what is old, and once in each
/// time that keys are kept.
fn allowed(transcript: &Transcript, took_ms: u64) -> u64 {
    let keep_ms = transcript.number("keep_ms").unwrap_or(MINUTE_MS).clamp(1, MINUTE_MS);
    2 + took_ms / keep_ms
}

fn expected(transcript: &Transcript) -> String {
    let window = |label: &str, seconds: u64| {
        let fact = transcript.fact(label).and_then(|it| it.get("window_ms")?.as_u64());
        fact.unwrap_or(seconds * 1_000)
    };
    format!(
        "a new key works within {} ms, a withdrawn one ends within {} ms, and unknown ones cause one read a minute",
        window("new-key", NEW_SECONDS),
        window("withdrawn-key", REMOVED_SECONDS)
    )
}

const NEW_SECONDS: u64 = 300;
const REMOVED_SECONDS: u64 = 900;
const GRACE_MS: u64 = 1_000;
const LIFE_SECONDS: i64 = 1_500;
const EVERY_MS_MIN: u64 = 50;
const EVERY_MS_MAX: u64 = 10_000;
const FLOOD: u32 = 12;
const MINUTE_MS: u64 = 60_000;

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judged, judges, sample};

    fn seen(new: (bool, u16), gone: (bool, u16), reads: u64, closing: u16) -> Sample {
        let fact = |fits: bool| json!({"fits": fits, "after_ms": 410, "window_ms": 1_800});
        let flood = json!({"sent": 12, "answered": 12, "reads": reads, "took_ms": 60});
        let sample = sample()
            .setting("keep_ms", 400)
            .setting("repeat.flood", "curl flood")
            .answered("control", 200, "")
            .answered("new-key", new.1, "")
            .fact("new-key", fact(new.0));
        let sample = if new.0 {
            sample.answered("withdrawn-key", gone.1, "").fact("withdrawn-key", fact(gone.0))
        } else {
            sample
        };
        sample.fact("flood", flood).answered("closing", closing, "")
    }

    #[test]
    fn keys_come_in_time_and_go_in_time() {
        let right = (true, 200);
        let table = [
            ("right", seen(right, (true, 401), 1, 200), Pass),
            ("a read for what is old, too", seen(right, (true, 401), 2, 200), Pass),
            ("new key does not work", seen((false, 401), right, 0, 200), Fail),
            ("withdrawn key works", seen(right, (false, 200), 0, 200), Fail),
            ("reads for each", seen(right, (true, 401), 12, 200), Fail),
            ("breaks on new keys", seen((false, 500), right, 0, 200), Inconclusive),
            ("breaks on withdrawn ones", seen(right, (false, 500), 0, 200), Inconclusive),
            ("goes away", seen((false, 401), right, 0, 401), Inconclusive),
            ("trusts nobody", sample().answered("control", 401, ""), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[4].1);
        insta::assert_snapshot!(judgement.observed, @"12 reads of the key set for 12 unknown keys in 60 ms");
        assert_eq!(judgement.repeat.as_deref(), Some("curl flood"));
        let judgement = judged(&CHECK, &table[0].1);
        insta::assert_snapshot!(judgement.observed, @"the new key worked after 410 ms, the withdrawn one ended after 410 ms; 1 reads of the key set for 12 unknown keys in 60 ms");
    }

    #[test]
    fn windows_follow_what_is_declared_and_never_exceed_the_profile() {
        let millis = |keep| window(300, keep).millis();
        assert_eq!(millis(None), 300_000);
        assert_eq!(millis(Some(Period::from_millis(400))), 1_800);
        assert_eq!(millis(Some(Period::from_seconds(86_400))), 300_000);
    }
}
