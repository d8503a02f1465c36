use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::ScanError;
use super::report::Reason;
use super::session::{Session, Source, printable};

/// Scans the files under `root`, their names behind `prefix`.
///
/// `history` is the object store of a repository whose history is scanned beside this, and so is no loss.
pub(super) fn walk(
    session: &mut Session<'_>,
    root: &Path,
    prefix: &str,
    history: Option<&Path>,
) -> Result<(), ScanError> {
    let history = history.and_then(|it| it.canonicalize().ok());
    let mut waiting = vec![Entry { path: root.to_owned(), relative: PathBuf::new(), depth: 0 }];
    while let Some(folder) = waiting.pop() {
        let name = format!("{prefix}{}", shown(&folder.relative));
        if session.scanner.limits.folder_depth_max < folder.depth {
            session.leave_out(&name, Reason::TooDeep);
            continue;
        }
        if is_object_store(&folder.path) {
            if history.is_none() || folder.path.canonicalize().ok() != history {
                session.leave_out(&name, Reason::GitObjects);
            }
            continue;
        }
        let mut inside = match entries(&folder) {
            Ok(inside) => inside,
            Err(error) if folder.depth == 0 => {
                let path = root.display().to_string();
                return Err(ScanError::File { action: "list", path, source: error });
            }
            Err(_) => {
                session.leave_out(&name, Reason::Unreadable);
                continue;
            }
        };
        inside.sort_by(|a, b| a.relative.cmp(&b.relative));
        let mut folders = Vec::new();
        for entry in inside {
            if let Some(folder) = visit(session, entry, prefix) {
                folders.push(folder);
            }
        }
        waiting.extend(folders.into_iter().rev());
    }
    Ok(())
}

struct Entry {
    path: PathBuf,
    /// From the root.
    relative: PathBuf,
    depth: usize,
}

fn entries(folder: &Entry) -> std::io::Result<Vec<Entry>> {
    fs::read_dir(&folder.path)?
        .map(|it| {
            let it = it?;
            Ok(Entry {
                path: it.path(),
                relative: folder.relative.join(it.file_name()),
                depth: folder.depth + 1,
            })
        })
        .collect()
}

/// Scans a file; gives a folder back.
fn visit(session: &mut Session<'_>, entry: Entry, prefix: &str) -> Option<Entry> {
    let name = format!("{prefix}{}", shown(&entry.relative));
    if session.scanner.skipped.contains(&entry.relative) {
        session.leave_out(&name, Reason::Asked);
        return None;
    }
    let Ok(metadata) = fs::symlink_metadata(&entry.path) else {
        session.leave_out(&name, Reason::Unreadable);
        return None;
    };
    if metadata.is_dir() {
        return Some(entry);
    }
    if metadata.is_symlink() {
        session.leave_out(&name, Reason::SymbolicLink);
    } else if !metadata.is_file() {
        session.leave_out(&name, Reason::SpecialFile);
    } else if open_file(session, &entry.path, &name).is_err() {
        session.leave_out(&name, Reason::Unreadable);
    }
    None
}

/// Scans one file.
pub(super) fn open_file(
    session: &mut Session<'_>,
    path: &Path,
    name: &str,
) -> Result<(), ScanError> {
    let failed =
        |source| ScanError::File { action: "open", path: path.display().to_string(), source };
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        session.leave_out(name, Reason::SpecialFile);
        return Ok(());
    }
    let mut file = File::open(path).map_err(failed)?;
    session.open(Source { name, commit: None, depth: 0 }, &mut file);
    Ok(())
}

/// Whether a folder is where a git repository keeps its objects, compressed.
fn is_object_store(path: &Path) -> bool {
    path.file_name().is_some_and(|it| it == "objects")
        && path.parent().is_some_and(|it| it.join("HEAD").is_file() && it.join("refs").is_dir())
}

fn shown(path: &Path) -> String {
    printable(path.as_os_str().as_encoded_bytes())
}
