//! Two different people, over the same bytes, or nothing.

use countersign_model::enforce::snapshot::Approver;
use countersign_model::review::{Approved, Decision, QuorumError};
use countersign_seal::SigningKey;
use countersign_seal::dsse::Envelope;

use crate::story::{decision, manifest, person};

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

fn approver(who: u8, with: u8) -> Approver {
    Approver { person: person(who), key: key(with).public() }
}

fn signed(by: &[u8]) -> Envelope {
    let payload = decision().statement(manifest(1)).unwrap();
    let mut envelope = Envelope::new(Decision::payload_type(), payload).unwrap();
    for number in by {
        let _repeated = envelope.add_signature(&key(*number));
    }
    envelope
}

#[test]
fn two_people_are_an_approval_and_nothing_less_is() {
    let enrolled = [approver(2, 2), approver(3, 3), approver(3, 33)];
    let table: [(&str, &[u8], bool); 7] = [
        ("two people", &[2, 3], true),
        ("two people and a stranger", &[2, 3, 9], true),
        ("nobody", &[], false),
        ("one person", &[2], false),
        ("one person twice", &[2, 2], false),
        ("one person with two keys", &[3, 33], false),
        ("one person and a stranger", &[2, 9], false),
    ];
    for (name, by, approved) in table {
        let got = Approved::check(&signed(by), &enrolled);
        assert_eq!(got.is_ok(), approved, "{name}: {got:?}");
    }
}

#[test]
fn the_requester_may_not_approve() {
    let enrolled = [approver(2, 2), approver(3, 3)];
    let got = Approved::check_disjoint(&signed(&[2, 3]), &enrolled, &person(2));
    assert_eq!(got, Err(QuorumError::RequesterApproved));
    assert!(Approved::check_disjoint(&signed(&[2, 3]), &enrolled, &person(1)).is_ok());
}

#[test]
fn another_payload_type_is_no_decision() {
    let payload = decision().statement(manifest(1)).unwrap();
    let mut envelope = Envelope::new("text/plain", payload).unwrap();
    envelope.add_signature(&key(2)).unwrap();
    envelope.add_signature(&key(3)).unwrap();
    let got = Approved::check(&envelope, &[approver(2, 2), approver(3, 3)]);
    assert!(matches!(got, Err(QuorumError::NotADecision(_))), "{got:?}");
}

#[test]
fn an_approval_says_what_was_decided_about_which_manifest() {
    let approved = Approved::check(&signed(&[2, 3]), &[approver(2, 2), approver(3, 3)]).unwrap();
    assert_eq!(approved.manifest(), manifest(1));
    assert_eq!(approved.decision(), &decision());
}
