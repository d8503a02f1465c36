//! Does the alert that it declares arrive when a token is misused?
//!
//! A theft that nobody notices lasts until the customers notice it. A copy of the client uses its token from another
//! address, and presents a refresh token twice; the alert that the manifest names for that has to arrive,
//! about that copy, in its declared time.
//!
//! Source: RFC 9700, sections 4.14.2 and 4.10; NIST SP 800-53r5, SI-4, AC-2(12).

use std::net::{IpAddr, Ipv4Addr};

use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Alert, Environment, Identity};
use countersign_model::time::Period;
use serde_json::{Value, json};

use super::token::{Use, error, mint, number, says, spend, status};
use crate::check::{Check, Info, Stage};
use crate::granted::token_clients;
use crate::platform::{ClientCopy, Platform, RaisedAlert, TokenRequest};
use crate::talk::Talk;

/// Does the alert that it declares arrive when a token is misused?
#[derive(Debug, Clone, Copy)]
pub struct RaisesAlertOnReplayedToken;

/// The second address of this machine that a stolen token is used from.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// How long an alert of a test tenant is waited for: what takes minutes there never arrives in a test.
const SANDBOX_WAIT: Period = Period::from_seconds(2);
/// How soon it is looked for again, at first and at last.
const PAUSES_MS: (u64, u64) = (25, 2_000);
/// How many alerts of a manifest are tried.
const ALERTS_MAX: usize = 20;

#[async_trait::async_trait]
impl Check for RaisesAlertOnReplayedToken {
    fn info(&self) -> &'static Info {
        &Info {
            name: "raises_alert_on_replayed_token",
            case: None,
            controls: &["CTS-LOG-05"],
            question: "Does the alert that it declares arrive when a token is misused?",
            sends: "For each declared alert, a throw-away copy of the client gets a token. It makes an ordinary call, then the same call from another address; or it uses its refresh token, then uses the same one again.",
            passes: "Ordinary use works; after the misuse the declared alert is raised about this copy in its declared time, and a refresh token does not work twice. At least one alert is declared.",
            risk: "The theft is noticed by the customers, weeks later.",
            fix: "Wire the declared alert at the platform for this client, and send it to people who act on it.",
            source: "RFC 9700, sections 4.10 and 4.14.2; NIST SP 800-53r5, SI-4, AC-2(12).",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        token_clients(manifest).map(|(_, it)| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((_, identity)) = crate::granted::identity(manifest, subject) else { return };
        let signals: Vec<&str> = manifest.alerts.iter().map(|it| it.signal.as_str()).collect();
        talk.setting("alerts", signals);
        let profile =
            talk.figure("CTS-LOG-05.detect_minutes").map(|it| Period::from_seconds(it * 60));
        let Some(platform) = talk.platform() else { return };
        for (index, alert) in manifest.alerts.iter().take(ALERTS_MAX).enumerate() {
            let within = profile.map_or(alert.within, |it| it.min(alert.within));
            let wait = match manifest.environment {
                Environment::Production => within,
                Environment::Sandbox => within.min(SANDBOX_WAIT),
            };
            let drill =
                Drill { platform: platform.as_ref(), manifest, identity, index, alert, wait };
            drill.play(talk).await;
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(alerts) = transcript.settings.get("alerts").and_then(Value::as_array) else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let expected = "the named alert, about this client, in its declared time";
        if alerts.is_empty() {
            return Judgement::fail("the manifest declares no alert for the misuse of its tokens")
                .observed("no `[[alert]]`")
                .expected("at least one `[[alert]]` with signal, addressee and time");
        }
        let each: Vec<Judgement> =
            (0..alerts.len()).map(|it| judge_alert(transcript, it)).collect();
        let of = |verdict| each.iter().find(|it| it.verdict == verdict);
        if let Some(worst) = of(Verdict::Fail).or_else(|| of(Verdict::Inconclusive)) {
            let details = each.iter().filter(|it| it.verdict == worst.verdict);
            let details = details.map(|it| format!("{}: {}", it.sentence, it.observed));
            return worst.clone().expected(expected).details(details);
        }
        let observed: Vec<&str> = each.iter().map(|it| it.observed.as_str()).collect();
        Judgement::pass("every declared alert arrives in time")
            .observed(observed.join("; "))
            .expected(expected)
    }
}

/// What we can do so that an alert has to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    /// The token turns up at another address.
    Elsewhere,
    /// The refresh token comes twice.
    RefreshTwice,
}

impl Trigger {
    /// What the words of a signal ask for; nothing, where we cannot do it.
    fn of(signal: &str) -> Option<Self> {
        let words = signal.to_lowercase();
        let any = |list: &[&str]| list.iter().any(|it| words.contains(it));
        if words.contains("refresh")
            && any(&["twice", "again", "reuse", "re-use", "replay", "second time"])
        {
            return Some(Self::RefreshTwice);
        }
        let place = any(&["network", "address", "location", "elsewhere", " ip"]);
        (words.contains("token") && place).then_some(Self::Elsewhere)
    }
}

/// One alert of a manifest, and what is done so that it arrives.
struct Drill<'a> {
    platform: &'a dyn Platform,
    manifest: &'a Manifest,
    identity: &'a Identity,
    index: usize,
    alert: &'a Alert,
    wait: Period,
}

impl Drill<'_> {
    fn label(&self, name: &str) -> String {
        label(self.index, name)
    }

    async fn play(&self, talk: &mut Talk) {
        let trigger = Trigger::of(&self.alert.signal);
        let terms = json!({
            "signal": self.alert.signal, "within_ms": self.alert.within.millis(),
            "waited_at_most_ms": self.wait.millis(), "trigger": trigger.map(|it| format!("{it:?}")),
        });
        talk.fact(&self.label("terms"), "manifest", terms);
        let Some(trigger) = trigger else { return };
        // A copy of its own for each alert, so that no alert stands for another.
        let Some(copy) = talk.copy_client(self.platform, self.identity.client_id()).await else {
            return;
        };
        let minted = self.label("minted");
        let request = (minted.as_str(), &TokenRequest::default());
        let Some(answer) = mint(talk, self.platform, &copy, request).await else { return };
        let misused = match trigger {
            Trigger::Elsewhere => self.elsewhere(talk, answer.access_token.as_deref()).await,
            Trigger::RefreshTwice => {
                self.refresh_twice(talk, &copy, answer.refresh_token.as_deref()).await
            }
        };
        if let Some(start) = misused {
            self.until_raised(talk, &copy, start).await;
        }
    }

    /// An ordinary call, then the same from elsewhere.
    async fn elsewhere(&self, talk: &mut Talk, token: Option<&str>) -> Option<u64> {
        let (token, name) = (token?, talk.fresh_name("canary-")?);
        let Some(call) = Use::declared(self.identity, &name) else {
            talk.fact(
                &self.label("ordinary"),
                "manifest",
                json!({ "error": "no use is declared" }),
            );
            return None;
        };
        let (ordinary, misuse) = (self.label("ordinary"), self.label("misuse"));
        spend(talk, self.platform, (token, &call), (&ordinary, None)).await;
        self.quiet(talk).await;
        let start = talk.stopwatch_ms();
        spend(talk, self.platform, (token, &call), (&misuse, Some(ELSEWHERE))).await;
        Some(start)
    }

    /// An ordinary refresh, then the same refresh token again.
    async fn refresh_twice(
        &self,
        talk: &mut Talk,
        copy: &ClientCopy,
        token: Option<&str>,
    ) -> Option<u64> {
        let Some(token) = token else {
            let none = json!({ "error": "the platform gave the copy no refresh token" });
            talk.fact(&self.label("ordinary"), "platform", none);
            return None;
        };
        let request = TokenRequest {
            grant: Some("refresh_token".to_owned()),
            refresh_token: Some(token.to_owned()),
            ..TokenRequest::default()
        };
        let (ordinary, misuse) = (self.label("ordinary"), self.label("misuse"));
        mint(talk, self.platform, copy, (&ordinary, &request)).await;
        self.quiet(talk).await;
        let start = talk.stopwatch_ms();
        mint(talk, self.platform, copy, (&misuse, &request)).await;
        Some(start)
    }

    /// Whether it was already raised by ordinary use: an alarm that always rings says nothing.
    async fn quiet(&self, talk: &mut Talk) {
        let alerts = self.platform.alerts(&self.manifest.integration.id).await;
        talk.heard(&self.label("before"), alerts, |it| json!({ "alerts": it.len() }));
    }

    async fn until_raised(&self, talk: &mut Talk, copy: &ClientCopy, start: u64) {
        let mut pause_ms = PAUSES_MS.0;
        loop {
            let alerts = self.platform.alerts(&self.manifest.integration.id).await;
            let after_ms = talk.stopwatch_ms().saturating_sub(start);
            let found = alerts.as_ref().is_ok_and(|it| {
                it.iter().any(|it| is_this(it, &copy.client_id, &self.alert.signal))
            });
            if found || self.wait.millis() <= after_ms {
                talk.heard(&self.label("alert"), alerts, |it| {
                    let about = it.iter().filter(|it| it.client_id == copy.client_id);
                    let others: Vec<&str> = about
                        .map(|it| it.signal.as_str())
                        .filter(|it| !is_same(it, &self.alert.signal))
                        .collect();
                    json!({ "raised": found, "after_ms": after_ms, "others": others })
                });
                return;
            }
            let wait = self.label("wait");
            talk.pause(&wait, Period::from_millis(pause_ms)).await;
            pause_ms = (pause_ms * 2).min(PAUSES_MS.1);
        }
    }
}

fn is_this(alert: &RaisedAlert, client: &str, signal: &str) -> bool {
    alert.client_id == client && is_same(&alert.signal, signal)
}

/// The same words, whatever their case and spaces.
fn is_same(one: &str, other: &str) -> bool {
    one.split_whitespace()
        .map(str::to_lowercase)
        .eq(other.split_whitespace().map(str::to_lowercase))
}

fn label(index: usize, name: &str) -> String {
    format!("alert[{index}].{name}")
}

/// What came of one alert.
fn judge_alert(transcript: &Transcript, index: usize) -> Judgement {
    let fact = |name: &str| transcript.fact(&label(index, name));
    let place = format!("alert[{index}]");
    let terms = fact("terms");
    let signal = terms.and_then(|it| it.get("signal")?.as_str()).unwrap_or_default();
    let inconclusive = |sentence: &str, observed: String| {
        Judgement::inconclusive(sentence).observed(observed).at(place.clone())
    };
    if terms.is_none() {
        let seen = status(transcript.fact("platform"));
        return inconclusive("this alert was not tried", seen);
    }
    if terms.is_some_and(|it| it.get("trigger").is_none_or(Value::is_null)) {
        let sentence = format!("alert `{signal}` cannot be tried from here");
        return inconclusive(&sentence, "no way is known to cause it".to_owned());
    }
    if !says(fact("minted"), "granted") {
        let seen = fact("minted").or(transcript.fact("copy"));
        return inconclusive("a copy of the client did not get a token", status(seen));
    }
    let ordinary = fact("ordinary");
    if !says(ordinary, "admitted") && !says(ordinary, "granted") {
        return inconclusive("ordinary use of the copy did not work", status(ordinary));
    }
    // A refresh token that counts twice is worse than an alert that is missing.
    if says(fact("misuse"), "granted") {
        return Judgement::fail("a refresh token works twice")
            .observed(format!("`{signal}`: {}", status(fact("misuse"))))
            .at(place);
    }
    if number(fact("misuse"), "status").is_none_or(|it| 500 <= it) {
        return inconclusive("the misuse did not reach the platform", status(fact("misuse")));
    }
    let alert = fact("alert");
    let (Some(after_ms), Some(terms)) = (number(alert, "after_ms"), terms) else {
        return inconclusive("alerts could not be read", status(alert));
    };
    let waited = Period::from_millis(after_ms);
    if says(alert, "raised") {
        return Judgement::pass("raised").observed(format!("`{signal}` after {waited}"));
    }
    if error(alert).is_some() {
        return inconclusive("alerts could not be read", status(alert));
    }
    let declared = Period::from_millis(number(Some(terms), "within_ms").unwrap_or_default());
    let others = alert.and_then(|it| it.get("others")?.as_array()).map_or(0, Vec::len);
    let others = if others == 0 { "none about this copy" } else { "another alert instead" };
    Judgement::fail(format!("no alert arrives for `{signal}`"))
        .observed(format!("{others} within {waited}; declared is {declared}"))
        .at(place)
        .repeat(
            "use one token from two addresses, or one refresh token twice, and wait for the alert",
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    const SIGNAL: &str = "token used from a network not seen before";

    /// One alert in which everything is as it should be; `change` may replace one fact by another.
    fn alert(changed: &str, to: &Value) -> Sample {
        let right = [
            ("terms", json!({"signal": SIGNAL, "within_ms": 300_000, "trigger": "Elsewhere"})),
            ("minted", json!({"status": 200, "granted": true})),
            ("ordinary", json!({"status": 200, "admitted": true})),
            ("misuse", json!({"status": 200, "admitted": true})),
            ("alert", json!({"raised": true, "after_ms": 31, "others": []})),
        ];
        let sample = sample().setting("alerts", vec![SIGNAL]);
        right.into_iter().fold(sample, |sample, (name, value)| {
            let value = if name == changed { to.clone() } else { value };
            if value.is_null() { sample } else { sample.fact(&label(0, name), value) }
        })
    }

    #[test]
    fn the_named_alert_arrives_in_time() {
        let down = json!({"error": "it cannot be reached"});
        let broken = json!({"status": 500, "admitted": false});
        let silent =
            |others: &[&str]| json!({"raised": false, "after_ms": 3_004, "others": others});
        let table = [
            ("right", alert("", &Value::Null), Pass),
            ("silent", alert("alert", &silent(&[])), Fail),
            ("another alert", alert("alert", &silent(&["something else"])), Fail),
            ("none declared", sample().setting("alerts", Vec::<String>::new()), Fail),
            (
                "refused and noticed",
                alert("misuse", &json!({"status": 401, "admitted": false})),
                Pass,
            ),
            (
                "refresh works twice",
                alert("misuse", &json!({"status": 200, "granted": true})),
                Fail,
            ),
            ("alerts unreadable", alert("alert", &down.clone()), Inconclusive),
            ("misuse lost", alert("misuse", &down.clone()), Inconclusive),
            ("500 to the misuse", alert("misuse", &broken.clone()), Inconclusive),
            ("500 to ordinary use", alert("ordinary", &broken), Inconclusive),
            ("no token", alert("minted", &json!({"status": 400, "granted": false})), Inconclusive),
            (
                "cannot be tried",
                alert("terms", &json!({"signal": "bulk export", "trigger": null})),
                Inconclusive,
            ),
            (
                "platform down",
                sample().setting("alerts", vec![SIGNAL]).fact("platform", down),
                Inconclusive,
            ),
            (
                "two declared, one tried",
                alert("", &Value::Null).setting("alerts", vec![SIGNAL, "x"]),
                Inconclusive,
            ),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&RaisesAlertOnReplayedToken, &table);
        let judgement = judged(&RaisesAlertOnReplayedToken, &table[1].1);
        insta::assert_snapshot!(judgement.sentence, @"no alert arrives for `token used from a network not seen before`");
        insta::assert_snapshot!(judgement.observed, @"none about this copy within 3004ms; declared is 5m");
        let judgement = judged(&RaisesAlertOnReplayedToken, &table[11].1);
        insta::assert_snapshot!(judgement.sentence, @"alert `bulk export` cannot be tried from here");
    }

    #[test]
    fn the_words_of_a_signal_say_what_to_do() {
        let table = [
            (SIGNAL, Some(Trigger::Elsewhere)),
            ("Access token from a new IP", Some(Trigger::Elsewhere)),
            ("refresh token presented twice", Some(Trigger::RefreshTwice)),
            ("reuse of a refresh token", Some(Trigger::RefreshTwice)),
            ("more than 500 records exported", None),
            ("", None),
        ];
        for (signal, trigger) in table {
            assert_eq!(Trigger::of(signal), trigger, "{signal:?}");
        }
        assert!(is_same("Token  used", "token used") && !is_same("token", "token used"));
    }
}
