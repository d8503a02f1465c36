//! Envelopes that we wrote, verified by securesystemslib.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use countersign_seal::dsse::Envelope;
use countersign_seal::statement::{PAYLOAD_TYPE, Statement, Subject};
use countersign_seal::{Digest, SigningKey};
use serde_json::{Value, json};

const LIBRARY: &str = "securesystemslib[crypto]==1.3.1";

/// The interpreter of an environment of its own, set up once.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/foreign/dsse");
    let python = folder.join("bin/python");
    let ready = folder.join("ready");
    if fs::read_to_string(&ready).is_ok_and(|library| library == LIBRARY) {
        return python;
    }
    fs::create_dir_all(&folder).unwrap();
    let run = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(&folder).output();
        let output = output.unwrap_or_else(|error| {
            panic!("`{}` is missing ({error}): install Python 3.10 or later", program.display())
        });
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{} {arguments:?}: {said}", program.display());
    };
    run(Path::new("python3"), &["-m", "venv", "."]);
    run(&python, &["-m", "pip", "install", "-q", "--disable-pip-version-check", LIBRARY]);
    fs::write(ready, LIBRARY).unwrap();
    python
}

fn verify_in_python(envelope: &Value, keys: &[SigningKey], threshold: usize) -> String {
    let hex = |key: &SigningKey| {
        key.public().as_bytes().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    };
    let keys: Vec<String> = keys.iter().map(hex).collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/verify.py");
    let mut child = Command::new(python())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let case = json!({"envelope": envelope, "keys": keys, "threshold": threshold}).to_string();
    child.stdin.take().unwrap().write_all(case.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn securesystemslib_and_we_agree_about_our_envelopes() {
    let keys = [1, 2, 3].map(|number| SigningKey::from_seed([number; 32]));
    let [ada, ben, eve] = &keys;
    let subject = Subject::new("integration/acme", Digest::of(b"manifest"));
    let statement = Statement::new(
        "https://example.com/decision/v1",
        vec![subject],
        json!({"verb": "approve"}),
    );
    let payload = statement.to_payload().unwrap();
    let signed = |signers: &[&SigningKey]| {
        let mut envelope = Envelope::new(PAYLOAD_TYPE, payload.clone()).unwrap();
        for key in signers {
            envelope.add_signature(key).unwrap();
        }
        serde_json::to_value(envelope).unwrap()
    };
    let mut tampered = signed(&[ada, ben]);
    tampered["payload"] = signed(&[ada])["payload"].as_str().unwrap().replacen('e', "f", 1).into();
    let mut renamed = signed(&[ada, ben]);
    renamed["signatures"][1] = renamed["signatures"][0].clone();
    renamed["signatures"][1]["keyid"] = ben.key_id().as_str().into();
    for (name, envelope, threshold, expected) in [
        ("two people", signed(&[ada, ben]), 2, "accepted 2"),
        ("one person", signed(&[ada]), 2, "refused"),
        ("a stranger", signed(&[ada, eve]), 2, "refused"),
        ("changed payload", tampered, 1, "refused"),
        ("one key under a second keyid", renamed, 2, "refused"),
    ] {
        assert_eq!(verify_in_python(&envelope, &keys[..2], threshold), expected, "{name}");
        let trusted = [ada.public(), ben.public()];
        let ours = Envelope::parse(envelope.to_string().as_bytes())
            .and_then(|it| it.verify(&trusted, threshold))
            .map_or("refused".to_owned(), |it| format!("accepted {}", it.signers.len()));
        assert_eq!(ours, expected, "{name}, by us");
    }
}
