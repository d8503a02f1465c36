//! An auditor: a pack is taken, verified, changed, and verified again; entries are proven; a gate is asked.

use std::path::Path;

use serde_json::{Value, json};

use crate::run::countersign;
use crate::town::Town;

const TARGET: &str = "payrun-hr";

fn write(path: &Path, value: &Value) {
    std::fs::write(path, value.to_string()).unwrap();
}

#[test]
fn an_auditor_needs_nobody_to_verify_what_was_certified() {
    let town = Town::start("5s");
    let (plan, digest) = town.planned(TARGET);
    let certified = town.must(0, "olga", &["certify", "--apply", &plan, "--digest", &digest]);
    let certificate = certified["certificate"].as_str().unwrap();
    let folder = town.root();
    let export = ["evidence", "export", TARGET, "--out", "pack.json", "--keys-out", "keys.json"];
    town.must(0, "paul", &export);
    assert_eq!(town.run("paul", &export).exit, 2, "what is there is not overwritten");
    assert_eq!(town.run("rita", &["evidence", "export", TARGET, "--out", "x.json"]).exit, 4);
    packs(&folder);
    parts(&folder);
    entries(&town, certificate, "certify.certified");
}

#[test]
fn what_was_only_submitted_is_in_the_log_and_at_the_trial_gate() {
    let town = Town::start("5s");
    let manifest = town.path(&format!("manifests/{TARGET}.toml"));
    town.must(0, "olga", &["submit", manifest.to_str().unwrap()]);
    let keys = countersign_server::keys::Keys::open(&town.path("data/keys")).unwrap();
    let vkey = countersign_ledger::VerifierKey::log("countersign.example", keys.log.public());
    write(&town.root().join("keys.json"), &json!({ "log": vkey.unwrap().to_string() }));
    let tail = town.must(0, "paul", &["log", "tail"]);
    let last = tail["entries"].as_array().unwrap().last().unwrap().clone();
    entries(&town, last["entry"]["integration"].as_str().unwrap(), "declare.submitted");
    gates(&town);
}

/// Exit and document of a run in the folder, without any server.
fn verify(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let ran = countersign(folder, &[&["verify", "--json"], arguments].concat());
    (ran.exit, serde_json::from_str(&ran.stdout).unwrap_or(Value::Null))
}

type Change = fn(&mut Value);

fn packs(folder: &Path) {
    let (exit, said) = verify(folder, &["pack.json", "--keys", "keys.json"]);
    assert_eq!((exit, &said["files"][0]["pinned"]), (0, &json!(true)), "{said:#}");
    let (exit, said) = verify(folder, &["pack.json"]);
    assert_eq!((exit, &said["files"][0]["pinned"]), (0, &json!(false)), "{said:#}");
    let shown = countersign(folder, &["verify", "pack.json"]);
    assert!(shown.stdout.contains("keys are the pack's own"), "{}", shown.stdout);
    let later = ["pack.json", "--keys", "keys.json", "--at", "2099-01-01T00:00:00Z"];
    assert_eq!(verify(folder, &later).0, 3, "it ended");
    let pack: Value = read(&folder.join("pack.json"));
    let changes: [(&str, Change); 6] = [
        ("manifest", |it| {
            it["manifest"] = json!(it["manifest"].as_str().unwrap().replace('#', "##"));
        }),
        ("transcript", |it| it["evidence"][0]["transcript"]["subject"] = json!("elsewhere")),
        ("baseline", |it| it["baseline"]["manifest"] = json!(format!("sha256:{}", "0".repeat(64)))),
        ("an entry less", |it| drop(it["entries"].as_array_mut().unwrap().pop())),
        ("a member less", |it| drop(it.as_object_mut().unwrap().remove("status_list"))),
        ("another schema", |it| it["schema"] = json!("countersign.pack/2")),
    ];
    for (name, change) in changes {
        let mut other = pack.clone();
        change(&mut other);
        write(&folder.join("other.json"), &other);
        let (exit, said) = verify(folder, &["other.json", "--keys", "keys.json"]);
        assert_eq!(exit, 7, "{name}: {said:#}");
        assert_eq!(verify(folder, &["pack.json", "other.json"]).0, 7, "{name}: the worst counts");
    }
    let mut keys: Value = read(&folder.join("keys.json"));
    keys["approvers"].as_array_mut().unwrap().pop();
    write(&folder.join("fewer.json"), &keys);
    assert_eq!(verify(folder, &["pack.json", "--keys", "fewer.json"]).0, 7, "one of two is pinned");
    assert_eq!(verify(folder, &["nowhere.json"]).0, 2);
    assert_eq!(verify(folder, &["pack.json", "--keys", "pack.json"]).0, 2);
    std::fs::write(folder.join("notes.txt"), "trust me").unwrap();
    assert_eq!(verify(folder, &["notes.txt"]).0, 7);
    write(&folder.join("object.json"), &json!({ "schema": "countersign.plan/1" }));
    assert_eq!(verify(folder, &["object.json"]).0, 7);
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Each part of a pack by itself.
fn parts(folder: &Path) {
    let pack: Value = read(&folder.join("pack.json"));
    let text = |name: &str| pack[name].as_str().unwrap().to_owned();
    write(&folder.join("decision.json"), &pack["decision"]);
    write(&folder.join("evidence.json"), &pack["evidence"][0]);
    std::fs::write(folder.join("certificate.jwt"), text("certificate")).unwrap();
    std::fs::write(folder.join("checkpoint"), text("checkpoint")).unwrap();
    let table = [
        // The status of a bare certificate is not known.
        ("certificate.jwt", "certificate", 5, 5),
        ("checkpoint", "checkpoint", 0, 5),
        ("decision.json", "decision", 0, 5),
        ("evidence.json", "evidence", 0, 0),
    ];
    for (file, kind, pinned, unpinned) in table {
        let (exit, said) = verify(folder, &[file, "--keys", "keys.json"]);
        assert_eq!((exit, &said["files"][0]["kind"]), (pinned, &json!(kind)), "{said:#}");
        assert_eq!(verify(folder, &[file]).0, unpinned, "{file} without keys");
    }
    let mut decision = pack["decision"].clone();
    decision["signatures"].as_array_mut().unwrap().pop();
    write(&folder.join("alone.json"), &decision);
    assert_eq!(verify(folder, &["alone.json", "--keys", "keys.json"]).0, 7, "one person");
    let mut evidence = pack["evidence"][0].clone();
    evidence["judgement"]["verdict"] = json!("inconclusive");
    write(&folder.join("judged.json"), &evidence);
    assert_eq!(verify(folder, &["judged.json"]).0, 7, "another verdict");
    let other = text("checkpoint").replacen('\n', "\n1", 1);
    std::fs::write(folder.join("bigger"), other).unwrap();
    assert_eq!(verify(folder, &["bigger", "--keys", "keys.json"]).0, 7, "another size");
}

/// Entries that name an id are shown and proven; the first is of this kind.
fn entries(town: &Town, id: &str, kind: &str) {
    let keys: Value = read(&town.root().join("keys.json"));
    let vkey = keys["log"].as_str().unwrap();
    let proven = town.must(0, "paul", &["log", "prove", id, "--vkey", vkey, "--out", "proofs"]);
    assert_eq!(proven["pinned"], true);
    assert_eq!(proven["entries"][0]["entry"]["kind"], kind, "{proven:#}");
    let index = proven["entries"][0]["index"].as_u64().unwrap().to_string();
    assert!(town.root().join(format!("proofs/{index}.tlog-proof")).is_file());
    assert_eq!(town.must(0, "paul", &["log", "prove", &index])["pinned"], false);
    let shown = town.must(0, "paul", &["log", "show", &index]);
    assert_eq!(shown["entries"][0]["entry"]["kind"], kind, "{shown:#}");
    let tail = town.must(0, "paul", &["log", "tail", "-n", "3"]);
    assert_eq!(tail["entries"].as_array().unwrap().len(), 3, "{tail:#}");
    let size = tail["size"].as_u64().unwrap().to_string();
    assert_eq!(town.run("paul", &["log", "prove", &size]).exit, 2, "no such entry");
    let other = vkey.replacen('+', "2+", 1);
    assert_eq!(town.run("paul", &["log", "prove", &index, "--vkey", &other]).exit, 2, "no key");
    let stranger = countersign_ledger::VerifierKey::log(
        "countersign.example",
        countersign_seal::SigningKey::from_seed([9; 32]).public(),
    );
    let stranger = stranger.unwrap().to_string();
    assert_eq!(town.run("paul", &["log", "prove", &index, "--vkey", &stranger]).exit, 7);
    let out = town.root().join("copy");
    let out = out.to_str().unwrap();
    town.must(0, "paul", &["log", "export", "--out", out]);
    assert_eq!(countersign(&town.root(), &["log", "verify", out, "--vkey", vkey]).exit, 0);
}

fn gates(town: &Town) {
    let listed = town.must(0, "paul", &["gate", "list"]);
    assert_eq!(listed["gates"].as_array().unwrap().len(), 2, "{listed:#}");
    town.must(0, "paul", &["gate", "status"]);
    assert_eq!(town.run("paul", &["gate", "status", "nowhere"]).exit, 2);
    let control: Value = read(&town.path("sandbox/control.json"));
    for (lane, code) in [("certified", "uncertified"), ("trial", "admitted")] {
        let mut found = listed["gates"].as_array().unwrap().iter();
        let gate = found.find(|it| it["lane"] == lane).unwrap()["gate"].as_str().unwrap();
        let url = format!("http://{}/gates/{gate}", control["address"].as_str().unwrap());
        let token = town.path(&format!("tokens/gate-{gate}"));
        let decide = |arguments: &[&str]| {
            let base = ["gate", "decide", "--gate", &url, "--token-file", token.to_str().unwrap()];
            let ran = countersign(&town.root(), &[&base, arguments, &["--json"]].concat());
            let said: Value = serde_json::from_str(&ran.stdout).unwrap_or(Value::Null);
            (ran, said)
        };
        let job = ["--integration", TARGET, "--path", "automation", "--subject"];
        let (ran, said) = decide(&[&job[..], &["job:nightly-reconcile"]].concat());
        let exit = if code == "admitted" { 0 } else { 3 };
        assert_eq!((ran.exit, &said["reason"]["code"]), (exit, &json!(code)), "{ran:?}");
        let (ran, said) = decide(&[&job[..], &["job:other"]].concat());
        let other = if code == "admitted" { "unknown-word" } else { code };
        assert_eq!((ran.exit, &said["reason"]["code"]), (3, &json!(other)), "{ran:?}");
        let id = said["decision"].as_str().unwrap();
        let (ran, said) = decide(&["--replay", id]);
        assert_eq!((ran.exit, &said["again"]["reason"]["code"]), (3, &json!(other)), "{ran:?}");
        let (ran, _) = decide(&["--integration", TARGET, "--path", "token-mint"]);
        assert_eq!(ran.exit, 2, "{ran:?}");
        let mint = ["--client", "nobody", "--path", "token-mint", "--scope", "a,b"];
        assert_eq!(decide(&mint).1["reason"]["code"], "uncertified");
        let wrong = town.path("tokens/paul");
        let asked = ["gate", "decide", "--gate", &url, "--token-file", wrong.to_str().unwrap()];
        assert_eq!(countersign(&town.root(), &[&asked[..], &mint].concat()).exit, 4);
    }
}

#[test]
fn a_snapshot_is_verified_as_a_gate_would_and_needs_every_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors");
    let file: Value = read(&vectors.join("snapshot/snapshot.json"));
    let seal: Value = read(&vectors.join("pack/seal.json"));
    let pins = &file["pins"];
    let keys = json!({
        "schema": "countersign.keys/1", "issuer": pins["issuer"],
        "certificate": pins["certificate_key"], "snapshot": pins["snapshot_key"],
        "log": seal["document"]["keys"]["log"], "approvers": pins["approvers"],
    });
    write(&folder.join("keys.json"), &keys);
    for case in file["snapshots"].as_array().unwrap() {
        std::fs::write(folder.join("one.json"), case["snapshot"].as_str().unwrap()).unwrap();
        // A verifier is no gate of one lane or environment; whose approvals count is the same.
        let elsewhere = ["another environment", "another lane"];
        let name = case["name"].as_str().unwrap();
        let right = case["taken"] == true && case["left_out"] == 0;
        let (exit, said) = verify(folder, &["one.json", "--keys", "keys.json"]);
        if !elsewhere.contains(&name) {
            assert_eq!(exit, if right { 0 } else { 7 }, "{name}: {said:#}");
        }
        assert_eq!(verify(folder, &["one.json"]).0, 5, "{name}, without keys");
    }
}
