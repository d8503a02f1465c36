//! Whoever holds the server's keys, but not two people's, makes no gate admit.

use countersign_model::declare::manifest::Environment;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::Call;
use countersign_model::enforce::snapshot::Lane;
use proptest::prelude::*;

use crate::world::{Making, SAAS, at, gate, right};

fn is_admitted(making: &Making) -> bool {
    let (gate, start) = gate(making);
    let mut call = Call::new(PathKind::TokenMint, "acme-helpdesk");
    call.scopes = vec!["tickets:write".to_owned()];
    call.grant_type = Some("client_credentials".to_owned());
    call.ttl_seconds = Some(60);
    gate.decide(&call, start, at(0)).is_admitted()
}

#[test]
fn the_right_making_is_admitted() {
    assert!(is_admitted(&right(SAAS)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    /// Admitted exactly when everything is right: two pinned people over the same statement that
    /// the certificate names, the pinned keys, this lane and this environment.
    #[test]
    fn only_two_pinned_people_admit(
        signers in proptest::collection::vec(prop_oneof![Just(2_u8), Just(3), Just(33), Just(9)], 0..4),
        certificate_key in prop_oneof![4 => Just(101_u8), 1 => Just(100)],
        snapshot_key in prop_oneof![4 => Just(100_u8), 1 => Just(2)],
        sandbox in proptest::bool::weighted(0.2),
        trial in proptest::bool::weighted(0.2),
        other_statement in proptest::bool::weighted(0.2),
    ) {
        let environment = if sandbox { Environment::Sandbox } else { Environment::Production };
        let lane = if trial { Lane::Trial } else { Lane::Certified };
        let making = Making {
            signers: signers.clone(), certificate_key, snapshot_key, environment, lane,
            other_statement, ..right(SAAS)
        };
        let two_people = signers.contains(&2) && (signers.contains(&3) || signers.contains(&33));
        let all_right = two_people && certificate_key == 101 && snapshot_key == 100
            && !sandbox && !trial && !other_statement;
        prop_assert_eq!(is_admitted(&making), all_right, "{:?}", making);
    }
}
