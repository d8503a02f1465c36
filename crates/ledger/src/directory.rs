//! A log in a directory, laid out as it is published: any web server can serve it.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::encoding::{base64_encode, decimal, hash_decode};
use crate::resource::Resource;
use crate::store::{Head, HeadError, HeadStore, ReadTiles, StoreError, TileStore};

/// A published log on disk, to read.
#[derive(Debug, Clone)]
pub struct PublishedDirectory {
    root: PathBuf,
}

impl PublishedDirectory {
    /// The log that is published under `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }
}

impl ReadTiles for PublishedDirectory {
    fn read(&self, resource: &Resource) -> Result<Option<Vec<u8>>, StoreError> {
        let name = resource.to_string();
        read_bounded(&self.root.join(&name), resource.bytes_max())
            .map_err(|source| failed("read", &name, source))
    }
}

/// A log on disk that one process at a time may extend.
///
/// The lock is held as long as the value lives.
#[derive(Debug)]
pub struct Directory {
    published: PublishedDirectory,
    /// Held by each write, so that temporary files never meet.
    lock: Mutex<File>,
}

impl Directory {
    /// Opens the log under `root`, which is made where it is missing.
    ///
    /// Fails if another process has it open.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let open = || {
            fs::create_dir_all(root)?;
            let path = root.join(LOCK);
            let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            lock.try_lock().map_err(io::Error::from)?;
            Ok(lock)
        };
        let lock = open().map_err(|it| failed("open", &root.display().to_string(), it))?;
        Ok(Self { published: PublishedDirectory::new(root), lock: Mutex::new(lock) })
    }

    /// Where it lies.
    pub fn root(&self) -> &Path {
        &self.published.root
    }

    fn writing(&self) -> MutexGuard<'_, File> {
        // The guarded file is never written, so a panic elsewhere leaves nothing half done.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadTiles for Directory {
    fn read(&self, resource: &Resource) -> Result<Option<Vec<u8>>, StoreError> {
        self.published.read(resource)
    }
}

impl TileStore for Directory {
    fn put(&self, resources: &[(Resource, Vec<u8>)]) -> Result<(), StoreError> {
        let _writing = self.writing();
        let mut folders = BTreeSet::new();
        for (resource, bytes) in resources {
            let name = resource.to_string();
            let folder = replace(&self.published.root, &name, bytes);
            folders.insert(folder.map_err(|it| failed("put", &name, it))?);
        }
        let synced = folders.iter().try_for_each(|folder| sync(folder));
        synced.map_err(|it| failed("put", "tiles", it))
    }

    fn prune(&self, full: &Resource) -> Result<(), StoreError> {
        let name = format!("{full}.p");
        match fs::remove_dir_all(self.published.root.join(&name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("prune", &name, error))
            }
            _ => Ok(()),
        }
    }
}

impl HeadStore for Directory {
    fn head(&self) -> Result<Head, StoreError> {
        let bytes = read_bounded(&self.published.root.join(HEAD), HEAD_BYTES_MAX)
            .map_err(|source| failed("read", HEAD, source))?;
        let Some(bytes) = bytes else { return Ok(Head::empty()) };
        parse_head(&bytes).ok_or_else(|| {
            failed("read", HEAD, io::Error::new(io::ErrorKind::InvalidData, "malformed head"))
        })
    }

    fn replace_head(&self, seen: &Head, next: &Head) -> Result<(), HeadError> {
        let _writing = self.writing();
        let current = self.head()?;
        if current != *seen {
            return Err(HeadError::Moved { size: current.size });
        }
        let text = format!("{}\n{}\n", next.size, base64_encode(next.root.as_bytes()));
        replace(&self.published.root, HEAD, text.as_bytes())
            .and_then(|folder| sync(&folder))
            .map_err(|it| failed("replace", HEAD, it).into())
    }
}

fn parse_head(bytes: &[u8]) -> Option<Head> {
    let text = str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let (size, root) = text.split_once('\n')?;
    Some(Head { size: decimal(size)?, root: hash_decode(root)? })
}

/// Writes beside, makes durable and moves into place.
///
/// The move itself survives once the returned folder is synced.
fn replace(root: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let path = root.join(name);
    let folder = path.parent().unwrap_or(root);
    make_durable_folder(folder)?;
    // Writes hold the lock, so one temporary name is enough; a leftover is overwritten.
    let beside = root.join(TEMPORARY);
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    Ok(folder.to_owned())
}

/// Makes a folder and every missing one above it, each durable in its parent.
fn make_durable_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_durable_folder(parent)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => sync(parent)?,
        }
    }
    Ok(())
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn read_bounded(path: &Path, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes_max < bytes.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "larger than it can be"));
    }
    Ok(Some(bytes))
}

fn failed(action: &'static str, name: &str, source: io::Error) -> StoreError {
    StoreError { action, name: name.to_owned(), source: source.into() }
}

const LOCK: &str = ".lock";
const TEMPORARY: &str = ".next";
const HEAD: &str = "head";
const HEAD_BYTES_MAX: usize = 256;
