//! Does the platform serve every call while a key is changed?
//!
//! A key that can only be changed with an outage is not changed in a hurry. So a throw-away copy of the
//! client works without a break, fetching tokens and calling the API, while its key is changed as it
//! should be: a second key is registered, the copy switches, the first key is taken away. No call may
//! fail, the first key has to be dead at the end, and nobody but the connector may have had to act.
//!
//! How hard the copy works can be set: by default 10 times a second for 4 s, on request of a drill up to
//! 200 times a second for a minute. Where a client may get so many tokens in an hour only, it fetches
//! half as many at most, and uses each for several calls. Where there is no API to call, introspection is
//! asked about the token instead. Only identities that declare a rotation are
//! looked at: the partner's own part of it is the question of other checks.
//!
//! Source: NIST SP 800-53r5, IA-5 and SC-12; NIST SP 800-57 Part 1 r5, 5.3.4; OWASP NHI7:2025; CTS-CRD-04.

mod client;

use std::collections::BTreeSet;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Identity;
use countersign_model::time::{Period, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tries::{self, OPEN, SHUT};
use crate::check::{Check, Info, Stage};
use crate::granted::{identity, token_clients};
use crate::live::entropy;
use crate::platform::{ClientCopy, Platform, Seed, TokenRequest};
use crate::talk::Talk;
use client::{PHASES, Pace, Tally, Worker};

/// How often a copy works in a second where nobody says.
const PER_SECOND: u64 = 10;
/// However much is asked for.
pub const PER_SECOND_MAX: u64 = 200;
/// For how long it works where nobody says.
const SECONDS: u64 = 4;
/// However much is asked for.
pub const SECONDS_MAX: u64 = 60;
/// The setting that says how often it works in a second.
const PER_SECOND_SETTING: &str = "drill.load_per_second";
/// The setting that says for how many seconds.
const SECONDS_SETTING: &str = "drill.load_seconds";

/// How hard a copy works, as a drill asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Pieces of work in a second: a token and a call each.
    pub per_second: u64,
    /// For so many seconds.
    pub seconds: u64,
}

impl Default for Load {
    fn default() -> Self {
        Self { per_second: 50, seconds: 20 }
    }
}

impl Load {
    /// As checks read it.
    pub fn settings(self) -> [(String, Value); 2] {
        [(PER_SECOND_SETTING, self.per_second), (SECONDS_SETTING, self.seconds)]
            .map(|(name, it)| (name.to_owned(), it.into()))
    }

    /// Why it may not be had.
    pub fn refusal(self) -> Option<String> {
        let is_right = |it: u64, most: u64| (1..=most).contains(&it);
        let is_allowed =
            is_right(self.per_second, PER_SECOND_MAX) && is_right(self.seconds, SECONDS_MAX);
        (!is_allowed)
            .then(|| format!("a load is 1 to {PER_SECOND_MAX} a second, for 1 to {SECONDS_MAX} s"))
    }
}

/// Does the platform serve every call while a key is changed?
#[derive(Debug, Clone, Copy)]
pub struct ServesEveryCallWhileAKeyIsChanged;

#[async_trait::async_trait]
impl Check for ServesEveryCallWhileAKeyIsChanged {
    fn info(&self) -> &'static Info {
        &Info {
            name: "serves_every_call_while_a_key_is_changed",
            case: None,
            controls: &["CTS-CRD-04"],
            question: "Does the platform serve every call while a key is changed?",
            sends: "A throw-away copy of the client fetches tokens and calls the API, 10 times a second for 4 s or as a drill asks. Meanwhile a second key is registered, the copy switches to it, and the first one is taken away. At the end both keys are tried.",
            passes: "No call failed, the first key gets no token at the end, the second one does, and the platform's record of changes names nobody but the connector.",
            risk: "A key cannot be changed without an outage, so that it is not changed when it has to be.",
            fix: "Let two keys of a client be registered at once, take either until one is taken away, and then refuse that one at once.",
            source: "NIST SP 800-53r5, IA-5, SC-12; NIST SP 800-57 Part 1 r5, 5.3.4; OWASP NHI7:2025.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Drill
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        // Where no rotation is declared, that the platform could serve one says nothing of the partner.
        let rotates = token_clients(manifest).filter(|(_, it)| it.rotation.is_some());
        rotates.map(|(_, it)| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let asked = |it: Option<u64>, usual: u64, most: u64| it.unwrap_or(usual).clamp(1, most);
        let per_second = asked(talk.figure(PER_SECOND_SETTING), PER_SECOND, PER_SECOND_MAX);
        let seconds = asked(talk.figure(SECONDS_SETTING), SECONDS, SECONDS_MAX);
        let Some((_, identity)) = identity(manifest, subject) else { return };
        let Some(platform) = talk.platform() else { return };
        let pace = Pace { per_second, seconds, token_every: 1 };
        let _stopped = rotate(talk, platform.as_ref(), identity, pace).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        decide(transcript)
            .expected("no failed call, and the first key dead at the end")
            .at("identity")
            .repeat("have a copy of the client fetch tokens and call the API without a break; register a second key for it, switch, take the first key away")
    }
}

/// Nothing means: it stopped, and the transcript says where.
async fn rotate(
    talk: &mut Talk,
    platform: &dyn Platform,
    identity: &Identity,
    pace: Pace,
) -> Option<()> {
    let ceiling = platform.tokens_per_hour(identity.client_id()).await.ok().flatten();
    let pace = Pace { token_every: token_every(pace, ceiling), ..pace };
    let old = talk.copy_client(platform, identity.client_id()).await?;
    let Some(seed) = entropy::random::<32>() else {
        talk.fact("stopped", "system", json!({ "error": "this machine gives no randomness" }));
        return None;
    };
    let new = ClientCopy::new(old.client_id.clone(), Seed::new(seed));
    let call = tries::declared_call(identity);
    let since = talk.now();
    talk.fact(
        "pace",
        "run",
        json!({
            "per_second": pace.per_second, "seconds": pace.seconds,
            "token_every": pace.token_every,
            "call": call.as_ref().map(|it| format!("{} {}", it.0, it.1)),
        }),
    );
    let worker = Worker::new(platform, old.clone(), call, pace);
    let change = Change { platform, worker: &worker, old: &old, new: &new, pace };
    let (tally, changed) = tokio::join!(worker.work(), change.make(talk));
    let tally = serde_json::to_value(&tally).unwrap_or_default();
    talk.fact("work", "platform", tally);
    changed?;
    for (label, copy) in [("old-key", &old), ("new-key", &new)] {
        let (came, _) = tries::mint(platform, copy, &TokenRequest::default()).await;
        talk.fact(label, "platform", came.value(label, 0));
    }
    people(talk, platform, &old.client_id, since).await;
    Some(())
}

/// A client that may get few tokens fetches half as many at most.
fn token_every(pace: Pace, ceiling: Option<u32>) -> u64 {
    let Some(ceiling) = ceiling else { return 1 };
    let room = (u64::from(ceiling) / 2).max(1);
    (pace.per_second * pace.seconds).div_ceil(room)
}

/// The change of a key, a quarter of the time for each step.
struct Change<'a> {
    platform: &'a dyn Platform,
    worker: &'a Worker<'a>,
    old: &'a ClientCopy,
    new: &'a ClientCopy,
    pace: Pace,
}

impl Change<'_> {
    async fn make(&self, talk: &mut Talk) -> Option<()> {
        let quarter = Period::from_millis(self.pace.seconds * 250);
        let (old, new) = (self.old.public().to_jwk(), self.new.public().to_jwk());
        talk.pause("work", quarter).await;
        // Entered before it is done: whatever fails from here on fails for the change.
        self.worker.enter(1);
        self.register(talk, "two-keys", json!({ "keys": [old, new] })).await?;
        talk.pause("work", quarter).await;
        self.worker.switch(self.new.clone());
        self.worker.enter(2);
        talk.fact("changed", "run", json!({ "step": "switched" }));
        talk.pause("work", quarter).await;
        self.worker.enter(3);
        self.register(talk, "new-key-alone", json!({ "keys": [new] })).await
    }

    async fn register(&self, talk: &mut Talk, step: &str, keys: Value) -> Option<()> {
        let began = talk.stopwatch_ms();
        let done = self.platform.replace_keys(&self.old.client_id, &keys).await;
        let took = talk.stopwatch_ms().saturating_sub(began);
        talk.heard("changed", done, |()| json!({ "step": step, "took_ms": took }))
    }
}

/// Who changed something about the copy since it was made, as the platform wrote it down.
async fn people(talk: &mut Talk, platform: &dyn Platform, client: &str, since: Timestamp) {
    let value = match platform.admin_log(since).await {
        Ok(records) => {
            let mine = records.iter().filter(|it| it.client_id.as_deref() == Some(client));
            let actors: BTreeSet<&str> = mine.map(|it| it.actor.as_str()).collect();
            json!({ "actors": actors.len() })
        }
        Err(error) => json!({ "untold": error.to_string() }),
    };
    talk.fact("people", "platform", value);
}

fn decide(transcript: &Transcript) -> Judgement {
    let error = |label: &str| {
        let mut facts = transcript.facts(label);
        facts.find_map(|it| it.value.get("error")?.as_str().map(str::to_owned))
    };
    for (label, sentence) in [
        ("platform", "the platform could not be asked"),
        ("copy", "no copy of the client could be made"),
        ("stopped", "nothing could be tried"),
    ] {
        if let Some(error) = error(label) {
            return Judgement::inconclusive(sentence).observed(error);
        }
    }
    let work = transcript.fact("work").cloned().and_then(|it| serde_json::from_value(it).ok());
    let Some(work) = work else { return Judgement::inconclusive("nothing was tried") };
    let work: Tally = work;
    let seen = seen(transcript, &work);
    let (before, before_failed) = work.of(PHASES[0]);
    if before == 0 || 0 < before_failed {
        return Judgement::inconclusive("the copy was not served before anything was changed")
            .observed(seen);
    }
    if let Some(error) = error("changed") {
        return Judgement::inconclusive("no second key could be registered beside the first")
            .observed(error);
    }
    let (_, failed) = work.all();
    if 0 < failed && failed == work.slowed {
        return Judgement::inconclusive("the platform slows the copy down; ask for less")
            .observed(seen);
    }
    if 0 < failed {
        return Judgement::fail("calls failed while a key was changed").observed(seen);
    }
    let came = |label: &str| transcript.fact(label)?.get("came")?.as_str();
    match (came("old-key"), came("new-key")) {
        (Some(OPEN), _) => {
            return Judgement::fail("a key that was taken away still gets tokens").observed(seen);
        }
        (Some(SHUT), Some(OPEN)) => {}
        _ => {
            return Judgement::inconclusive("it was not seen which key is taken at the end")
                .observed(seen);
        }
    }
    let people = transcript.fact("people").and_then(|it| it.get("actors")?.as_u64());
    if people.is_some_and(|it| 1 < it) {
        return Judgement::fail("somebody else had to act while a key was changed").observed(seen);
    }
    if PHASES.iter().any(|it| work.of(it).0 == 0) {
        return Judgement::inconclusive("no call was made in one of the steps").observed(seen);
    }
    Judgement::pass("every call was served while a key was changed").observed(seen)
}

/// The figures: `40 times at 10/s: 40 tokens, 40 calls, 0 failed, nobody else acted`.
pub(crate) fn figures(transcript: &Transcript) -> Option<String> {
    let work = serde_json::from_value(transcript.fact("work")?.clone()).ok()?;
    Some(seen(transcript, &work))
}

fn seen(transcript: &Transcript, work: &Tally) -> String {
    let (times, failed) = work.all();
    let pace = transcript.fact("pace");
    let per_second = pace.and_then(|it| it.get("per_second")?.as_u64()).unwrap_or_default();
    let Tally { tokens, calls, introspected, .. } = work;
    let asked = match introspected {
        0 => String::new(),
        asked => format!(", {asked} introspected"),
    };
    let mut seen = format!(
        "{times} times at {per_second}/s: {tokens} tokens, {calls} calls{asked}, {failed} failed"
    );
    if let Some(actors) = transcript.fact("people").and_then(|it| it.get("actors")?.as_u64()) {
        let others = match actors.saturating_sub(1) {
            0 => ", nobody else acted".to_owned(),
            1 => ", somebody else acted".to_owned(),
            others => format!(", {others} others acted"),
        };
        seen.push_str(&others);
    }
    for it in &work.failures {
        seen.push_str("; ");
        seen.push_str(it);
    }
    seen
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judged, judges, sample};

    fn work(failed: &[(&str, u64)]) -> Sample {
        let done = PHASES.map(|it| (it.to_owned(), 10)).into();
        let failed = failed.iter().map(|it| (it.0.to_owned(), it.1)).collect();
        let failures = vec!["two-keys: token: HTTP 401 invalid_client".to_owned()];
        let tally =
            Tally { done, failed, slowed: 0, tokens: 40, calls: 40, introspected: 0, failures };
        let tally = Tally {
            failures: if tally.failed.is_empty() { Vec::new() } else { tally.failures.clone() },
            ..tally
        };
        let pace = json!({ "per_second": 10, "seconds": 4, "call": "GET /v1/users/x" });
        sample().fact("pace", pace).fact("work", serde_json::to_value(tally).unwrap())
    }

    fn ended(work: Sample, old: &str, new: &str, actors: u64) -> Sample {
        work.fact("old-key", json!({ "came": old }))
            .fact("new-key", json!({ "came": new }))
            .fact("people", json!({ "actors": actors }))
    }

    /// Only because the platform asks for patience.
    fn slowed() -> Sample {
        let done = PHASES.map(|it| (it.to_owned(), 10)).into();
        let failed = [("switched".to_owned(), 2)].into();
        let tally = Tally { done, failed, slowed: 2, ..Tally::default() };
        sample().fact("work", serde_json::to_value(tally).unwrap())
    }

    #[test]
    fn no_call_may_fail_and_the_first_key_ends() {
        let error = |label: &str| work(&[]).fact(label, json!({ "error": "HTTP 500" }));
        judges(
            &ServesEveryCallWhileAKeyIsChanged,
            &[
                ("right", ended(work(&[]), SHUT, OPEN, 1), Pass),
                ("a call fails", ended(work(&[("two-keys", 3)]), SHUT, OPEN, 1), Fail),
                ("it is slowed down", ended(slowed(), SHUT, OPEN, 1), Inconclusive),
                ("the first key lives", ended(work(&[]), OPEN, OPEN, 1), Fail),
                ("the second is refused", ended(work(&[]), SHUT, SHUT, 1), Inconclusive),
                ("a person acts", ended(work(&[]), SHUT, OPEN, 2), Fail),
                ("it never worked", ended(work(&[("before", 10)]), SHUT, SHUT, 1), Inconclusive),
                ("no second key", error("changed"), Inconclusive),
                ("no copy", error("copy"), Inconclusive),
                ("nothing was tried", sample(), Inconclusive),
            ],
        );
    }

    #[test]
    fn the_figures_are_told() {
        let told = |it: Sample| judged(&ServesEveryCallWhileAKeyIsChanged, &it).observed;
        insta::assert_snapshot!(told(ended(work(&[]), SHUT, OPEN, 1)), @"40 times at 10/s: 40 tokens, 40 calls, 0 failed, nobody else acted");
        insta::assert_snapshot!(told(ended(work(&[("two-keys", 3)]), SHUT, OPEN, 1)), @"40 times at 10/s: 40 tokens, 40 calls, 3 failed, nobody else acted; two-keys: token: HTTP 401 invalid_client");
    }

    #[test]
    fn a_ceiling_is_not_used_up() {
        let pace = Pace { per_second: 50, seconds: 20, token_every: 1 };
        let every = [None, Some(120), Some(4_000), Some(0)].map(|it| token_every(pace, it));
        assert_eq!(every, [1, 17, 1, 1_000]);
    }
}
