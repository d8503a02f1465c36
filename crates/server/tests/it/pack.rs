//! Evidence packs: made by a server, verified without it, and tampered with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::check::{Evidence, Judgement};
use countersign_model::time::{Period, Timestamp};
use countersign_server::pack::document::{Keys, seal};
use countersign_server::pack::{Judges, Pack, Pins, Report, Word, verify};
use serde_json::{Value, json};

use crate::stage::{MANIFEST, Stage, key};

/// The stand-in world writes down nothing, and says that everything holds.
fn stand_in() -> Judges {
    let again = |it: &Evidence| {
        let silent = it.transcript.entries.is_empty();
        Some(if silent { Judgement::pass("it holds") } else { Judgement::fail("it speaks") })
    };
    Judges { again, misframed: |_, _| None, subjects: |_, _| Some(vec!["manifest".to_owned()]) }
}

fn verified(pack: &Value, pins: &Pins, now: Timestamp) -> Report {
    verify(pack.to_string().as_bytes(), pins, now, stand_in())
}

async fn packed(stage: &Stage) -> Value {
    let (status, pack) = stage.get("paul", "/v1/packs/acme-helpdesk").await;
    assert_eq!(status, 200, "{pack}");
    pack
}

async fn pins(stage: &Stage) -> Pins {
    let (status, keys) = stage.get("paul", "/v1/keys").await;
    assert_eq!(status, 200, "{keys}");
    Pins::all(&serde_json::from_value::<Keys>(keys).unwrap()).unwrap()
}

fn shown(report: &Report) -> String {
    let lines = report.lines.iter().map(|it| {
        let word = json!(it.word);
        format!("{:<11} {:<12} {}", it.check, word.as_str().unwrap(), it.text)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What differs from one run to the next.
fn still(text: &str) -> String {
    let mut words = Vec::new();
    for line in text.lines() {
        let line: Vec<String> = line
            .split(' ')
            .map(|it| match it.split_once('_') {
                Some((kind @ ("crt" | "asm" | "ev"), _)) => format!("{kind}_…"),
                _ if it.starts_with("sha256:") => "sha256:…".to_owned(),
                _ => it.to_owned(),
            })
            .collect();
        words.push(line.join(" "));
    }
    words.join("\n")
}

#[tokio::test]
async fn a_pack_of_a_certified_integration_verifies_offline() {
    let stage = Stage::new().await;
    stage.certify().await;
    let (pack, pins) = (packed(&stage).await, pins(&stage).await);
    let report = verified(&pack, &pins, stage.now());
    assert!(report.holds(), "{}", shown(&report));
    insta::assert_snapshot!(still(&shown(&report)), @r"
    keys        holds        all of them are pinned from outside
    seal        holds        sealed by the server at 2026-11-18T11:06:40.000Z; nothing was changed since
    manifest    holds        acme-helpdesk has the digest sha256:…
    people      holds        2 people who are pinned signed the same bytes
    certificate holds        crt_… is signed by https://cs.example
    decision    holds        it is about this manifest, and grants what that declares, less 0 scopes
    baseline    holds        what the platform granted was approved; clients: 1
    assessment  holds        asm_… of 2026-11-18T11:06:40.000Z was approved
    diff        holds        the difference is the one that the approvers saw
    claims      holds        manifest, baseline, assessment, decision and certificate name each other
    evidence    holds        123 pieces are the approved ones, 0 of them kept
    subjects    holds        123 checks looked at everything that the manifest has for them
    judgements  holds        123 of 123 judged again, with the same verdict
    redaction   holds        no transcript shows what looks like a secret, token or address
    log         holds        10 entries stand under the root of 10 that cs.example signed
    history     holds        submitted, assessed, decided by 2 people, certified as entry 9
    outcomes    holds        recomputed: 41 of 60 controls pass, 0 waived, nothing blocks
    status      holds        valid at 2026-11-18T11:06:40.000Z
    dates       holds        signed at 2026-11-18T11:06:40.000Z, ends at 2026-12-18T11:06:40.000Z
    ");
}

#[tokio::test]
async fn without_pins_it_says_that_the_keys_are_the_packs_own() {
    let stage = Stage::new().await;
    stage.certify().await;
    let report = verified(&packed(&stage).await, &Pins::default(), stage.now());
    assert!(report.holds(), "{}", shown(&report));
    let keys = report.lines.iter().find(|it| it.check == "keys").unwrap();
    assert_eq!(keys.word, Word::OwnWord);
    insta::assert_snapshot!(keys.text, @r"the pack's own: issuer, certificate key, log key, approvers");
}

#[tokio::test]
async fn only_auditors_and_owners_take_a_pack() {
    let stage = Stage::new().await;
    stage.certify().await;
    let table =
        [("paul", 200), ("olga", 200), ("ada", 403), ("rita", 403), ("gate", 403), ("x", 401)];
    for (who, status) in table {
        let (got, answer) = stage.get(who, "/v1/packs/acme-helpdesk").await;
        assert_eq!(got, status, "{who}: {answer}");
    }
    assert_eq!(stage.get("paul", "/v1/packs/nobody").await.0, 404);
}

#[tokio::test]
async fn what_was_never_certified_has_no_pack() {
    let stage = Stage::new().await;
    stage.submit("olga", MANIFEST).await;
    let (status, answer) = stage.get("paul", "/v1/packs/acme-helpdesk").await;
    assert_eq!(
        (status, answer["detail"].as_str()),
        (404, Some("there is no certificate to export"))
    );
}

#[tokio::test]
async fn a_pack_says_whether_it_is_in_force() {
    let word = |report: &Report, check: &str| {
        let line = report.lines.iter().find(|it| it.check == check);
        line.map(|it| it.word)
    };
    let stage = Stage::new().await;
    stage.certify().await;
    let pins = pins(&stage).await;
    let pack = packed(&stage).await;
    for (days, expected) in [(-1, Word::NotInForce), (29, Word::Holds), (31, Word::NotInForce)] {
        let now = if days < 0 {
            stage.now() - Period::from_days(1)
        } else {
            stage.now() + Period::from_days(u64::try_from(days).unwrap())
        };
        let report = verified(&pack, &pins, now);
        assert!(!report.fails_anywhere(), "{}", shown(&report));
        assert_eq!(word(&report, "dates"), Some(expected), "{days} days");
    }
    let body = json!({
        "integration": "acme-helpdesk", "kind": "suspend", "for": "4h", "reason": "odd traffic",
    });
    assert_eq!(stage.post("rita", "/v1/revocations", body).await.0, 200);
    let report = verified(&packed(&stage).await, &pins, stage.now());
    assert!(!report.fails_anywhere(), "{}", shown(&report));
    assert_eq!(word(&report, "status"), Some(Word::NotInForce), "suspended");
    let body = json!({ "integration": "acme-helpdesk", "kind": "revoke", "reason": "it leaked" });
    assert_eq!(stage.post("rita", "/v1/revocations", body).await.0, 200);
    let report = verified(&packed(&stage).await, &pins, stage.now());
    assert!(!report.fails_anywhere(), "{}", shown(&report));
    assert_eq!(word(&report, "status"), Some(Word::NotInForce), "revoked");
    // The old pack still verifies: it says what was true when it was sealed, and when that was.
    assert!(verified(&pack, &pins, stage.now()).holds());
}

/// Every place of a document: a pointer to each text, number, truth and nothing in it.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, it) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves(it, &format!("{at}/{name}"), found);
            }
        }
        // The first and the last stand for all of a list.
        Value::Array(items) => {
            for (index, it) in items.iter().enumerate() {
                if index == 0 || index + 1 == items.len() {
                    leaves(it, &format!("{at}/{index}"), found);
                }
            }
        }
        _ => found.push(at.to_owned()),
    }
}

fn bent(value: &Value) -> Value {
    match value {
        Value::Bool(it) => json!(!it),
        Value::Number(it) => json!(it.as_i64().unwrap_or_default() + 1),
        Value::String(it) if it.len() < 2 => json!("x"),
        // Another letter in the middle, so that forms stay what they are where they can.
        Value::String(it) => {
            let letters: Vec<char> = it.chars().collect();
            let middle = letters.len() / 2;
            let other = |letter: char| match letter {
                '0' => '1',
                letter if letter.is_ascii_digit() => '0',
                'a' => 'b',
                'A' => 'B',
                letter if letter.is_ascii_uppercase() => 'A',
                _ => 'a',
            };
            let bent = letters.iter().enumerate();
            json!(
                bent.map(|(at, it)| if at == middle { other(*it) } else { *it })
                    .collect::<String>()
            )
        }
        _ => json!("something"),
    }
}

#[tokio::test]
async fn whatever_is_changed_is_caught() {
    let stage = Stage::new().await;
    stage.certify().await;
    let (pack, pins, now) = (packed(&stage).await, pins(&stage).await, stage.now());
    let mut places = Vec::new();
    leaves(&pack, "", &mut places);
    assert!(100 < places.len(), "{}", places.len());
    for place in &places {
        let mut other = pack.clone();
        let it = other.pointer_mut(place).unwrap();
        *it = bent(it);
        assert!(verified(&other, &pins, now).fails_anywhere(), "{place}");
    }
    for name in pack.as_object().unwrap().keys() {
        let mut other = pack.clone();
        other.as_object_mut().unwrap().remove(name);
        assert!(verified(&other, &pins, now).fails_anywhere(), "without {name}");
        let mut other = pack.clone();
        if let Some(list) = other[name].as_array_mut() {
            list.pop();
            assert!(verified(&other, &pins, now).fails_anywhere(), "{name} without its last");
            list_twice(&pack, name, &pins, now);
        }
    }
    let mut more = pack.clone();
    more["note"] = json!("trust me");
    assert!(verified(&more, &pins, now).fails_anywhere(), "one member more");
}

fn list_twice(pack: &Value, name: &str, pins: &Pins, now: Timestamp) {
    let mut other = pack.clone();
    let list = other[name].as_array_mut().unwrap();
    list.push(list[0].clone());
    assert!(verified(&other, pins, now).fails_anywhere(), "{name} with its first twice");
}

/// A change by somebody who holds the server's own certificate key, and seals the pack again.
async fn resealed(change: impl FnOnce(&Stage, &mut Pack)) -> (Report, Report) {
    let stage = Stage::new().await;
    stage.certify().await;
    let mut pack: Pack = serde_json::from_value(packed(&stage).await).unwrap();
    change(&stage, &mut pack);
    seal(&mut pack, stage.now().seconds(), &stage.app.keys.certificate).unwrap();
    let pack = serde_json::to_value(&pack).unwrap();
    let pinned = verified(&pack, &pins(&stage).await, stage.now());
    (pinned, verified(&pack, &Pins::default(), stage.now()))
}

async fn refused(name: &str, check: &str, change: impl FnOnce(&Stage, &mut Pack)) {
    let (pinned, own) = resealed(change).await;
    for report in [pinned, own] {
        let line = report.lines.iter().find(|it| it.word == Word::Fails);
        assert_eq!(line.map(|it| it.check), Some(check), "{name}: {}", shown(&report));
    }
}

#[tokio::test]
async fn the_servers_own_key_cannot_change_a_pack_either() {
    let (report, own) = resealed(|_, _| ()).await;
    assert!(report.holds() && own.holds(), "{}", shown(&report));
    refused("a scope more in the manifest", "decision", |_, pack| {
        pack.manifest = pack.manifest.replace("users:read.basic", "users:read.all");
    })
    .await;
    refused("another owner", "decision", |_, pack| {
        pack.manifest = pack.manifest.replace("lena.fischer", "eve.fischer");
    })
    .await;
    refused("one person's signature", "people", |_, pack| {
        let mut value = serde_json::to_value(&pack.decision).unwrap();
        value["signatures"].as_array_mut().unwrap().pop();
        pack.decision = serde_json::from_value(value).unwrap();
    })
    .await;
    refused("a signature of nobody", "people", |_, pack| {
        let mut value = serde_json::to_value(&pack.decision).unwrap();
        value["signatures"].as_array_mut().unwrap().pop();
        pack.decision = serde_json::from_value(value).unwrap();
        pack.decision.add_signature(&key("mallory")).unwrap();
    })
    .await;
    refused("more granted than approved", "baseline", |_, pack| {
        let client = pack.baseline["granted"].as_object_mut().unwrap().values_mut().next();
        client.unwrap()["scopes"].as_array_mut().unwrap().push(json!("users:write"));
    })
    .await;
    refused("a nicer difference", "diff", |_, pack| pack.diff["changes"] = json!(["none"])).await;
    refused("a better outcome", "assessment", |_, pack| {
        pack.assessment["summary"]["pass"] = json!(60);
    })
    .await;
    refused("another verdict", "evidence", |_, pack| {
        pack.evidence[0]["judgement"]["sentence"] = json!("it holds very well");
    })
    .await;
    refused("a piece of evidence less", "evidence", |_, pack| drop(pack.evidence.pop())).await;
    refused("an entry less", "history", |_, pack| {
        let is_decided = |it: &str| {
            let bytes = STANDARD.decode(it).unwrap();
            String::from_utf8(bytes).unwrap().contains("review.decided")
        };
        let place = pack.entries.iter().position(|it| is_decided(&it.entry)).unwrap();
        pack.entries.remove(place);
    })
    .await;
    refused("an entry in another's place", "log", |_, pack| pack.entries.swap(0, 1)).await;
    refused("another entry", "log", |_, pack| {
        for it in &mut pack.entries {
            let text = String::from_utf8(STANDARD.decode(&it.entry).unwrap()).unwrap();
            it.entry = STANDARD.encode(text.replace("elevated", "standard"));
        }
    })
    .await;
    refused("a checkpoint of another key", "log", |_, pack| {
        let text = pack.checkpoint.split("\n\n").next().unwrap().to_owned() + "\n";
        let name = text.lines().next().unwrap().to_owned();
        let note = countersign_ledger::Note::sign(&text, &name, &key("mallory")).unwrap();
        pack.checkpoint = note.to_string();
        for it in &mut pack.entries {
            let head = it.proof.split("\n\n").next().unwrap();
            it.proof = format!("{head}\n\n{note}");
        }
    })
    .await;
    refused("a certificate for longer", "claims", |stage, pack| {
        let mut claims = claims(&pack.certificate);
        claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 86_400);
        pack.certificate = signed(stage, "trust-mark+jwt", &claims);
    })
    .await;
    refused("a certificate for more", "claims", |stage, pack| {
        let mut claims = claims(&pack.certificate);
        let own = &mut claims["https://countersign.example/certificate"];
        own["scopes"].as_array_mut().unwrap().push(json!("users:write"));
        pack.certificate = signed(stage, "trust-mark+jwt", &claims);
    })
    .await;
    refused("a certificate that the log does not have", "history", |stage, pack| {
        let mut claims = claims(&pack.certificate);
        claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 1);
        claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 1);
        pack.certificate = signed(stage, "trust-mark+jwt", &claims);
    })
    .await;
    refused("a status list of another time", "status", |stage, pack| {
        let mut claims = claims(&pack.status_list);
        claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 60);
        pack.status_list = signed(stage, "statuslist+jwt", &claims);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_integration_cannot_be_packed_as_valid() {
    let stage = Stage::new().await;
    stage.certify().await;
    let before: Pack = serde_json::from_value(packed(&stage).await).unwrap();
    let body = json!({ "integration": "acme-helpdesk", "kind": "revoke", "reason": "it leaked" });
    assert_eq!(stage.post("rita", "/v1/revocations", body).await.0, 200);
    let mut pack: Pack = serde_json::from_value(packed(&stage).await).unwrap();
    // The status list of before, with a seal of its time: the log's entries tell another story.
    pack.status_list = before.status_list;
    seal(&mut pack, stage.now().seconds(), &stage.app.keys.certificate).unwrap();
    let value = serde_json::to_value(&pack).unwrap();
    let report = verified(&value, &pins(&stage).await, stage.now());
    let line = report.lines.iter().find(|it| it.word == Word::Fails).unwrap();
    assert_eq!(line.text, "the status list and the log's entries disagree", "{}", shown(&report));
}

#[tokio::test]
async fn a_pack_of_another_house_is_refused_by_its_pins() {
    let (ours, theirs) = (Stage::new().await, Stage::new().await);
    ours.certify().await;
    theirs.certify().await;
    let report = verified(&packed(&theirs).await, &pins(&ours).await, ours.now());
    let line = report.lines.iter().find(|it| it.word == Word::Fails).unwrap();
    insta::assert_snapshot!(format!("{}: {}", line.check, line.text), @r"keys: the pack names another certificate key, another snapshot key, another log key");
    // Whom nobody pinned cannot approve, whatever the pack says of them.
    let strangers = Pins { approvers: Some(Vec::new()), ..Pins::default() };
    let report = verified(&packed(&ours).await, &strangers, ours.now());
    let line = report.lines.iter().find(|it| it.word == Word::Fails).unwrap();
    assert_eq!(line.check, "people", "{}", shown(&report));
}

#[tokio::test]
async fn a_verdict_that_does_not_follow_from_its_transcript_is_caught() {
    let stage = Stage::new().await;
    stage.certify().await;
    let pack = packed(&stage).await.to_string();
    let with = |judges: Judges| {
        let report = verify(pack.as_bytes(), &Pins::default(), stage.now(), judges);
        let odd = report.lines.iter().find(|it| !matches!(it.word, Word::Holds | Word::OwnWord));
        odd.map(|it| (it.check, it.word))
    };
    let right = stand_in();
    let fails = Some(("judgements", Word::Fails));
    assert_eq!(with(right), None);
    assert_eq!(with(Judges { again: |_| Some(Judgement::fail("no")), ..right }), fails);
    assert_eq!(with(Judges { again: |_| Some(Judgement::pass("other words")), ..right }), fails);
    let unknown = Judges { again: |_| None, ..right };
    assert_eq!(with(unknown), Some(("judgements", Word::NotChecked)));
    let misframed = Judges { misframed: |_, _| Some("odd".to_owned()), ..right };
    assert_eq!(with(misframed), Some(("subjects", Word::Fails)));
    let more = |_: &str, _: &_| Some(vec!["manifest".to_owned(), "hook:other".to_owned()]);
    assert_eq!(with(Judges { subjects: more, ..right }), Some(("subjects", Word::Fails)));
    // Nothing of a stand-in world survives the judges of this build.
    assert!(with(Judges::of_this_build()).is_some());
}

#[tokio::test]
async fn what_is_no_pack_is_no_pack() {
    let table = ["", "{", "[]", "null", "{}", r#"{"schema":"countersign.pack/1"}"#];
    for text in table {
        let report =
            verify(text.as_bytes(), &Pins::default(), Timestamp::from_seconds(0), stand_in());
        assert!(report.fails_anywhere(), "{text}");
    }
    let stage = Stage::new().await;
    stage.certify().await;
    let mut newer = packed(&stage).await;
    newer["schema"] = json!("countersign.pack/2");
    assert!(verified(&newer, &Pins::default(), stage.now()).fails_anywhere());
    let twice = packed(&stage).await.to_string().replacen('{', "{\"seal\":\"x\",", 1);
    let report = verify(twice.as_bytes(), &Pins::default(), stage.now(), stand_in());
    assert!(report.fails_anywhere(), "a member twice");
}

#[tokio::test]
async fn a_renewed_certificate_is_packed_as_it_is_signed_now() {
    let stage = Stage::new().await;
    stage.certify().await;
    let first = packed(&stage).await;
    stage.pass(25 * 86_400);
    let renewed = countersign_server::steps::certify::renew(&stage.app).await.unwrap();
    let pack = packed(&stage).await;
    let report = verified(&pack, &pins(&stage).await, stage.now());
    assert!(!report.fails_anywhere(), "{}", shown(&report));
    assert_eq!(renewed == 0, pack["certificate"] == first["certificate"]);
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn signed(stage: &Stage, typ: &str, claims: &Value) -> String {
    let key = &stage.app.keys.certificate;
    countersign_seal::jwt::sign(typ, key.key_id().as_str(), claims, key).unwrap()
}

#[test]
fn the_seal_is_that_of_the_vector() {
    use countersign_seal::{SigningKey, digest_of, jwt};
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/pack/seal.json");
    let signer = SigningKey::from_seed([101; 32]);
    let log = countersign_ledger::VerifierKey::log("cs.example", signer.public()).unwrap();
    let mut pack: Pack = serde_json::from_value(json!({
        "schema": "countersign.pack/1", "integration": "acme-helpdesk", "manifest": "manifest = 1\n",
        "baseline": {}, "assessment": {}, "evidence": [], "diff": {},
        "decision": { "payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": [] },
        "certificate": "a.b.c", "status_list": "a.b.c", "checkpoint": "", "entries": [], "seal": "",
        "keys": {
            "schema": "countersign.keys/1", "issuer": "https://cs.example",
            "certificate": signer.public(), "snapshot": signer.public(), "log": log.to_string(),
            "approvers": [],
        },
    }))
    .unwrap();
    seal(&mut pack, 1_795_000_000, &signer).unwrap();
    let mut rest = serde_json::to_value(&pack).unwrap();
    rest.as_object_mut().unwrap().remove("seal");
    let current = json!({
        "about": "The seal over a document of the shape of a pack: `pack` in its claims is the digest of the canonical JSON of the document without `seal`.",
        "key": signer.public(), "document": rest, "digest": digest_of(&rest).unwrap(), "seal": pack.seal,
    });
    let text = serde_json::to_string_pretty(&current).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, text, "UPDATE_VECTORS=1 cargo test -p countersign-server vector");
    let file: Value = serde_json::from_str(&committed).unwrap();
    let said = claims(file["seal"].as_str().unwrap());
    assert_eq!((&said["pack"], &said["iat"]), (&file["digest"], &json!(1_795_000_000)));
    let keys = [jwt::VerifyingKey::ed25519(signer.public())];
    assert!(jwt::verify(file["seal"].as_str().unwrap(), &keys, jwt::Expect::default()).is_ok());
}
