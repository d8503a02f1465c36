//! Reads every object of a git repository once, parents before children, so that what is found is named
//! by the commit that brought it in.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet};
use std::path::Path;

use super::error::ScanError;
use super::finding::CommitReference;
use super::report::Reason;
use super::repository::{Commit, EntryKind, Id, ObjectKind, Repository};
use super::session::{Session, Source, open_bytes, printable};
use super::tree;

/// Scans the work tree, then the history.
pub(super) fn scan(session: &mut Session<'_>, path: &Path) -> Result<(), ScanError> {
    let repository = Repository::open(path)?;
    let objects = repository.object_folder();
    let common = repository.common_folder();
    if let Some(root) = repository.work_tree() {
        tree::walk(session, root, "", Some(&objects))?;
    }
    let is_inside = |root: &Path| {
        let (root, common) = (root.canonicalize().ok(), common.canonicalize().ok());
        matches!((root, common), (Some(root), Some(common)) if common.starts_with(&root))
    };
    if !repository.work_tree().is_some_and(is_inside) {
        tree::walk(session, common, "(repository)/", Some(&objects))?;
    }
    Walk::new(session, &repository)?.run()
}

struct Walk<'w, 's> {
    session: &'w mut Session<'s>,
    repository: &'w Repository,
    present: Vec<Id>,
    shallow: HashSet<Id>,
    /// Objects that were read, or are about to be.
    seen: HashSet<Id>,
    /// Trees and blobs that were read under a path, where rules depend on paths.
    seen_at: HashSet<(Id, String)>,
    by_path: bool,
}

/// Whether a reference leads to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Reachable,
    Unreachable,
}

impl<'w, 's> Walk<'w, 's> {
    fn new(session: &'w mut Session<'s>, repository: &'w Repository) -> Result<Self, ScanError> {
        let (present, more) = repository.objects(session.scanner.limits.git_objects_max)?;
        if more {
            session.leave_out("(objects beyond the number allowed)", Reason::TooManyFiles);
        }
        let by_path = session.scanner.rules.is_path_dependent();
        let (seen, seen_at) = (HashSet::new(), HashSet::new());
        let shallow = repository.shallow()?;
        Ok(Self { session, repository, present, shallow, seen, seen_at, by_path })
    }

    fn run(mut self) -> Result<(), ScanError> {
        let mut commits = Vec::new();
        let mut others = Vec::new();
        for (name, id) in self.repository.roots()? {
            self.peel(id, &name, &mut commits, &mut others)?;
        }
        self.commits(commits, Reach::Reachable)?;
        for (id, kind, name) in others {
            self.lone(id, kind, &name, Reach::Reachable)?;
        }
        self.unreachable()
    }

    /// Follows a reference through tags to what it names.
    fn peel(
        &mut self,
        id: Id,
        name: &str,
        commits: &mut Vec<Id>,
        others: &mut Vec<(Id, ObjectKind, String)>,
    ) -> Result<(), ScanError> {
        let mut id = id;
        loop {
            let role = format!("what `{name}` leads to:");
            let object = self.repository.read(id, &role)?;
            match object.kind {
                ObjectKind::Commit => {
                    commits.push(id);
                    return Ok(());
                }
                ObjectKind::Tag => {
                    let (target, message) = self.repository.tag(id, &object.bytes)?;
                    if !self.seen.insert(id) {
                        return Ok(());
                    }
                    self.text(&format!("(message of tag {id})"), None, message);
                    id = target;
                }
                kind => {
                    others.push((id, kind, format!("({})", printable(name.as_bytes()))));
                    return Ok(());
                }
            }
        }
    }

    /// Reads commits and all before them, parents first, and among those the older first.
    fn commits(&mut self, roots: Vec<Id>, reach: Reach) -> Result<(), ScanError> {
        let known = self.gather(roots, reach)?;
        let mut waiting: BTreeMap<Id, usize> = BTreeMap::new();
        let mut children: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        let mut ready = BinaryHeap::new();
        for (id, commit) in &known {
            let parents: BTreeSet<&Id> =
                commit.parents.iter().filter(|it| known.contains_key(*it)).collect();
            if parents.is_empty() {
                ready.push(Reverse((commit.author_time, *id)));
            }
            waiting.insert(*id, parents.len());
            for parent in parents {
                children.entry(*parent).or_default().push(*id);
            }
        }
        while let Some(Reverse((author_time, id))) = ready.pop() {
            let Some(commit) = known.get(&id) else { continue };
            let reachable = reach == Reach::Reachable;
            let reference = CommitReference { id: id.to_string(), author_time, reachable };
            self.commit(id, commit, &reference, reach)?;
            for child in children.get(&id).into_iter().flatten() {
                let left = waiting.entry(*child).or_default();
                *left = left.saturating_sub(1);
                if *left == 0
                    && let Some(commit) = known.get(child)
                {
                    ready.push(Reverse((commit.author_time, *child)));
                }
            }
        }
        Ok(())
    }

    /// The commits that lead back from some, without those that were read before.
    fn gather(&mut self, roots: Vec<Id>, reach: Reach) -> Result<BTreeMap<Id, Commit>, ScanError> {
        let mut known = BTreeMap::new();
        let mut waiting = roots;
        while let Some(id) = waiting.pop() {
            if !self.seen.insert(id) {
                continue;
            }
            // Collecting garbage may leave a commit that nobody leads to without those before it.
            if reach == Reach::Unreachable && !self.repository.is_present(id) {
                continue;
            }
            let object = self.repository.read(id, "commit")?;
            let (mut commit, _) = self.repository.commit(id, &object.bytes)?;
            if self.shallow.contains(&id) {
                commit.parents.retain(|it| self.repository.is_present(*it));
                self.session.leave_out(&format!("(before commit {id})"), Reason::ShallowHistory);
            }
            waiting.extend(commit.parents.iter().copied());
            known.insert(id, commit);
        }
        Ok(known)
    }

    fn commit(
        &mut self,
        id: Id,
        commit: &Commit,
        reference: &CommitReference,
        reach: Reach,
    ) -> Result<(), ScanError> {
        self.session.report.scanned_commits += 1;
        let object = self.repository.read(id, "commit")?;
        let (_, message) = self.repository.commit(id, &object.bytes)?;
        self.text("(commit message)", Some(reference), message);
        self.tree(commit.tree, "", Some(reference), reach)
    }

    /// Reads what is below a tree and was not read before.
    fn tree(
        &mut self,
        root: Id,
        prefix: &str,
        commit: Option<&CommitReference>,
        reach: Reach,
    ) -> Result<(), ScanError> {
        let mut waiting = vec![(root, prefix.to_owned(), 0)];
        while let Some((id, prefix, depth)) = waiting.pop() {
            if !self.is_new(id, &prefix) {
                continue;
            }
            if self.session.scanner.is_stopped() {
                self.session.leave_out(&prefix, Reason::OutOfTime);
                return Ok(());
            }
            if self.session.scanner.limits.folder_depth_max < depth {
                self.session.leave_out(&prefix, Reason::TooDeep);
                continue;
            }
            if reach == Reach::Unreachable && !self.repository.is_present(id) {
                continue;
            }
            let object = self.repository.read(id, &format!("folder `{prefix}`, tree"))?;
            let mut folders = Vec::new();
            for entry in self.repository.tree(id, &object.bytes)? {
                let name = format!("{prefix}{}", printable(&entry.name));
                match entry.what {
                    EntryKind::Folder => folders.push((entry.id, format!("{name}/"), depth + 1)),
                    EntryKind::Submodule if self.is_new(entry.id, &name) => {
                        self.session.leave_out(&name, Reason::Submodule);
                    }
                    EntryKind::Submodule => {}
                    EntryKind::File => self.blob(entry.id, &name, commit, reach)?,
                }
            }
            waiting.extend(folders.into_iter().rev());
        }
        Ok(())
    }

    fn blob(
        &mut self,
        id: Id,
        name: &str,
        commit: Option<&CommitReference>,
        reach: Reach,
    ) -> Result<(), ScanError> {
        if !self.is_new(id, name) {
            return Ok(());
        }
        if reach == Reach::Unreachable && !self.repository.is_present(id) {
            return Ok(());
        }
        let limits = self.session.scanner.limits;
        let (_, size) = self.repository.header(id)?;
        if limits.file_bytes_max < size {
            self.session.leave_out(name, Reason::TooLarge);
        } else if limits.total_bytes_max <= self.session.report.scanned_bytes {
            self.session.leave_out(name, Reason::TooManyBytes);
        } else {
            let object = self.repository.read(id, &format!("file `{name}`, blob"))?;
            self.text(name, commit, &object.bytes);
        }
        Ok(())
    }

    /// Reads what no reference leads to: dropped stashes, deleted branches, files that were only staged.
    fn unreachable(&mut self) -> Result<(), ScanError> {
        let mut left = Vec::new();
        for id in std::mem::take(&mut self.present) {
            if !self.seen.contains(&id) {
                left.push((id, self.repository.header(id)?.0));
            }
        }
        let of = |kind| left.iter().filter(move |it| it.1 == kind).map(|it| it.0);
        self.commits(of(ObjectKind::Commit).collect(), Reach::Unreachable)?;
        for kind in [ObjectKind::Tag, ObjectKind::Tree, ObjectKind::Blob] {
            for id in of(kind) {
                let name = format!("(unreachable {id})");
                if !self.seen.contains(&id) {
                    self.lone(id, kind, &name, Reach::Unreachable)?;
                }
            }
        }
        Ok(())
    }

    /// Reads an object that no commit leads to.
    fn lone(
        &mut self,
        id: Id,
        kind: ObjectKind,
        name: &str,
        reach: Reach,
    ) -> Result<(), ScanError> {
        match kind {
            ObjectKind::Blob => self.blob(id, name, None, reach),
            ObjectKind::Tree => self.tree(id, &format!("{name}/"), None, reach),
            ObjectKind::Tag => {
                let object = self.repository.read(id, "tag")?;
                let (_, message) = self.repository.tag(id, &object.bytes)?;
                self.seen.insert(id);
                self.text(&format!("(message of tag {id})"), None, message);
                Ok(())
            }
            ObjectKind::Commit => self.commits(vec![id], reach),
        }
    }

    /// Whether an object was not read before; under this path, if rules depend on paths.
    fn is_new(&mut self, id: Id, path: &str) -> bool {
        let is_new = self.seen.insert(id);
        if !self.by_path {
            return is_new;
        }
        // INVARIANT: the set is bounded, so that a tree which names itself many times over ends.
        let limit = self.session.scanner.limits.git_objects_max;
        if limit <= self.seen_at.len() {
            return is_new;
        }
        self.seen_at.insert((id, path.to_owned()))
    }

    fn text(&mut self, name: &str, commit: Option<&CommitReference>, bytes: &[u8]) {
        open_bytes(self.session, Source { name, commit, depth: 0 }, bytes);
    }
}
