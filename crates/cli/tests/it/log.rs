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
    insta::assert_snapshot!(wrong.stdout, @"
    2 token requests in 2 lines
    ✘ attributable            1 of 2
        wrong.jsonl:2: actor does not match `^nw-[a-z0-9]{6,32}$` (countersign.toml:46 declared_use.actor_pattern)
    ✔ time bounded            2 of 2
    ✔ inside the declared use 2 of 2
    ✘ nothing is missing      gaps: 1
        northwind-provisioner: number 2 is missing (countersign.toml:75 logging.sequence)
    ");
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

/// Six lines, of which the second and the fifth are wrong, as lines and as one list.
fn six(folder: &std::path::Path) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("countersign.toml", MANIFEST);
    let at = |hour: u64| {
        let time = format!("2026-11-24T{hour:02}:00:00Z");
        let actor = if hour == 8 { "system" } else { "nw-job0001" };
        let wrong = if hour == 11 { "203.0.113.9" } else { "192.0.2.9" };
        line(actor, hour - 6)
            .replace("2026-11-24T09:00:00Z", &time)
            .replace("2026-11-24T09:04:00Z", &time.replace(":00:00", ":04:00"))
            .replace("192.0.2.9", wrong)
    };
    let lines: Vec<String> = (7..13).map(at).collect();
    write("token.jsonl", &lines.join("\n"));
    write("list.json", &format!("[\n{}\n]", lines.join(",\n")));
}

#[test]
fn every_finding_is_told_with_the_line_it_breaks() {
    let folder = tempfile::tempdir().unwrap();
    six(folder.path());
    let check = |args: &[&str]| countersign(folder.path(), &[&["log", "check"], args].concat());
    let text = check(&["token.jsonl"]);
    insta::assert_snapshot!(text.stdout, @"
    6 token requests in 6 lines
      2026-11-24T07:00:00.000Z │█      █      █      █      █      █│ each column 512s, 1 lines at most
                               │       ✘                    ✘       │ lines that fail
    ✘ attributable            5 of 6
        token.jsonl:2: actor does not match `^nw-[a-z0-9]{6,32}$` (countersign.toml:46 declared_use.actor_pattern)
    ✔ time bounded            6 of 6
    ✘ inside the declared use 5 of 6
        token.jsonl:5: address outside the declared networks (countersign.toml:43 declared_use.networks)
    ✔ nothing is missing      gaps: 0
      silent: northwind-provisioner: no line for 1h, from 2026-11-24T07:00:00.000Z to 2026-11-24T08:00:00.000Z
    ");
    let lines = check(&["list.json", "--output", "jsonl"]);
    assert_eq!(lines.exit, 3, "{lines:?}");
    insta::assert_snapshot!(lines.stdout, @r#"
    {"among":"requests","breaks":"declared_use.actor_pattern","count":1,"line":3,"manifest_line":46,"reason":"actor does not match `^nw-[a-z0-9]{6,32}$`","rule":"names_an_actor","schema":"countersign.log-finding/1","source":"list.json"}
    {"among":"requests","breaks":"declared_use.networks","count":1,"line":6,"manifest_line":43,"reason":"address outside the declared networks","rule":"stays_in_its_networks","schema":"countersign.log-finding/1","source":"list.json"}
    "#);
    let sarif = check(&["token.jsonl", "--output", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&sarif.stdout).unwrap();
    let results = sarif.pointer("/runs/0/results").unwrap().as_array().unwrap();
    let seen: Vec<String> = results
        .iter()
        .map(|it| {
            let at = |path: &str| it.pointer(path).unwrap().to_string();
            let declared = at("/relatedLocations/0/physicalLocation/region/startLine");
            format!(
                "{} {} {declared}",
                at("/ruleId"),
                at("/locations/0/physicalLocation/region/startLine")
            )
        })
        .collect();
    insta::assert_snapshot!(seen.join("\n"), @r#"
    "names_an_actor" 2 46
    "stays_in_its_networks" 5 43
    "#);
    let none = check(&["token.jsonl", "--output", "sarif", "--manifest", "no.toml"]);
    assert_ne!(none.exit, 0);
    let json = check(&["--json", "token.jsonl"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["schema"], "countersign.log-check/2");
    assert_eq!((json["findings_all"].as_u64(), json["verdict"].as_str()), (Some(2), Some("no")));
}

#[test]
fn a_picture_shows_where_lines_fail() {
    let folder = tempfile::tempdir().unwrap();
    six(folder.path());
    let ran = countersign(folder.path(), &["log", "check", "token.jsonl", "--svg", "log.svg"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    let svg = std::fs::read_to_string(folder.path().join("log.svg")).unwrap();
    assert_eq!((svg.matches("#3b6ea5").count(), svg.matches("#c0392b").count()), (4, 2), "{svg}");
    assert!(svg.contains("<desc>attributable 5 of 6, time bounded 6 of 6"), "{svg}");
}

#[test]
fn a_count_from_outside_finds_the_first_and_the_last_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("countersign.toml", MANIFEST);
    write("token.jsonl", &[line("nw-job0001", 2), line("nw-job0001", 3)].join("\n"));
    write("sent", "northwind-provisioner t-2\nnorthwind-provisioner t-9\n");
    let check = |args: &[&str]| {
        countersign(folder.path(), &[&["log", "check", "token.jsonl"], args].concat())
    };
    assert_eq!(check(&[]).exit, 0);
    assert_eq!(check(&["--numbers", "northwind-provisioner=2..3"]).exit, 0);
    let lost = check(&["--numbers", "northwind-provisioner=1..5", "--canaries", "sent"]);
    assert_eq!(lost.exit, 3, "{lost:?}");
    insta::assert_snapshot!(lost.stdout, @"
    2 token requests in 2 lines
    ✔ attributable            2 of 2
    ✔ time bounded            2 of 2
    ✔ inside the declared use 2 of 2
    ✘ nothing is missing      gaps: 4
        northwind-provisioner: number 1 is missing (countersign.toml:75 logging.sequence)
        northwind-provisioner: numbers 4 to 5 are missing (countersign.toml:75 logging.sequence)
        token t-9… of our own request is nowhere in the log (countersign.toml:75 logging.sequence)
      1 of 2 requests of our own are in it
    ");
    assert_eq!(check(&["--numbers", "northwind-provisioner=5..1"]).exit, 2);
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
