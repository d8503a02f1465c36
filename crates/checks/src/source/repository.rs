//! A git repository as this scan needs it: the only file that knows `gix`.

use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use gix::objs::{CommitRef, Data, Kind, TagRef, TreeRefIter};
use gix::{ObjectId, refs::TargetRef};

use super::error::ScanError;

/// The id of an object.
pub(super) type Id = ObjectId;

/// An opened repository.
pub(super) struct Repository {
    inner: gix::Repository,
    name: String,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Blob,
    Commit,
    Tag,
    Tree,
}

/// An object whose bytes have the digest that it is named by.
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    pub(super) bytes: Vec<u8>,
}

/// A commit, read.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) tree: Id,
    pub(super) parents: Vec<Id>,
    pub(super) author_time: i64,
}

/// One entry of a tree.
#[derive(Debug, Clone)]
pub(super) struct TreeEntry {
    pub(super) name: Vec<u8>,
    pub(super) id: Id,
    pub(super) what: EntryKind,
}

/// What an entry of a tree leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A file, or the text of a link.
    File,
    Folder,
    Submodule,
}

impl Repository {
    /// Opens the repository at exactly this path, minding neither environment nor user settings.
    pub(super) fn open(path: &Path) -> Result<Self, ScanError> {
        let name = path.display().to_string();
        let options = gix::open::Options::isolated();
        let mut inner =
            gix::open_opts(path, options).map_err(|source| failed(&name, "open", "it", source))?;
        // A replacement hides what it replaces, so objects are read as what they are.
        inner.objects.ignore_replacements = true;
        inner.object_cache_size_if_unset(16 << 20);
        Ok(Self { inner, name })
    }

    pub(super) fn work_tree(&self) -> Option<&Path> {
        self.inner.workdir()
    }

    /// Settings, hooks and journals that belong to every work tree.
    pub(super) fn common_folder(&self) -> &Path {
        self.inner.common_dir()
    }

    pub(super) fn object_folder(&self) -> PathBuf {
        self.inner.common_dir().join("objects")
    }

    /// The objects that references lead to, each with the reference's name.
    pub(super) fn roots(&self) -> Result<Vec<(String, Id)>, ScanError> {
        let mut roots = Vec::new();
        let head = self.inner.head().map_err(|it| self.failed("read", "`HEAD`", it))?;
        if let gix::head::Kind::Detached { target, .. } = head.kind {
            roots.push(("HEAD".to_owned(), target));
        }
        let all = self.inner.references().map_err(|it| self.failed("list", "references", it))?;
        let all = all.all().map_err(|it| self.failed("list", "references", it))?;
        for reference in all {
            let reference = reference.map_err(|it| self.failed("read", "a reference", it))?;
            // A symbolic reference leads to one that is listed itself, or to nothing yet.
            if let TargetRef::Object(id) = reference.target() {
                roots.push((reference.name().as_bstr().to_string(), id.to_owned()));
            }
        }
        Ok(roots)
    }

    /// All objects that are present, packed or not, up to `count_max`; says whether there are more.
    pub(super) fn objects(&self, count_max: usize) -> Result<(Vec<Id>, bool), ScanError> {
        self.check_packs()?;
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        let all = self.inner.objects.iter().map_err(|it| self.failed("list", "objects", it))?;
        for id in all {
            let id = id.map_err(|it| self.failed("list", "loose objects", it))?;
            if seen.insert(id) {
                if count_max <= ids.len() {
                    return Ok((ids, true));
                }
                ids.push(id);
            }
        }
        Ok((ids, false))
    }

    /// Every pack needs an index that can be read; one that cannot would hide its objects.
    fn check_packs(&self) -> Result<(), ScanError> {
        let folder = self.object_folder().join("pack");
        let Ok(files) = fs::read_dir(&folder) else { return Ok(()) };
        for file in files {
            let file = file.map_err(|it| self.failed("list", "packs", it))?.path();
            if file.extension().is_some_and(|it| it == "pack") {
                let index = file.with_extension("idx");
                let place = format!("`{}`", index.display());
                gix::odb::pack::index::File::at(&index, self.inner.object_hash())
                    .map_err(|it| self.failed("read", &place, it))?;
            }
        }
        Ok(())
    }

    pub(super) fn is_present(&self, id: Id) -> bool {
        self.inner.has_object(id)
    }

    /// What an object is, and how long.
    pub(super) fn header(&self, id: Id) -> Result<(ObjectKind, u64), ScanError> {
        let header = self
            .inner
            .find_header(id)
            .map_err(|it| self.failed("find", &format!("object {id}"), it))?;
        Ok((kind(header.kind()), header.size()))
    }

    /// Reads an object and holds its bytes against its id; `role` says what for.
    pub(super) fn read(&self, id: Id, role: &str) -> Result<Object, ScanError> {
        let place = || format!("{role} {id}");
        let mut object =
            self.inner.find_object(id).map_err(|it| self.failed("read", &place(), it))?;
        Data::new(&object.data, object.kind, self.inner.object_hash())
            .verify_checksum(&id)
            .map_err(|it| self.failed("verify", &place(), it))?;
        Ok(Object { kind: kind(object.kind), bytes: std::mem::take(&mut object.data) })
    }

    /// Reads the bytes of a commit; gives its message too.
    pub(super) fn commit<'b>(
        &self,
        id: Id,
        bytes: &'b [u8],
    ) -> Result<(Commit, &'b [u8]), ScanError> {
        let commit = CommitRef::from_bytes(bytes, self.inner.object_hash())
            .map_err(|it| self.failed("understand", &format!("commit {id}"), it))?;
        let author = commit.author().ok().and_then(|it| it.time().ok());
        let read = Commit {
            tree: commit.tree(),
            parents: commit.parents().collect(),
            author_time: author.map_or(0, |it| it.seconds),
        };
        Ok((read, commit.message))
    }

    /// Reads the bytes of a tag: what it names, and its message.
    pub(super) fn tag<'b>(&self, id: Id, bytes: &'b [u8]) -> Result<(Id, &'b [u8]), ScanError> {
        let tag = TagRef::from_bytes(bytes, self.inner.object_hash())
            .map_err(|it| self.failed("understand", &format!("tag {id}"), it))?;
        Ok((tag.target(), tag.message))
    }

    /// Reads the bytes of a tree.
    pub(super) fn tree(&self, id: Id, bytes: &[u8]) -> Result<Vec<TreeEntry>, ScanError> {
        TreeRefIter::from_bytes(bytes, self.inner.object_hash())
            .map(|entry| {
                let entry =
                    entry.map_err(|it| self.failed("understand", &format!("tree {id}"), it))?;
                let what = if entry.mode.is_tree() {
                    EntryKind::Folder
                } else if entry.mode.is_commit() {
                    EntryKind::Submodule
                } else {
                    EntryKind::File
                };
                Ok(TreeEntry { name: entry.filename.to_vec(), id: entry.oid.to_owned(), what })
            })
            .collect()
    }

    /// The commits before which a shallow clone has no history.
    pub(super) fn shallow(&self) -> Result<HashSet<Id>, ScanError> {
        let commits = self
            .inner
            .shallow_commits()
            .map_err(|it| self.failed("read", "its list of shallow commits", it))?;
        Ok(commits.iter().flat_map(|it| it.iter().copied()).collect())
    }

    /// An error in this repository.
    pub(super) fn failed(
        &self,
        action: &'static str,
        place: &str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> ScanError {
        failed(&self.name, action, place, source)
    }
}

fn failed(
    repository: &str,
    action: &'static str,
    place: &str,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> ScanError {
    ScanError::Repository {
        action,
        place: place.to_owned(),
        repository: repository.to_owned(),
        source: source.into(),
    }
}

fn kind(kind: Kind) -> ObjectKind {
    match kind {
        Kind::Blob => ObjectKind::Blob,
        Kind::Commit => ObjectKind::Commit,
        Kind::Tag => ObjectKind::Tag,
        Kind::Tree => ObjectKind::Tree,
    }
}
