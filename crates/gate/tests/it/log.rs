//! What a gate remembers of its decisions.

use std::time::Duration;

use countersign_gate::RECORDS_MAX;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::Call;
use countersign_model::enforce::snapshot::Standing;

use crate::table::{mint, table, usage};
use crate::world::{MARKETPLACE, Making, RESELLER, SAAS, at, gate, right, snapshot};

#[test]
fn asked_again_each_decision_has_the_same_reason() {
    for row in table() {
        let (gate, start) = gate(&right(row.manifest));
        for seconds in [0, 4, 5, 400] {
            let clock = start + Duration::from_secs(seconds);
            let answer = gate.decide(&row.call, clock, at(i64::try_from(seconds).unwrap()));
            let replayed = gate.replay(&answer.decision).unwrap();
            assert_eq!(replayed.again, answer.reason, "{} after {seconds} s", row.name);
            assert_eq!(replayed.then.answer, answer);
        }
    }
}

#[test]
fn a_call_over_its_rate_still_is_when_asked_again() {
    let (gate, start) = gate(&right(RESELLER));
    let call = mint("northwind-provisioner", "tenants:create");
    let last = (0..121).map(|_| gate.decide(&call, start, at(1))).last().unwrap();
    assert_eq!(last.reason.code(), "over-rate");
    assert_eq!(gate.replay(&last.decision).unwrap().again.code(), "over-rate");
}

#[test]
fn a_newer_snapshot_says_what_it_would_say_now() {
    let (gate, start) = gate(&right(SAAS));
    let call = mint("acme-helpdesk", "tickets:write");
    let answer = gate.decide(&call, start, at(0));
    let revoked = Making { epoch: 8, standing: Standing::Revoked, ..right(SAAS) };
    gate.offer(&snapshot(&revoked)).unwrap();
    let replayed = gate.replay(&answer.decision).unwrap();
    assert_eq!(
        (replayed.then.answer.reason.code(), replayed.again.code()),
        ("admitted", "revoked")
    );
    assert_eq!((replayed.then.answer.epoch, replayed.epoch), (7, 8));
}

#[test]
fn a_decision_explains_itself() {
    let shown = |manifest, call: &Call, seconds: u64| {
        let (gate, start) = gate(&right(manifest));
        let wall = at(i64::try_from(seconds).unwrap());
        let answer = gate.decide(call, start + Duration::from_secs(seconds), wall);
        let text = gate.record(&answer.decision).unwrap().explain();
        text.replace(answer.decision.as_str(), "dec_…")
    };
    let mut event = Call::new(PathKind::EventOut, "shiftly-planner");
    event.subject = Some("sub:group.changed".to_owned());
    event.event = Some("group.member.added".to_owned());
    let all = [
        shown(SAAS, &mint("acme-helpdesk", "users:write"), 0),
        shown(SAAS, &usage("tickets:write", "PATCH", "/v1/tickets/17"), 2),
        shown(SAAS, &mint("acme-helpdesk", "tickets:write"), 9),
        shown(MARKETPLACE, &event, 9),
    ];
    insta::assert_snapshot!(all.join("\n"), @r"
    REFUSED  token-mint · acme-helpdesk · 2026-11-24T09:00:00.000Z
      because   outside-scope: The scope is not part of what was certified. Declare it and certify again.
      asked     scope=users:write  grant=client_credentials  ttl=300s  ip=192.0.2.9
      knew      epoch 7; the server was heard 0 ms ago
      rests on  crt_01M86CH3M00R30C1G60R30C1G6
      decision  dec_…

    ADMITTED  token-use · acme-helpdesk · 2026-11-24T09:00:02.000Z
      because   admitted: The integration is certified and the call lies inside what was certified.
      asked     scope=tickets:write  method=PATCH  path=/v1/tickets/17  issued=2026-11-24T08:59:50.000Z
      knew      epoch 7; the server was heard 2000 ms ago
      rests on  crt_01M86CH3M00R30C1G60R30C1G6
      decision  dec_…

    REFUSED  token-mint · acme-helpdesk · 2026-11-24T09:00:09.000Z
      because   stale: The gate has not heard from its server for longer than its limit, so it admits nobody. Mend the connection.
      asked     scope=tickets:write  grant=client_credentials  ttl=300s  ip=192.0.2.9
      knew      epoch 7; the server was heard 9000 ms ago
      rests on  crt_01M86CH3M00R30C1G60R30C1G6
      decision  dec_…

    ADMITTED  event-out · shiftly-planner · 2026-11-24T09:00:09.000Z
      because   admitted: The integration is certified and the call lies inside what was certified.
      asked     subject=sub:group.changed  event=group.member.added
      knew      epoch 7; the server was heard 9000 ms ago, stale and admitted all the same
      rests on  crt_01M86CH3M00R30C1G60R30C1G6
      decision  dec_…
    ");
}

#[test]
fn strangers_words_cannot_pose_as_something_else() {
    let (gate, start) = gate(&right(SAAS));
    let mut call = mint("acme-helpdesk · 2020-01-01T00:00:00Z\n  because   admitted", "a b");
    call.grant_type = Some("x  ip=192.0.2.9".to_owned());
    call.subject = Some("\u{1b}[2J\u{202e}gnp.exe\u{200b}".to_owned());
    call.event = Some(String::new());
    let answer = gate.decide(&call, start, at(0));
    let text = gate.record(&answer.decision).unwrap().explain();
    let text = text.replace(answer.decision.as_str(), "dec_…");
    insta::assert_snapshot!(text, @r#"
    REFUSED  token-mint · "acme-helpdesk · 2020-01-01T00:00:00Z\n  because   admitted" · 2026-11-24T09:00:00.000Z
      because   uncertified: No certificate with two people's approvals is known for this client. Submit it for certification.
      asked     scope="a b"  grant="x  ip=192.0.2.9"  ttl=300s  subject="\u{1b}[2J\u{202e}gnp.exe\u{200b}"  event=""  ip=192.0.2.9
      knew      epoch 7; the server was heard 0 ms ago
      decision  dec_…
    "#);
}

#[test]
fn what_is_remembered_is_bounded() {
    let (gate, start) = gate(&right(SAAS));
    let small = mint("acme-helpdesk", "tickets:write");
    let first = gate.decide(&small, start, at(0));
    for _ in 0..RECORDS_MAX {
        let _remembered = gate.decide(&small, start, at(0));
    }
    assert!(gate.record(&first.decision).is_none(), "the oldest is forgotten");
    assert_eq!(gate.last(usize::MAX).len(), RECORDS_MAX);
    // As large as a call may be: 256 scopes of a kibibyte.
    let mut large = small.clone();
    large.scopes = (0..256).map(|it| format!("{it:>1024}")).collect();
    for _ in 0..128 {
        let _remembered = gate.decide(&large, start, at(0));
    }
    assert!(gate.last(usize::MAX).len() < 64, "large questions are forgotten sooner");
    // Larger than that: decided, but not remembered.
    large.scopes.push("one more".to_owned());
    let answer = gate.decide(&large, start, at(0));
    assert_eq!(answer.reason.code(), "malformed");
    assert!(gate.record(&answer.decision).unwrap().call.is_none());
    assert!(gate.replay(&answer.decision).is_none());
}
