//! Is its token refused from a network that it did not declare?
//!
//! Most stolen tokens are used from the thief's own machines. Where the networks are pinned, such a token is
//! worth nothing, and the attempt tells that something was stolen. A copy of the client makes an ordinary
//! call from here, and the same call from another address of this machine that the manifest does not
//! declare; then it is waited for the alert. An integration of the elevated tier that declares no networks
//! is held against the alert alone; at the critical tier it has to declare them.
//!
//! Source: policy; NIST SP 800-53r5, SC-7(5), AC-2(11); the theft of Drift's tokens in 2025 (CTS-NET-03).

use std::net::{IpAddr, Ipv4Addr};

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Identity;
use countersign_model::require::{Tier, computed_tier};
use countersign_model::time::Period;
use futures_util::future::BoxFuture;
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::check::Info;
use crate::probe::acting::{
    Acting, Scene, begin, is_denied, is_let_in, no_actor, not_ordinary, ordinary, steps,
    until_alert,
};
use crate::probe::token::{error, number, says, spend, status};

/// Is its token refused from a network that it did not declare?
pub(crate) const REFUSES_USE_OFF_ITS_NETWORK: Acting = Acting {
    info: &Info {
        name: "refuses_use_off_its_network",
        case: Some("ACC-04"),
        controls: &["CTS-NET-03", "CTS-LOG-05"],
        question: "Is its token refused from a network that it did not declare?",
        sends: "As a throw-away copy of the client: an ordinary call from here, then the same call with the same token from an address outside `declared_use.networks`.",
        passes: "The second call is refused (401 or 403) and an alert about it arrives in time. Where no networks are declared, the alert alone counts below the critical tier.",
        risk: "A stolen token works from anywhere in the world, and nobody notices.",
        fix: "Declare the networks that it calls from, restrict the client to them at the platform, and wire an alert for calls from elsewhere.",
        source: "Policy; NIST SP 800-53r5, SC-7(5) and AC-2(11).",
    },
    looks_at,
    play,
    judge,
};

fn looks_at(manifest: &Manifest, _: &Identity) -> bool {
    let tier = computed_tier(manifest).max(manifest.integration.tier);
    Tier::Standard < tier || !networks(manifest).is_empty()
}

fn networks(manifest: &Manifest) -> Vec<String> {
    manifest.declared_use.as_ref().map(|it| it.networks.clone()).unwrap_or_default()
}

fn play(mut scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let networks = networks(scene.manifest);
        let tier = computed_tier(scene.manifest).max(scene.manifest.integration.tier);
        scene.talk.setting("networks", networks.clone());
        scene.talk.setting("tier", tier.word());
        let minutes = scene.talk.figure("CTS-NET-03.alert_minutes").unwrap_or(ALERT_MINUTES);
        let Some(elsewhere) = outside(&networks) else {
            let why = "every address of this machine lies inside the declared networks";
            scene.talk.fact("elsewhere", "manifest", json!({ "error": why }));
            return;
        };
        let Some(actor) = begin(&mut scene, crate::platform::CopyTerms::default()).await else {
            return;
        };
        let repeat = format!(
            "{}, from {elsewhere}: add `--interface {elsewhere}`",
            steps(&scene, &actor, &[])
        );
        scene.talk.setting("repeat", repeat);
        ordinary(&mut scene, &actor, "control").await;
        let before = scene.platform.alerts(&scene.manifest.integration.id).await;
        scene.talk.heard("quiet", before, |it| {
            json!({ "about_it": it.iter().filter(|it| it.client_id == actor.copy.client_id).count() })
        });
        let start = scene.talk.stopwatch_ms();
        let from = ("elsewhere", Some(elsewhere));
        spend(scene.talk, scene.platform, (&actor.token, &actor.call), from).await;
        let within = Period::from_seconds(minutes * 60);
        until_alert(&mut scene, &actor.copy, "alert", (start, within)).await;
        ordinary(&mut scene, &actor, "closing").await;
    })
}

/// An address of this machine that no declared network holds.
fn outside(networks: &[String]) -> Option<IpAddr> {
    let networks: Vec<IpNet> = networks.iter().filter_map(|it| it.parse().ok()).collect();
    let mut own = (2..=254).map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)));
    own.find(|it| !networks.iter().any(|net| net.contains(it)))
}

fn judge(transcript: &Transcript) -> Judgement {
    let declared = transcript.settings.get("networks").and_then(Value::as_array);
    let declared: Vec<&str> = declared.into_iter().flatten().filter_map(Value::as_str).collect();
    let tier = transcript.text("tier").unwrap_or_default();
    let expected = match (declared.is_empty(), tier) {
        (true, "critical") => "declared networks, and a refusal outside of them",
        (true, _) => "an alert in time",
        (false, _) => "a refusal (401 or 403), and an alert in time",
    };
    decide(transcript, &declared, tier).unwrap_or_else(|it| *it).expected(expected)
}

fn decide(
    transcript: &Transcript,
    declared: &[&str],
    tier: &str,
) -> Result<Judgement, Box<Judgement>> {
    let elsewhere = transcript.fact("elsewhere");
    if let Some(why) = error(elsewhere) {
        return Err(Judgement::inconclusive("no call from elsewhere could be made")
            .observed(why)
            .at("declared_use.networks")
            .into());
    }
    if let Some(it) = no_actor(transcript).or_else(|| not_ordinary(transcript, "control")) {
        return Err(it.into());
    }
    let alert = transcript.fact("alert");
    let seen = format!("{} from {}", status(elsewhere), word(elsewhere, "from"));
    if is_let_in(elsewhere) && !declared.is_empty() {
        return Err(Judgement::fail("a token works from a network that is not declared")
            .observed(format!("{seen}; declared: {}", declared.join(", ")))
            .into());
    }
    if is_let_in(elsewhere) && tier == "critical" {
        return Err(Judgement::fail("a token works from every network, and none is declared")
            .observed(seen)
            .at("declared_use.networks")
            .into());
    }
    if !is_let_in(elsewhere) && !is_denied(elsewhere) {
        return Err(Judgement::inconclusive(
            "the call from elsewhere has no answer that says anything",
        )
        .observed(seen)
        .into());
    }
    if let Some(it) = not_ordinary(transcript, "closing") {
        return Err(it.into());
    }
    alarmed(transcript, alert, &seen, tier)
}

/// Whether an alert came about it, and not before.
fn alarmed(
    transcript: &Transcript,
    alert: Option<&Value>,
    seen: &str,
    tier: &str,
) -> Result<Judgement, Box<Judgement>> {
    let before = number(transcript.fact("quiet"), "about_it");
    if error(alert).is_some() || alert.is_none() || before.is_none() {
        return Err(Judgement::inconclusive("alerts could not be read")
            .observed(status(alert.or(transcript.fact("quiet"))))
            .into());
    }
    if before != Some(0) {
        return Err(Judgement::inconclusive("the alarm rang before anything was done").into());
    }
    let after = Period::from_millis(number(alert, "after_ms").unwrap_or_default());
    if says(alert, "raised") {
        let signal = word(alert, "signal");
        return Ok(Judgement::pass(
            "a token is of no use off its network, and the attempt is noticed",
        )
        .observed(format!("{seen}; `{signal}` after {after}")));
    }
    // Below the tiers that have to be alarmed a refusal is all that was promised.
    if tier == "standard" && is_denied(transcript.fact("elsewhere")) {
        return Ok(Judgement::pass("a token is refused off its network")
            .observed(format!("{seen}; no alert, which this tier does not need")));
    }
    Err(Judgement::fail("nobody is told that a token is used from an unknown network")
        .observed(format!("{seen}; no alert within {after}"))
        .into())
}

fn word<'a>(fact: Option<&'a Value>, member: &str) -> &'a str {
    fact.and_then(|it| it.get(member)?.as_str()).unwrap_or_default()
}

/// How soon an alert has to arrive where no profile says it: policy.
const ALERT_MINUTES: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::acting::acting;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn seen(networks: &[&str], tier: &str, elsewhere: u16, raised: bool) -> Sample {
        let told = json!({
            "raised": raised, "signal": raised.then_some("token used from elsewhere"), "after_ms": 31,
        });
        acting()
            .setting("networks", networks.to_vec())
            .setting("tier", tier)
            .fact("quiet", json!({ "about_it": 0 }))
            .fact("elsewhere", json!({ "status": elsewhere, "from": "127.0.0.2" }))
            .fact("alert", told)
            .fact("closing", json!({ "status": 200 }))
    }

    #[test]
    fn a_token_is_refused_and_the_attempt_noticed() {
        let pinned = &["192.0.2.0/28"];
        let down = json!({ "error": "it cannot be reached" });
        let table = [
            ("refused and noticed", seen(pinned, "critical", 403, true), Pass),
            ("works", seen(pinned, "elevated", 200, true), Fail),
            ("works for what is not there", seen(pinned, "elevated", 404, true), Fail),
            ("refused, unnoticed", seen(pinned, "elevated", 403, false), Fail),
            ("refused at the lowest tier", seen(pinned, "standard", 403, false), Pass),
            ("none declared, noticed", seen(&[], "elevated", 200, true), Pass),
            ("none declared, unnoticed", seen(&[], "elevated", 200, false), Fail),
            ("none declared, critical", seen(&[], "critical", 200, true), Fail),
            ("none declared, refused all the same", seen(&[], "critical", 403, true), Pass),
            ("breaks", seen(pinned, "elevated", 500, true), Inconclusive),
            (
                "gone afterwards",
                seen(pinned, "elevated", 403, true).fact("closing", down.clone()),
                Inconclusive,
            ),
            (
                "no address",
                sample().setting("networks", pinned.to_vec()).fact("elsewhere", down.clone()),
                Inconclusive,
            ),
            ("platform down", sample().fact("copy", down), Inconclusive),
            (
                "refused at home",
                sample()
                    .fact("minted", json!({"granted": true}))
                    .fact("control", json!({"status": 403}))
                    .fact("elsewhere", json!({"status": 403})),
                Inconclusive,
            ),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&REFUSES_USE_OFF_ITS_NETWORK, &table);
        let judgement = judged(&REFUSES_USE_OFF_ITS_NETWORK, &table[0].1);
        insta::assert_snapshot!(judgement.observed, @"HTTP 403 from 127.0.0.2; `token used from elsewhere` after 31ms");
        let judgement = judged(&REFUSES_USE_OFF_ITS_NETWORK, &table[1].1);
        insta::assert_snapshot!(judgement.sentence, @"a token works from a network that is not declared");
        insta::assert_snapshot!(judgement.observed, @"HTTP 200 from 127.0.0.2; declared: 192.0.2.0/28");
    }

    #[test]
    fn elsewhere_is_an_address_that_is_not_declared() {
        let of = |it: &str| outside(&[it.to_owned()]).map(|it| it.to_string());
        assert_eq!(of("127.0.0.0/30").as_deref(), Some("127.0.0.4"));
        assert_eq!(of("192.0.2.0/28").as_deref(), Some("127.0.0.2"));
        assert_eq!(of("127.0.0.0/8"), None);
    }
}
