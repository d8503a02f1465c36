//! The drills against the whole sandbox: the right partners pass, each wrong one is caught by the
//! check that is meant for it, and a partner that is not there passes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_checks::platform::Platform as _;
use countersign_checks::run::Limits;
use countersign_model::check::{Evidence, Verdict};
use countersign_sandbox::manifests::{Version, manifest, text};
use countersign_sandbox::{AccessFault, Fault, Kind, World};

use crate::helper::{checked, checked_as, checked_within, connector, verdicts, world};

const ROTATES: &str = "rotates_without_a_person";
const KILL_SWITCH: &str = "denies_every_path_when_suspended";
const EVENTS: &str = "stops_events_when_disabled";
const OFFBOARDED: &str = "leaves_nothing_behind_when_offboarded";
const OLD_KEY: &str = "refuses_old_credential_after_rotation";

/// What was seen, for the message of a test that fails.
fn shown(evidence: &[Evidence]) -> String {
    let line = |it: &Evidence| {
        let judgement = &it.judgement;
        let details = judgement.details.join("\n    ");
        format!(
            "{}: {} | {} | {}\n    {details}\n{}",
            it.transcript.check,
            judgement.verdict.word(),
            judgement.sentence,
            judgement.observed,
            serde_json::to_string(&it.transcript.entries).unwrap(),
        )
    };
    evidence.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Nothing of what these checks look at passes, and nothing fails either.
fn is_never_judged(evidence: &[Evidence], what: &str) {
    for it in evidence {
        assert_eq!(
            it.judgement.verdict,
            Verdict::Inconclusive,
            "{what}: {}",
            shown(std::slice::from_ref(it))
        );
    }
}

/// A partner that is not there, in all the ways in which one can be missing.
const MISSING: [Fault; 5] =
    [Fault::AllErrors, Fault::AllSuccess, Fault::ClosesHalfWay, Fault::Down, Fault::Hangs];

/// The checks came to exactly this.
#[track_caller]
fn came_to(evidence: &[Evidence], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    assert_eq!(verdicts(evidence), expected.join("\n"), "{}", shown(evidence));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payroll_partner_changes_its_key_by_itself_and_the_old_one_dies() {
    let (world, _door) = world();
    world.keep_busy();
    let evidence = checked(&world, Kind::Payrun, &[ROTATES, OLD_KEY]).await;
    came_to(
        &evidence,
        "rotates_without_a_person sa:payrun-scim: pass
         refuses_old_credential_after_rotation sa:payrun-scim: pass",
    );
    let rotations =
        evidence.iter().map(|it| serde_json::to_string(&it.transcript.entries).unwrap());
    let rotations: BTreeSet<String> = rotations.collect();
    assert_eq!(rotations.len(), 1, "both saw the same rotation");
    // The others declare none, and their profiles ask for none.
    for kind in [Kind::Acme, Kind::Northwind, Kind::Shiftly] {
        let evidence = checked(&world, kind, &[ROTATES, OLD_KEY]).await;
        came_to(
            &evidence,
            "rotates_without_a_person manifest: not-applicable
             refuses_old_credential_after_rotation manifest: not-applicable",
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_rotation_is_caught_by_its_own_check() {
    let (world, _door) = world();
    world.keep_busy();
    for (faults, expected) in [
        (
            vec![Fault::OldKeyStaysAlive],
            "rotates_without_a_person sa:payrun-scim: pass
             refuses_old_credential_after_rotation sa:payrun-scim: fail",
        ),
        (
            vec![Fault::RotationNeedsAPerson],
            "rotates_without_a_person sa:payrun-scim: fail
             refuses_old_credential_after_rotation sa:payrun-scim: inconclusive",
        ),
        (
            Kind::Payrun.wrong().to_vec(),
            "rotates_without_a_person sa:payrun-scim: fail
             refuses_old_credential_after_rotation sa:payrun-scim: fail",
        ),
        (
            vec![Fault::RenamesOldKey],
            "rotates_without_a_person sa:payrun-scim: fail
             refuses_old_credential_after_rotation sa:payrun-scim: inconclusive",
        ),
    ] {
        world.set_faults(Kind::Payrun, faults).await.unwrap();
        came_to(&checked(&world, Kind::Payrun, &[ROTATES, OLD_KEY]).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_is_not_there_has_rotated_nothing() {
    let (world, _door) = world();
    for fault in MISSING {
        world.set_faults(Kind::Payrun, [fault]).await.unwrap();
        let evidence = checked(&world, Kind::Payrun, &[ROTATES, OLD_KEY]).await;
        is_never_judged(&evidence, &format!("{fault:?}"));
    }
    // Nobody at work: an outage could not have shown.
    world.set_faults(Kind::Payrun, []).await.unwrap();
    let evidence = checked(&world, Kind::Payrun, &[ROTATES, OLD_KEY]).await;
    is_never_judged(&evidence, "nobody at work");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_of_the_right_partners_is_shut_and_given_back() {
    let (world, _door) = world();
    let before = held(&world).await;
    for kind in Kind::ALL {
        let evidence = checked(&world, kind, &[KILL_SWITCH]).await;
        came_to(&evidence, "denies_every_path_when_suspended manifest: pass");
        let paths = manifest(kind).unwrap().paths();
        let details = &evidence[0].judgement.details;
        for path in &paths {
            let is_told = details.iter().any(|it| it.starts_with(&format!("{path}:")));
            assert!(is_told, "{path}: {}", shown(&evidence));
        }
        assert!(details.last().is_some_and(|it| it.starts_with("slowest: ")), "{details:?}");
    }
    assert_eq!(held(&world).await, before, "everything is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_stays_open_is_named() {
    let (world, door) = world();
    world.set_faults(Kind::Acme, [Fault::TokensOutliveDisable]).await.unwrap();
    let evidence = checked(&world, Kind::Acme, &[KILL_SWITCH]).await;
    came_to(&evidence, "denies_every_path_when_suspended manifest: fail");
    let observed = &evidence[0].judgement.observed;
    assert!(observed.starts_with("token-use oauth:acme-helpdesk: HTTP 200 after"), "{observed}");
    assert!(!observed.contains("token-mint"), "{observed}");
    // Whoever sees no path open has not seen one shut.
    world.set_faults(Kind::Acme, []).await.unwrap();
    door.shut();
    let evidence = checked(&world, Kind::Acme, &[KILL_SWITCH]).await;
    is_never_judged(&evidence, "nothing was open");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_path_is_shut_where_nobody_listens() {
    let (world, _door) = world();
    for fault in [Fault::AllErrors, Fault::ClosesHalfWay, Fault::Down, Fault::Hangs] {
        world.set_faults(Kind::Shiftly, [fault]).await.unwrap();
        let evidence = checked(&world, Kind::Shiftly, &[KILL_SWITCH]).await;
        is_never_judged(&evidence, &format!("{fault:?}"));
    }
}

/// What the test tenant holds for everybody, copies included.
async fn held(world: &World) -> Vec<String> {
    let connector = connector(world);
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let held = connector.granted(&manifest(kind).unwrap()).await.unwrap();
        all.push(format!("{:?} {:?} {:?}", held.granted, held.undeclared, held.subscriptions));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn events_end_with_their_subscription_and_come_back() {
    let (world, _door) = world();
    let before = held(&world).await;
    for (kind, expected) in [
        (Kind::Acme, "stops_events_when_disabled sub:user.lifecycle: pass"),
        (Kind::Shiftly, "stops_events_when_disabled sub:group.changed: pass"),
        (Kind::Payrun, "stops_events_when_disabled manifest: not-applicable"),
    ] {
        came_to(&checked(&world, kind, &[EVENTS]).await, expected);
    }
    assert_eq!(held(&world).await, before, "everything is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_nobody_declared_is_heard() {
    let (world, _door) = world();
    world.set_faults(Kind::Shiftly, [Fault::DeliversAfterDisable]).await.unwrap();
    let evidence = checked(&world, Kind::Shiftly, &[EVENTS, KILL_SWITCH, OFFBOARDED]).await;
    came_to(
        &evidence,
        "denies_every_path_when_suspended manifest: pass
         stops_events_when_disabled sub:group.changed: fail
         leaves_nothing_behind_when_offboarded oauth:shiftly: pass",
    );
    let observed = &evidence[1].judgement.observed;
    assert!(
        observed.contains("over `sub:group.changed.relay`, which nobody declared"),
        "{observed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_later_may_come_only_where_that_is_declared() {
    let (world, _door) = world();
    world.set_faults(Kind::Shiftly, [Fault::FlushesAfterEnable]).await.unwrap();
    let evidence = checked(&world, Kind::Shiftly, &[EVENTS, KILL_SWITCH]).await;
    came_to(
        &evidence,
        "denies_every_path_when_suspended manifest: pass
         stops_events_when_disabled sub:group.changed: fail",
    );
    let text = text(Kind::Shiftly, Version::Right).replace(", drop_queued = true", "");
    let evidence = checked_as(&world, &text, &[EVENTS]).await;
    came_to(&evidence, "stops_events_when_disabled sub:group.changed: pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_that_is_cut_short_is_undone_all_the_same() {
    let (world, _door) = world();
    let before = held(&world).await;
    let text = text(Kind::Shiftly, Version::Right);
    let limits = Limits { check: Duration::from_millis(700), ..Limits::default() };
    let evidence = checked_within(&world, &text, &[EVENTS], limits).await;
    is_never_judged(&evidence, "cut short");
    let transcript = &evidence[0].transcript;
    assert!(transcript.fact("disabled").is_some(), "it was off: {}", shown(&evidence));
    assert!(transcript.fact("undo").is_some_and(|it| it.get("undone").is_some()));
    assert_eq!(held(&world).await, before, "everything is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_of_a_partner_that_is_not_there_proves_nothing() {
    let (world, _door) = world();
    for fault in MISSING {
        world.set_faults(Kind::Shiftly, [fault]).await.unwrap();
        let evidence = checked(&world, Kind::Shiftly, &[EVENTS]).await;
        is_never_judged(&evidence, &format!("{fault:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_right_partners_is_left() {
    let (world, _door) = world();
    let before = held(&world).await;
    for (kind, identity) in [
        (Kind::Acme, "oauth:acme-helpdesk"),
        (Kind::Northwind, "oauth:northwind-provisioner"),
        (Kind::Payrun, "sa:payrun-scim"),
        (Kind::Shiftly, "oauth:shiftly"),
    ] {
        let expected = format!("leaves_nothing_behind_when_offboarded {identity}: pass");
        let evidence = checked(&world, kind, &[OFFBOARDED]).await;
        came_to(&evidence, &expected);
        let observed = &evidence[0].judgement.observed;
        let refreshes = matches!(kind, Kind::Acme | Kind::Shiftly);
        assert_eq!(observed.contains("refresh token"), refreshes, "{observed}");
        assert_eq!(observed.contains("the partner's tenant is gone"), kind == Kind::Payrun);
    }
    assert_eq!(held(&world).await, before, "everything is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_confirmed_and_not_done_is_caught() {
    let (world, _door) = world();
    world.set_faults(Kind::Payrun, [Fault::OffboardingDoesNothing]).await.unwrap();
    let evidence = checked(&world, Kind::Payrun, &[OFFBOARDED, KILL_SWITCH]).await;
    came_to(
        &evidence,
        "denies_every_path_when_suspended manifest: pass
         leaves_nothing_behind_when_offboarded sa:payrun-scim: fail",
    );
    for fault in MISSING {
        world.set_faults(Kind::Payrun, [fault]).await.unwrap();
        let evidence = checked(&world, Kind::Payrun, &[OFFBOARDED]).await;
        is_never_judged(&evidence, &format!("{fault:?}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_act_that_left_no_trace_is_named() {
    for (fault, named) in [
        (AccessFault::EnablesWithoutTrace, "11 of 12 acts found; not found: client enabled"),
        (
            AccessFault::RefusesWithoutTrace,
            "9 of 12 acts found; not found: refused for a wrong key, refused for its scope, refused while disabled",
        ),
    ] {
        let (world, _door) = world();
        world.set_faults(Kind::Acme, [Fault::Access(fault)]).await.unwrap();
        let evidence = checked(&world, Kind::Acme, &["writes_down_every_act"]).await;
        assert_eq!(evidence[0].judgement.verdict, Verdict::Fail, "{}", shown(&evidence));
        assert_eq!(evidence[0].judgement.observed, named);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn introspection_that_remembers_is_named() {
    let (world, _door) = world();
    let fault = Fault::Access(AccessFault::IntrospectsFromMemory);
    world.set_faults(Kind::Payrun, [fault]).await.unwrap();
    let evidence = checked(&world, Kind::Payrun, &[KILL_SWITCH]).await;
    let judgement = &evidence[0].judgement;
    assert_eq!(judgement.verdict, Verdict::Fail, "{}", shown(&evidence));
    assert!(
        judgement
            .observed
            .starts_with("token-introspect sa:payrun-scim: introspection calls it active after 5."),
        "{}",
        judgement.observed
    );
}
