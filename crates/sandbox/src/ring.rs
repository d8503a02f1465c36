//! A record that forgets its oldest lines.

use std::collections::VecDeque;

/// At most so many items, the newest.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    items: VecDeque<T>,
    items_max: usize,
}

impl<T> Ring<T> {
    pub(crate) fn new(items_max: usize) -> Self {
        Self { items: VecDeque::new(), items_max }
    }

    pub(crate) fn push(&mut self, item: T) {
        if self.items_max <= self.items.len() {
            self.items.pop_front();
        }
        self.items.push_back(item);
    }

    pub(crate) fn retain(&mut self, keeps: impl FnMut(&T) -> bool) {
        self.items.retain(keeps);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut ring = Ring::new(2);
        for number in 1..=3 {
            ring.push(number);
        }
        assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [2, 3]);
    }
}
