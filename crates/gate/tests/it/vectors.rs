//! The vectors of `spec/`: what stands there is what this gate makes of it.

use std::path::Path;

use countersign_gate::{Gate, Heard, Moment};
use countersign_model::certify::Claims;
use countersign_model::certify::certificate::CERTIFICATE_TYPE;
use countersign_model::declare::manifest::Environment;
use countersign_model::enforce::Hold;
use countersign_model::enforce::snapshot::{HEARTBEAT_TYPE, Heartbeat, Lane, Standing};
use countersign_model::review::Approved;
use countersign_seal::dsse::Envelope;
use countersign_seal::jwt::{self, Expect, VerifyingKey};
use countersign_seal::{Digest, PublicKey};
use serde_json::{Value, json};

use crate::clock;
use crate::table::mint;
use crate::world::{Making, SAAS, at, key, pins, right, snapshot};

/// Holds a file against what it must be, or writes it.
fn held(name: &str, current: &Value) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors").join(name);
    let text = serde_json::to_string_pretty(current).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, text, "UPDATE_VECTORS=1 cargo test -p countersign-gate vectors");
    serde_json::from_str(&committed).unwrap()
}

fn makings() -> Vec<(&'static str, Making)> {
    let right = || right(SAAS);
    vec![
        ("right", right()),
        ("another environment", Making { environment: Environment::Sandbox, ..right() }),
        ("another lane", Making { lane: Lane::Trial, ..right() }),
        ("another snapshot key", Making { snapshot_key: 2, ..right() }),
        ("another certificate key", Making { certificate_key: 100, ..right() }),
        ("one person", Making { signers: vec![2], ..right() }),
        ("one person with two keys", Making { signers: vec![3, 33], ..right() }),
        ("one person and a stranger", Making { signers: vec![2, 9], ..right() }),
        ("nobody", Making { signers: Vec::new(), ..right() }),
        ("another statement", Making { other_statement: true, ..right() }),
        ("suspended", Making { standing: Standing::Suspended { until: None }, ..right() }),
        ("revoked", Making { standing: Standing::Revoked, ..right() }),
        ("lapsed", Making { standing: Standing::Lapsed, ..right() }),
    ]
}

/// What is right, but for something new at the platform: of snapshots alone.
fn holds() -> Vec<(&'static str, Making)> {
    let held = |hold: Hold| Making { held: Some(hold), ..right(SAAS) };
    let new = || Some(["k2".to_owned()].into());
    vec![
        ("held for a role", held(Hold { whole: true, ..Hold::default() })),
        (
            "held for a key, and the call names none",
            held(Hold { credentials: new(), ..Hold::default() }),
        ),
    ]
}

fn pinned() -> Value {
    let pins = pins();
    json!({
        "lane": pins.lane, "environment": pins.environment, "issuer": pins.issuer,
        "snapshot_key": pins.snapshot_key, "certificate_key": pins.certificate_key,
        "approvers": pins.approvers,
    })
}

/// What a gate makes of a snapshot: whether it takes it, and what it says to one call of it.
fn taken(envelope: &str) -> Value {
    let gate = Gate::new(pins());
    let now = Moment { wall: at(0), ..clock::now() };
    let taken = gate.load(envelope.as_bytes(), now.steady);
    let left_out = taken.as_ref().map_or(0, |it| it.left_out().len());
    let said = gate.decide(&mint("acme-helpdesk", "tickets:write"), now.steady, now.wall);
    json!({ "taken": taken.is_ok(), "left_out": left_out, "says": said.reason.code() })
}

fn beats() -> Vec<(&'static str, Heartbeat, u8)> {
    let envelope = snapshot(&right(SAAS));
    let right = Heartbeat {
        nonce: "a-nonce-of-this-question".to_owned(),
        lane: Lane::Certified,
        epoch: 7,
        snapshot: Digest::of(&envelope),
        iat: at(0).seconds(),
    };
    let with = |change: fn(&mut Heartbeat)| {
        let mut beat = right.clone();
        change(&mut beat);
        beat
    };
    vec![
        ("right", right.clone(), 100),
        ("another key", right.clone(), 101),
        ("another nonce", with(|it| it.nonce.push('x')), 100),
        ("another lane", with(|it| it.lane = Lane::Trial), 100),
        ("another snapshot", with(|it| it.snapshot = Digest::of(b"another")), 100),
        ("a newer epoch", with(|it| it.epoch = 8), 100),
        ("an older epoch", with(|it| it.epoch = 6), 100),
        ("60 s ahead", with(|it| it.iat += 60), 100),
        ("61 s ahead", with(|it| it.iat += 61), 100),
        ("61 s behind", with(|it| it.iat -= 61), 100),
    ]
}

fn heard(envelope: &str, token: &str) -> &'static str {
    let gate = Gate::new(pins());
    gate.offer(envelope.as_bytes()).unwrap();
    let asked = Moment { wall: at(0), ..clock::now() };
    match gate.heartbeat(token, "a-nonce-of-this-question", asked) {
        Ok(Heard::Current) => "current",
        Ok(Heard::Behind { .. }) => "behind",
        Err(_) => "refused",
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn snapshots_and_heartbeats_are_those_of_the_vectors() {
    let snapshots = makings().into_iter().chain(holds()).map(|(name, making)| {
        let envelope = String::from_utf8(snapshot(&making)).unwrap();
        let mut case = json!({ "name": name, "snapshot": envelope });
        let said = taken(&envelope);
        case.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        case
    });
    let envelope = String::from_utf8(snapshot(&right(SAAS))).unwrap();
    let beats = beats().into_iter().map(|(name, beat, number)| {
        let signer = key(number);
        let token = jwt::sign(HEARTBEAT_TYPE, signer.key_id().as_str(), &beat, &signer).unwrap();
        let answer = heard(&envelope, &token);
        json!({ "name": name, "token": token, "answer": answer })
    });
    let current = json!({
        "about": "Snapshots and heartbeats, and what a gate with these pins makes of them at this moment. `says` is its answer to a token-mint of acme-helpdesk: tickets:write, client_credentials, 300 s. Heartbeats answer this nonce, and the first snapshot is in force.",
        "pins": pinned(), "at": at(0), "nonce": "a-nonce-of-this-question",
        "snapshots": snapshots.collect::<Vec<_>>(), "heartbeats": beats.collect::<Vec<_>>(),
    });
    let file = held("snapshot/snapshot.json", &current);
    let cases = file["snapshots"].as_array().unwrap();
    for case in cases {
        let said = taken(text(&case["snapshot"]));
        for name in ["taken", "left_out", "says"] {
            assert_eq!(case[name], said[name], "{}: {name}", case["name"]);
        }
        assert_eq!(case["says"] == "admitted", case["name"] == "right", "{}", case["name"]);
    }
    for case in file["heartbeats"].as_array().unwrap() {
        let answer = heard(text(&cases[0]["snapshot"]), text(&case["token"]));
        assert_eq!(case["answer"], answer, "{}", case["name"]);
    }
}

/// Whether a certificate and its decision count together, by the rules of `spec/certificate.md`.
fn counts(token: &str, decision: &Envelope, key: PublicKey, issuer: &str) -> bool {
    let expect = Expect { typ: Some(CERTIFICATE_TYPE), issuer: Some(issuer), audience: None };
    let Ok(verified) = jwt::verify(token, &[VerifyingKey::ed25519(key)], expect) else {
        return false;
    };
    let now = at(0).seconds();
    let Ok(claims) = serde_json::from_value::<Claims>(verified.claims.clone()) else {
        return false;
    };
    Approved::check(decision, &pins().approvers).is_ok_and(|it| {
        claims.is_bound_to(&it)
            && claims.bound.decision == Digest::of(decision.unverified_payload())
            && it.is_current(at(0))
            && jwt::check_times(&verified.claims, now, 0).is_ok()
    })
}

#[test]
fn certificates_are_those_of_the_vectors() {
    let names = [
        "another environment",
        "another lane",
        "another snapshot key",
        "suspended",
        "revoked",
        "lapsed",
    ];
    let cases = makings().into_iter().filter(|(name, _)| !names.contains(name));
    let cases = cases.map(|(name, making)| {
        let envelope = Envelope::parse(&snapshot(&making)).unwrap();
        let document: Value = serde_json::from_slice(envelope.unverified_payload()).unwrap();
        let basis = &document["entries"][0]["basis"];
        let decision: Envelope = serde_json::from_value(basis["decision"].clone()).unwrap();
        let counts =
            counts(text(&basis["token"]), &decision, pins().certificate_key, &pins().issuer);
        json!({ "name": name, "token": basis["token"], "decision": basis["decision"], "counts": counts })
    });
    let current = json!({
        "about": "A certificate and the decision under it, and whether the two count together at this moment for whoever pins this issuer, this key and these people.",
        "at": at(0), "issuer": pins().issuer, "certificate_key": pins().certificate_key,
        "approvers": pins().approvers, "cases": cases.collect::<Vec<_>>(),
    });
    let file = held("certificate/certificate.json", &current);
    let key: PublicKey = text(&file["certificate_key"]).parse().unwrap();
    for case in file["cases"].as_array().unwrap() {
        let decision: Envelope = serde_json::from_value(case["decision"].clone()).unwrap();
        let counts = counts(text(&case["token"]), &decision, key, text(&file["issuer"]));
        assert_eq!(case["counts"], counts, "{}", case["name"]);
        assert_eq!(counts, case["name"] == "right", "{}", case["name"]);
    }
}
