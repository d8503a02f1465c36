use std::path::Path;

use super::{scanner, told};

/// No secret stands in this repository: fixtures are made at run time or put together from parts.
#[test]
fn our_own_sources_hold_no_secret() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let scanner = scanner().without("target").without(".git").without(".demo");
    let report = scanner.scan_tree(&root).unwrap();
    let found = told(&report);
    // The vectors hold signed certificates, which are published, and open nothing.
    let published = |it: &&str| it.starts_with("json-web-token spec/vectors/");
    let secrets: Vec<&str> = found.lines().filter(|it| !published(it)).collect();
    assert_eq!(secrets, Vec::<&str>::new());
    assert!(10 < report.scanned_files, "only {} files", report.scanned_files);
}
