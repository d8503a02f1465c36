//! Signed notes and checkpoints, as other people's logs write them.
#![no_main]

use countersign_ledger::Note;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _note = Note::parse(text);
    }
});
