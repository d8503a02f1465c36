//! What is being worked on now, so that nobody does it twice at once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What is being worked on now.
#[derive(Debug, Default)]
pub struct Busy(Mutex<BTreeSet<String>>);

/// A piece of work, until it is dropped.
#[derive(Debug)]
pub struct Guard<'a> {
    busy: &'a Busy,
    name: String,
}

impl Busy {
    /// Begins a piece of work; none where somebody is at it.
    pub fn enter(&self, name: &str) -> Option<Guard<'_>> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.to_owned()).then(|| Guard { busy: self, name: name.to_owned() })
    }

    /// Whether somebody is at it.
    pub fn is_at(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let busy = Busy::default();
        let first = busy.enter("a");
        assert!(first.is_some() && busy.enter("a").is_none() && busy.enter("b").is_some());
        drop(first);
        assert!(busy.enter("a").is_some());
    }
}
