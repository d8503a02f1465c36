//! Rule files of scanners.
#![no_main]

use countersign_checks::source::RuleSet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _rules = RuleSet::from_gitleaks(text);
    }
});
