//! What opens something never stands in a transcript, a judgement or a finding, wherever it came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_checks::live::ask::Ask;
use countersign_checks::live::client::Client;
use countersign_checks::live::clock::SystemClock;
use countersign_checks::once::Once;
use countersign_checks::platform::{PlatformError, PlatformFault};
use countersign_checks::redact::shown;
use countersign_checks::secrets::Secrets;
use countersign_checks::talk::{Means, Talk};
use countersign_seal::Digest;
use serde_json::json;

use crate::authority::manifest;
use crate::listener::{Authority, Listener, Writer};

const HOST: &str = "events.acme.example";

/// Canaries: each looks like nothing in particular, so that only its place or its name gives it away.
struct Canaries(Vec<String>);

impl Canaries {
    fn new() -> Self {
        Self(Vec::new())
    }

    /// One more.
    fn one(&mut self) -> String {
        let canary = format!("canary{:03}xq7", self.0.len());
        self.0.push(canary.clone());
        canary
    }

    /// One that is a token in its compact form.
    fn token(&mut self) -> String {
        let payload = self.one();
        format!("{}.{payload}.{payload}", concat!("eyJhbGciOi", "JFZERTQSJ9"))
    }
}

/// The names of members and fields whose value opens something.
const NAMES: [&str; 14] = [
    "access_token",
    "api_key",
    "client_assertion",
    "client_secret",
    "code_verifier",
    "id_token",
    "password",
    "private_key",
    "refresh_token",
    "secret",
    "session",
    "signing_key",
    "subject_token",
    "token",
];

fn means(client: Client, known: &str) -> Arc<Means> {
    Arc::new(Means {
        manifest: Arc::new(manifest()),
        digest: Digest::of(b"manifest"),
        client,
        platform: None,
        production: None,
        sources: BTreeMap::new(),
        secrets: Secrets::new([("acme-effects".to_owned(), known.to_owned())]),
        settings: BTreeMap::new(),
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: Arc::new(SystemClock::start()),
        salt: [9; 32],
        harness: None,
        rotations: Once::default(),
        looks: Once::default(),
        keeper: None,
    })
}

/// Bodies of every kind that a partner may send, or be sent.
fn bodies(canaries: &mut Canaries, known: &str) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for name in NAMES {
        all.push(("application/json", json!({ name: canaries.one() }).to_string()));
        all.push(("application/json", json!({ "a": [{ name: canaries.one() }] }).to_string()));
        let pretty = serde_json::to_string_pretty(&json!({ name: canaries.one() })).unwrap();
        all.push(("application/json", pretty));
        let form = format!("grant_type=x&{name}={}&scope=a", canaries.one());
        all.push(("application/x-www-form-urlencoded", form));
        let lines = [canaries.one(), canaries.one()].map(|it| json!({ name: it }).to_string());
        all.push(("application/x-ndjson", lines.join("\n")));
        all.push(("text/plain", format!("{name}: {}", canaries.one())));
        all.push(("text/html", format!("<p>your {name}={}</p>", canaries.one())));
    }
    for name in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        let key = json!({ "kty": "RSA", "n": "public", name: canaries.one() });
        all.push(("application/json", json!({ "keys": [key] }).to_string()));
    }
    let token = canaries.token();
    let pem = |inner: &str| {
        format!(
            "{}\n{inner}\n{}",
            concat!("-----BEGIN ", "PRIVATE KEY-----"),
            concat!("-----END ", "PRIVATE KEY-----")
        )
    };
    let webhook_key = [concat!("wh", "sec_"), &canaries.one()].concat();
    for text in [token, pem(&canaries.one()), webhook_key, known.to_owned()] {
        all.push(("text/plain", format!("see {text} there")));
        all.push((
            "application/json",
            json!({ "detail": format!("see {text} there") }).to_string(),
        ));
        all.push(("application/json", json!({ text: "as a name" }).to_string()));
    }
    all
}

fn header_lines(canaries: &mut Canaries, known: &str) -> Vec<(&'static str, String)> {
    vec![
        ("authorization", format!("Bearer {}", canaries.one())),
        ("authorization", format!("Basic {}", canaries.one())),
        ("authorization", canaries.one()),
        ("proxy-authorization", format!("Basic {}", canaries.one())),
        ("cookie", format!("sid={}; b={}", canaries.one(), canaries.one())),
        ("set-cookie", format!("sid={}; HttpOnly", canaries.one())),
        ("x-api-key", canaries.one()),
        ("x-auth-token", canaries.one()),
        ("dpop", canaries.token()),
        ("x-other", canaries.token()),
        ("x-other", format!("it is {known}")),
        ("location", format!("https://{HOST}/cb?code={}&state=1", canaries.one())),
        ("location", format!("https://{HOST}/cb#access_token={}", canaries.one())),
        ("location", format!("/login?next=%2Fcb%3Fcode%3D{}%26state%3D1", canaries.one())),
        ("www-authenticate", format!("Bearer error=\"x\", token={}", canaries.one())),
    ]
}

/// Answers with the very body and headers that it was sent.
async fn echo(writer: Writer, request: String) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let ours = ["host", "content-length", "connection", "user-agent"];
    let back = head.lines().skip(1).filter(|it| !ours.iter().any(|name| it.starts_with(name)));
    let headers: Vec<&str> = back.flat_map(|it| [it, "\r\n"]).collect();
    writer.answer(200, &headers.concat(), body.as_bytes()).await;
}

#[tokio::test]
async fn no_canary_is_written_down() {
    let authority = Authority::new();
    let listener = Listener::start(&authority, HOST, echo).await;
    let client = Client::new(&authority.way(&[(HOST, &listener)]), &manifest()).unwrap();
    let mut canaries = Canaries::new();
    let known = canaries.one();
    let learnt = canaries.one();
    let mut talk = Talk::live("sample", "manifest", means(client, &known));
    talk.hide(&learnt);

    let url = format!("https://{HOST}/");
    for (kind, body) in bodies(&mut canaries, &known) {
        let mut ask = Ask::new("POST", url.as_str()).header("content-type", kind);
        ask.body = body.into_bytes();
        assert_eq!(talk.send("body", ask).await.status, 200);
    }
    for (name, value) in header_lines(&mut canaries, &known) {
        assert_eq!(
            talk.send("header", Ask::get(url.as_str()).header(name, value)).await.status,
            200
        );
    }
    for name in NAMES {
        let ask = Ask::get(format!("{url}cb?{name}={}&state=1", canaries.one()));
        talk.send("query", ask).await;
    }
    for secret in [&known, &learnt] {
        talk.send("path", Ask::get(format!("{url}{secret}/x"))).await;
    }
    for (_, body) in bodies(&mut canaries, &known) {
        let value = serde_json::from_str(&body).unwrap_or_else(|_| json!(body));
        talk.fact("granted", "platform", value);
    }
    // What a failure says.
    talk.send("failure", Ask::get(format!("https://{known}.example/"))).await;
    let refused = PlatformError {
        action: "ask for a token".to_owned(),
        source: PlatformFault::Refused {
            status: 400,
            code: format!("client_secret={} and {known}", canaries.one()),
        },
    };
    let heard: Option<()> = talk.heard("platform-said", Err(refused), |()| json!(null));
    assert!(heard.is_none());

    let transcript = talk.finish();
    let written = serde_json::to_string(&transcript).unwrap();
    let found: Vec<&String> = canaries.0.iter().filter(|it| written.contains(*it)).collect();
    assert!(100 < canaries.0.len());
    assert!(found.is_empty(), "{} of {} are there: {found:?}", found.len(), canaries.0.len());
    assert_eq!(shown(&transcript), Vec::<String>::new());
    assert!(listener.requests().concat().contains(&known), "they were really sent");
}
