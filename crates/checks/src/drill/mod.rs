//! Drills do the thing, on a canary copy or in a test tenant, with a stopwatch, and undo it.

pub mod audit;
pub mod load;
pub mod offboarding;
pub mod old_credential;
pub mod rotates;
pub mod rotation;
pub mod shadow;
pub mod stops_events;
pub mod suspended;
pub mod table;

pub(crate) mod canary;
pub(crate) mod deliveries;
pub(crate) mod demanded;
pub(crate) mod tries;

use crate::check::Check;
use countersign_model::declare::Manifest;
use countersign_model::time::Period;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &load::ServesEveryCallWhileAKeyIsChanged,
    &rotates::RotatesWithoutAPerson,
    &old_credential::RefusesOldCredentialAfterRotation,
    &suspended::DeniesEveryPathWhenSuspended,
    &stops_events::StopsEventsWhenDisabled,
    &offboarding::LeavesNothingBehindWhenOffboarded,
    &audit::WritesDownEveryAct,
];

/// What only one drill of an integration may hold at a time: its subscriptions.
pub(crate) fn subscriptions_of(manifest: &Manifest) -> String {
    format!("subscriptions of {}", manifest.integration.id)
}

/// A time as people read it: `7 ms`, `0.41 s`, `12 s`.
pub(crate) fn seconds(ms: u64) -> String {
    match ms {
        0..100 => format!("{ms} ms"),
        _ if ms.is_multiple_of(1_000) => format!("{} s", ms / 1_000),
        _ => format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10),
    }
}

/// How long silence is listened to: longer than an effect takes to show, and than the partner or the
/// platform waits before it tries again.
pub(crate) fn listen_for(settle: Option<Period>, retry_every: Option<Period>) -> Period {
    let settle = settle.unwrap_or_default();
    let retries = retry_every.unwrap_or(RETRY_EVERY).times(3);
    settle.max(retries).clamp(LISTEN_MIN, LISTEN_MAX)
}

/// What is taken for `retry_every` where nothing is declared.
const RETRY_EVERY: Period = Period::from_seconds(1);
/// Shorter silence says nothing.
const LISTEN_MIN: Period = Period::from_millis(600);
/// Longer silence is not waited for.
const LISTEN_MAX: Period = Period::from_seconds(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_as_long_as_the_slower_of_effect_and_retry_needs() {
        let ms = Period::from_millis;
        for (settle, retry, expected) in [
            (Some(ms(300)), Some(ms(300)), ms(900)),
            (Some(ms(5_000)), Some(ms(300)), ms(5_000)),
            (None, Some(ms(10)), LISTEN_MIN),
            (None, None, ms(3_000)),
            (None, Some(Period::from_hours(1)), LISTEN_MAX),
        ] {
            assert_eq!(listen_for(settle, retry), expected, "{settle:?} {retry:?}");
        }
    }

    #[test]
    fn times_are_read_in_seconds() {
        assert_eq!([0, 7, 412, 2_000].map(seconds).join(", "), "0 ms, 7 ms, 0.41 s, 2 s");
    }
}
