use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::make::{Packed, gzip, tar, tar_member, zip, zstd};
use super::{ALNUM, github_token, key, left_out, random, scanner, told, write};
use crate::source::{Limits, LiveCredentials};

fn line() -> String {
    format!("token = \"{}\"\n", github_token(61))
}

/// So many bytes of one kind, without holding them.
fn zeros(count: u64) -> impl Read {
    io::repeat(0).take(count)
}

#[test]
fn a_bomb_is_left_out_and_what_stands_before_it_is_read() {
    let gigabyte = zstd::encode_all(zeros(1 << 30), 1).unwrap();
    let megabytes = vec![0; 8 << 20];
    let inside = |name: &str, bomb: &[u8]| tar([("a", line().as_bytes()), (name, bomb)]);
    let mut nested = line().into_bytes();
    for _ in 0..8 {
        nested = gzip(&nested);
    }
    let mut many = inside("bomb.zst", &gigabyte);
    many.truncate(many.len() - 1024);
    for number in 0..8 {
        many.extend(tar_member(
            format!("{number}").as_bytes(),
            b'0',
            gigabyte.len() as u64,
            &gigabyte,
        ));
    }
    for (what, bytes, found, expected) in [
        ("a gigabyte of zeros", gigabyte.clone(), "", "a: expands too far"),
        (
            "the same in a tar",
            inside("bomb.zst", &gigabyte),
            "github-token a!a:1:10",
            "a!bomb.zst: expands too far",
        ),
        (
            "zeros in a zip",
            zip([("z", Packed::Deflated, megabytes.as_slice())]),
            "",
            "a!z: expands too far",
        ),
        ("archives in archives", nested, "", "a: nested too deep"),
        (
            "a file that claims a gigabyte",
            [
                tar_member(b"a", b'0', 65, line().as_bytes()),
                tar_member(b"b", b'0', 1 << 30, b"few"),
            ]
            .concat(),
            "github-token a!a:1:10",
            "a!b: damaged archive\na: damaged archive",
        ),
        (
            "a name that claims a gigabyte",
            tar_member(b"././@LongLink", b'L', 1 << 30, b"few"),
            "",
            "a: damaged archive",
        ),
    ] {
        let report = scanner().scan_bytes("a", &bytes);
        assert_eq!(told(&report), found, "{what}");
        assert_eq!(left_out(&report), expected, "{what}");
        assert!(!report.is_complete(), "{what}");
        assert!(report.scanned_bytes < 64 << 20, "{what}: {} bytes", report.scanned_bytes);
    }
    let limits = Limits { total_bytes_max: 16 << 20, ..Limits::default() };
    let report = scanner().with_limits(limits).scan_bytes("a", &many);
    assert_eq!(told(&report), "github-token a!a:1:10");
    assert!(report.scanned_bytes <= 16 << 20 && !report.is_complete());
}

#[test]
fn every_limit_is_kept_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for number in 0..20 {
        write(root, &format!("many/{number:02}"), line());
    }
    write(root, "crowd", line().repeat(150));
    write(root, &format!("{}deep", "d/".repeat(140)), line());
    write(root, "large", vec![b' '; 3 << 20]);
    let few = Limits::default();
    for (what, limits, expected) in [
        ("folders", few, "too deep"),
        ("findings of a file", few, "crowd: too many findings"),
        ("findings", Limits { findings_max: 5, ..few }, "many/19: too many findings"),
        ("files", Limits { files_max: 5, ..few }, "many/19: too many files"),
        ("bytes", Limits { total_bytes_max: 1000, ..few }, "many/19: too many bytes in all"),
        ("bytes of a file", Limits { file_bytes_max: 1 << 20, ..few }, "large: too large"),
    ] {
        let report = scanner().with_limits(limits).scan_tree(root).unwrap();
        let left = left_out(&report);
        assert!(left.lines().any(|it| it.ends_with(expected)), "{what}: {left}");
        assert!(!report.is_complete(), "{what}");
        assert!(report.findings.len() <= limits.findings_max);
    }
    let stopped = scanner().until(Arc::new(AtomicBool::new(true)));
    let report = stopped.scan_tree(root).unwrap();
    assert_eq!((report.scanned_files, report.is_complete()), (0, false));
    assert!(left_out(&report).contains("crowd: no time left"));
}

#[test]
fn names_and_links_of_all_kinds_lead_nowhere_else() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = folder.path();
    write(outside.path(), "elsewhere", line());
    write(root, "plain/a b\u{e9}.txt", line());
    fs::write(root.join(OsStr::from_bytes(b"caf\xe9.env")), line()).unwrap();
    fs::write(root.join("two\nlines"), line()).unwrap();
    fs::write(root.join(github_token(61)), line()).unwrap();
    symlink(outside.path(), root.join("link-out")).unwrap();
    symlink(root, root.join("plain/link-up")).unwrap();
    symlink("nowhere", root.join("link-broken")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap();
    assert!(fifo.success());
    let report = scanner().scan_tree(root).unwrap();
    insta::assert_snapshot!(told(&report), @r"
    github-token caf�.env:1:10
    github-token …:1:10
    github-token two�lines:1:10
    github-token plain/a bé.txt:1:10
    ");
    insta::assert_snapshot!(left_out(&report), @r"
    link-broken: symbolic link
    link-out: symbolic link
    pipe: special file
    plain/link-up: symbolic link
    ");
    assert!(report.is_complete(), "links and pipes hold nothing of their own");
}

#[test]
fn lines_of_any_shape_are_read() {
    let long = |count: usize| "x=1;".repeat(count);
    for (what, text, place) in [
        ("CRLF", format!("a=1\r\n{}\r\n", line().trim()), "2:10"),
        ("no line end", line().trim().to_owned(), "1:10"),
        ("only CR", format!("a=1\r{}", line()), "1:14"),
        ("NUL bytes around", format!("\0\0{}\0", line()), "1:12"),
        (
            "a line of 6 MB",
            format!("{}{}{}", long(1 << 20), line().trim(), long(1 << 19)),
            "1:4194314",
        ),
        ("behind invalid UTF-8", format!("{}{}", "\u{fffd}".repeat(3), line()), "1:19"),
    ] {
        let report = scanner().scan_bytes("a", text.as_bytes());
        assert_eq!(told(&report), format!("github-token a:{place}"), "{what}");
        assert!(report.is_complete(), "{what}");
    }
}

/// Text on which a careless pattern would think for hours, or hold everything.
#[test]
fn no_text_takes_long() {
    let repeated = |text: &str| text.repeat((1 << 20) / text.len());
    for (what, text) in [
        ("keywords alone", repeated("password")),
        ("keywords and signs", repeated("password = ")),
        ("open quotes", repeated("secret=\"")),
        ("heads of keys", repeated(&["-----BEGIN ", "PRIVATE KEY-----\n"].concat())),
        ("tokens that do not end", repeated("eyJ")),
        ("addresses", repeated("a://b:c")),
        ("base64", random(63, ALNUM, 64).repeat(1 << 14)),
    ] {
        // Without a stopwatch: the test would end late, and whoever runs it would see which.
        let report = scanner().scan_bytes("a", text.as_bytes());
        assert_eq!(report.scanned_bytes, text.len() as u64, "{what}");
    }
}

#[test]
fn a_live_credential_is_found_in_every_form_and_packing() {
    let secret = format!("{}/+\"{}", random(64, ALNUM, 12), random(65, ALNUM, 12));
    let live = LiveCredentials::new(&key(), &[secret.as_bytes()]).unwrap();
    let scanner = scanner().with_live(live);
    let hex = secret.bytes().map(|it| format!("{it:02x}")).collect::<Vec<_>>().concat();
    let percent = secret.replace('/', "%2F").replace('+', "%2B").replace('"', "%22");
    let json = serde_json::to_string(&secret).unwrap();
    let unicode = json.replace('/', "\\/");
    let plain = format!("see {secret} there");
    let utf_16: Vec<u8> =
        format!("\u{feff}{plain}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let far = format!("{}{plain}", "x ".repeat((1 << 19) - 6));
    for (what, bytes) in [
        ("plain", plain.clone().into_bytes()),
        ("in UTF-16", utf_16),
        ("on the edge of a piece", far.into_bytes()),
        ("hexadecimal", format!("0x{hex}").into_bytes()),
        ("capital digits", hex.to_uppercase().into_bytes()),
        ("base64", STANDARD.encode(&secret).into_bytes()),
        ("base64 of user and password", STANDARD.encode(format!("ab:{secret}")).into_bytes()),
        ("base64 for addresses", URL_SAFE_NO_PAD.encode(&secret).into_bytes()),
        ("in an address", format!("https://a.example/?k={percent}&x=1").into_bytes()),
        ("in lower case escapes", percent.replace("%2F", "%2f").replace("%2B", "%2b").into_bytes()),
        ("in JSON", format!("{{\"k\": {json}}}").into_bytes()),
        ("in JSON with escaped slashes", format!("{{\"k\": {unicode}}}").into_bytes()),
        ("in a tar in gzip", gzip(&tar([("x", plain.as_bytes())]))),
        ("in zstd", zstd(plain.as_bytes())),
        ("in a zip", zip([("x", Packed::Deflated, plain.as_bytes())])),
    ] {
        let report = scanner.scan_bytes("a", &bytes);
        let live = report.findings.iter().filter(|it| it.live == Some(true)).count();
        assert_eq!(live, 1, "{what}: {}", told(&report));
        assert!(!format!("{report:?}").contains(&secret), "{what}");
    }
    let other = random(66, ALNUM, 27);
    assert_eq!(told(&scanner.scan_bytes("a", other.as_bytes())), "");
}

#[test]
fn a_tree_that_changes_under_the_scan_is_no_reason_to_break() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "a", line());
    let missing: &Path = &root.join("not-there");
    assert!(scanner().scan_tree(missing).is_err());
    assert!(scanner().scan_artefact(missing).is_err());
    // The name of a file where a folder was expected.
    assert!(scanner().scan_tree(&root.join("a")).is_err());
}
