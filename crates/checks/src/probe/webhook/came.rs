//! What came in from a partner, read from the platform's record, and how much of it is the partner's.
//!
//! Anybody can knock at a public address: calls that did not verify count against the partner only
//! where they came from its own networks, from where one of its signed calls came, or from where one of
//! its clients was granted a token.

use std::collections::BTreeSet;
use std::net::IpAddr;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Identity, Webhook};
use countersign_model::time::Period;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::platform::{Platform, ReceivedCall, Unproven};
use crate::talk::Talk;

/// How far back the record is read.
const LOOKED_BACK: Period = Period::from_hours(24);
/// What a call comes to whose signature does not verify. Other results say that nobody looked at it.
const UNVERIFIED: [&str; 2] = ["bad-signature", "unsigned"];
/// What a call comes to whose time lies outside of the window.
const UNTIMELY: [&str; 2] = ["too-new", "too-old"];
const VERIFIED: &str = "verified";
/// What a call comes to that verifies, and whose id had come with another body before.
const REUSED: &str = "reused-id";

/// What came in over one webhook, as the judges read it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Came {
    /// The scheme that the manifest declares.
    pub(super) declared: String,
    /// How many verified by it, repetitions included.
    pub(super) verified: u64,
    /// Schemes that the platform held calls against and that nobody declared.
    pub(super) others: BTreeSet<String>,
    /// What the signatures of those that verified leave open.
    pub(super) unproven: BTreeSet<Unproven>,
    /// Those of the partner's that did not verify.
    pub(super) wrong: Lines,
    /// Those of the partner's whose time lies outside of the window.
    pub(super) untimely: Lines,
    /// Those with an id that stood for another one.
    pub(super) reused: Lines,
    /// How many from elsewhere did not verify, or were out of their time.
    pub(super) strangers: u64,
}

/// Some calls: how many, and the latest of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Lines {
    pub(super) count: u64,
    pub(super) latest: Vec<String>,
}

impl Lines {
    fn of(calls: &[&ReceivedCall]) -> Self {
        let latest = calls.iter().rev().take(LINES_MAX);
        Self {
            count: calls.len() as u64,
            latest: latest.map(|it| format!("{}: {}", it.time, it.result)).collect(),
        }
    }
}

impl Came {
    fn new(webhook: &Webhook, calls: &[ReceivedCall], own: &Own) -> Self {
        let declared = serde_json::to_value(webhook.signing.scheme).unwrap_or_default();
        let declared = declared.as_str().unwrap_or_default().to_owned();
        let is_this = |it: &&ReceivedCall| it.webhook.as_deref() == Some(webhook.id.as_str());
        let may_be_this = |it: &&ReceivedCall| it.webhook.is_none() || is_this(it);
        let has_other = |it: &ReceivedCall| it.scheme.as_ref().is_some_and(|it| *it != declared);
        let all_with = |results: &[&str]| -> Vec<&ReceivedCall> {
            calls.iter().filter(|it| results.contains(&it.result.as_str())).collect()
        };
        let ours = |results: &[&str]| -> Vec<&ReceivedCall> {
            let all = all_with(results).into_iter().filter(may_be_this);
            all.filter(|it| own.has(&it.ip)).collect()
        };
        let mut good = all_with(&[VERIFIED, REUSED]);
        good.retain(is_this);
        let mine = calls.iter().filter(is_this).filter(|it| has_other(it));
        let others = mine.filter_map(|it| it.scheme.clone()).collect();
        good.retain(|it| !has_other(it));
        let reused: Vec<&ReceivedCall> =
            good.iter().copied().filter(|it| it.result == REUSED).collect();
        let (wrong, untimely) = (ours(&UNVERIFIED), ours(&UNTIMELY));
        let mut knocks = all_with(&UNVERIFIED);
        knocks.extend(all_with(&UNTIMELY));
        knocks.retain(may_be_this);
        Self {
            declared,
            verified: good.len() as u64,
            others,
            unproven: good.iter().flat_map(|it| it.unproven.iter().copied()).collect(),
            strangers: (knocks.len() - wrong.len() - untimely.len()) as u64,
            wrong: Lines::of(&wrong),
            untimely: Lines::of(&untimely),
            reused: Lines::of(&reused),
        }
    }

    /// In a line.
    pub(super) fn words(&self) -> String {
        let untimely = match self.untimely.count {
            0 => String::new(),
            count => format!(", {count} of the partner's out of time"),
        };
        format!(
            "{} verified by `{}`, {} of the partner's not{untimely}, {} from elsewhere not, in 24 h",
            self.verified, self.declared, self.wrong.count, self.strangers
        )
    }
}

/// Reads what came in over a webhook, and writes it down.
pub(super) async fn read(subject: &str, manifest: &Manifest, talk: &mut Talk) {
    let found = manifest.webhooks.iter().enumerate().find(|(_, it)| it.id.as_str() == subject);
    let Some((index, webhook)) = found else { return };
    talk.setting("place", format!("webhook[{index}].signing"));
    let Some(platform) = talk.platform() else { return };
    let day = talk.now() - LOOKED_BACK;
    let since = talk.observed_since().map_or(day, |it| it.max(day));
    let calls = platform.received(&manifest.integration.id, since).await;
    let Some(calls) = talk.heard("calls", calls, |it| json!({ "received": it.len() })) else {
        return;
    };
    let mut own = Own::new(manifest, &calls);
    if let Err(error) = own.learn(platform.as_ref(), manifest, talk).await {
        talk.fact("addresses", "platform", json!({ "error": error }));
    }
    let came = serde_json::to_value(Came::new(webhook, &calls, &own)).unwrap_or_default();
    talk.fact("webhooks", "platform", came);
}

/// Judges what a transcript says of it, where it says anything.
pub(super) fn judged(transcript: &Transcript, judge: impl FnOnce(Came) -> Judgement) -> Judgement {
    let unread = || Judgement::inconclusive("what came in was not read");
    let mut errors = ["platform", "calls", "addresses"].into_iter().filter_map(|label| {
        let error = transcript.fact(label)?.get("error")?;
        error.as_str()
    });
    let judgement = match (errors.next(), transcript.fact("webhooks")) {
        (Some(error), _) => unread().observed(error),
        (None, fact) => fact.and_then(|it| Came::deserialize(it).ok()).map_or_else(unread, judge),
    };
    match transcript.text("place") {
        Some(place) => judgement.at(place),
        None => judgement,
    }
}

/// Why calls that verified cannot be judged, where there are none or they verified by another scheme.
pub(super) fn unjudged(came: &Came) -> Option<Judgement> {
    if let Some(other) = came.others.first() {
        let sentence = "the platform verifies by another scheme than the manifest declares";
        return Some(
            Judgement::inconclusive(sentence)
                .observed(format!("`{other}` at the platform, `{}` declared", came.declared))
                .expected("one scheme, at the platform and in the manifest"),
        );
    }
    (came.verified == 0).then(|| {
        Judgement::inconclusive("no webhook of the partner's has come in 24 h")
            .observed(came.words())
            .waiting("0 webhooks", "a webhook of the partner's at the test tenant")
    })
}

/// Where the partner calls from, as far as anything proves it.
struct Own {
    networks: Vec<IpNet>,
    addresses: BTreeSet<IpAddr>,
}

impl Own {
    fn new(manifest: &Manifest, calls: &[ReceivedCall]) -> Self {
        let declared = manifest.declared_use.iter().flat_map(|it| &it.networks);
        let verified = calls.iter().filter(|it| it.result == VERIFIED);
        Self {
            networks: declared.filter_map(|it| it.parse().ok()).collect(),
            addresses: verified.filter_map(|it| it.ip.parse().ok()).collect(),
        }
    }

    /// Whoever was granted a token has proved who it is.
    async fn learn(
        &mut self,
        platform: &dyn Platform,
        manifest: &Manifest,
        talk: &Talk,
    ) -> Result<(), String> {
        for client in manifest.identities.iter().map(Identity::client_id) {
            let log = platform.token_log(client, talk.now() - LOOKED_BACK).await;
            let log = log.map_err(|it| format!("{it}: {}", it.source))?;
            for line in log.split(|it| *it == b'\n') {
                let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
                let text = |name: &str| line.get(name).and_then(Value::as_str);
                if text("result") == Some("granted") {
                    self.addresses.extend(text("ip").and_then(|it| it.parse::<IpAddr>().ok()));
                }
            }
        }
        Ok(())
    }

    fn has(&self, ip: &str) -> bool {
        ip.parse().is_ok_and(|it| {
            self.addresses.contains(&it) || self.networks.iter().any(|net| net.contains(&it))
        })
    }
}

const LINES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use countersign_model::declare::{Format, parse};
    use countersign_model::time::Timestamp;

    use super::*;

    fn call(ip: &str, result: &str) -> ReceivedCall {
        ReceivedCall {
            time: Timestamp::from_seconds(0),
            integration: "acme-helpdesk".to_owned(),
            webhook: Some("hook:ticket-events".to_owned()).filter(|_| result == "verified"),
            scheme: None,
            ip: ip.to_owned(),
            result: result.to_owned(),
            unproven: BTreeSet::new(),
        }
    }

    #[test]
    fn a_call_is_the_partners_where_something_proves_it() {
        let mut manifest = parse(crate::fact::SAAS, Format::Toml).unwrap().manifest;
        let at_another = ReceivedCall {
            webhook: Some("hook:another".to_owned()),
            ..call("192.0.2.7", "unsigned")
        };
        let calls = [
            call("192.0.2.7", "verified"),
            call("192.0.2.7", "unsigned"),
            call("192.0.2.7", "too-new"),
            call("198.51.100.9", "bad-signature"),
            call("203.0.113.3", "too-old"),
            call("192.0.2.7", "suspended"),
            call("192.0.2.7", "no-key"),
            at_another,
        ];
        let webhook = manifest.webhooks.remove(0);
        let came = Came::new(&webhook, &calls, &Own::new(&manifest, &calls));
        insta::assert_snapshot!(came.words(), @"1 verified by `standard-webhooks`, 1 of the partner's not, 1 of the partner's out of time, 2 from elsewhere not, in 24 h");
        assert_eq!(came.wrong.latest, ["1970-01-01T00:00:00.000Z: unsigned"]);
        let mut own = Own::new(&manifest, &calls);
        own.networks.push("198.51.100.0/24".parse().unwrap());
        assert_eq!(Came::new(&webhook, &calls, &own).wrong.count, 2);
    }

    #[test]
    fn a_call_counts_by_the_declared_scheme_alone() {
        let mut manifest = parse(crate::fact::SAAS, Format::Toml).unwrap().manifest;
        let webhook = manifest.webhooks.remove(0);
        let mut other = call("192.0.2.7", "verified");
        other.scheme = Some("github".to_owned());
        other.unproven.insert(Unproven::NoTime);
        let own = Own::new(&manifest, &[]);
        let came = Came::new(&webhook, &[other], &own);
        assert_eq!((came.verified, came.unproven.len()), (0, 0));
        assert_eq!(came.others, ["github".to_owned()].into());
    }
}
