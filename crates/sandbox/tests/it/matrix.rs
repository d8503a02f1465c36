//! The catch matrix: every check, its mutants, and everybody who is of no use.

use countersign_sandbox::Fault;
use countersign_sandbox::matrix::{Mutant, ROWS, run, uncovered};

#[test]
fn every_check_is_held_against_a_mutant() {
    assert_eq!(uncovered(), Vec::<&str>::new());
}

#[test]
fn every_fault_is_written_as_no_other_is() {
    for mutant in ROWS.iter().flat_map(|it| it.mutants) {
        let Mutant::Does(_, fault) = mutant else { continue };
        let word = serde_json::to_value(fault).unwrap();
        let read: Fault = serde_json::from_value(word.clone()).unwrap();
        assert_eq!(read, *fault, "{word}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_check_catches_its_mutants_and_nobody_else() {
    let matrix = run(None).await.unwrap();
    println!("{}", matrix.table());
    assert_eq!(matrix.missed(), Vec::<String>::new());
    assert_eq!(matrix.false_alarms(), Vec::<String>::new());
    assert_eq!(matrix.inconclusive_when_down(), matrix.leaning());
}
