//! The SQLite engine: one file, one writer.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use countersign_model::event::Event;
use countersign_seal::Digest;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite, Transaction};

use crate::fault::{Fault, Moment, Step};
use crate::sealed;
use crate::view::IntegrationView;

/// What must survive.
#[derive(Debug)]
pub struct Store {
    pub(crate) pool: SqlitePool,
    fault: Mutex<Option<Fault>>,
}

/// What one step adds; all of it or nothing.
#[derive(Debug, Clone, Copy)]
pub struct Addition<'a> {
    /// Blobs that the entries refer to.
    pub blobs: &'a [Vec<u8>],
    /// Entries: canonical JSON of events, with the events.
    pub entries: &'a [(Event, Vec<u8>)],
    /// Tiles by path.
    pub tiles: &'a [(String, Vec<u8>)],
    /// The root over all entries, these included.
    pub root: Digest,
    /// What is kept encrypted, by id.
    pub sealed: &'a [(String, Vec<u8>)],
    /// What is kept no longer, by id.
    pub forgotten: &'a [String],
}

/// Everything that a log is read back from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// How many entries.
    pub size: u64,
    /// The root over them; none before the first.
    pub root: Option<Digest>,
    /// Tiles by path.
    pub tiles: Vec<(String, Vec<u8>)>,
    /// The published checkpoint.
    pub checkpoint: Option<String>,
}

/// The store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine failed; whether the write took effect is not known.
    #[error("sqlite could not {action}")]
    Engine {
        /// What was attempted.
        action: &'static str,
        /// What the engine said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Somebody else wrote in between.
    #[error("the log has {size} entries, and {expected} were expected")]
    Moved {
        /// How many there are.
        size: u64,
        /// How many the caller knew.
        expected: u64,
    },
    /// What is stored cannot be read.
    #[error("event {index} cannot be read")]
    Unreadable {
        /// Which.
        index: u64,
        /// Why.
        source: serde_json::Error,
    },
}

impl Store {
    /// Opens the file, or makes it, and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await
            .map_err(engine("open"))?;
        sqlx::migrate!("./migrations").run(&pool).await.map_err(engine("migrate"))?;
        Ok(Self { pool, fault: Mutex::new(None) })
    }

    /// Makes the next write of this kind fail. For tests.
    pub fn inject(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(fault);
    }

    /// Writes blobs, entries and tiles in one transaction, and returns the new number of entries.
    ///
    /// When this returns `Ok`, they survive a power cut. When it fails with [`StoreError::Engine`],
    /// all of them may be there or none: open again and look.
    pub async fn append(&self, expected: u64, addition: Addition<'_>) -> Result<u64, StoreError> {
        const DO: &str = "append";
        self.fail(Step::Append, Moment::Before)?;
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(engine(DO))?;
        let size = size(&mut tx).await?;
        if size != expected {
            return Err(StoreError::Moved { size, expected });
        }
        for bytes in addition.blobs {
            sqlx::query("INSERT INTO blob (digest, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .bind(Digest::of(bytes).as_bytes().to_vec())
                .bind(bytes.as_slice())
                .execute(&mut *tx)
                .await
                .map_err(engine(DO))?;
        }
        let mut index = i64::try_from(size).unwrap_or(i64::MAX);
        for (event, entry) in addition.entries {
            let kind = serde_json::to_value(&event.what)
                .ok()
                .and_then(|it| it.get("kind").and_then(|it| it.as_str()).map(str::to_owned))
                .unwrap_or_default();
            sqlx::query("INSERT INTO event (idx, at_ms, kind, entry) VALUES (?, ?, ?, ?)")
                .bind(index)
                .bind(event.at.millis())
                .bind(kind)
                .bind(entry.as_slice())
                .execute(&mut *tx)
                .await
                .map_err(engine(DO))?;
            view(&mut tx, index, event).await?;
            index += 1;
        }
        for (path, bytes) in addition.tiles {
            sqlx::query("INSERT OR REPLACE INTO tile (path, bytes) VALUES (?, ?)")
                .bind(path.as_str())
                .bind(bytes.as_slice())
                .execute(&mut *tx)
                .await
                .map_err(engine(DO))?;
        }
        sealed::keep(&mut tx, addition.sealed).await?;
        sealed::forget(&mut tx, addition.forgotten).await?;
        sqlx::query("INSERT OR REPLACE INTO meta (name, value) VALUES ('root', ?)")
            .bind(addition.root.as_bytes().to_vec())
            .execute(&mut *tx)
            .await
            .map_err(engine(DO))?;
        tx.commit().await.map_err(engine(DO))?;
        self.fail(Step::Append, Moment::After)?;
        Ok(u64::try_from(index).unwrap_or_default())
    }

    /// Publishes a checkpoint over the first `size` entries; never over fewer than before.
    pub async fn put_checkpoint(&self, size: u64, note: &str) -> Result<(), StoreError> {
        const DO: &str = "publish a checkpoint";
        self.fail(Step::Checkpoint, Moment::Before)?;
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO checkpoint (id, size, note) VALUES (1, ?, ?)
             ON CONFLICT (id) DO UPDATE SET size = excluded.size, note = excluded.note
             WHERE size <= excluded.size",
        )
        .bind(size)
        .bind(note)
        .execute(&self.pool)
        .await
        .map_err(engine(DO))?;
        self.fail(Step::Checkpoint, Moment::After)
    }

    /// Every event, in order.
    pub async fn events(&self) -> Result<Vec<Event>, StoreError> {
        let entries = self.entries(0, i64::MAX).await?;
        let mut events = Vec::with_capacity(entries.len());
        for (index, entry) in entries {
            let event = serde_json::from_slice(&entry)
                .map_err(|source| StoreError::Unreadable { index, source })?;
            events.push(event);
        }
        Ok(events)
    }

    /// Entries as they are in the log, with their indices.
    pub async fn entries(&self, from: u64, n: i64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let rows = sqlx::query("SELECT idx, entry FROM event WHERE ? <= idx ORDER BY idx LIMIT ?")
            .bind(i64::try_from(from).unwrap_or(i64::MAX))
            .bind(n)
            .fetch_all(&self.pool)
            .await
            .map_err(engine("read events"))?;
        rows.iter()
            .map(|row| {
                let index: i64 = row.try_get(0).map_err(engine("read events"))?;
                let entry: Vec<u8> = row.try_get(1).map_err(engine("read events"))?;
                Ok((u64::try_from(index).unwrap_or_default(), entry))
            })
            .collect()
    }

    /// The bytes with this SHA-256.
    pub async fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT bytes FROM blob WHERE digest = ?")
            .bind(digest.as_bytes().to_vec())
            .fetch_optional(&self.pool)
            .await
            .map_err(engine("read a blob"))?;
        Ok(row.map(|it| it.0))
    }

    /// What a log is read back from.
    pub async fn kept(&self) -> Result<Kept, StoreError> {
        const DO: &str = "read the log";
        let mut tx = self.pool.begin().await.map_err(engine(DO))?;
        let size = size(&mut tx).await?;
        let root: Option<(Vec<u8>,)> = sqlx::query_as("SELECT value FROM meta WHERE name = 'root'")
            .fetch_optional(&mut *tx)
            .await
            .map_err(engine(DO))?;
        let tiles = sqlx::query_as("SELECT path, bytes FROM tile ORDER BY path")
            .fetch_all(&mut *tx)
            .await
            .map_err(engine(DO))?;
        let checkpoint: Option<(String,)> = sqlx::query_as("SELECT note FROM checkpoint")
            .fetch_optional(&mut *tx)
            .await
            .map_err(engine(DO))?;
        tx.commit().await.map_err(engine(DO))?;
        let root = root.and_then(|it| <[u8; 32]>::try_from(it.0).ok()).map(Digest::from_bytes);
        Ok(Kept { size, root, tiles, checkpoint: checkpoint.map(|it| it.0) })
    }

    /// A tile of the log, as it was committed.
    pub async fn tile(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT bytes FROM tile WHERE path = ?")
            .bind(path)
            .fetch_optional(&self.pool)
            .await
            .map_err(engine("read a tile"))?;
        Ok(row.map(|it| it.0))
    }

    /// Drops the views and makes them again from events.
    pub async fn rebuild_views(&self) -> Result<(), StoreError> {
        const DO: &str = "rebuild views";
        let events = self.events().await?;
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(engine(DO))?;
        sqlx::query("DELETE FROM view_integration").execute(&mut *tx).await.map_err(engine(DO))?;
        for (index, event) in (0_i64..).zip(&events) {
            view(&mut tx, index, event).await?;
        }
        tx.commit().await.map_err(engine(DO))
    }

    /// The list of integrations, by name.
    pub async fn integrations(&self) -> Result<Vec<IntegrationView>, StoreError> {
        const DO: &str = "read views";
        let rows = sqlx::query(
            "SELECT id, slug, profile, manifest, last_event FROM view_integration ORDER BY slug",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(engine(DO))?;
        rows.iter()
            .map(|row| {
                Ok(IntegrationView {
                    id: row.try_get(0)?,
                    slug: row.try_get(1)?,
                    profile: row.try_get(2)?,
                    manifest: row.try_get(3)?,
                    last_event: row.try_get(4)?,
                })
            })
            .collect::<Result<_, sqlx::Error>>()
            .map_err(engine(DO))
    }

    /// The epoch that was published last; 0 before the first.
    pub async fn epoch(&self) -> Result<u64, StoreError> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT value FROM meta WHERE name = 'epoch'")
            .fetch_optional(&self.pool)
            .await
            .map_err(engine("read the epoch"))?;
        let bytes = row.and_then(|it| <[u8; 8]>::try_from(it.0).ok());
        Ok(bytes.map_or(0, u64::from_be_bytes))
    }

    /// Remembers an epoch before it is published, so that none is ever used twice.
    pub async fn put_epoch(&self, epoch: u64) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO meta (name, value) VALUES ('epoch', ?)")
            .bind(epoch.to_be_bytes().to_vec())
            .execute(&self.pool)
            .await
            .map_err(engine("write the epoch"))?;
        Ok(())
    }

    /// Forgets the partial forms of tiles that are now full.
    pub async fn prune(&self, full: &[String]) -> Result<(), StoreError> {
        for path in full {
            sqlx::query("DELETE FROM tile WHERE path GLOB ? || '.p/*'")
                .bind(path.as_str())
                .execute(&self.pool)
                .await
                .map_err(engine("prune tiles"))?;
        }
        Ok(())
    }

    /// Closes the file; what was written is in it.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn fail(&self, step: Step, moment: Moment) -> Result<(), StoreError> {
        let mut fault = self.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *fault == Some(Fault { step, moment }) {
            *fault = None;
            let source = std::io::Error::other("a fault was injected").into();
            return Err(StoreError::Engine { action: "write", source });
        }
        Ok(())
    }
}

async fn size(tx: &mut Transaction<'_, Sqlite>) -> Result<u64, StoreError> {
    let (size,): (i64,) = sqlx::query_as("SELECT COALESCE(MAX(idx) + 1, 0) FROM event")
        .fetch_one(&mut **tx)
        .await
        .map_err(engine("count events"))?;
    Ok(u64::try_from(size).unwrap_or_default())
}

async fn view(
    tx: &mut Transaction<'_, Sqlite>,
    index: i64,
    event: &Event,
) -> Result<(), StoreError> {
    let Some(row) = IntegrationView::of(index, event) else { return Ok(()) };
    sqlx::query(
        "INSERT OR REPLACE INTO view_integration (id, slug, profile, manifest, last_event)
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(row.id)
    .bind(row.slug)
    .bind(row.profile)
    .bind(row.manifest)
    .bind(row.last_event)
    .execute(&mut **tx)
    .await
    .map_err(engine("write views"))?;
    Ok(())
}

pub(crate) fn engine<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    action: &'static str,
) -> impl FnOnce(E) -> StoreError {
    move |source| StoreError::Engine { action, source: source.into() }
}
