//! Parsers of foreign bytes answer, whatever the bytes are.

use countersign_seal::dsse::Envelope;
use countersign_seal::jwt::{Expect, VerifyingKey, parse_set, unverified_header, verify};
use countersign_seal::keyfile::KeyFile;
use countersign_seal::scheme::standard_webhooks::{self as webhooks, Headers, Key, SendKey};
use countersign_seal::status_list::{Claim, StatusList};
use countersign_seal::{Digest, PublicKey, SigningKey, json};
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_judged(bytes: Vec<u8>, text in "(?s).{0,120}", words in "[A-Za-z0-9_.,=-]{0,120}") {
        drop((json::parse(&bytes), Envelope::parse(&bytes), parse_set(&bytes)));
        drop(KeyFile::parse(&bytes));
        for text in [text, words] {
            drop((unverified_header(&text), text.parse::<Digest>(), text.parse::<PublicKey>()));
            drop((Key::parse(&text), SendKey::parse(&text)));
            drop(StatusList::from_claim(&Claim { bits: 2, lst: text.clone() }));
            let headers = Headers { id: Some(&text), timestamp: Some("1"), signature: Some(&text) };
            prop_assert!(webhooks::verify(headers, &bytes, &[Key::Public(key().public())], 1, 1).is_err());
        }
    }

    #[test]
    fn a_changed_token_never_verifies(at: prop::sample::Index, byte in 1_u8..128) {
        let claims = serde_json::json!({"sub": "a", "exp": 1});
        let token = countersign_seal::jwt::sign("a+jwt", "k", &claims, &key()).unwrap();
        let trusted = [VerifyingKey::ed25519(key().public()).named("k")];
        prop_assert!(verify(&token, &trusted, Expect::default()).is_ok());
        let mut bytes = token.into_bytes();
        let place = at.index(bytes.len());
        bytes[place] ^= byte;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(verify(&changed, &trusted, Expect::default()).is_err(), "{}", changed);
    }

    #[test]
    fn a_changed_payload_never_verifies(payload: Vec<u8>, at: prop::sample::Index, byte in 1_u8..=255) {
        let envelope = Envelope::sign("t", payload.clone(), &key()).unwrap();
        let sig = envelope.signatures()[0].clone();
        prop_assert_eq!(envelope.verify(&[key().public()], 1).unwrap().payload, payload.clone());
        let mut changed = payload;
        changed.push(0);
        let place = at.index(changed.len());
        changed[place] ^= byte;
        let mut other = Envelope::new("t", changed).unwrap();
        other.attach(sig).unwrap();
        prop_assert!(other.verify(&[key().public()], 1).is_err());
    }
}
