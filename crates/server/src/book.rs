//! The single writer: decide on what is known, write it down, then publish it.
//!
//! The order makes a crash between any two steps harmless: blobs, entries and tiles in one
//! transaction, then the checkpoint, then the epoch, then what gates see.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use countersign_ledger::{Log, LogError, LogProof, Resource};
use countersign_model::declare::manifest::Environment;
use countersign_model::declare::{self, Format, Parsed};
use countersign_model::enforce::snapshot::{Lane, SnapshotEntry};
use countersign_model::event::{Event, What};
use countersign_model::id::{DrillId, PersonId};
use countersign_model::registry::Registry;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::dsse::Envelope;
use countersign_seal::{CanonicalError, Digest, canonical_json};
use countersign_store::{Addition, Store, StoreError};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, MutexGuard, watch};

use crate::keys::Keys;
use crate::mirror::Mirror;
use crate::problem::Problem;
use crate::snapshot::{self, Issuer, Material, SignError, Signed};

/// The single writer.
#[derive(Debug)]
pub struct Book {
    store: Store,
    inner: Mutex<Inner>,
    published: watch::Sender<Arc<Published>>,
    keys: Arc<Keys>,
    origin: String,
    environment: Environment,
    lease: Period,
}

#[derive(Debug)]
struct Inner {
    registry: Registry,
    /// Absent after a failed write, whose effect is unknown until the store is read again.
    log: Option<Log<Mirror>>,
}

/// What everybody may see: all of it is in the log, under the published checkpoint.
#[derive(Debug)]
pub struct Published {
    /// Grows with each change.
    pub epoch: u64,
    /// What is known.
    pub registry: Registry,
    /// The signed checkpoint over it; none before the first entry.
    pub checkpoint: Option<String>,
    /// For gates in front of real resources.
    pub certified: Signed,
    /// For gates in front of a test tenant.
    pub trial: Signed,
}

impl Published {
    /// The snapshot of a lane.
    pub fn lane(&self, lane: Lane) -> &Signed {
        match lane {
            Lane::Certified => &self.certified,
            Lane::Trial => &self.trial,
        }
    }
}

/// Where a book is and what it signs with.
#[derive(Debug, Clone)]
pub struct BookConfig {
    /// The log's name: the issuer's host.
    pub origin: String,
    /// Where certificates count.
    pub environment: Environment,
    /// How long a gate may go without hearing from here.
    pub lease: Period,
}

/// The book could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The log failed.
    #[error("the log failed")]
    Log(#[from] LogError),
    /// The log's tiles cannot be read back.
    #[error("the log cannot be read back")]
    Mirror(#[from] countersign_ledger::StoreError),
    /// A snapshot cannot be signed.
    #[error("a snapshot cannot be signed")]
    Sign(#[from] SignError),
    /// Something has no canonical form.
    #[error("something has no canonical form")]
    Canonical(#[from] CanonicalError),
    /// A blob that an entry names is missing or unreadable.
    #[error("blob {0} is missing or unreadable")]
    Blob(Digest),
}

impl From<BookError> for Problem {
    fn from(error: BookError) -> Self {
        Self::broken(&error)
    }
}

impl Book {
    /// Opens the book, and mends what a crash left: a checkpoint behind the entries is signed again.
    pub async fn open(
        path: &Path,
        keys: Arc<Keys>,
        config: BookConfig,
        now: Timestamp,
    ) -> Result<Self, BookError> {
        let store = Store::open(path).await?;
        let inner = recover(&store, &keys, &config.origin).await?;
        let empty = snapshot::sign(
            Lane::Certified,
            Vec::new(),
            0,
            now,
            Issuer { environment: config.environment, lease: config.lease, key: &keys.snapshot },
        )?;
        let nothing = Published {
            epoch: 0,
            registry: Registry::default(),
            checkpoint: None,
            trial: empty.clone(),
            certified: empty,
        };
        let book = Self {
            store,
            inner: Mutex::new(inner),
            published: watch::Sender::new(Arc::new(nothing)),
            keys,
            origin: config.origin,
            environment: config.environment,
            lease: config.lease,
        };
        let inner = book.inner.lock().await;
        book.publish(&inner, now).await?;
        drop(inner);
        Ok(book)
    }

    /// What everybody may see now.
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published.borrow())
    }

    /// Follows what is published.
    pub fn follow(&self) -> watch::Receiver<Arc<Published>> {
        self.published.subscribe()
    }

    /// Waits for its turn to decide and write. Nothing changes while the writer is held.
    pub async fn write(&self) -> Result<Writer<'_>, BookError> {
        let mut inner = self.inner.lock().await;
        if inner.log.is_none() {
            *inner = recover(&self.store, &self.keys, &self.origin).await?;
        }
        Ok(Writer { book: self, inner })
    }

    /// Throws away credentials that no drill of the record is watched with: a crash may leave some.
    pub async fn forget_strays(&self) -> Result<(), BookError> {
        let writer = self.write().await?;
        let kept = self.store.sealed().await?;
        let records = writer.registry().integrations.values();
        let watched: BTreeSet<&str> = records
            .flat_map(|it| it.watches.values().filter(|it| it.is_open()))
            .map(|it| it.watch.drill.as_str())
            .collect();
        let strays: Vec<String> =
            kept.into_iter().filter(|it| !watched.contains(it.as_str())).collect();
        if strays.is_empty() { Ok(()) } else { Ok(self.store.forget(&strays).await?) }
    }

    /// Publishes again if time alone changed what gates should see.
    pub async fn tick(&self, now: Timestamp) -> Result<bool, BookError> {
        let writer = self.write().await?;
        self.publish(&writer.inner, now).await
    }

    /// The bytes of a blob.
    pub async fn blob(&self, digest: Digest) -> Result<Vec<u8>, BookError> {
        self.store.blob(digest).await?.ok_or(BookError::Blob(digest))
    }

    /// The drills whose credentials are kept.
    pub async fn kept(&self) -> Result<BTreeSet<String>, BookError> {
        Ok(self.store.sealed().await?)
    }

    /// The credentials of a drill, sealed.
    pub async fn sealed(&self, drill: &DrillId) -> Result<Option<Vec<u8>>, BookError> {
        Ok(self.store.sealed_bytes(drill.as_str()).await?)
    }

    /// A document in a blob.
    pub async fn document<T: DeserializeOwned>(&self, digest: Digest) -> Result<T, BookError> {
        let bytes = self.blob(digest).await?;
        serde_json::from_slice(&bytes).map_err(|_| BookError::Blob(digest))
    }

    /// A manifest in a blob, with its text.
    pub async fn manifest(&self, blob: Digest) -> Result<(Parsed, String), BookError> {
        let bytes = self.blob(blob).await?;
        let text = String::from_utf8(bytes).map_err(|_| BookError::Blob(blob))?;
        let parsed = declare::parse(&text, format_of(&text)).map_err(|_| BookError::Blob(blob))?;
        Ok((parsed, text))
    }

    /// Entries as they are in the log, never beyond what is published.
    pub async fn entries(&self, from: u64, n: u64) -> Result<Vec<(u64, Vec<u8>)>, BookError> {
        let n = n.min(1_000).min(self.published().registry.size.saturating_sub(from));
        Ok(self.store.entries(from, i64::try_from(n).unwrap_or(0)).await?)
    }

    /// The published checkpoint. Nobody waits for the writer.
    pub fn checkpoint(&self) -> Option<String> {
        self.published().checkpoint.clone()
    }

    /// A published resource of the log. Nobody waits for the writer.
    pub async fn resource(&self, resource: &Resource) -> Result<Option<Vec<u8>>, BookError> {
        if *resource == Resource::Checkpoint {
            return Ok(self.checkpoint().map(String::into_bytes));
        }
        Ok(self.store.tile(&resource.to_string()).await?)
    }

    /// The proof file of an entry.
    pub async fn proof(&self, index: u64) -> Result<LogProof, BookError> {
        Ok(self.write().await?.log()?.proof_file(index)?)
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Makes the next write of this kind fail. For tests.
    pub fn inject(&self, fault: countersign_store::Fault) {
        self.store.inject(fault);
    }

    /// Publishes what gates should see, if it differs from what they see.
    async fn publish(&self, inner: &Inner, now: Timestamp) -> Result<bool, BookError> {
        let registry = &inner.registry;
        let material = self.material(registry).await?;
        let certified = snapshot::entries(Lane::Certified, registry, &material, now);
        let trial = snapshot::entries(Lane::Trial, registry, &material, now);
        let seen = self.published();
        let same = |signed: &Signed, entries: &[SnapshotEntry]| signed.document.entries == entries;
        let unchanged = seen.registry.size == registry.size
            && same(&seen.certified, &certified)
            && same(&seen.trial, &trial);
        if unchanged && 0 < seen.epoch {
            return Ok(false);
        }
        let epoch = (self.store.epoch().await? + 1).max(registry.size);
        self.store.put_epoch(epoch).await?;
        let key = &self.keys.snapshot;
        let issuer = Issuer { environment: self.environment, lease: self.lease, key };
        let published = Published {
            epoch,
            registry: registry.clone(),
            checkpoint: inner.log.as_ref().map(Log::published).transpose()?.flatten(),
            certified: snapshot::sign(Lane::Certified, certified, epoch, now, issuer)?,
            trial: snapshot::sign(Lane::Trial, trial, epoch, now, issuer)?,
        };
        self.published.send_replace(Arc::new(published));
        Ok(true)
    }

    async fn material(&self, registry: &Registry) -> Result<Material, BookError> {
        let mut material = Material::default();
        for record in registry.integrations.values() {
            let blob = record.submission.blob;
            material.manifests.insert(blob, self.manifest(blob).await?.0.manifest);
            let Some(certificate) = &record.certificate else { continue };
            let token = self.blob(certificate.token).await?;
            let token = String::from_utf8(token).map_err(|_| BookError::Blob(certificate.token))?;
            material.tokens.insert(certificate.token, token);
            let envelope: Envelope = self.document(certificate.envelope).await?;
            material.envelopes.insert(certificate.envelope, envelope);
        }
        Ok(material)
    }
}

/// The one who may write now.
#[derive(Debug)]
pub struct Writer<'a> {
    book: &'a Book,
    inner: MutexGuard<'a, Inner>,
}

/// What a step adds, with the blobs that it refers to.
#[derive(Debug, Default)]
pub struct Draft {
    events: Vec<Event>,
    blobs: Vec<Vec<u8>>,
    sealed: Vec<(String, Vec<u8>)>,
    forgotten: Vec<String>,
}

impl Draft {
    /// Adds an event.
    pub fn event(&mut self, at: Timestamp, by: Option<&PersonId>, what: What) {
        self.events.push(Event::new(at, by.cloned(), what));
    }

    /// Adds a blob; its digest.
    pub fn blob(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.blobs.push(bytes);
        digest
    }

    /// Keeps the credentials of a drill, which come sealed.
    pub fn keep(&mut self, drill: &DrillId, sealed: Vec<u8>) {
        self.sealed.push((drill.to_string(), sealed));
    }

    /// Throws the credentials of a drill away.
    pub fn forget(&mut self, drill: &DrillId) {
        self.forgotten.push(drill.to_string());
    }

    /// Adds a document in canonical form; its digest.
    pub fn document<T: serde::Serialize>(&mut self, value: &T) -> Result<Digest, BookError> {
        Ok(self.blob(canonical_json(value)?))
    }
}

impl Writer<'_> {
    /// What is known.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Writes events and blobs down, then publishes. The epoch that gates now see.
    ///
    /// When this returns `Ok`, all of it survives a power cut and is in the log.
    pub async fn commit(&mut self, draft: Draft, now: Timestamp) -> Result<u64, BookError> {
        let expected = self.inner.registry.size;
        let mut log = self.inner.log.take().ok_or(LogError::OutOfRange { asked: expected })?;
        // From here on a failure leaves the log absent, so that the next writer reads the store again.
        let mut entries = Vec::with_capacity(draft.events.len());
        for event in draft.events {
            let bytes = canonical_json(&event)?;
            entries.push((event, bytes));
        }
        let bytes: Vec<&[u8]> = entries.iter().map(|(_, it)| it.as_slice()).collect();
        log.append(&bytes)?;
        let tiles = log.store().take();
        let addition = Addition {
            blobs: &draft.blobs,
            entries: &entries,
            tiles: &tiles,
            root: log.head()?.root,
            sealed: &draft.sealed,
            forgotten: &draft.forgotten,
        };
        let size = self.book.store.append(expected, addition).await?;
        let note = log.checkpoint(&self.book.keys.log)?;
        self.book.store.put_checkpoint(size, &note).await?;
        self.book.store.prune(&log.store().take_full()).await?;
        for (event, _) in &entries {
            self.inner.registry.apply(event);
        }
        self.inner.log = Some(log);
        self.book.publish(&self.inner, now).await?;
        Ok(self.book.published().epoch)
    }

    /// The proof files of these entries, all of them under one checkpoint.
    pub fn proofs(&self, indices: &[u64]) -> Result<Vec<LogProof>, BookError> {
        let log = self.log()?;
        Ok(indices.iter().map(|it| log.proof_file(*it)).collect::<Result<_, _>>()?)
    }

    fn log(&self) -> Result<&Log<Mirror>, BookError> {
        let missing = || BookError::Log(LogError::OutOfRange { asked: self.inner.registry.size });
        self.inner.log.as_ref().ok_or_else(missing)
    }
}

/// The format of a stored manifest: no TOML begins with a brace.
pub(crate) fn format_of(text: &str) -> Format {
    if text.trim_start().starts_with('{') { Format::Json } else { Format::Toml }
}

async fn recover(store: &Store, keys: &Keys, origin: &str) -> Result<Inner, BookError> {
    let events = store.events().await?;
    let kept = store.kept().await?;
    let mut log = Log::open(Mirror::of(&kept)?, origin)?;
    let registry = Registry::fold(&events);
    if 0 < kept.size {
        let note = log.checkpoint(&keys.log)?;
        if kept.checkpoint.as_deref() != Some(note.as_str()) {
            tracing::info!(size = kept.size, "the checkpoint was behind the entries; signed again");
            store.put_checkpoint(kept.size, &note).await?;
        }
    }
    Ok(Inner { registry, log: Some(log) })
}
