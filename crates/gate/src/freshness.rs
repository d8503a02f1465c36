//! How long ago the gate heard from its server, and what that allows.

use std::time::Duration;

use countersign_model::declare::manifest::FailMode;
use countersign_model::time::Period;

/// Whether a snapshot may still be answered from, `age` after the last sign of life.
///
/// Inside the lease it may. After it, only an integration whose owner chose best-effort in
/// writing may go on, and only for its own limit.
pub fn is_fresh(age: Duration, lease: Period, mode: FailMode, max_stale: Option<Period>) -> bool {
    if age < lease.std() {
        return true;
    }
    match (mode, max_stale) {
        (FailMode::BestEffort, Some(limit)) => age < limit.std(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_snapshot_admits_only_what_was_chosen_in_writing() {
        let lease = Period::from_seconds(5);
        let limit = Some(Period::from_seconds(300));
        let table = [
            (4, FailMode::Strict, limit, true),
            (5, FailMode::Strict, limit, false),
            (5, FailMode::Strict, None, false),
            (5, FailMode::BestEffort, limit, true),
            (299, FailMode::BestEffort, limit, true),
            (300, FailMode::BestEffort, limit, false),
            (5, FailMode::BestEffort, None, false),
        ];
        for (seconds, mode, limit, fresh) in table {
            let age = Duration::from_secs(seconds);
            assert_eq!(is_fresh(age, lease, mode, limit), fresh, "{seconds} s {mode:?} {limit:?}");
        }
    }
}
