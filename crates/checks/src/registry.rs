//! Every check, once.

use std::sync::LazyLock;

use crate::check::Check;
use crate::{drill, fact, granted, leak, log, probe};

/// Checks that look at the same thing: what that is, and the checks in the order in which they are shown.
pub type Family = (&'static str, &'static [&'static dyn Check]);

/// The families, in the order in which they are shown.
pub static FAMILIES: &[Family] = &[
    ("What the manifest declares", fact::CHECKS),
    ("What platforms grant", granted::CHECKS),
    ("Secrets in source, images, documents and logs", leak::CHECKS),
    ("Receivers of webhooks", probe::webhook::CHECKS),
    ("Authorization servers: tokens", probe::oauth::CHECKS),
    ("A partner's client when users sign in", probe::client::CHECKS),
    ("APIs that accept tokens", probe::jwt::CHECKS),
    ("Receivers of security events", probe::set::CHECKS),
    ("What a partner sends", probe::sender::CHECKS),
    ("Authorization servers: the front channel", probe::front::CHECKS),
    ("TLS of every host", probe::tls::CHECKS),
    ("What a client's tokens are good for", probe::CHECKS),
    ("What a stolen credential reaches", probe::access::CHECKS),
    ("What is left after the end", probe::revocation::CHECKS),
    ("Drills", drill::CHECKS),
    ("What the logs hold", log::CHECKS),
];

/// Every check, in the order in which they are shown.
pub static CHECKS: LazyLock<Vec<&'static dyn Check>> =
    LazyLock::new(|| FAMILIES.iter().flat_map(|it| it.1).copied().collect());

/// The check of this name.
pub fn find(name: &str) -> Option<&'static dyn Check> {
    CHECKS.iter().copied().find(|it| it.info().name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use countersign_model::require::Catalogue;

    use super::*;

    #[test]
    fn every_check_is_one_that_its_controls_name() {
        let catalogue = Catalogue::embedded();
        let mut names = BTreeSet::new();
        for check in CHECKS.iter() {
            let info = check.info();
            assert!(names.insert(info.name), "{} stands twice", info.name);
            assert!(!info.controls.is_empty(), "{}", info.name);
            for control in info.controls {
                let known = catalogue.control(control);
                let named = known.is_some_and(|it| it.checks.iter().any(|it| it == info.name));
                assert!(named, "{control} does not name {}", info.name);
            }
        }
    }
    #[test]
    fn every_check_says_everything_and_no_case_stands_twice() {
        let mut cases = BTreeSet::new();
        for info in CHECKS.iter().map(|it| it.info()) {
            let texts = [
                ("name", info.name),
                ("question", info.question),
                ("sends", info.sends),
                ("passes", info.passes),
                ("risk", info.risk),
                ("fix", info.fix),
                ("source", info.source),
            ];
            for (field, text) in texts {
                assert!(!text.trim().is_empty(), "`{field}` of {} is empty", info.name);
            }
            assert!(info.question.ends_with('?'), "{} asks nothing", info.name);
            if let Some(case) = info.case {
                assert!(cases.insert(case), "{case} of {} stands twice", info.name);
            }
        }
    }
}
