//! The first thing that a server says in TLS: what less of it says, more of it says too.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzzing::server_hello(bytes));
