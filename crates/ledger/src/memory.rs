//! A log in memory, for tests and for runs that leave nothing behind.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::resource::{Resource, WIDTH};
use crate::store::{Head, HeadError, HeadStore, ReadTiles, StoreError, TileStore};

/// A store that lives as long as its value.
#[derive(Debug, Default)]
pub struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    resources: BTreeMap<Resource, Vec<u8>>,
    head: Option<Head>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything in it, in order of path kind.
    pub fn resources(&self) -> Vec<(Resource, Vec<u8>)> {
        self.lock().resources.iter().map(|(resource, bytes)| (*resource, bytes.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is one insertion, so a panic elsewhere leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadTiles for Memory {
    fn read(&self, resource: &Resource) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().resources.get(resource).cloned())
    }
}

impl TileStore for Memory {
    fn put(&self, resources: &[(Resource, Vec<u8>)]) -> Result<(), StoreError> {
        self.lock().resources.extend(resources.iter().cloned());
        Ok(())
    }

    fn prune(&self, full: &Resource) -> Result<(), StoreError> {
        self.lock().resources.retain(|it, _| it.full() != *full || it.width() == WIDTH);
        Ok(())
    }
}

impl HeadStore for Memory {
    fn head(&self) -> Result<Head, StoreError> {
        Ok(self.lock().head.unwrap_or_else(Head::empty))
    }

    fn replace_head(&self, seen: &Head, next: &Head) -> Result<(), HeadError> {
        let mut inner = self.lock();
        let current = inner.head.unwrap_or_else(Head::empty);
        if current != *seen {
            return Err(HeadError::Moved { size: current.size });
        }
        inner.head = Some(*next);
        Ok(())
    }
}
