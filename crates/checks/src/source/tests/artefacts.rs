use super::make::{Packed, gzip, tar, tar_member, zip, zstd};
use super::{github_token, left_out, scanner, told, write};

/// A settings file with a secret on its second line.
fn settings() -> Vec<u8> {
    format!("debug = true\ntoken = \"{}\"\n", github_token(41)).into_bytes()
}

#[test]
fn a_secret_is_found_however_it_is_packed() {
    let file = settings();
    let bare = tar([("app/.env", file.as_slice())]);
    let zipped = |packed| zip([("app/.env", packed, file.as_slice())]);
    let twice = [gzip(b"debug = true\n"), gzip(&file)].concat();
    for (what, bytes, expected) in [
        ("file", file.clone(), "a:2:10"),
        ("tar", bare.clone(), "a!app/.env:2:10"),
        ("gzip", gzip(&file), "a:2:10"),
        ("gzip of two parts", twice, "a:3:10"),
        ("zstd", zstd(&file), "a:2:10"),
        ("tar in gzip", gzip(&bare), "a!app/.env:2:10"),
        ("tar in zstd", zstd(&bare), "a!app/.env:2:10"),
        ("zip, stored", zipped(Packed::Stored), "a!app/.env:2:10"),
        ("zip, deflated", zipped(Packed::Deflated), "a!app/.env:2:10"),
        (
            "zip behind a program",
            [b"#!/bin/sh\n", zipped(Packed::Deflated).as_slice()].concat(),
            "a!app/.env:2:10",
        ),
        (
            "tar in zip in tar in gzip",
            gzip(&tar([("x.zip", zip([("y.tar", Packed::Deflated, bare.as_slice())]).as_slice())])),
            "a!x.zip!y.tar!app/.env:2:10",
        ),
        ("zip in gzip in zstd", zstd(&gzip(&zipped(Packed::Deflated))), "a!app/.env:2:10"),
    ] {
        let report = scanner().scan_bytes("a", &bytes);
        assert_eq!(told(&report), format!("github-token {expected}"), "{what}");
        assert!(report.is_complete(), "{what}: {}", left_out(&report));
    }
}

#[test]
fn tar_members_keep_their_names() {
    let file = settings();
    let size = file.len() as u64;
    let long = format!("{}/.env", "d".repeat(150));
    let extended = |line: &str| {
        let line = format!("{} path={line}\n", line.len() + 9);
        tar_member(b"extended", b'x', line.len() as u64, line.as_bytes())
    };
    let end = [0; 1024];
    for (what, bytes, expected) in [
        ("invalid UTF-8", tar_member(b"caf\xe9/.env", b'0', size, &file), "caf\u{fffd}/.env"),
        ("line end in its name", tar_member(b"a\nb", b'0', size, &file), "a\u{fffd}b"),
        (
            "long name of GNU",
            [
                tar_member(b"././@LongLink", b'L', long.len() as u64, long.as_bytes()),
                tar_member(b"cut", b'0', size, &file),
            ]
            .concat(),
            long.as_str(),
        ),
        (
            "name of POSIX",
            [extended("p/\u{e9}.env"), tar_member(b"cut", b'0', size, &file)].concat(),
            "p/\u{e9}.env",
        ),
        ("out of the folder", tar_member(b"../../etc/x", b'0', size, &file), "../../etc/x"),
    ] {
        let report = scanner().scan_bytes("a", &[&bytes[..], &end].concat());
        assert_eq!(told(&report), format!("github-token a!{expected}:2:10"), "{what}");
    }
}

#[test]
fn an_image_is_read_layer_by_layer() {
    let folder = tempfile::tempdir().unwrap();
    let layer = gzip(&tar([("etc/app.conf", settings().as_slice())]));
    let gone = tar([("etc/.wh.app.conf", b"".as_slice())]);
    let config = format!("{{\"config\":{{\"Env\":[\"API_TOKEN={}\"]}}}}", github_token(42));
    write(folder.path(), "oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    write(folder.path(), "index.json", r#"{"schemaVersion":2,"manifests":[]}"#);
    write(folder.path(), "blobs/sha256/aa", &config);
    write(folder.path(), "blobs/sha256/bb", &layer);
    write(folder.path(), "blobs/sha256/cc", zstd(&gone));
    let expected = "github-token blobs/sha256/aa:1:30\n\
                    github-token blobs/sha256/bb!etc/app.conf:2:10";
    let report = scanner().scan_artefact(folder.path()).unwrap();
    assert_eq!((told(&report).as_str(), report.is_complete()), (expected, true));
    let saved = tar([("aa.json", config.as_bytes()), ("bb/layer.tar", layer.as_slice())]);
    write(folder.path(), "saved.tar", saved);
    let report = scanner().scan_artefact(&folder.path().join("saved.tar")).unwrap();
    let expected = "github-token saved.tar!aa.json:1:30\n\
                    github-token saved.tar!bb/layer.tar!etc/app.conf:2:10";
    assert_eq!(told(&report), expected);
}

#[test]
fn what_cannot_be_opened_is_named_and_never_clean() {
    let file = settings();
    let whole = gzip(&tar([("app/.env", b"debug = true\n".as_slice())]));
    let bare = tar([("app/.env", file.as_slice())]);
    let member = |packed| zip([("x", packed, b"nothing here".as_slice())]);
    let mut wrong_sum = zip([("x", Packed::Deflated, b"nothing here".as_slice())]);
    wrong_sum[34] ^= 1;
    let mut wrong_header = tar([("a", b"1".as_slice()), ("b", b"2".as_slice())]);
    wrong_header[1024 + 148] ^= 1;
    for (what, bytes, expected) in [
        ("gzip cut off", whole[..whole.len() - 9].to_vec(), "a: damaged archive"),
        ("zstd cut off", zstd(&bare)[..40].to_vec(), "a: damaged archive"),
        ("tar cut off", bare[..600].to_vec(), "a: damaged archive"),
        (
            "tar cut off in a member",
            bare[..540].to_vec(),
            "a!app/.env: damaged archive\na: damaged archive",
        ),
        ("tar header changed", wrong_header, "a: damaged archive"),
        ("zip cut off", member(Packed::Stored)[..50].to_vec(), "a: damaged archive"),
        ("zip member changed", wrong_sum, "a!x: damaged archive"),
        ("zip with a password", member(Packed::Encrypted), "a!x: encrypted archive member"),
        ("zip by another method", member(Packed::Lzma), "a!x: unsupported archive"),
        (
            "zip behind a program",
            [b"MZ\0\x01", member(Packed::Deflated).as_slice()].concat(),
            "a: unsupported archive",
        ),
        ("xz", b"\xfd7zXZ\0 and more".to_vec(), "a: unsupported archive"),
        ("7z", b"7z\xbc\xaf\x27\x1c and more".to_vec(), "a: unsupported archive"),
        ("bzip2", b"BZh91AY and more".to_vec(), "a: unsupported archive"),
        ("rar", b"Rar!\x1a\x07\x01 and more".to_vec(), "a: unsupported archive"),
    ] {
        let report = scanner().scan_bytes("a", &bytes);
        assert_eq!(left_out(&report), expected, "{what}");
        assert!(!report.is_complete(), "{what}");
    }
}
