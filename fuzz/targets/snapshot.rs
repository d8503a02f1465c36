//! Snapshots, as a gate is offered them.
#![no_main]

use countersign_gate::{Pins, Snapshot};
use countersign_model::declare::manifest::Environment;
use countersign_model::enforce::snapshot::Lane;
use countersign_seal::SigningKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let key = SigningKey::from_seed([7; 32]).public();
    let pins = Pins {
        lane: Lane::Certified,
        environment: Environment::Sandbox,
        snapshot_key: key,
        certificate_key: key,
        issuer: "https://countersign.example".to_owned(),
        approvers: Vec::new(),
    };
    let _snapshot = Snapshot::check(bytes, &pins, 0);
});
