use countersign_gate::Snapshot;
use countersign_model::enforce::snapshot::{Basis, Standing};
use countersign_model::review::Approved;
use proptest::prelude::*;
use serde_json::json;

use crate::stage::{MANIFEST, Stage};

/// Does one random thing; whether it is refused does not matter here.
async fn act(stage: &Stage, action: u8, plan: &mut serde_json::Value, revocation: &mut String) {
    let people = ["ada", "ben", "eve", "olga"];
    let who = people[usize::from(action / 16) % people.len()];
    match action % 16 {
        0 => drop(stage.submit(if who == "eve" { "eve" } else { "olga" }, MANIFEST).await),
        1 => {
            let changed = MANIFEST.replace("users:read.basic", "users:read.all");
            drop(stage.submit("olga", &changed).await);
        }
        2 | 3 => drop(stage.assess().await),
        4..=6 => drop(stage.decide(who, "approve", &[], who).await),
        7 => drop(stage.decide(who, "right-size", &["users:read.basic"], who).await),
        8 => drop(stage.decide(who, "approve", &[], "ada").await),
        9 => *plan = stage.plan().await.1,
        10 | 11 => drop(stage.apply(plan).await),
        12 => {
            let kind = if action < 64 { "revoke" } else { "suspend" };
            let body = json!({ "integration": "acme-helpdesk", "kind": kind, "reason": "r" });
            let (_, receipt) = stage.post("rita", "/v1/revocations", body).await;
            if let Some(it) = receipt["revocation"].as_str() {
                it.clone_into(revocation);
            }
        }
        13 => {
            drop(stage.post(who, &format!("/v1/revocations/{revocation}/resume"), json!({})).await);
        }
        14 => {
            let extra = (action < 128).then(|| "tickets:delete".to_owned());
            stage.fake.told.lock().unwrap().extra_scope = extra;
            drop(countersign_server::steps::monitor::look(&stage.app).await);
        }
        _ => stage.pass(i64::from(action) * 3_600),
    }
}

/// Whatever a gate would admit rests on two people, neither of whom asked for it, over the current
/// bytes, and is not withdrawn.
fn holds(stage: &Stage) -> Result<usize, TestCaseError> {
    let published = stage.app.book.published();
    let snapshot = Snapshot::check(&published.certified.envelope, &stage.pins(), 0).unwrap();
    prop_assert!(snapshot.left_out().is_empty(), "{:?}", snapshot.left_out());
    let mut good = 0;
    for entry in &published.certified.document.entries {
        let Standing::Good { until } = entry.standing else { continue };
        good += 1;
        let Basis::Certificate { decision, .. } = &entry.basis else {
            return Err(TestCaseError::fail("a certified lane without a certificate"));
        };
        let record = published.registry.find(entry.integration.as_str()).unwrap();
        let approved = Approved::check(decision, &published.registry.approvers).unwrap();
        prop_assert!(2 <= approved.people().len());
        prop_assert!(until <= approved.decision().not_after);
        let certificate = record.certificate.as_ref().unwrap();
        prop_assert!(!certificate.revoked);
        prop_assert_eq!(approved.manifest(), certificate.manifest);
    }
    Ok(good)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_steps_admits_without_two_people(actions in proptest::collection::vec(any::<u8>(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stage = Stage::new().await;
            let (mut plan, mut revocation) = (json!({}), String::new());
            for action in &actions {
                act(&stage, *action, &mut plan, &mut revocation).await;
                stage.app.book.tick(stage.now()).await.unwrap();
                holds(&stage)?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}

#[tokio::test]
async fn the_property_sees_a_certified_integration() {
    let stage = Stage::new().await;
    let (mut plan, mut revocation) = (json!({}), String::new());
    // Submit, assess, two different people, plan, apply: the property is not about nothing.
    for action in [0, 2, 4, 4 + 16, 9, 10] {
        act(&stage, action, &mut plan, &mut revocation).await;
    }
    assert_eq!(holds(&stage).unwrap(), 1);
}
