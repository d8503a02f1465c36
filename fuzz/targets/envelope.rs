//! DSSE envelopes, and the decision in them.
#![no_main]

use countersign_model::review::Approved;
use countersign_seal::dsse::Envelope;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = Envelope::parse(bytes) {
        assert!(Approved::check(&envelope, &[]).is_err(), "nobody is enrolled");
    }
});
