//! A gate and its server, over a real socket: found, lost, found again, and lied to.

use std::error::Error;
use std::sync::Arc;

use countersign_gate::Gate;
use countersign_model::declare::manifest::Environment;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::Call;
use countersign_model::enforce::snapshot::{Lane, Standing};

use crate::clock;
use crate::server::{Lie, Server};
use crate::table::mint;
use crate::world::{MARKETPLACE, Making, SAAS, pins, right};

fn vendor() -> Call {
    mint("acme-helpdesk", "tickets:write")
}

/// What the gate says now, and whether it says that it is stale.
fn said(gate: &Gate, call: &Call) -> String {
    let now = clock::now();
    let answer = gate.decide(call, now.steady, now.wall);
    let age = answer.age_ms().map_or("unknown".to_owned(), |it| format!("{it} ms"));
    let stale = if answer.stale_but_admitted { ", stale but admitted" } else { "" };
    format!("{} (age {age}{stale})", answer.reason)
}

/// The error and its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(it) = source {
        text = format!("{text}: {it}");
        source = it.source();
    }
    text
}

#[tokio::test]
async fn a_strict_gate_denies_once_its_lease_is_over_and_comes_back() {
    let mut server = Server::new(&right(SAAS)).await;
    let gate = Arc::new(Gate::new(pins()));
    let mut follower = server.follower(&gate);
    let mut story = vec![format!("before          {}", said(&gate, &vendor()))];
    assert_eq!(follower.turn().await.unwrap(), 7);
    story.push(format!("found           {}", said(&gate, &vendor())));
    server.stop().await;
    clock::pass(4);
    let lost = follower.turn().await.unwrap_err();
    assert!(lost.to_string().contains("cannot be asked"), "{}", chain(&lost));
    assert!(!chain(&lost).contains("nonce"), "{}", chain(&lost));
    story.push(format!("lost, 4 s       {}", said(&gate, &vendor())));
    clock::pass(1);
    story.push(format!("lost, 5 s       {}", said(&gate, &vendor())));
    clock::pass(3_600);
    story.push(format!("lost, an hour   {}", said(&gate, &vendor())));
    server.start().await;
    assert_eq!(follower.turn().await.unwrap(), 7);
    story.push(format!("found again     {}", said(&gate, &vendor())));
    insta::assert_snapshot!(story.join("\n"), @r"
    before          stale (age unknown)
    found           admitted (age 0 ms)
    lost, 4 s       admitted (age 4000 ms)
    lost, 5 s       stale (age 5000 ms)
    lost, an hour   stale (age 3605000 ms)
    found again     admitted (age 0 ms)
    ");
    let inner = server.inner.lock().unwrap();
    assert_eq!(inner.snapshots_given, 1, "what did not change is not fetched again");
    assert_eq!(inner.acks, [7, 7], "acknowledged, and again for a server that was restarted");
}

#[tokio::test]
async fn a_best_effort_gate_goes_on_to_its_written_limit_and_says_so() {
    let mut server = Server::new(&right(MARKETPLACE)).await;
    let gate = Arc::new(Gate::new(pins()));
    let mut follower = server.follower(&gate);
    follower.turn().await.unwrap();
    server.stop().await;
    let mut event = Call::new(PathKind::EventOut, "shiftly-planner");
    event.subject = Some("sub:group.changed".to_owned());
    event.event = Some("group.member.added".to_owned());
    let mut more = event.clone();
    more.event = Some("user.created".to_owned());
    let mut story = Vec::new();
    let mut now = 0;
    for seconds in [0, 4, 5, 60, 299, 300, 301] {
        clock::pass(seconds - now);
        now = seconds;
        assert!(seconds == 0 || follower.turn().await.is_err());
        story.push(format!("{seconds:>3} s   {}", said(&gate, &event)));
    }
    assert!(said(&gate, &more).starts_with("stale"));
    server.start().await;
    follower.turn().await.unwrap();
    story.push(format!("found   {}", said(&gate, &event)));
    insta::assert_snapshot!(story.join("\n"), @r"
      0 s   admitted (age 0 ms)
      4 s   admitted (age 4000 ms)
      5 s   admitted (age 5000 ms, stale but admitted)
     60 s   admitted (age 60000 ms, stale but admitted)
    299 s   admitted (age 299000 ms, stale but admitted)
    300 s   stale (age 300000 ms)
    301 s   stale (age 301000 ms)
    found   admitted (age 0 ms)
    ");
}

#[tokio::test]
async fn a_withdrawal_arrives_with_the_next_turn_and_is_acknowledged() {
    let server = Server::new(&right(SAAS)).await;
    let gate = Arc::new(Gate::new(pins()));
    let mut follower = server.follower(&gate);
    follower.turn().await.unwrap();
    server.publish(&Making { epoch: 8, standing: Standing::Revoked, ..right(SAAS) });
    assert_eq!(follower.turn().await.unwrap(), 8);
    assert_eq!(said(&gate, &vendor()), "revoked (age 0 ms)");
    assert_eq!(server.inner.lock().unwrap().acks, [7, 8]);
    clock::pass(60);
    assert_eq!(said(&gate, &vendor()), "stale (age 60000 ms)");
}

#[tokio::test]
async fn a_heartbeat_that_is_not_believed_begins_no_lease() {
    let table = [
        (Lie::AnotherGatesHeartbeat, "another nonce or lane"),
        (Lie::AnotherKeysHeartbeat, "not signed by the pinned key"),
        (Lie::AnotherTypesHeartbeat, "not signed by the pinned key"),
        (Lie::Broken, "answers 500"),
        (Lie::EndlessHeartbeat, "larger than its limit"),
        (Lie::Garbage, "not signed by the pinned key"),
        (Lie::HeartbeatGoesBack, "has epoch 3, in force is 7"),
        (Lie::NeverTheSnapshotInForce, "speaks of epoch 8 and does not give its snapshot"),
        (Lie::OldHeartbeat, "another nonce or lane"),
        (Lie::Redirects, "answers 303"),
        (Lie::SkewedHeartbeat, "more than 60 s apart"),
        (Lie::UnsignedHeartbeat, "not signed by the pinned key"),
    ];
    for (lie, expected) in table {
        let server = Server::new(&right(SAAS)).await;
        let gate = Arc::new(Gate::new(pins()));
        let mut follower = server.follower(&gate);
        follower.turn().await.unwrap();
        server.lie(lie);
        clock::pass(4);
        let error = follower.turn().await.unwrap_err();
        assert!(chain(&error).contains(expected), "{lie:?}: {}", chain(&error));
        assert_eq!(gate.epoch(), 7, "{lie:?}");
        assert!(said(&gate, &vendor()).starts_with("admitted"), "{lie:?}: the old lease holds");
        clock::pass(1);
        assert!(said(&gate, &vendor()).starts_with("stale"), "{lie:?}: and is not longer");
        server.lie(Lie::None);
        follower.turn().await.unwrap();
        assert!(said(&gate, &vendor()).starts_with("admitted"), "{lie:?}: the truth is heard");
    }
}

#[tokio::test]
async fn a_snapshot_that_is_not_believed_changes_nothing() {
    let next = || Making { epoch: 8, standing: Standing::Revoked, ..right(SAAS) };
    let back = Making { epoch: 6, ..right(SAAS) };
    let table = [
        ("bad signature", Making { snapshot_key: 101, ..next() }, "not signed by the pinned key"),
        ("another lane", Making { lane: Lane::Trial, ..next() }, "another lane or environment"),
        ("an older one", back, "has epoch 6, in force is 7"),
    ];
    for (name, making, expected) in table {
        let server = Server::new(&right(SAAS)).await;
        let gate = Arc::new(Gate::new(pins()));
        let mut follower = server.follower(&gate);
        follower.turn().await.unwrap();
        // The heartbeat speaks of epoch 8 in any case.
        server.publish(&making);
        server.inner.lock().unwrap().epoch = 8;
        let error = follower.turn().await.unwrap_err();
        assert!(chain(&error).contains(expected), "{name}: {}", chain(&error));
        assert_eq!((gate.epoch(), said(&gate, &vendor()).as_str()), (7, "admitted (age 0 ms)"));
        clock::pass(5);
        assert!(said(&gate, &vendor()).starts_with("stale"), "{name}: no lease either");
        server.publish(&next());
        follower.turn().await.unwrap();
        assert!(said(&gate, &vendor()).starts_with("revoked"), "{name}: the right one is taken");
    }
}

#[tokio::test]
async fn a_snapshot_without_end_is_not_read_to_its_end() {
    let server = Server::new(&right(SAAS)).await;
    let gate = Arc::new(Gate::new(pins()));
    let mut follower = server.follower(&gate);
    server.lie(Lie::EndlessSnapshot);
    let error = follower.turn().await.unwrap_err();
    assert!(chain(&error).contains("snapshot is larger than its limit"), "{}", chain(&error));
    assert!(said(&gate, &vendor()).starts_with("stale"));
}

#[tokio::test]
async fn what_counts_in_another_environment_is_refused_there() {
    let sandbox = Making { environment: Environment::Sandbox, ..right(SAAS) };
    let server = Server::new(&sandbox).await;
    let gate = Arc::new(Gate::new(pins()));
    let error = server.follower(&gate).turn().await.unwrap_err();
    assert!(chain(&error).contains("another lane or environment"), "{}", chain(&error));
}

#[tokio::test]
async fn a_gate_whose_token_is_not_known_stays_closed() {
    let server = Server::new(&right(SAAS)).await;
    let gate = Arc::new(Gate::new(pins()));
    let error = server.follower_with(&gate, "other", clock::now).turn().await.unwrap_err();
    assert_eq!(error.to_string(), "the server answers 401 for the heartbeat");
    assert!(said(&gate, &vendor()).starts_with("stale"));
}

#[tokio::test]
async fn a_slow_answer_makes_the_lease_shorter() {
    let server = Server::new(&right(SAAS)).await;
    let gate = Arc::new(Gate::new(pins()));
    // Each look at this clock is two seconds after the one before.
    let slow = || {
        let now = clock::now();
        clock::pass(2);
        now
    };
    let mut follower = server.follower_with(&gate, "token", slow);
    follower.turn().await.unwrap();
    // The second heartbeat counts from when it was asked for, not from when it arrived.
    assert_eq!(said(&gate, &vendor()), "admitted (age 4000 ms)");
}
