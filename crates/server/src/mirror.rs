//! The published log in memory, as the store has it; what changed since is written by the book.

use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_ledger::{
    Head, HeadError, HeadStore, Memory, ReadTiles, Resource, StoreError, TileStore,
};
use countersign_store::Kept;

/// A log's store that remembers what was written since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    memory: Memory,
    written: Mutex<Vec<(Resource, Vec<u8>)>>,
    full: Mutex<Vec<String>>,
}

impl Mirror {
    /// What the store has.
    pub(crate) fn of(kept: &Kept) -> Result<Self, StoreError> {
        let mirror = Self::default();
        let malformed = |name: &str| StoreError {
            action: "read",
            name: name.to_owned(),
            source: Box::new(std::io::Error::other("not a path of a log")),
        };
        let mut resources = Vec::with_capacity(kept.tiles.len());
        for (path, bytes) in &kept.tiles {
            let resource: Resource = path.parse().map_err(|_| malformed(path))?;
            resources.push((resource, bytes.clone()));
        }
        if let Some(note) = &kept.checkpoint {
            resources.push((Resource::Checkpoint, note.clone().into_bytes()));
        }
        mirror.memory.put(&resources)?;
        if let Some(root) = kept.root.filter(|_| 0 < kept.size) {
            let next = Head { size: kept.size, root };
            mirror.memory.replace_head(&Head::empty(), &next).map_err(|_| malformed("head"))?;
        }
        Ok(mirror)
    }

    /// What was written since the last call, as paths.
    pub(crate) fn take(&self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut *self.lock()).into_iter().map(|(it, b)| (it.to_string(), b)).collect()
    }

    /// Tiles that became full since the last call.
    pub(crate) fn take_full(&self) -> Vec<String> {
        std::mem::take(&mut *self.full.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Resource, Vec<u8>)>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadTiles for Mirror {
    fn read(&self, resource: &Resource) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.read(resource)
    }
}

impl TileStore for Mirror {
    fn put(&self, resources: &[(Resource, Vec<u8>)]) -> Result<(), StoreError> {
        let tiles = resources.iter().filter(|(it, _)| *it != Resource::Checkpoint);
        self.lock().extend(tiles.cloned());
        self.memory.put(resources)
    }

    fn prune(&self, full: &Resource) -> Result<(), StoreError> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner).push(full.to_string());
        self.memory.prune(full)
    }
}

impl HeadStore for Mirror {
    fn head(&self) -> Result<Head, StoreError> {
        self.memory.head()
    }

    fn replace_head(&self, seen: &Head, next: &Head) -> Result<(), HeadError> {
        self.memory.replace_head(seen, next)
    }
}
