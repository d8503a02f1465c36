//! A log that we wrote, verified by the Go checksum database's own verifier.

use std::fs;
use std::path::Path;
use std::process::Command;

use countersign_ledger::directory::PublishedDirectory;
use countersign_ledger::verify::verify;
use countersign_ledger::{Directory, Log, VerifierKey};
use countersign_seal::SigningKey;

const ORIGIN: &str = "log.example/foreign";

fn write_log(folder: &Path) {
    let key = SigningKey::from_seed([11; 32]);
    let store = Directory::open(&folder.join("log")).unwrap();
    assert!(Directory::open(&folder.join("log")).is_err(), "one writer at a time");
    let mut log = Log::open(store, ORIGIN).unwrap();
    let entries: Vec<String> = (0..700).map(|number| format!("{{\"n\":{number}}}")).collect();
    log.append(&entries[..1]).unwrap();
    log.append(&entries[1..300]).unwrap();
    let earlier = log.checkpoint(&key).unwrap();
    drop(log);
    let mut log = Log::open(Directory::open(&folder.join("log")).unwrap(), ORIGIN).unwrap();
    assert_eq!(log.append(&entries[300..]).unwrap(), 700);
    log.checkpoint(&key).unwrap();
    let vkey = VerifierKey::log(ORIGIN, key.public()).unwrap();
    let consistency = log.prove_consistency(300, 700).unwrap();
    let lines = consistency.iter().map(|hash| base64(hash.as_bytes())).collect::<Vec<_>>();
    for (name, text) in [
        ("vkey", vkey.to_string()),
        ("earlier", earlier.clone()),
        ("proof", log.proof_file(513).unwrap().to_string()),
        ("entry", entries[513].clone()),
        ("consistency", lines.join("\n")),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let published = PublishedDirectory::new(&folder.join("log"));
    let verified = verify(&published, &vkey, Some(&earlier), |_, _| {}).unwrap();
    assert_eq!(verified.checkpoint.size, 700);
    assert_eq!(log.entry(513).unwrap(), entries[513].as_bytes());
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn verify_in_go(folder: &Path) -> Result<String, String> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
    let output = Command::new("go")
        .args(["run", "-mod=mod", "."])
        .arg(folder.join("log"))
        .arg(folder)
        .current_dir(module)
        .output()
        .expect("`go` is missing: install it from https://go.dev/dl, or run `cargo xtask test`");
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn the_go_verifier_accepts_our_log_and_refuses_a_changed_one() {
    let folder = tempfile::tempdir().unwrap();
    write_log(folder.path());
    let said = verify_in_go(folder.path()).unwrap();
    assert!(said.starts_with("verified 700 entries"), "{said}");

    let bundle = folder.path().join("log/tile/entries/001");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[5] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let said = verify_in_go(folder.path()).unwrap_err();
    assert!(said.contains("entry 256 is another"), "{said}");
}
