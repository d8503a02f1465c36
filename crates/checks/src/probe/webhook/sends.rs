//! Do the webhooks that the partner sends bear a signature that verifies?
//!
//! Where they do not, whoever finds the address can say what the partner says. The platform's record
//! tells which of its calls verified. Anybody can knock at a public address: calls that did not verify
//! count against the partner only where they came from its own networks, from where one of its
//! signed calls came, or from where one of its clients was granted a token.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme"; NIST SP 800-53r5, IA-9.

use std::collections::BTreeSet;
use std::net::IpAddr;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Identity, Webhook};
use countersign_model::time::Period;
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::check::{Check, Info, Stage};
use crate::platform::{Platform, ReceivedCall};
use crate::talk::Talk;

/// Do the webhooks that the partner sends bear a signature that verifies?
#[derive(Debug, Clone, Copy)]
pub struct SendsSignedWebhooks;

/// How far back the record is read.
const LOOKED_BACK: Period = Period::from_hours(24);
/// What a signature that does not verify comes to. Other results say that it was not looked at.
const UNVERIFIED: [&str; 4] = ["bad-signature", "too-new", "too-old", "unsigned"];
/// What a call comes to that verifies, and whose id had come with another body before.
const REUSED: &str = "reused-id";

#[async_trait::async_trait]
impl Check for SendsSignedWebhooks {
    fn info(&self) -> &'static Info {
        &Info {
            name: "sends_signed_webhooks",
            case: None,
            controls: &["CTS-WHK-01"],
            question: "Do the webhooks that it sends bear a signature that verifies?",
            sends: "Nothing. The platform's record of the webhooks that came in the last 24 hours is read.",
            passes: "At least one verified with the partner's key; each that came from the partner itself verifies, is fresh, and has an id that stood for no other. Calls from elsewhere do not count against it.",
            risk: "Whoever finds the address can say here what the partner says.",
            fix: "Sign id, time and body of every webhook, retries too, with the key that the platform holds.",
            source: "Standard Webhooks 1.0, \"Signature scheme\"; NIST SP 800-53r5, IA-9.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Afterwards
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        manifest.webhooks.iter().map(|it| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
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
        talk.fact("webhooks", "platform", counted(webhook, &calls, &own));
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let judgement = judged(transcript).expected("each call verifies with the partner's key");
        match transcript.text("place") {
            Some(place) => judgement.at(place),
            None => judgement,
        }
    }
}

fn counted(webhook: &Webhook, calls: &[ReceivedCall], own: &Own) -> Value {
    let is_this = |it: &&ReceivedCall| it.webhook.as_deref() == Some(webhook.id.as_str());
    let verified = calls.iter().filter(|it| it.result == "verified").filter(is_this).count();
    let reused: Vec<String> = calls
        .iter()
        .filter(|it| it.result == REUSED)
        .filter(is_this)
        .rev()
        .take(LINES_MAX)
        .map(|it| format!("{}: {}", it.time, it.result))
        .collect();
    let wrong = calls.iter().filter(|it| UNVERIFIED.contains(&it.result.as_str()));
    let (ours, strangers): (Vec<_>, Vec<_>) = wrong.partition(|it| own.has(&it.ip));
    let lines: Vec<String> =
        ours.iter().rev().take(LINES_MAX).map(|it| format!("{}: {}", it.time, it.result)).collect();
    json!({
        "verified": verified, "reused": reused, "wrong": ours.len(), "strangers": strangers.len(), "lines": lines,
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
        let verified = calls.iter().filter(|it| it.result == "verified");
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

fn judged(transcript: &Transcript) -> Judgement {
    for label in ["platform", "calls", "addresses"] {
        let error = transcript.fact(label).and_then(|it| it.get("error")?.as_str());
        if let Some(error) = error {
            let sentence = "what came in was not read";
            return Judgement::inconclusive(sentence).observed(error);
        }
    }
    let Some(fact) = transcript.fact("webhooks") else {
        return Judgement::inconclusive("what came in was not read");
    };
    let count = |name: &str| fact.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (verified, wrong, strangers) = (count("verified"), count("wrong"), count("strangers"));
    let observed = format!(
        "{verified} verified, {wrong} of the partner's not, {strangers} from elsewhere not, in 24 h"
    );
    if 0 < wrong {
        let lines = fact.get("lines").and_then(Value::as_array).into_iter().flatten();
        let lines = lines.filter_map(Value::as_str).map(str::to_owned);
        let sentence = "webhooks come from the partner without a signature that verifies";
        return Judgement::fail(sentence).observed(observed).details(lines.collect::<Vec<_>>());
    }
    let reused = fact.get("reused").and_then(Value::as_array).into_iter().flatten();
    let reused: Vec<String> = reused.filter_map(Value::as_str).map(str::to_owned).collect();
    if !reused.is_empty() {
        let sentence = "webhooks come from the partner with an id that stood for another one";
        return Judgement::fail(sentence)
            .observed(format!("{observed}; {} with an id of another one", reused.len()))
            .details(reused);
    }
    if verified == 0 {
        return Judgement::inconclusive("no webhook of the partner's has come in 24 h")
            .observed(observed)
            .waiting("0 webhooks", "a webhook of the partner's at the test tenant");
    }
    Judgement::pass("each webhook of the partner's verifies").observed(observed)
}

const LINES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use countersign_model::declare::{Format, parse};
    use countersign_model::time::Timestamp;

    use super::*;
    use crate::sample::{judged, judges, sample};

    #[test]
    fn only_what_the_partner_sent_counts_against_it() {
        let seen = |verified: u32, wrong: u32, strangers: u32| {
            let lines = vec!["2026-11-24T03:05:11.000Z: unsigned"; wrong as usize];
            sample().fact(
                "webhooks",
                json!({
                    "verified": verified, "wrong": wrong, "strangers": strangers, "lines": lines,
                }),
            )
        };
        let reused = || {
            let lines = ["2026-11-24T03:05:11.000Z: reused-id"];
            let fact = json!({ "verified": 3, "wrong": 0, "strangers": 0, "reused": lines });
            sample().fact("webhooks", fact)
        };
        let error = || json!({ "error": "HTTP 500" });
        judges(
            &SendsSignedWebhooks,
            &[
                ("all signed", seen(3, 0, 0), Pass),
                ("strangers knock", seen(3, 0, 9), Pass),
                ("none signed", seen(0, 3, 0), Fail),
                ("some signed", seen(9, 1, 0), Fail),
                ("an id of another one", reused(), Fail),
                ("silent", seen(0, 0, 0), Inconclusive),
                ("only strangers", seen(0, 0, 4), Inconclusive),
                ("nothing was read", sample(), Inconclusive),
                ("no platform", sample().fact("platform", error()), Inconclusive),
                ("a broken platform", sample().fact("calls", error()), Inconclusive),
                ("no token log", seen(3, 0, 1).fact("addresses", error()), Inconclusive),
            ],
        );
        assert!(judged(&SendsSignedWebhooks, &seen(0, 0, 4)).waiting.is_some());
    }

    #[test]
    fn a_call_is_the_partners_where_something_proves_it() {
        let text = crate::fact::SAAS;
        let mut manifest = parse(text, Format::Toml).unwrap().manifest;
        let call = |ip: &str, result: &str| ReceivedCall {
            time: Timestamp::from_seconds(0),
            integration: "acme-helpdesk".to_owned(),
            webhook: (result == "verified").then(|| "hook:ticket-events".to_owned()),
            ip: ip.to_owned(),
            result: result.to_owned(),
        };
        let calls = [
            call("192.0.2.7", "verified"),
            call("192.0.2.7", "unsigned"),
            call("198.51.100.9", "bad-signature"),
            call("203.0.113.3", "too-old"),
            call("192.0.2.7", "suspended"),
            call("192.0.2.7", "no-key"),
        ];
        let webhook = manifest.webhooks.remove(0);
        let fact = counted(&webhook, &calls, &Own::new(&manifest, &calls));
        insta::assert_snapshot!(fact, @r#"{"lines":["1970-01-01T00:00:00.000Z: unsigned"],"reused":[],"strangers":2,"verified":1,"wrong":1}"#);
        let mut own = Own::new(&manifest, &calls);
        own.networks.push("198.51.100.0/24".parse().unwrap());
        assert_eq!(counted(&webhook, &calls, &own)["wrong"], 2);
    }
}
