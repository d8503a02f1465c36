//! Scopes, revocation and alerts at the whole sandbox: right partners pass, and each wrong one is
//! caught by the check that is meant for it.

use countersign_model::check::Verdict;
use countersign_sandbox::manifests::{Version, text};
use countersign_sandbox::{Fault, Kind};

use crate::helper::{all_are, checked, checked_as, verdicts, world};

const ALERT: &str = "raises_alert_on_replayed_token";
const REVOKED: &str = "refuses_revoked_token";
const SCOPE: &str = "refuses_undeclared_scope";
const ALL: [&str; 3] = [ALERT, REVOKED, SCOPE];

#[tokio::test(flavor = "multi_thread")]
async fn right_partners_pass() {
    let (world, _) = world();
    for kind in [Kind::Acme, Kind::Payrun, Kind::Northwind] {
        all_are(&checked(&world, kind, &ALL).await, Verdict::Pass);
    }
    all_are(&checked(&world, Kind::Shiftly, &[REVOKED, SCOPE]).await, Verdict::Pass);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_one_is_caught_by_its_own_check() {
    let (world, _) = world();
    let mut seen = Vec::new();
    let faults = [
        Fault::GrantsAnyScope,
        Fault::KeepsRevokedTokens,
        Fault::OverBroadScope,
        Fault::SilentMisuse,
    ];
    for fault in faults {
        world.set_faults(Kind::Acme, [fault]).await.unwrap();
        let evidence = checked(&world, Kind::Acme, &ALL).await;
        let finding = evidence.iter().find(|it| it.judgement.verdict == Verdict::Fail).unwrap();
        seen.push(format!("{fault:?}: {}\n{}", finding.judgement.sentence, verdicts(&evidence)));
    }
    insta::assert_snapshot!(seen.join("\n\n"), @r#"
    GrantsAnyScope: scope `groups:read` is granted on request
    refuses_undeclared_scope oauth:acme-helpdesk: fail
    refuses_revoked_token oauth:acme-helpdesk: pass
    raises_alert_on_replayed_token oauth:acme-helpdesk: pass

    KeepsRevokedTokens: a revoked token still works
    refuses_undeclared_scope oauth:acme-helpdesk: pass
    refuses_revoked_token oauth:acme-helpdesk: fail
    raises_alert_on_replayed_token oauth:acme-helpdesk: pass

    OverBroadScope: scope `users:read.all` is granted on request
    refuses_undeclared_scope oauth:acme-helpdesk: fail
    refuses_revoked_token oauth:acme-helpdesk: pass
    raises_alert_on_replayed_token oauth:acme-helpdesk: pass

    SilentMisuse: no alert arrives for `token used from a network not seen before`
    refuses_undeclared_scope oauth:acme-helpdesk: pass
    refuses_revoked_token oauth:acme-helpdesk: pass
    raises_alert_on_replayed_token oauth:acme-helpdesk: fail
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_declared_alert_nobody_would_notice() {
    let (world, _) = world();
    let evidence = checked(&world, Kind::Shiftly, &[ALERT]).await;
    all_are(&evidence, Verdict::Fail);
    let unheard = text(Kind::Acme, Version::Right)
        .replace("token used from a network not seen before", "bulk export by night");
    let evidence = checked_as(&world, &unheard, &[ALERT]).await;
    all_are(&evidence, Verdict::Inconclusive);
    insta::assert_snapshot!(evidence[0].judgement.sentence, @"alert `bulk export by night` cannot be tried from here");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_shut_gate_nothing_passes() {
    let (world, door) = world();
    door.shut();
    all_are(&checked(&world, Kind::Acme, &ALL).await, Verdict::Inconclusive);
}
