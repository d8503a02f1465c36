//! Pages with forms, and cookies, as a user agent meets them.
#![no_main]

use countersign_checks::probe::agent::{jar::Jar, page};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for form in page::forms(bytes) {
        let _pairs = form.pairs(Some(("name", "password")));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let at = "https://id.example.com/a/b".parse().expect("it is an address");
        let mut jar = Jar::default();
        jar.keep(&at, &[("set-cookie".to_owned(), text.to_owned())]);
        let _header = jar.header(&at);
    }
});
