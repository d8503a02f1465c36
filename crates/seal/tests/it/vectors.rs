use std::path::Path;

use countersign_seal::PublicKey;
use countersign_seal::dsse::{Envelope, pae};
use countersign_seal::jwt::{Expect, JwkError, parse_set, verify};
use countersign_seal::scheme::standard_webhooks::{self as webhooks, Headers, Key};
use countersign_seal::status_list::{Claim, Status, StatusList, StatusListError};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/seal").join(name);
    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn cases(vectors: &Value) -> &[Value] {
    let cases = vectors["cases"].as_array().unwrap();
    assert!(5 < cases.len(), "vectors hold cases");
    cases
}

#[test]
fn envelopes() {
    let vectors = vectors("dsse.json");
    let example = &vectors["pae"];
    let bytes = pae(text(&example["payloadType"]), text(&example["payload"]).as_bytes());
    assert_eq!(String::from_utf8(bytes).unwrap(), text(&example["pae"]));
    let keys: Vec<PublicKey> = serde_json::from_value(vectors["keys"].clone()).unwrap();
    for case in cases(&vectors) {
        let envelope = Envelope::parse(case["envelope"].to_string().as_bytes()).unwrap();
        let threshold = usize::try_from(case["threshold"].as_u64().unwrap()).unwrap();
        let signers = envelope.verify(&keys, threshold).ok().map(|it| it.signers);
        let expected: Option<Vec<usize>> = serde_json::from_value(case["signers"].clone()).unwrap();
        let expected = expected.map(|indices| {
            let mut signers: Vec<_> = indices.into_iter().map(|index| keys[index]).collect();
            signers.sort();
            signers
        });
        assert_eq!(signers, expected, "{}", case["name"]);
    }
}

#[test]
fn tokens() {
    let vectors = vectors("jwt.json");
    let keys = parse_set(vectors["jwks"].to_string().as_bytes()).unwrap();
    assert_eq!(keys.len(), 3, "the symmetric key is skipped");
    let weak = parse_set(vectors["weak_jwks"].to_string().as_bytes());
    assert_eq!(weak, Err(JwkError::WeakRsa));
    let expect =
        Expect { typ: Some("a+jwt"), issuer: Some("https://issuer.example"), audience: Some("us") };
    for case in cases(&vectors) {
        let parts: Vec<&str> = case["token"].as_array().unwrap().iter().map(text).collect();
        let result = verify(&parts.join("."), &keys, expect);
        let accepted = case["accepted"].as_bool().unwrap();
        assert_eq!(result.is_ok(), accepted, "{}: {result:?}", case["name"]);
    }
}

#[test]
fn status_lists() {
    let vectors = vectors("status_list.json");
    let example = &vectors["example"];
    let claim: Claim = serde_json::from_value(example["claim"].clone()).unwrap();
    let list = StatusList::from_claim(&claim).unwrap();
    let statuses = example["statuses"].as_array().unwrap();
    assert_eq!(list.entries(), statuses.len());
    for (index, value) in statuses.iter().enumerate() {
        let expected = match value.as_u64().unwrap() {
            0 => Ok(Status::Valid),
            1 => Ok(Status::Invalid),
            2 => Ok(Status::Suspended),
            _ => Err(StatusListError::UnknownStatus { index }),
        };
        assert_eq!(list.get(index), expected, "entry {index}");
    }
    for refused in vectors["refused"].as_array().unwrap() {
        let claim: Claim = serde_json::from_value(refused["claim"].clone()).unwrap();
        assert!(StatusList::from_claim(&claim).is_err(), "{}", refused["name"]);
    }
}

#[test]
fn standard_webhooks() {
    for case in cases(&vectors("standard_webhooks.json")) {
        let key: String = case["key"]["parts"].as_array().unwrap().iter().map(text).collect();
        let timestamp = case["timestamp"].to_string();
        let headers = Headers {
            id: Some(text(&case["id"])),
            timestamp: Some(&timestamp),
            signature: Some(text(&case["signature"])),
        };
        let keys = [Key::parse(&key).unwrap()];
        let now = case["now"].as_i64().unwrap();
        let result = webhooks::verify(headers, text(&case["body"]).as_bytes(), &keys, now, 300);
        let result = result.map_or_else(|error| error.to_string(), |()| "ok".to_owned());
        assert_eq!(result, text(&case["result"]), "{}", case["name"]);
    }
}
