//! The log checks against the whole sandbox: right partners pass, each wrong one is caught by the
//! check that is meant for it, and what is over is forgotten.

use countersign_checks::live::clock::{Clock as _, SystemClock};
use countersign_model::check::{Evidence, Verdict};
use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::{Fault, Kind, World};

use crate::helper::{all_are, checked, until, verdicts, world};

const ATTRIBUTES: &str = "attributes_every_token_request";
const BOUNDS: &str = "bounds_every_token_in_time";
const KEEPS: &str = "keeps_to_its_declared_use";
const LIFETIME: &str = "bounds_access_token_lifetime";
const LOSES: &str = "loses_no_log_line";
const RECORDS: &str = "records_every_action_of_the_account";
const ALL: [&str; 6] = [ATTRIBUTES, BOUNDS, KEEPS, LIFETIME, LOSES, RECORDS];

const WINDOW_MS: u64 = 2_000;

/// Lets a partner work until its observation is over: so many requests, and the window of two
/// seconds from then on.
async fn observed(world: &World, kind: Kind, requests: u32) {
    world.partner(kind).business(Lane::Trial, requests).await;
    let clock = SystemClock::start();
    until("the window", || async { (WINDOW_MS < clock.monotonic_ms()).then_some(()) }).await;
}

fn of<'a>(evidence: &'a [Evidence], check: &str) -> &'a Evidence {
    evidence.iter().find(|it| it.transcript.check == check).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn right_partners_pass() {
    let (world, _) = world();
    for kind in [Kind::Acme, Kind::Payrun, Kind::Shiftly] {
        observed(&world, kind, 12).await;
        all_are(&checked(&world, kind, &ALL).await, Verdict::Pass);
    }
    observed(&world, Kind::Northwind, 45).await;
    all_are(&checked(&world, Kind::Northwind, &ALL).await, Verdict::Pass);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_reseller_is_caught_by_its_own_check() {
    let (world, _) = world();
    let mut seen = Vec::new();
    let faults = [
        Fault::UnattributedRequests,
        Fault::OverlongTokens,
        Fault::OffUseRequests,
        Fault::LogGap,
        Fault::LosesTokenRequests,
    ];
    for fault in faults {
        world.set_faults(Kind::Northwind, [fault]).await.unwrap();
        observed(&world, Kind::Northwind, 45).await;
        let evidence = checked(&world, Kind::Northwind, &ALL).await;
        seen.push(format!("{fault:?}\n{}", verdicts(&evidence)));
    }
    insta::assert_snapshot!(seen.join("\n\n"), @r#"
    UnattributedRequests
    bounds_access_token_lifetime oauth:northwind-provisioner: pass
    attributes_every_token_request manifest: fail
    bounds_every_token_in_time manifest: pass
    keeps_to_its_declared_use manifest: pass
    loses_no_log_line manifest: pass
    records_every_action_of_the_account manifest: pass

    OverlongTokens
    bounds_access_token_lifetime oauth:northwind-provisioner: fail
    attributes_every_token_request manifest: pass
    bounds_every_token_in_time manifest: fail
    keeps_to_its_declared_use manifest: pass
    loses_no_log_line manifest: pass
    records_every_action_of_the_account manifest: pass

    OffUseRequests
    bounds_access_token_lifetime oauth:northwind-provisioner: pass
    attributes_every_token_request manifest: pass
    bounds_every_token_in_time manifest: pass
    keeps_to_its_declared_use manifest: fail
    loses_no_log_line manifest: pass
    records_every_action_of_the_account manifest: pass

    LogGap
    bounds_access_token_lifetime oauth:northwind-provisioner: pass
    attributes_every_token_request manifest: pass
    bounds_every_token_in_time manifest: pass
    keeps_to_its_declared_use manifest: pass
    loses_no_log_line manifest: fail
    records_every_action_of_the_account manifest: pass

    LosesTokenRequests
    bounds_access_token_lifetime oauth:northwind-provisioner: pass
    attributes_every_token_request manifest: pass
    bounds_every_token_in_time manifest: pass
    keeps_to_its_declared_use manifest: pass
    loses_no_log_line manifest: fail
    records_every_action_of_the_account manifest: fail
    "#);
    // What an earlier version did is over.
    world.set_faults(Kind::Northwind, []).await.unwrap();
    observed(&world, Kind::Northwind, 45).await;
    all_are(&checked(&world, Kind::Northwind, &ALL).await, Verdict::Pass);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_has_to_be_in_its_own_log() {
    let (world, _) = world();
    let mut seen = Vec::new();
    for kind in [Kind::Acme, Kind::Payrun] {
        world.set_faults(kind, [Fault::LogLacksActions]).await.unwrap();
        world.partner(kind).business(Lane::Trial, 12).await;
        let evidence = checked(&world, kind, &ALL).await;
        let judgement = &of(&evidence, RECORDS).judgement;
        seen.push(format!(
            "{}: {}\n{}",
            judgement.sentence,
            judgement.observed,
            verdicts(&evidence)
        ));
    }
    insta::assert_snapshot!(seen.join("\n\n"), @r#"
    22 calls are missing in its own log: the own log: 12 of 34 calls in it (35.2 %)
    bounds_access_token_lifetime oauth:acme-helpdesk: pass
    attributes_every_token_request manifest: pass
    bounds_every_token_in_time manifest: pass
    keeps_to_its_declared_use manifest: pass
    loses_no_log_line manifest: pass
    records_every_action_of_the_account manifest: fail

    11 calls are missing in its own log: the own log: 12 of 23 calls in it (52.1 %)
    bounds_access_token_lifetime sa:payrun-scim: pass
    attributes_every_token_request manifest: pass
    bounds_every_token_in_time manifest: pass
    keeps_to_its_declared_use manifest: pass
    loses_no_log_line manifest: pass
    records_every_action_of_the_account manifest: fail
    "#);
}

/// Traffic goes on while the logs are read.
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_partner_passes_and_a_wrong_one_does_not() {
    let (world, _) = world();
    world.keep_busy();
    until("the observation", || async {
        let evidence = checked(&world, Kind::Northwind, &ALL).await;
        evidence.iter().all(|it| it.judgement.verdict == Verdict::Pass).then_some(())
    })
    .await;
    world.set_faults(Kind::Northwind, Kind::Northwind.wrong().iter().copied()).await.unwrap();
    until("the wrong version", || async {
        let evidence = checked(&world, Kind::Northwind, &ALL).await;
        let failed = evidence.iter().filter(|it| it.judgement.verdict == Verdict::Fail);
        (failed.count() == 5).then_some(())
    })
    .await;
    world.rest();
}

/// A partner that is not there has done nothing lately, and its log cannot be fetched.
#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_is_away_passes_nothing() {
    let (world, _) = world();
    let away =
        [Fault::Down, Fault::AllErrors, Fault::AllSuccess, Fault::Hangs, Fault::ClosesHalfWay];
    for (kind, away) in [(Kind::Payrun, away.as_slice()), (Kind::Northwind, &[Fault::Down])] {
        world.partner(kind).business(Lane::Trial, 45).await;
        for fault in away {
            world.set_faults(kind, [*fault]).await.unwrap();
            let checks = [ATTRIBUTES, BOUNDS, KEEPS, LOSES, RECORDS];
            all_are(&checked(&world, kind, &checks).await, Verdict::Inconclusive);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_is_waited_for_and_nothing_is_not_judged() {
    let (world, _) = world();
    let none = checked(&world, Kind::Acme, &[ATTRIBUTES]).await;
    insta::assert_snapshot!(of(&none, ATTRIBUTES).judgement.sentence, @"it made no token request at the test tenant yet");
    world.partner(Kind::Northwind).business(Lane::Trial, 5).await;
    let few = checked(&world, Kind::Northwind, &[ATTRIBUTES, BOUNDS, KEEPS]).await;
    insta::assert_snapshot!(verdicts(&few), @r#"
    attributes_every_token_request manifest: waiting
    bounds_every_token_in_time manifest: waiting
    keeps_to_its_declared_use manifest: waiting
    "#);
    let waiting = of(&few, ATTRIBUTES).judgement.waiting.as_ref().unwrap();
    assert!(waiting.reached.starts_with("5 of 40 requests"), "{waiting:?}");
}
