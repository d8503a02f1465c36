//! A partner's source: a git repository that is made at run time.

use std::path::Path;
use std::process::Command;

use crate::StartError;
use crate::entropy;

/// What the history holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum History {
    /// Nothing that should not be there.
    Clean,
    /// This private key.
    WithKey(String),
    /// A credential, in a commit that a later one undid.
    WithSecret,
}

/// Makes the repository anew at `folder`.
pub(super) fn make(folder: &Path, history: &History) -> Result<(), StartError> {
    let io = |it: std::io::Error| StartError::Repository(it.to_string());
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(io)?;
    }
    std::fs::create_dir_all(folder.join("src")).map_err(io)?;
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).map_err(io);
    git(folder, &["init", "--quiet", "--initial-branch=main"])?;
    write("README.md", "# Planner\n\nBuilds shift plans from groups.\n")?;
    write("src/plan.py", "def plan(members):\n    return sorted(members)\n")?;
    commit(folder, "Begin the planner")?;
    if let History::WithKey(pem) = history {
        write("src/signing-key.pem", pem)?;
        commit(folder, "Sign requests")?;
    }
    if *history == History::WithSecret {
        write("src/settings.py", &settings()?)?;
        commit(folder, "Make the first deployment work")?;
        write("src/settings.py", "import os\n\nACCESS_KEY = os.environ[\"ACCESS_KEY\"]\n")?;
        commit(folder, "Read settings from the environment")?;
    }
    write("src/shift.py", "def shift(plan):\n    return plan[1:] + plan[:1]\n")?;
    commit(folder, "Shift a plan by one")
}

/// A cloud key pair that looks alive: made for this run, good for nothing.
fn settings() -> Result<String, StartError> {
    let letters = |alphabet: &[u8], bytes: &[u8]| -> String {
        bytes.iter().map(|it| char::from(alphabet[usize::from(*it) % alphabet.len()])).collect()
    };
    let id = letters(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", &entropy::random::<16>()?);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let secret = letters(alphabet, &entropy::random::<40>()?);
    let (name, prefix) = (concat!("aws_", "secret_access_key"), concat!("AK", "IA"));
    Ok(format!("aws_access_key_id = \"{prefix}{id}\"\n{name} = \"{secret}\"\n"))
}

fn commit(folder: &Path, message: &str) -> Result<(), StartError> {
    git(folder, &["add", "."])?;
    git(folder, &["commit", "--quiet", "--no-gpg-sign", "-m", message])
}

fn git(folder: &Path, arguments: &[&str]) -> Result<(), StartError> {
    let failed = |it: String| StartError::Repository(it);
    let output = Command::new("git")
        .current_dir(folder)
        // Nobody's own settings, hooks or identity.
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_AUTHOR_NAME", "Shiftly")
        .env("GIT_AUTHOR_EMAIL", "dev@shiftly.example")
        .env("GIT_COMMITTER_NAME", "Shiftly")
        .env("GIT_COMMITTER_EMAIL", "dev@shiftly.example")
        .args(arguments)
        .output()
        .map_err(|it| failed(format!("git cannot be run: {it}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).chars().take(400).collect()))
}
