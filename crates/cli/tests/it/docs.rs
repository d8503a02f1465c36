//! Every console block of the documentation is typed on a stage and compared with what is read.
//!
//! With `UPDATE_JOURNEYS=1` in the environment the blocks are written anew.

use std::path::{Path, PathBuf};

use crate::console::{Memory, play};
use crate::staged::Staged;

const OPEN: &str = "```console\n";
const CLOSE: &str = "```";

/// The pages that people read.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md"), root.join("ARCHITECTURE.md")];
    for folder in ["docs", "spec"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|it| it.unwrap().path());
        pages.extend(entries.filter(|it| it.extension().is_some_and(|it| it == "md")));
    }
    pages.sort();
    pages
}

#[test]
fn every_console_block_is_what_is_read() {
    let with_blocks = pages()
        .into_iter()
        .map(|it| (std::fs::read_to_string(&it).unwrap(), it))
        .filter(|(text, _)| text.contains(OPEN));
    let mut typed = 0;
    for (text, page) in with_blocks {
        let stage = Staged::start();
        let mut memory = Memory::default();
        let mut parts = text.split(OPEN);
        let mut written = parts.next().unwrap().to_owned();
        for part in parts {
            let (block, rest) = part.split_once(CLOSE).expect("a block ends");
            typed += 1;
            let played = play(&stage, &mut memory, block);
            written = [written.as_str(), OPEN, &played, CLOSE, rest].concat();
        }
        if written != text && std::env::var_os("UPDATE_JOURNEYS").is_some_and(|it| it == "1") {
            std::fs::write(&page, &written).unwrap();
        } else {
            let difference = crate::journeys::difference(&text, &written);
            assert_eq!(difference, "", "{}", page.display());
        }
    }
    assert!(0 < typed, "the documentation shows no console at all");
}
