mod artefacts;
mod histories;
mod hostile;
mod make;
mod own_tree;
mod quiet;
mod rule_files;
mod samples;

use std::path::Path;

use super::{DigestKey, ScanReport, Scanner};

pub(super) fn key() -> DigestKey {
    DigestKey::new(b"a key for tests, of thirty-two by")
}

pub(super) fn scanner() -> Scanner {
    Scanner::new(key()).unwrap()
}

/// The rules that found something in `text`.
pub(super) fn rules_in(text: &str) -> Vec<String> {
    rules_of(&scanner().scan_bytes("sample.txt", text.as_bytes()))
}

pub(super) fn rules_of(report: &ScanReport) -> Vec<String> {
    report.findings.iter().map(|it| it.rule.clone()).collect()
}

/// `rule file:line:column weight`, one line for each finding.
pub(super) fn told(report: &ScanReport) -> String {
    let lines = report.findings.iter().map(|it| {
        let commit =
            it.commit.as_ref().map_or("", |it| if it.reachable { " commit" } else { " lost" });
        format!("{} {}:{}:{}{commit}", it.rule, it.file, it.line, it.column)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `reason name`, one line for each thing left out.
pub(super) fn left_out(report: &ScanReport) -> String {
    let lines = report.left_out.named.iter().map(|it| format!("{}: {}", it.name, it.reason));
    lines.collect::<Vec<_>>().join("\n")
}

/// Letters that look random and are the same in every run, so that no secret stands in this repository.
pub(super) fn random(seed: u64, alphabet: &str, length: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = (seed + 77).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    (0..length).map(|_| letters[step() % letters.len()]).collect()
}

pub(super) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(super) const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
pub(super) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(super) const HEX: &str = "0123456789abcdef";
pub(super) const URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

/// A token of a format that the scanner knows.
pub(super) fn github_token(seed: u64) -> String {
    format!("ghp_{}", random(seed, ALNUM, 36))
}

pub(super) fn write(root: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
