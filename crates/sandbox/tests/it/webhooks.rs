//! The checks of receivers against the whole sandbox: a right receiver passes them all, each wrong
//! one fails the check that is meant for it, and one that is not there passes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::Platform;
use countersign_checks::run::{Limits, RunInput, look};
use countersign_checks::secrets::Secrets;
use countersign_model::check::{Evidence, Verdict};
use countersign_model::declare::manifest::EffectsKind;
use countersign_model::declare::{Format, Manifest, parse};
use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::manifests::{Version, text};
use countersign_sandbox::{Fault, HookFault, Kind, World};

use crate::helper::{connector, world};

const CHECKS: [&str; 7] = [
    "refuses_unsigned_webhook",
    "refuses_tampered_webhook_body",
    "refuses_wrong_webhook_key",
    "refuses_stale_timestamp",
    "refuses_future_timestamp",
    "refuses_unsigned_timestamp",
    "applies_replayed_webhook_once",
];

/// How long one check may take, whatever the partner does.
const CHECK_MAX: Duration = Duration::from_secs(20);

/// What the checks see of a partner.
async fn probe(world: &World, kind: Kind) -> Vec<Evidence> {
    probe_as(world, &text(kind, Version::Right), |_| {}).await
}

async fn probe_as(world: &World, text: &str, change: impl Fn(&mut Manifest)) -> Vec<Evidence> {
    probe_with(world, text, change, &CHECKS).await
}

async fn probe_with(
    world: &World,
    text: &str,
    change: impl Fn(&mut Manifest),
    checks: &[&str],
) -> Vec<Evidence> {
    let mut parsed = parse(text, Format::Toml).unwrap();
    change(&mut parsed.manifest);
    let only: BTreeSet<String> = checks.iter().map(|it| (*it).to_owned()).collect();
    let input = RunInput {
        manifest: &parsed.manifest,
        manifest_digest: parsed.digest,
        only: Some(&only),
        settings: BTreeMap::from([("status_only".to_owned(), "accept".into())]),
        talk: TalkConfig {
            resolve: world.net().resolve.clone(),
            ca: Some(world.net().ca_pem.clone().into_bytes()),
            proved: world.net().resolve.keys().cloned().collect(),
            ..TalkConfig::default()
        },
        platform: Some(connector(world) as Arc<dyn Platform>),
        harness: None,
        production: None,
        sources: BTreeMap::new(),
        secrets: Secrets::new(world.secrets()),
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: Arc::new(SystemClock::start()),
        salt: [7; 32],
        collector: "test".to_owned(),
        limits: Limits { check: CHECK_MAX, ..Limits::default() },
        keeper: None,
    };
    look(input).await.unwrap()
}

/// The names of the checks with this verdict.
fn with(evidence: &[Evidence], verdict: Verdict) -> Vec<&str> {
    let found = evidence.iter().filter(|it| it.judgement.verdict == verdict);
    found.map(|it| it.transcript.check.as_str()).collect()
}

/// What was seen, for the message of a test that fails.
fn shown(evidence: &[Evidence]) -> String {
    let line = |it: &Evidence| {
        let judgement = &it.judgement;
        let (check, verdict) = (&it.transcript.check, judgement.verdict.word());
        format!("{check}: {verdict} | {} | {}", judgement.sentence, judgement.observed)
    };
    evidence.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_receiver_passes_and_each_wrong_one_is_caught() {
    let (world, _door) = world();
    for kind in [Kind::Acme, Kind::Shiftly] {
        let evidence = probe(&world, kind).await;
        assert_eq!(with(&evidence, Verdict::Pass), CHECKS, "{kind:?}: {}", shown(&evidence));
    }
    // Whoever takes any signature cannot tell what it covers either: neither the body nor the time.
    let any_key = [
        "refuses_tampered_webhook_body",
        "refuses_wrong_webhook_key",
        "refuses_unsigned_timestamp",
    ];
    let table: [(Fault, &[&str]); 8] = [
        (Fault::AcceptsUnsignedWebhook, &["refuses_unsigned_webhook"]),
        (Fault::AcceptsTamperedBody, &["refuses_tampered_webhook_body"]),
        (Fault::AcceptsWrongKey, &any_key),
        (Fault::AcceptsStaleTimestamp, &["refuses_stale_timestamp"]),
        (Fault::AcceptsFutureTimestamp, &["refuses_future_timestamp"]),
        (Fault::TimestampNotSigned, &["refuses_unsigned_timestamp"]),
        (Fault::AppliesReplayTwice, &["applies_replayed_webhook_once"]),
        (Fault::Hook(HookFault::ForgetsWebhookIds), &["applies_replayed_webhook_once"]),
    ];
    for (fault, caught_by) in table {
        world.set_faults(Kind::Acme, [fault]).await.unwrap();
        let evidence = probe(&world, Kind::Acme).await;
        let others: Vec<&str> = CHECKS.into_iter().filter(|it| !caught_by.contains(it)).collect();
        assert_eq!(with(&evidence, Verdict::Fail), caught_by, "{fault:?}: {}", shown(&evidence));
        assert_eq!(with(&evidence, Verdict::Pass), others, "{fault:?}: {}", shown(&evidence));
        for it in evidence.iter().filter(|it| it.judgement.verdict == Verdict::Fail) {
            let repeat = it.judgement.repeat.as_deref().unwrap_or_default();
            assert!(
                repeat.starts_with("curl -i -X POST 'https://events.acme.example/id'"),
                "{it:?}"
            );
            assert!(!repeat.contains(world.partner(Kind::Acme).api_token()), "{it:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_not_there_passes_nothing_and_costs_seconds() {
    let (world, _door) = world();
    let missing =
        [Fault::AllErrors, Fault::AllSuccess, Fault::ClosesHalfWay, Fault::Down, Fault::Hangs];
    for fault in missing {
        world.set_faults(Kind::Shiftly, [fault]).await.unwrap();
        let begun = stopwatch();
        let evidence = probe(&world, Kind::Shiftly).await;
        assert!(begun.elapsed() < CHECK_MAX, "{fault:?}");
        let repeats = |it: &Evidence| it.judgement.repeat.is_some();
        assert!(evidence.iter().all(repeats), "{fault:?}: {}", shown(&evidence));
        let got = with(&evidence, Verdict::Inconclusive);
        assert_eq!(got, CHECKS, "{fault:?}: {}", shown(&evidence));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test with a stopwatch")]
fn stopwatch() -> Instant {
    Instant::now()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_oracle_the_status_is_judged_and_said_to_be_all() {
    let (world, _door) = world();
    let silent = |it: &mut Manifest| it.effects = None;
    let declared = text(Kind::Acme, Version::Right);
    let evidence = probe_as(&world, &declared, silent).await;
    let (last, others) = CHECKS.split_last().unwrap();
    assert!(evidence.iter().all(|it| it.judgement.status_only), "{}", shown(&evidence));
    assert_eq!(with(&evidence, Verdict::Pass), others, "{}", shown(&evidence));
    assert_eq!(with(&evidence, Verdict::Inconclusive), [*last], "{}", shown(&evidence));
    world.set_faults(Kind::Acme, [Fault::AcceptsUnsignedWebhook]).await.unwrap();
    let evidence = probe_as(&world, &declared, silent).await;
    assert_eq!(with(&evidence, Verdict::Fail), [CHECKS[0]], "{}", shown(&evidence));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_object_shows_effects_as_well_as_a_feed() {
    let (world, _door) = world();
    let declared = text(Kind::Acme, Version::Right).replace("/effects\"", "/canary\"");
    let object = |it: &mut Manifest| {
        it.effects.as_mut().unwrap().kind = EffectsKind::Object;
    };
    let two = ["refuses_unsigned_webhook", "applies_replayed_webhook_once"];
    let evidence = probe_with(&world, &declared, object, &two).await;
    assert_eq!(with(&evidence, Verdict::Pass), two, "{}", shown(&evidence));
    for (fault, check) in
        [(Fault::AcceptsUnsignedWebhook, two[0]), (Fault::AppliesReplayTwice, two[1])]
    {
        world.set_faults(Kind::Acme, [fault]).await.unwrap();
        let evidence = probe_with(&world, &declared, object, &two).await;
        assert_eq!(with(&evidence, Verdict::Fail), [check], "{fault:?}: {}", shown(&evidence));
        assert_eq!(with(&evidence, Verdict::Pass).len(), 1, "{fault:?}: {}", shown(&evidence));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_hostile_is_sent_to_whoever_did_not_agree() {
    let (world, _door) = world();
    let declared = text(Kind::Acme, Version::Right);
    // Hours that cannot be read are none.
    let never = |it: &mut Manifest| {
        let rules = it.rules_of_engagement.as_mut().unwrap();
        rules.hours = "never".to_owned();
    };
    let evidence = probe_as(&world, &declared, never).await;
    assert_eq!(with(&evidence, Verdict::Inconclusive), CHECKS, "{}", shown(&evidence));
    let guarded = |it: &Evidence| it.judgement.sentence.starts_with("a request was not sent");
    assert!(evidence.iter().all(guarded), "{}", shown(&evidence));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_receives_nothing_is_not_asked() {
    let (world, _door) = world();
    let evidence = probe(&world, Kind::Payrun).await;
    assert_eq!(with(&evidence, Verdict::NotApplicable), CHECKS, "{}", shown(&evidence));
}

const SENDS: &str = "sends_signed_webhooks";

async fn sends(world: &World, kind: Kind) -> Evidence {
    let declared = text(kind, Version::Right);
    probe_with(world, &declared, |_| {}, &[SENDS]).await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_signs_passes_whoever_else_knocks() {
    let (world, _door) = world();
    let before = sends(&world, Kind::Acme).await;
    assert!(before.judgement.waiting.is_some(), "{}", shown(std::slice::from_ref(&before)));
    world.partner(Kind::Acme).business(Lane::Trial, 1).await;
    let stranger = world.net().client(Some("127.0.0.9".parse().unwrap())).unwrap();
    let hook = "https://test.id.example.com/hooks/acme-helpdesk";
    let answer = stranger.post(hook).body("{}").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    let signed = sends(&world, Kind::Acme).await;
    assert_eq!(signed.judgement.verdict, Verdict::Pass, "{}", shown(std::slice::from_ref(&signed)));
    assert!(
        signed.judgement.observed.contains("1 from elsewhere not"),
        "{}",
        shown(std::slice::from_ref(&signed))
    );
    let none = sends(&world, Kind::Shiftly).await;
    assert_eq!(none.judgement.verdict, Verdict::NotApplicable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_does_not_sign_is_caught() {
    let (world, _door) = world();
    world.set_faults(Kind::Acme, [Fault::SendsUnsignedWebhooks]).await.unwrap();
    world.partner(Kind::Acme).business(Lane::Trial, 1).await;
    let unsigned = sends(&world, Kind::Acme).await;
    assert_eq!(
        unsigned.judgement.verdict,
        Verdict::Fail,
        "{}",
        shown(std::slice::from_ref(&unsigned))
    );
    // It signs again: what it sent before is not forgotten for a day.
    world.set_faults(Kind::Acme, []).await.unwrap();
    world.partner(Kind::Acme).business(Lane::Trial, 4).await;
    assert_eq!(sends(&world, Kind::Acme).await.judgement.verdict, Verdict::Fail);
}
