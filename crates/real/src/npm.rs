//! Servers on Node.js: their libraries, installed once into `target/foreign/real`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::{Done, RealError};

/// What brings Node.js.
pub(crate) const INSTALL: &str = "apt-get install nodejs npm";

/// The folder with the scripts and their libraries.
pub(crate) fn folder() -> Done<PathBuf> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/foreign/real");
    std::fs::create_dir_all(&folder).map_err(RealError::new)?;
    // Several test programs may come here at once: one installs, the others wait for it.
    let lock = std::fs::File::create(folder.join("lock")).map_err(RealError::new)?;
    lock.lock().map_err(RealError::new)?;
    for entry in std::fs::read_dir(&source).map_err(RealError::new)? {
        let entry = entry.map_err(RealError::new)?;
        std::fs::copy(entry.path(), folder.join(entry.file_name())).map_err(RealError::new)?;
    }
    let wanted = std::fs::read_to_string(source.join("package.json")).map_err(RealError::new)?;
    let mark = folder.join("installed");
    if std::fs::read_to_string(&mark).is_ok_and(|it| it == wanted) {
        return Ok(folder);
    }
    let arguments = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
    let output = Command::new("npm").args(arguments).current_dir(&folder).output();
    let output =
        output.map_err(|it| RealError::new(format!("`npm` is missing ({it}): {INSTALL}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(RealError::new(format!("npm {arguments:?}: {said}")));
    }
    std::fs::write(mark, wanted).map_err(RealError::new)?;
    Ok(folder)
}
