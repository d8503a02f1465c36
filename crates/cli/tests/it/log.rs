//! Logs, offline: the signed one is verified, a token log is judged.

use countersign_ledger::{Directory, Log, VerifierKey};
use countersign_seal::SigningKey;

use crate::run::countersign;

const MANIFEST: &str = include_str!("../../../../spec/vectors/manifest/reseller.toml");

fn line(actor: &str, sequence: u64) -> String {
    serde_json::json!({
        "time": "2026-11-24T09:00:00Z", "client_id": "northwind-provisioner",
        "token_id": format!("t-{sequence}"), "actor": actor, "order_id": "o-1",
        "grant": "client_credentials", "scope": "tenants:create", "ip": "192.0.2.9",
        "expires_at": "2026-11-24T09:04:00Z", "seq": sequence, "result": "granted",
    })
    .to_string()
}

#[test]
fn a_token_log_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("countersign.toml", MANIFEST);
    write("right.jsonl", &[line("nw-job0001", 1), line("nw-job0001", 2)].join("\n"));
    write("wrong.jsonl", &[line("nw-job0001", 1), line("system", 3)].join("\n"));
    write("empty.jsonl", "");
    let check = |name| countersign(folder.path(), &["log", "check", name]);
    let right = check("right.jsonl");
    assert_eq!(right.exit, 0, "{right:?}");
    let wrong = check("wrong.jsonl");
    assert_eq!(wrong.exit, 3, "{wrong:?}");
    insta::assert_snapshot!(wrong.stdout, @r#"
    2 token requests in 2 lines
    ✘ attributable            1 of 2
        wrong.jsonl:2: actor does not match `^nw-[a-z0-9]{6,32}$`
    ✔ time bounded            2 of 2
    ✔ inside the declared use 2 of 2
    ✘ nothing is missing      gaps: 1
        northwind-provisioner: number 2 is missing
    "#);
    assert_eq!(check("empty.jsonl").exit, 5, "no request proves nothing");
}

#[test]
fn packed_and_rotated_logs_are_read_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::create_dir_all(folder.path().join("logs")).unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
    };
    write("countersign.toml", MANIFEST.as_bytes());
    let old = [line("nw-job0001", 1), line("nw-job0001", 2)].join("\r\n");
    write("logs/token.log.1.zst", &zstd::encode_all(old.as_bytes(), 1).unwrap());
    let new = format!("\u{feff}{}\n\n{}\n", line("nw-job0001", 3), line("nw-job0001", 4));
    write("logs/token.log", new.as_bytes());
    let check = |args: &[&str]| countersign(folder.path(), &[&["log", "check"], args].concat());
    let right = check(&["logs"]);
    assert_eq!(right.exit, 0, "{right:?}");
    write("logs/token.log.2", b"\xff\n{\"time\": \n");
    let odd = check(&["logs"]);
    assert_eq!(odd.exit, 5, "{odd:?}");
    insta::assert_snapshot!(odd.stdout, @r#"
    4 token requests in 6 lines
    ✔ attributable            4 of 4
    ✔ time bounded            4 of 4
    ✔ inside the declared use 4 of 4
    ✔ nothing is missing      gaps: 0
    ! could not be read       2
        logs/token.log.2:1: line is not UTF-8 from byte 1 on
        logs/token.log.2:2: line is not a JSON object: EOF while parsing a value at byte 8
    "#);
}

#[test]
fn a_signed_log_is_verified_and_a_changed_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("log");
    let key = SigningKey::from_seed([7; 32]);
    let vkey = VerifierKey::log("countersign.example/log", key.public()).unwrap().to_string();
    let mut log = Log::open(Directory::open(&root).unwrap(), "countersign.example/log").unwrap();
    let entries: Vec<String> = (0..300).map(|it| format!("{{\"n\":{it}}}")).collect();
    log.append(&entries).unwrap();
    log.checkpoint(&key).unwrap();
    drop(log);
    let verify = || countersign(folder.path(), &["log", "verify", "log", "--vkey", &vkey]);
    let ran = verify();
    assert_eq!(ran.exit, 0, "{ran:?}");
    let bundle = root.join("tile/entries/000");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let ran = verify();
    assert_eq!(ran.exit, 7, "{ran:?}");
}
