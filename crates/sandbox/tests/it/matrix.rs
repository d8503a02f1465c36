//! The catch matrix: every check, its mutants, and everybody who is of no use.

use countersign_sandbox::matrix::{run, uncovered};

#[test]
fn every_check_is_held_against_a_mutant() {
    assert_eq!(uncovered(), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_check_catches_its_mutants_and_nobody_else() {
    let matrix = run(None).await.unwrap();
    println!("{}", matrix.table());
    assert_eq!(matrix.missed(), Vec::<String>::new());
    assert_eq!(matrix.false_alarms(), Vec::<String>::new());
    assert_eq!(matrix.inconclusive_when_down(), matrix.leaning());
}
