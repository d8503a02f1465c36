//! `journeys/`: whole lives of integrations as files, typed and read again.
//!
//! With `UPDATE_JOURNEYS=1` in the environment the files are written anew; the difference is then to be read like any other.

use std::path::{Path, PathBuf};

use crate::console::{Memory, play};
use crate::staged::Staged;

/// The console files of a journey, step by step.
fn consoles(journey: &Path) -> Vec<PathBuf> {
    let sorted = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
        let mut entries: Vec<PathBuf> = entries.collect();
        entries.sort();
        entries
    };
    let steps = sorted(journey).into_iter().filter(|it| it.is_dir());
    let files = steps.flat_map(|it| sorted(&it));
    files.filter(|it| it.extension().is_some_and(|it| it == "console")).collect()
}

fn journey(name: &str) {
    played(name, 8);
}

/// Plays what lies in a folder, which has at least so many files.
fn played(name: &str, least: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../journeys").join(name);
    let files = consoles(&root);
    assert!(least <= files.len(), "{name} has {} console files of {least}", files.len());
    let stage = Staged::start();
    // What lies beside the steps is what somebody has in their folder.
    for it in std::fs::read_dir(&root).unwrap().map(|it| it.unwrap().path()) {
        if it.is_file() {
            std::fs::copy(&it, stage.folder().join(it.file_name().unwrap())).unwrap();
        }
    }
    let mut memory = Memory::default();
    let mut different = Vec::new();
    for file in files {
        let written = std::fs::read_to_string(&file).unwrap();
        let played = play(&stage, &mut memory, &written);
        if played == written {
            continue;
        }
        if std::env::var_os("UPDATE_JOURNEYS").is_some_and(|it| it == "1") {
            std::fs::write(&file, &played).unwrap();
        } else {
            different.push(format!("{}\n{}", file.display(), difference(&written, &played)));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Lines that only one side has.
pub(crate) fn difference(written: &str, played: &str) -> String {
    let side = |mark: &str, one: &str, other: &str| {
        let lines = one.lines().filter(|it| !other.lines().any(|line| line == *it));
        lines.map(|it| [mark, it, "\n"].concat()).collect::<String>()
    };
    side("- ", written, played) + &side("+ ", played, written)
}

#[test]
fn saas_vendor() {
    journey("saas-vendor");
}

#[test]
fn payroll() {
    journey("payroll");
}

#[test]
fn reseller() {
    journey("reseller");
}

#[test]
fn marketplace_app() {
    journey("marketplace-app");
}

#[test]
fn inventory() {
    played("inventory", 1);
}
