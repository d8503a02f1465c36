//! Every check, once.

use std::sync::LazyLock;

use crate::check::Check;
use crate::{drill, fact, granted, leak, log, probe};

/// The families, in the order in which they are shown.
static FAMILIES: &[&[&dyn Check]] = &[
    fact::CHECKS,
    granted::CHECKS,
    leak::CHECKS,
    probe::webhook::CHECKS,
    probe::oauth::CHECKS,
    probe::client::CHECKS,
    probe::jwt::CHECKS,
    probe::set::CHECKS,
    probe::sender::CHECKS,
    probe::front::CHECKS,
    probe::tls::CHECKS,
    probe::CHECKS,
    probe::access::CHECKS,
    probe::revocation::CHECKS,
    drill::CHECKS,
    log::CHECKS,
];

/// Every check, in the order in which they are shown.
pub static CHECKS: LazyLock<Vec<&'static dyn Check>> =
    LazyLock::new(|| FAMILIES.iter().copied().flatten().copied().collect());

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
}
