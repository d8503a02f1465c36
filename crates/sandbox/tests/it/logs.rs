//! The log checks against the whole sandbox: right partners pass, each wrong one is caught by the
//! check that is meant for it, and what is over is forgotten.

use std::time::{Duration, Instant};

use countersign_model::check::{Evidence, Verdict};
use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::{Fault, Kind, World};

use crate::helper::{all_are, checked, until, verdicts, world};

const ATTRIBUTES: &str = "attributes_every_token_request";
const BOUNDS: &str = "bounds_every_token_in_time";
const KEEPS: &str = "keeps_to_its_declared_use";
const LIFETIME: &str = "bounds_access_token_lifetime";
const ALL: [&str; 4] = [ATTRIBUTES, BOUNDS, KEEPS, LIFETIME];

const WINDOW: Duration = Duration::from_secs(2);

/// Lets a partner work until its observation is over: so many requests, and the window of two
/// seconds from then on.
async fn observed(world: &World, kind: Kind, requests: u32) {
    world.partner(kind).business(Lane::Trial, requests).await;
    let worked = Instant::now();
    until("the window", || async { (WINDOW < worked.elapsed()).then_some(()) }).await;
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
    for fault in [Fault::UnattributedRequests, Fault::OverlongTokens, Fault::OffUseRequests] {
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

    OverlongTokens
    bounds_access_token_lifetime oauth:northwind-provisioner: fail
    attributes_every_token_request manifest: pass
    bounds_every_token_in_time manifest: fail
    keeps_to_its_declared_use manifest: pass

    OffUseRequests
    bounds_access_token_lifetime oauth:northwind-provisioner: pass
    attributes_every_token_request manifest: pass
    bounds_every_token_in_time manifest: pass
    keeps_to_its_declared_use manifest: fail
    "#);
    // What an earlier version did is over.
    world.set_faults(Kind::Northwind, []).await.unwrap();
    observed(&world, Kind::Northwind, 45).await;
    all_are(&checked(&world, Kind::Northwind, &ALL).await, Verdict::Pass);
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
