//! Running numbers, kept as stretches: a whole log costs one stretch.

use std::collections::BTreeMap;

/// Which numbers were seen.
#[derive(Debug, Default, Clone)]
pub(super) struct Numbers {
    /// First and last number of each stretch.
    stretches: BTreeMap<u64, u64>,
    /// Whether there were more stretches than can be kept.
    pub(super) cut: bool,
}

/// How many stretches are kept.
const STRETCHES_MAX: usize = 100_000;

impl Numbers {
    /// Whether the number is a new one.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        // Nearly every number follows the one before it.
        if let Some(mut last) = self.stretches.last_entry()
            && last.get().checked_add(1) == Some(number)
        {
            *last.get_mut() = number;
            return true;
        }
        if self.has(number) {
            return false;
        }
        let before = self.stretches.range(..number).next_back().map(|it| (*it.0, *it.1));
        let joins_before = before.filter(|it| it.1 + 1 == number).map(|it| it.0);
        let joins_after = number.checked_add(1).and_then(|it| self.stretches.remove(&it));
        let first = joins_before.unwrap_or(number);
        if joins_before.is_none() && STRETCHES_MAX <= self.stretches.len() {
            self.cut = true;
            return true;
        }
        self.stretches.insert(first, joins_after.unwrap_or(number));
        true
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.stretches.range(..=number).next_back().is_some_and(|it| number <= *it.1)
    }

    /// The first and the last number.
    pub(super) fn ends(&self) -> Option<(u64, u64)> {
        Some((*self.stretches.first_key_value()?.0, *self.stretches.last_key_value()?.1))
    }

    /// The stretches that are missing between the first and the last number.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let after = self.stretches.keys().skip(1);
        self.stretches.values().zip(after).map(|(end, start)| (end + 1, start - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn stretches_know_what_a_set_knows(numbers in proptest::collection::vec(0_u64..60, 0..80)) {
            let mut stretches = Numbers::default();
            let mut set = BTreeSet::new();
            for number in numbers {
                prop_assert_eq!(stretches.insert(number), set.insert(number));
            }
            let missing: Vec<u64> = stretches.gaps().flat_map(|(from, to)| from..=to).collect();
            let (first, last) = (set.first().copied(), set.last().copied());
            let expected: Vec<u64> = match (first, last) {
                (Some(first), Some(last)) => (first..=last).filter(|it| !set.contains(it)).collect(),
                _ => Vec::new(),
            };
            prop_assert_eq!(missing, expected);
        }
    }

    #[test]
    fn the_largest_numbers_are_numbers() {
        let mut numbers = Numbers::default();
        assert!(numbers.insert(u64::MAX) && numbers.insert(u64::MAX - 1) && numbers.insert(0));
        assert!(!numbers.insert(u64::MAX));
        assert_eq!(numbers.gaps().collect::<Vec<_>>(), [(1, u64::MAX - 2)]);
    }
}
