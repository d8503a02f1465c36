use std::fmt::Write as _;

use serde_json::json;

use super::*;
use crate::digest::Digest;

const NOW: i64 = 1_700_000_000;
const WINDOW: Window = Window { now_seconds: NOW, tolerance_seconds: 300 };

fn keys(scheme: &dyn Scheme) -> Vec<Signer> {
    let text = scheme.write_secret(&[5; 32]);
    let facts = scheme.facts();
    let shared = facts.shared.then(|| Signer::Shared(scheme.secret(&text).unwrap()));
    let private = facts.private.then(|| Signer::Private(SigningKey::from_seed([5; 32])));
    shared.into_iter().chain(private).collect()
}

fn other(key: &Signer) -> Signer {
    match key {
        Signer::Private(_) => Signer::Private(SigningKey::from_seed([6; 32])),
        Signer::Shared(_) => Signer::Shared(Shared::from_bytes(&[6; 32]).unwrap()),
    }
}

fn draft<'a>(id: &'a str, body: &'a [u8]) -> Draft<'a> {
    let url = "https://in.example/hook?a=b";
    Draft { method: "POST", url, id, time_seconds: NOW, body }
}

fn received(
    scheme: &dyn Scheme,
    sealed: &Sealed,
    keys: &[Verifier],
    window: Window,
) -> Result<Verified, WebhookError> {
    let url = "https://in.example/hook?a=b";
    let arrived = Arrived { method: "POST", url, headers: &sealed.headers, body: &sealed.body };
    scheme.verify(&arrived, keys, window)
}

#[test]
fn every_scheme_takes_what_it_signs_and_nothing_else() {
    for scheme in SCHEMES {
        for key in keys(scheme) {
            let name = format!("{} with {:?}", scheme.name(), key.verifier());
            let mut body = json!({"type": "user.created"});
            scheme.put_id(&mut body, "msg_1");
            let body = body.to_string().into_bytes();
            let draft = draft("msg_1", &body);
            let right = scheme.sign(&draft, &[&key]).unwrap();
            let known = [key.verifier()];
            let id = Some("msg_1".to_owned());
            let time_seconds = scheme.facts().time.map(|_| NOW);
            let taken = Ok(Verified { id, time_seconds });
            assert_eq!(received(scheme, &right, &known, WINDOW), taken, "{name}");
            assert_eq!(scheme.payload(&right.body).unwrap()["type"], "user.created", "{name}");
            let refused = |sealed: &Sealed, known: &[Verifier], why: &str| {
                assert!(received(scheme, sealed, known, WINDOW).is_err(), "{name}: {why}");
            };
            refused(&right, &[other(&key).verifier()], "another key");
            refused(&right, &[], "no key");
            let bare = received(scheme, &scheme.wrap(&draft, &[]), &known, WINDOW);
            let is_told =
                matches!(bare, Err(WebhookError::MissingHeader { .. } | WebhookError::Unsigned));
            assert!(is_told, "{name}: {bare:?}");
            let entry = scheme.entry(&draft, &key).unwrap();
            let changed = Draft { body: br#"{"type":"user.deleted"}"#, ..draft };
            refused(&scheme.wrap(&changed, std::slice::from_ref(&entry)), &known, "another body");
            let hollow = Entry { signature: String::new(), ..entry.clone() };
            refused(&scheme.wrap(&draft, &[hollow]), &known, "an empty signature");
            if scheme.facts().versions {
                let odd = Entry { label: "v9".to_owned(), ..entry.clone() };
                refused(&scheme.wrap(&draft, &[odd]), &known, "an unknown version");
            }
            if scheme.facts().several {
                let foreign = scheme.entry(&draft, &other(&key)).unwrap();
                let both = scheme.wrap(&draft, &[foreign, entry.clone()]);
                assert!(received(scheme, &both, &known, WINDOW).is_ok(), "{name}: two signatures");
            }
            if scheme.facts().time.is_some() {
                let at = |now_seconds| Window { now_seconds, ..WINDOW };
                let seen = |now| received(scheme, &right, &known, at(now)).map(|_| ());
                assert_eq!(seen(NOW + 300), Ok(()), "{name}");
                assert_eq!(seen(NOW + 301), Err(WebhookError::TooOld), "{name}");
                assert_eq!(seen(NOW - 301), Err(WebhookError::TooNew), "{name}");
                for time in [Some("1700000001"), Some("soon"), None] {
                    let mut moved = right.clone();
                    scheme.set_time(&mut moved, time);
                    refused(&moved, &known, "another time");
                }
            }
            if scheme.facts().id_signed && !matches!(scheme.facts().id, Place::Body(_)) {
                let renamed = Draft { id: "msg_2", ..draft };
                let parameters = entry.parameters.replace("msg_1", "msg_2");
                let renamed = scheme.wrap(&renamed, &[Entry { parameters, ..entry }]);
                refused(&renamed, &known, "another id");
            }
        }
    }
}

/// Scheme, secret, headers, body and time of a published example.
type Example = (&'static str, String, &'static [(&'static str, &'static str)], &'static str, i64);

#[test]
fn the_published_examples_verify() {
    let table: [Example; 2] = [
        (
            "github",
            "It's a Secret to Everybody".to_owned(),
            &[(
                "x-hub-signature-256",
                "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            )],
            "Hello, World!",
            NOW,
        ),
        (
            "slack",
            ["8f742231b10e8888", "abcd99yyyzzz85a5"].concat(),
            &[
                ("x-slack-request-timestamp", "1531420618"),
                (
                    "x-slack-signature",
                    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
                ),
            ],
            concat!(
                "token=",
                "xyzz0WbapA4vBCDEFasx0q6G",
                "&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V",
                "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner",
                "&command=%2Fwebhook-collect&text=",
                "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J",
                "%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN",
                "&trigger_id=398738663015.47445629121.",
                "803a0bc887a14d10d2c447fce8b6703c",
            ),
            1_531_420_618,
        ),
    ];
    for (name, secret, headers, body, now_seconds) in table {
        let scheme = find(name).unwrap();
        let headers: Vec<(String, String)> =
            headers.iter().map(|it| (it.0.to_owned(), it.1.to_owned())).collect();
        let arrived = Arrived { method: "POST", url: "", headers: &headers, body: body.as_bytes() };
        let keys = [Verifier::Shared(scheme.secret(&secret).unwrap())];
        let window = Window { now_seconds, tolerance_seconds: 300 };
        let seen = scheme.verify(&arrived, &keys, window);
        assert!(seen.is_ok(), "{name}: {seen:?}");
    }
}

#[test]
fn headers_are_written_as_each_scheme_documents_them() {
    let mut told = String::new();
    for scheme in SCHEMES {
        for key in keys(scheme) {
            let body = br#"{"id":"evt_1","event_id":"evt_1"}"#;
            let mut sealed = scheme.sign(&draft("evt_1", body), &[&key]).unwrap();
            if let Place::Body(_) = scheme.facts().signature {
                let digest = Digest::of(&sealed.body).to_string();
                sealed.headers.push(("digest of the body".to_owned(), digest));
            }
            writeln!(told, "{}:", scheme.name()).unwrap();
            for (name, value) in &sealed.headers {
                writeln!(told, "  {name}: {value}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(told, @r#"
    github:
      x-github-delivery: evt_1
      x-github-event: ping
      x-hub-signature-256: sha256=9fb10d0b306b1c9a93e75bdfabcf26135141c88c5877bb1e17db230151d0af0d
    http-message-signatures:
      content-digest: sha-256=:kg4Ucvj+WovJKBPp31OPq/yY7BzqaexGjALZorqRK24=:
      signature-input: sig1=("@method" "@target-uri" "content-digest");created=1700000000;keyid="4038da5e2f68e3a5";alg="hmac-sha256";nonce="evt_1"
      signature: sig1=:A+z3IafZj+3IRIVVHK+sFXyywXF49deIELCMxaoORV8=:
    http-message-signatures:
      content-digest: sha-256=:kg4Ucvj+WovJKBPp31OPq/yY7BzqaexGjALZorqRK24=:
      signature-input: sig1=("@method" "@target-uri" "content-digest");created=1700000000;keyid="7599776c3085e3f9da0d13071eb0b4ab50fd2bf64c06dd92c2365af3a328eca3";alg="ed25519";nonce="evt_1"
      signature: sig1=:+cg62Ugi41hzEVMHNtKlcQWeLIrPIAh7MsZUwXMWQfqflrV4Y5AtpUiYZSB+RE3tVQJzy1atFYC7TmJZCJP9DA==:
    set:
      digest of the body: sha256:e52c2a7b7bf94c521d906a951d79c5a08379a0b2bbb921fa67be90ae49a489f8
    shopify:
      x-shopify-webhook-id: evt_1
      x-shopify-event-id: evt_1
      x-shopify-hmac-sha256: n7ENCzBrHJqT51vfq88mE1FByIxYd7seF9sjAVHQrw0=
    slack:
      x-slack-request-timestamp: 1700000000
      x-slack-signature: v0=7631e19483f6d161a2bfe980ef5dc9532f772efada043bc42f7c0558192bbe65
    standard-webhooks:
      webhook-id: evt_1
      webhook-timestamp: 1700000000
      webhook-signature: v1,sxIOMFrv8QYr7RKmk+9b1b9GgSGeZDvV+zLQeBx8dMs=
    standard-webhooks:
      webhook-id: evt_1
      webhook-timestamp: 1700000000
      webhook-signature: v1a,eIHoqRZXq3L3WKTqwa0NoP6HbWuNxWdNB6hJJFftTFj3r2jX/VKWkss+t/0XtR288328Bph3nKqJH2j0ztqeAw==
    stripe:
      stripe-signature: t=1700000000,v1=f0796dd862722331bf242228be4ed89c52463741fca2834a3fa847ddf3e7eb0d
    "#);
}

#[test]
fn a_secret_is_read_as_its_scheme_writes_it() {
    for scheme in SCHEMES.into_iter().filter(|it| it.facts().shared) {
        let text = scheme.write_secret(&[7; 32]);
        assert!(scheme.secret(&text).is_ok(), "{}", scheme.name());
        assert!(scheme.secret("").is_err(), "{}", scheme.name());
    }
    let standard = find("standard-webhooks").unwrap();
    for text in ["whsec_AAAA", "whsec_***", "secret", "base64:AAAA"] {
        assert!(standard.secret(text).is_err(), "{text}");
    }
    let bytes = find("github").unwrap().secret("base64:AAAA").unwrap();
    assert_eq!(bytes.mac(b"x"), Shared::from_bytes(&[0; 3]).unwrap().mac(b"x"));
    assert_eq!(format!("{bytes:?}"), "Shared(..)");
    assert!(find("none").is_none());
}

#[test]
fn a_header_that_stands_twice_is_none() {
    let scheme = find("github").unwrap();
    let key = keys(scheme).remove(0);
    let mut sealed = scheme.sign(&draft("1", b"{}"), &[&key]).unwrap();
    let again = sealed.headers.clone();
    sealed.headers.extend(again);
    assert!(received(scheme, &sealed, &[key.verifier()], WINDOW).is_err());
}
