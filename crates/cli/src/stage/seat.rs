//! Files of a stage: made once, readable by their owner only, never changed after.

use std::io::Write as _;
use std::path::Path;

use super::StageError;
use crate::clock;

/// The text of a file; made from `make` where there is none yet.
pub(super) fn kept(
    path: &Path,
    make: impl FnOnce() -> Result<String, StageError>,
) -> Result<String, StageError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = make()?;
            replace(path, &text)?;
            Ok(text)
        }
        Err(error) => Err(StageError::file("read", path)(error)),
    }
}

/// A random token.
pub(super) fn token() -> Result<String, StageError> {
    let bytes = clock::entropy::<32>().ok_or(StageError::NoEntropy)?;
    Ok(countersign_seal::Digest::from_bytes(bytes).hex())
}

/// Writes a file whole, then gives it its name: whoever reads it sees the old or the new one.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), StageError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(beside).map_err(StageError::file("create", beside))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(StageError::file("write", beside))?;
    std::fs::rename(beside, path).map_err(StageError::file("write", path))
}

/// Makes a folder with its parents.
pub(super) fn folder(path: &Path) -> Result<(), StageError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StageError::file("create", path))
}
