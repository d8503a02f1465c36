use countersign_store::{Fault, Moment, Step};

use crate::stage::{MANIFEST, Stage};

#[tokio::test]
async fn a_write_that_fails_in_the_middle_of_certify_is_mended_by_a_restart() {
    let table = [
        (Step::Append, Moment::Before, false),
        (Step::Append, Moment::After, true),
        (Step::Checkpoint, Moment::Before, true),
        (Step::Checkpoint, Moment::After, true),
    ];
    for restarts in [true, false] {
        for (step, moment, certified) in table {
            let row = format!("{step:?} {moment:?}, restart {restarts}");
            let stage = Stage::new().await;
            stage.submit("olga", MANIFEST).await;
            stage.assess().await;
            stage.approve("ada").await;
            stage.approve("ben").await;
            let (_, plan) = stage.plan().await;
            let before = stage.app.book.published();
            stage.app.book.inject(Fault { step, moment });
            assert_eq!(stage.apply(&plan).await.0, 500, "{row}");
            let after = stage.app.book.published();
            assert_eq!(after.epoch, before.epoch, "{row}: nothing was published");
            let stage = if restarts { stage.restart().await } else { stage };
            if !restarts {
                stage.app.book.tick(stage.now()).await.unwrap();
            }
            let published = stage.app.book.published();
            let good = published.certified.document.entries.len() == 1;
            assert_eq!(good, certified, "{row}");
            assert!(before.epoch < published.epoch || !certified, "{row}");
            assert_eq!(
                published.registry.size,
                before.registry.size + u64::from(certified),
                "{row}"
            );
            let size = published.registry.size;
            let checkpoint = stage.app.book.checkpoint().unwrap();
            assert_eq!(checkpoint.lines().nth(1), Some(size.to_string().as_str()), "{row}");
            // What was approved is not lost: it is certified, or can be.
            if !certified {
                assert_eq!(stage.apply(&plan).await.0, 200, "{row}");
            }
            assert_eq!(stage.state().await, "certified", "{row}");
        }
    }
}

#[tokio::test]
async fn epochs_never_go_back_over_restarts() {
    let stage = Stage::new().await;
    stage.certify().await;
    let mut last = stage.app.book.published().epoch;
    let mut stage = stage;
    for _ in 0..3 {
        stage = stage.restart().await;
        let epoch = stage.app.book.published().epoch;
        assert!(last < epoch);
        last = epoch;
    }
}

#[tokio::test]
async fn a_write_that_fails_in_the_middle_of_revoke_is_mended_by_a_restart() {
    let table = [
        (Step::Append, Moment::Before, false),
        (Step::Append, Moment::After, true),
        (Step::Checkpoint, Moment::Before, true),
        (Step::Checkpoint, Moment::After, true),
    ];
    for restarts in [true, false] {
        for (step, moment, written) in table {
            let row = format!("{step:?} {moment:?}, restart {restarts}");
            let stage = Stage::new().await;
            stage.certify().await;
            stage.pass(60);
            stage.done();
            stage.app.book.inject(Fault { step, moment });
            let (status, answer) = stage.withdraw("revoke").await;
            assert_eq!((status, answer["code"].as_str()), (503, Some("not-written")), "{row}");
            assert_eq!(
                stage.done(),
                Vec::<String>::new(),
                "{row}: nothing is cut before it is written"
            );
            let stage = if restarts { stage.restart().await } else { stage };
            stage.app.book.tick(stage.now()).await.unwrap();
            let state = if written { "revoked" } else { "certified" };
            assert_eq!(stage.state().await, state, "{row}");
            assert_eq!(stage.take_up().await, usize::from(written), "{row}");
            assert_eq!(stage.done().is_empty(), !written, "{row}");
            if !written {
                assert_eq!(stage.withdraw("revoke").await.0, 200, "{row}");
            }
            let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
            let receipt = &one["withdrawal"];
            assert_eq!(receipt["proven"], receipt["total"], "{row}: {receipt}");
            assert_eq!(stage.take_up().await, 0, "{row}: nothing is left");
        }
    }
}

#[tokio::test]
async fn a_write_that_fails_after_the_cuts_is_taken_up_again() {
    for (step, moment) in [
        (Step::Append, Moment::Before),
        (Step::Append, Moment::After),
        (Step::Checkpoint, Moment::Before),
    ] {
        for restarts in [true, false] {
            let row = format!("{step:?} {moment:?}, restart {restarts}");
            let stage = Stage::new().await;
            stage.certify().await;
            stage.pass(60);
            stage.fake.told.lock().unwrap().platform_down = true;
            stage.cut_the_gate_off();
            let (status, receipt) = stage.withdraw("revoke").await;
            assert_eq!((status, receipt["proven"].as_u64()), (200, Some(0)), "{row}: {receipt}");
            stage.fake.told.lock().unwrap().platform_down = false;
            stage.pass(60);
            // The proofs are there, and cannot be written down.
            stage.app.book.inject(Fault { step, moment });
            assert_eq!(stage.take_up().await, 1, "{row}");
            let stage = if restarts { stage.restart().await } else { stage };
            stage.app.book.tick(stage.now()).await.unwrap();
            stage.take_up().await;
            let (_, one) = stage.get("paul", "/v1/integrations/acme-helpdesk").await;
            let receipt = &one["withdrawal"];
            assert_eq!(receipt["proven"], receipt["total"], "{row}: {receipt}");
        }
    }
}
