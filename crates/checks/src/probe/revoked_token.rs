//! Does a revoked token stop working in time?
//!
//! Revoking is a promise until somebody tries. A copy of the client gets a token that works; then the token
//! is revoked at the revocation endpoint, its tokens are revoked by an administrator, and later the client itself is
//! disabled; each time the token is tried until it is refused, and for a while after that. At a server of the
//! partner's whose tokens we trust, a test client does the first of these.
//!
//! Source: RFC 7009, section 2; RFC 7662, section 2.2; NIST SP 800-53r5, AC-3(8); REV-01.

use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;
use serde_json::{Value, json};

use super::authz;
use super::token::{Use, error, is_refusal, mint, number, says, spend, status};
use crate::check::{Check, Info, Stage};
use crate::granted::identity;
use crate::platform::{ClientChange, ClientCopy, Platform, TokenRequest};
use crate::talk::Talk;

mod self_revoked;

/// Does a revoked token stop working in time?
#[derive(Debug, Clone, Copy)]
pub struct RefusesRevokedToken;

/// The ways to revoke that are tried: the word for people, and what is done.
const WAYS: [(&str, ClientChange); 2] =
    [("revoke-tokens", ClientChange::RevokeTokens), ("disable", ClientChange::Disable)];
/// How soon the next try follows, at first and at last.
const PAUSES_MS: (u64, u64) = (20, 1_000);
/// How often it is tried again after the first refusal.
const AGAIN: u32 = 3;

#[async_trait::async_trait]
impl Check for RefusesRevokedToken {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_revoked_token",
            case: Some("REV-01"),
            controls: &["CTS-TOK-04"],
            question: "Does a revoked token stop working in time?",
            sends: "A copy of the client, or a test client of a server that we trust, gets a token that works. It is revoked: at the revocation endpoint, by an administrator, and by disabling the client. Then it is used until it is refused, and after that for a while.",
            passes: "The first refusal comes inside the time that is declared, no later use goes through, and introspection calls the token inactive.",
            risk: "We say revoked, and the thief goes on working.",
            fix: "Shorten caches of tokens and keys, listen to security events, or introspect each token.",
            source: "RFC 7009, section 2; RFC 7662, section 2.2; NIST SP 800-53r5, AC-3(8).",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        authz::subjects(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        self_revoked::play(subject, manifest, talk).await;
        let Some((_, identity)) = identity(manifest, subject) else { return };
        let declared = manifest.revocation.deny_within;
        let profile = talk.figure("CTS-TOK-04.max_seconds").map(Period::from_seconds);
        let limit = profile.map_or(declared, |it| it.min(declared));
        talk.setting("limit_ms", limit.millis());
        let Some(platform) = talk.platform() else { return };
        let Some(name) = talk.fresh_name("canary-") else { return };
        let Some(copy) = talk.copy_client(platform.as_ref(), identity.client_id()).await else {
            return;
        };
        let call = Use::declared(identity, &name);
        for (way, change) in WAYS {
            let round =
                Round { platform: platform.as_ref(), copy: &copy, call: call.as_ref(), way };
            round.play(talk, change, limit).await;
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(limit_ms) = transcript.number("limit_ms") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let limit = Period::from_millis(limit_ms);
        let expected =
            format!("refused within {limit}, and from then on; inactive at introspection");
        if let Some(judgement) = self_revoked::not_applicable(transcript) {
            return judgement;
        }
        let rounds: Vec<Judgement> =
            ways(transcript).into_iter().map(|it| judge_round(transcript, it, limit_ms)).collect();
        let worst = rounds.iter().find(|it| it.verdict == Verdict::Fail);
        let worst = worst.or(rounds.iter().find(|it| it.verdict == Verdict::Inconclusive));
        if let Some(worst) = worst {
            return located(worst.clone().expected(expected), transcript);
        }
        let observed: Vec<&str> = rounds.iter().map(|it| it.observed.as_str()).collect();
        Judgement::pass("a revoked token is refused in time")
            .observed(observed.join("; "))
            .expected(expected)
    }
}

/// With the place in the manifest, and a way to repeat what failed.
fn located(judgement: Judgement, transcript: &Transcript) -> Judgement {
    let judgement = match transcript.text("place") {
        Some(place) => judgement.at(place),
        None => judgement,
    };
    if judgement.verdict != Verdict::Fail || judgement.repeat.is_some() {
        return judgement;
    }
    let own = transcript.text("repeat.revocation").zip(transcript.text("repeat.revoked-use"));
    match own {
        Some((revoke, spend)) => judgement.repeat(format!("{revoke}\n{spend}")),
        None => judgement.repeat(BY_HAND),
    }
}

/// How it is repeated where an administrator revokes.
const BY_HAND: &str =
    "get a token as a copy of the client, revoke it or disable the client, and use the token again";

/// The ways that this talk has tried, or wanted to.
fn ways(transcript: &Transcript) -> Vec<&'static str> {
    let own = transcript.settings.contains_key(self_revoked::PLAYED).then_some(self_revoked::WAY);
    let theirs = transcript.settings.contains_key(self_revoked::PARTNER);
    let admin = WAYS.iter().map(|it| it.0).filter(|_| !theirs);
    own.into_iter().chain(admin).collect()
}

/// One way to revoke, from the token that works to the one that does not.
struct Round<'a> {
    platform: &'a dyn Platform,
    copy: &'a ClientCopy,
    call: Option<&'a Use>,
    way: &'static str,
}

impl Round<'_> {
    fn label(&self, name: &str) -> String {
        label(self.way, name)
    }

    async fn play(&self, talk: &mut Talk, change: ClientChange, limit: Period) {
        let (minted, control) = (self.label("minted"), self.label("control"));
        let request = TokenRequest::default();
        let answer = mint(talk, self.platform, self.copy, (&minted, &request)).await;
        let Some(token) = answer.and_then(|it| it.access_token) else { return };
        if let Some(call) = self.call {
            spend(talk, self.platform, (&token, call), (&control, None)).await;
        }
        self.introspect(talk, &token, "active").await;
        let start = talk.stopwatch_ms();
        let changed = self.platform.client(&self.copy.client_id, change).await;
        let done = talk.heard(&self.label("revoked"), changed, |()| json!({ "done": true }));
        if done.is_none() {
            return;
        }
        self.until_refused(talk, &token, start, limit).await;
        for _ in 0..AGAIN {
            let again = self.label("again");
            if let Some(call) = self.call {
                spend(talk, self.platform, (&token, call), (&again, None)).await;
            }
        }
        self.introspect(talk, &token, "inactive").await;
    }

    /// Tries until the token is refused or the time is over, and writes down when that was.
    async fn until_refused(&self, talk: &mut Talk, token: &str, start: u64, limit: Period) {
        let mut pause_ms = PAUSES_MS.0;
        loop {
            let (status, refused) = self.attempt(token).await;
            let after_ms = talk.stopwatch_ms().saturating_sub(start);
            if refused || limit.millis() <= after_ms {
                let fact = json!({ "refused": refused, "after_ms": after_ms, "answer": status });
                talk.fact(&self.label("ended"), "platform", fact);
                return;
            }
            let wait = self.label("wait");
            talk.pause(&wait, Period::from_millis(pause_ms)).await;
            pause_ms = (pause_ms * 2).min(PAUSES_MS.1);
        }
    }

    /// What the platform says now, and whether that is a refusal.
    async fn attempt(&self, token: &str) -> (String, bool) {
        let Some(call) = self.call else {
            return match self.platform.introspect(token).await {
                Ok(active) => (format!("active: {active}"), !active),
                Err(it) => (it.source.to_string(), false),
            };
        };
        match self.platform.use_token(token, &call.method, &call.path, None).await {
            Ok(it) => (format!("HTTP {}", it.status), matches!(it.status, 401 | 403)),
            Err(it) => (it.source.to_string(), false),
        }
    }

    async fn introspect(&self, talk: &mut Talk, token: &str, name: &str) {
        let active = self.platform.introspect(token).await;
        talk.heard(&self.label(name), active, |it| json!({ "active": it }));
    }
}

fn label(way: &str, name: &str) -> String {
    format!("{way}.{name}")
}

/// What came of one way to revoke.
fn judge_round(transcript: &Transcript, way: &str, limit_ms: u64) -> Judgement {
    let fact = |name: &str| transcript.fact(&label(way, name));
    let minted = fact("minted");
    if !says(minted, "granted") {
        let observed = minted.or(transcript.fact("copy")).or(transcript.fact("platform"));
        return Judgement::inconclusive("a copy of the client did not get a token")
            .observed(status(observed));
    }
    let control = fact("control");
    let works = control.is_none_or(|it| says(Some(it), "admitted"));
    if !works || !says(fact("active"), "active") {
        return Judgement::inconclusive("the token did not work before it was revoked").observed(
            format!(
                "{}; active at introspection: {}",
                status(control),
                says(fact("active"), "active")
            ),
        );
    }
    if !says(fact("revoked"), "done") {
        return Judgement::inconclusive(format!("`{way}` was not carried out by the platform"))
            .observed(status(fact("revoked")));
    }
    let ended = fact("ended");
    let Some(after_ms) = number(ended, "after_ms") else {
        return Judgement::inconclusive("the token was not tried again").observed("no answer");
    };
    let answer = ended.and_then(|it| it.get("answer")?.as_str()).unwrap_or_default();
    let after = Period::from_millis(after_ms);
    if !says(ended, "refused") {
        return unrefused(answer, after, way);
    }
    let again = label(way, "again");
    let again: Vec<&Value> = transcript.facts(&again).map(|it| &it.value).collect();
    if let Some(back) = again.iter().find(|it| says(Some(**it), "admitted")) {
        return Judgement::fail("a revoked token works again")
            .observed(format!("refused {after} after `{way}`, then {}", status(Some(back))));
    }
    if limit_ms < after_ms {
        return Judgement::fail("a revoked token is refused too late")
            .observed(format!("{after} after `{way}`"));
    }
    if says(fact("inactive"), "active") {
        return Judgement::fail("introspection still calls a revoked token active")
            .observed(format!("after `{way}`: active, and {answer} at the API"));
    }
    if error(fact("inactive")).is_some() || fact("inactive").is_none() {
        return Judgement::inconclusive("introspection did not answer")
            .observed(status(fact("inactive")));
    }
    let unclear = again.iter().find(|it| !is_refusal(Some(**it)));
    if let Some(unclear) = unclear {
        return Judgement::inconclusive("after the refusal the platform no longer answered")
            .observed(status(Some(unclear)));
    }
    Judgement::pass("refused").observed(format!("{answer} {after} after `{way}`"))
}

/// It went on working, or nobody can say.
fn unrefused(answer: &str, after: Period, way: &str) -> Judgement {
    let works = answer.starts_with("HTTP 2") || answer == "active: true";
    if works {
        return Judgement::fail("a revoked token still works")
            .observed(format!("{answer} {after} after `{way}`"))
            .repeat(format!(
                "get a token as a copy of the client, `{way}` it, and use the token again"
            ));
    }
    Judgement::inconclusive("the platform neither refused the token nor let it through")
        .observed(format!("{answer} {after} after `{way}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    /// One way in which everything is as it should be; `change` may replace one fact by another.
    fn round(mut sample: Sample, way: &str, (changed, to): (&str, &Value)) -> Sample {
        let ok = json!({"status": 200, "admitted": true});
        let no = json!({"status": 401, "admitted": false});
        let right = [
            ("minted", json!({"status": 200, "granted": true})),
            ("control", ok),
            ("active", json!({"active": true})),
            ("revoked", json!({"done": true})),
            ("ended", json!({"refused": true, "after_ms": 12, "answer": "HTTP 401"})),
            ("again", no),
            ("inactive", json!({"active": false})),
        ];
        for (name, value) in right {
            let value = if name == changed { to.clone() } else { value };
            if !value.is_null() {
                sample = sample.fact(&label(way, name), value);
            }
        }
        sample
    }

    fn both(name: &str, value: &Value) -> Sample {
        let sample = sample().setting("limit_ms", 5_000);
        let sample = round(sample, "revoke-tokens", (name, value));
        round(sample, "disable", ("", &Value::Null))
    }

    #[test]
    fn what_was_revoked_is_refused_in_time_and_stays_refused() {
        let ok = json!({"status": 200, "admitted": true});
        let down = json!({"error": "it cannot be reached"});
        let ended = |refused: bool, after_ms: u64, answer: &str| json!({"refused": refused, "after_ms": after_ms, "answer": answer});
        let broken = || json!({"status": 500, "admitted": false});
        let table = [
            ("right", both("", &Value::Null), Pass),
            ("still works", both("ended", &ended(false, 5_020, "HTTP 200")), Fail),
            ("works again", both("again", &ok), Fail),
            ("too late", both("ended", &ended(true, 5_400, "HTTP 401")), Fail),
            ("active at introspection", both("inactive", &json!({"active": true})), Fail),
            ("500 afterwards", both("ended", &ended(false, 5_020, "HTTP 500")), Inconclusive),
            ("gone afterwards", both("again", &down.clone()), Inconclusive),
            ("500 after the refusal", both("again", &broken()), Inconclusive),
            ("no introspection", both("inactive", &down.clone()), Inconclusive),
            ("did not work before", both("control", &broken()), Inconclusive),
            ("not active before", both("active", &json!({"active": false})), Inconclusive),
            ("no token", both("minted", &json!({"status": 500, "granted": false})), Inconclusive),
            ("not revoked", both("revoked", &down.clone()), Inconclusive),
            ("cut off", both("ended", &Value::Null), Inconclusive),
            (
                "one way only",
                round(sample().setting("limit_ms", 5_000), "disable", ("", &Value::Null)),
                Inconclusive,
            ),
            ("platform down", sample().setting("limit_ms", 5_000).fact("copy", down), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&RefusesRevokedToken, &table);
        let judgement = judged(&RefusesRevokedToken, &table[1].1);
        insta::assert_snapshot!(judgement.sentence, @"a revoked token still works");
        insta::assert_snapshot!(judgement.observed, @"HTTP 200 5020ms after `revoke-tokens`");
        insta::assert_snapshot!(judgement.expected, @"refused within 5s, and from then on; inactive at introspection");
        let judgement = judged(&RefusesRevokedToken, &table[0].1);
        insta::assert_snapshot!(judgement.observed, @"HTTP 401 12ms after `revoke-tokens`; HTTP 401 12ms after `disable`");
    }
}
