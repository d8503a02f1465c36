//! Stored evidence, judged again.
#![no_main]

use countersign_checks::replay::judge_again;
use countersign_model::check::Evidence;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(evidence) = serde_json::from_slice::<Evidence>(bytes) {
        assert_eq!(judge_again(&evidence), judge_again(&evidence), "judging is repeatable");
    }
});
