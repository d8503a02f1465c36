//! Archives and repositories, made at run time.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

const BLOCK: usize = 512;

/// A tar file of these members; a name that ends with a slash is a folder.
pub(super) fn tar<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut all = Vec::new();
    for (name, bytes) in members {
        all.extend(tar_member(name.as_bytes(), b'0', bytes.len() as u64, bytes));
    }
    all.extend([0; 2 * BLOCK]);
    all
}

/// One member that says of itself that it has `size` bytes.
pub(super) fn tar_member(name: &[u8], kind: u8, size: u64, bytes: &[u8]) -> Vec<u8> {
    let mut header = vec![0; BLOCK];
    header[..name.len()].copy_from_slice(name);
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|it| u32::from(*it)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend(bytes);
    header.resize(header.len().next_multiple_of(BLOCK), 0);
    header
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// How a member of a zip file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packed {
    Deflated,
    /// With a password.
    Encrypted,
    /// By a method that nobody opens here.
    Lzma,
    Stored,
}

/// A zip file of these members.
pub(super) fn zip<'a>(members: impl IntoIterator<Item = (&'a str, Packed, &'a [u8])>) -> Vec<u8> {
    let (mut all, mut folder, mut count) = (Vec::new(), Vec::new(), 0_u16);
    for (name, packed, bytes) in members {
        let data = if packed == Packed::Deflated {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        } else {
            bytes.to_vec()
        };
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        let method: u16 = match packed {
            Packed::Deflated => 8,
            Packed::Lzma => 14,
            Packed::Encrypted | Packed::Stored => 0,
        };
        let length = |it: usize| u32::try_from(it).unwrap().to_le_bytes();
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(u16::from(packed == Packed::Encrypted).to_le_bytes());
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        common.extend(sum.sum().to_le_bytes());
        common.extend(length(data.len()));
        common.extend(length(bytes.len()));
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0; 2]);
        let at = length(all.len());
        all.extend(b"PK\x03\x04");
        all.extend(&common);
        all.extend(name.bytes());
        all.extend(data);
        folder.extend(b"PK\x01\x02\x14\x00");
        folder.extend(&common);
        folder.extend([0; 10]);
        folder.extend(at);
        folder.extend(name.bytes());
        count += 1;
    }
    let start = u32::try_from(all.len()).unwrap();
    let length = u32::try_from(folder.len()).unwrap();
    all.extend(folder);
    all.extend(b"PK\x05\x06\0\0\0\0");
    all.extend(count.to_le_bytes());
    all.extend(count.to_le_bytes());
    all.extend(length.to_le_bytes());
    all.extend(start.to_le_bytes());
    all.extend([0; 2]);
    all
}

/// Runs git, minding nobody's own settings, hooks or identity, and gives what it printed.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@a.example")
        .env("GIT_COMMITTER_NAME", "A")
        .env("GIT_COMMITTER_EMAIL", "a@a.example")
        .env("GIT_ALLOW_PROTOCOL", "file")
        .args(arguments)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    printed
}

/// An empty repository with one harmless commit.
pub(super) fn repository(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    git(folder, &["init", "--quiet", "--template=", "--initial-branch=main"]);
    super::write(folder, "README", "nothing to see\n");
    commit(folder, "begin");
}

/// Commits everything.
pub(super) fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "--all", "."]);
    git(folder, &["commit", "--quiet", "--no-gpg-sign", "-m", message]);
}
