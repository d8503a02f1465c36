//! Lines of token logs.
#![no_main]

use countersign_checks::log::record::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _record = Record::parse(bytes);
});
