//! The server is killed in the middle of certify and of revoke, and started again.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use countersign_ledger::VerifierKey;
use countersign_server::keys::Keys;
use serde_json::{Value, json};

use crate::town::{Town, pause, until};

/// When the server is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after the request was sent.
    After(Duration),
    /// As soon as its log has grown.
    Written,
}

/// One moment for each partner.
const MOMENTS: [(&str, Moment); 4] = [
    ("acme-helpdesk", Moment::After(Duration::ZERO)),
    ("payrun-hr", Moment::After(Duration::from_millis(4))),
    ("northwind-resell", Moment::After(Duration::from_millis(15))),
    ("shiftly-planner", Moment::Written),
];

/// Sends a request, and reads no answer.
fn send(town: &Town, who: &str, path: &str, body: &Value) -> TcpStream {
    let host = town.address.trim_start_matches("http://");
    let token = std::fs::read_to_string(town.path(&format!("tokens/{who}"))).unwrap();
    let (token, body) = (token.trim(), body.to_string());
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    stream
}

/// How many entries the server's log has, where it answers.
fn log_size(town: &Town) -> Option<u64> {
    let host = town.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET /health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let body: Value = serde_json::from_str(text.split("\r\n\r\n").nth(1)?).ok()?;
    body["log_size"].as_u64()
}

/// Sends, and kills the server at the moment.
fn kill_in_the_middle(town: &mut Town, moment: Moment, who: &str, path: &str, body: &Value) {
    let before = log_size(town).unwrap();
    let sent = send(town, who, path, body);
    match moment {
        Moment::After(time) => pause(time),
        Moment::Written => {
            until("an entry in the log", 30, || log_size(town).is_some_and(|it| before < it));
        }
    }
    town.kill_server();
    drop(sent);
}

/// While the server is away the gate's lease runs out, and then it admits nobody whose owner did not
/// choose otherwise in writing.
fn denies_when_stale(town: &Town, target: &str) {
    until("the production gate growing stale", 30, || {
        let listed: Value = serde_json::from_str(&town.sandbox(&["list"]).stdout).unwrap();
        listed["gates"].as_array().unwrap().iter().all(|it| it["fresh"] == false)
    });
    let manifest = std::fs::read_to_string(town.path(&format!("manifests/{target}.toml"))).unwrap();
    let is_strict =
        manifest.lines().any(|it| it.replace(' ', "").starts_with("fail_mode=\"strict\""));
    if is_strict {
        denied(town, target, "stale");
    }
}

/// Nothing is admitted: by the gate for this reason, or by the platform, which no longer knows a
/// client that it was told to cut.
fn denied(town: &Town, target: &str, reason: &str) {
    let (admitted, reasons) = town.business(target);
    let known = reasons.iter().all(|it| it == reason || it == "invalid_client");
    assert!(admitted == 0 && known, "{target}: {admitted} admitted, {reasons:?}");
}

/// The log as it is published verifies from the pinned key alone, and only grew since `since`.
fn log_verifies(town: &Town, name: &str, since: Option<&Path>) -> std::path::PathBuf {
    let folder = town.path(name);
    let keys = Keys::open(&town.path("data/keys")).unwrap();
    let vkey = VerifierKey::log("countersign.example", keys.log.public()).unwrap().to_string();
    town.must(0, "paul", &["log", "export", "--out", folder.to_str().unwrap()]);
    let mut verify = vec!["log", "verify", folder.to_str().unwrap(), "--vkey", &vkey];
    if let Some(since) = since {
        verify.extend(["--since", since.to_str().unwrap()]);
    }
    town.must(0, "paul", &verify);
    folder.join("checkpoint")
}

/// Prepares every partner at once, up to a plan that nobody has applied.
fn all_planned(town: &Town) -> Vec<(String, String)> {
    std::thread::scope(|scope| {
        let each: Vec<_> = MOMENTS.iter().map(|(it, _)| scope.spawn(|| town.planned(it))).collect();
        each.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

fn people_who_approved(town: &Town, target: &str) -> usize {
    let one = town.must(0, "paul", &["status", target]);
    one["decisions"].as_array().unwrap().len()
}

/// After the restart it is certified and logged, or neither; and then it can be certified.
fn certified_or_not_yet(town: &Town, target: &str) {
    assert_eq!(people_who_approved(town, target), 2, "{target}: an approval is lost");
    let logged = town.kinds(target).iter().any(|it| it == "certify.certified");
    let state = town.must(0, "paul", &["status", target])["state"].clone();
    let (admitted, reasons) = town.business(target);
    if logged {
        assert_eq!((admitted, state.as_str()), (2, Some("certified")), "{target}: {reasons:?}");
        return;
    }
    assert_eq!((admitted, state.as_str()), (0, Some("in-review")), "{target}");
    assert_eq!(reasons, ["uncertified"], "{target}");
    let (plan, digest) = town.plan(target);
    town.must(0, "olga", &["certify", "--apply", &plan, "--digest", &digest]);
    assert_eq!(town.business(target).0, 2, "{target}");
}

/// After the restart it is withdrawn and carried on to proof, or nothing of it was written.
fn revoked_or_not_yet(town: &Town, target: &str) {
    let logged = town.kinds(target).iter().any(|it| it == "revoke.withdrawn");
    if !logged {
        assert_eq!(town.business(target).0, 2, "{target}: nothing withdrew it");
        town.must(0, "rita", &["revoke", target, "-r", "again"]);
    }
    for _ in 0..3 {
        denied(town, target, "revoked");
    }
    until(&format!("proof of every path of {target}"), 60, || {
        let one = town.must(0, "paul", &["status", target]);
        let withdrawal = &one["withdrawal"];
        withdrawal["total"].as_u64() > Some(0) && withdrawal["proven"] == withdrawal["total"]
    });
}

#[test]
fn nothing_approved_is_lost_and_nothing_revoked_is_admitted() {
    let mut town = Town::start("2s");
    let plans = all_planned(&town);
    let mut checkpoint = log_verifies(&town, "log-planned", None);
    for ((target, moment), (plan, digest)) in MOMENTS.iter().zip(&plans) {
        let body = json!({ "plan": plan, "digest": digest });
        let path = "/v1/certifications/apply";
        kill_in_the_middle(&mut town, *moment, "olga", path, &body);
        denies_when_stale(&town, target);
        town.start_server();
        certified_or_not_yet(&town, target);
        let name = format!("log-certified-{target}");
        checkpoint = log_verifies(&town, &name, Some(&checkpoint));
    }
    for (target, moment) in MOMENTS {
        let body = json!({ "integration": target, "kind": "revoke", "reason": "replay" });
        kill_in_the_middle(&mut town, moment, "rita", "/v1/revocations", &body);
        denies_when_stale(&town, target);
        town.start_server();
        revoked_or_not_yet(&town, target);
        let name = format!("log-revoked-{target}");
        checkpoint = log_verifies(&town, &name, Some(&checkpoint));
    }
    for (target, _) in MOMENTS {
        assert_eq!(town.business(target).0, 0, "{target} is admitted after all");
    }
}
