//! The parsers of partner bytes that are nobody else's business, for fuzzing alone.
//!
//! Each entry does what a check does with such bytes and claims only what must hold for all of them.
//! Answers are written as `HTTP/1.1 302 Found`, header lines, an empty line, and the body.

use std::sync::LazyLock;

use countersign_model::declare::manifest::EffectsKind;
use countersign_model::time::Timestamp;
use serde_json::{Value, json};
use url::Url;

use crate::drill::rotation::{keys, requests::Requests};
use crate::harness::{Inner, Seen, greet};
use crate::live::ask::Received;
use crate::log::format;
use crate::probe::agent::{self, page};
use crate::probe::authz::{Side, code, server};
use crate::probe::client::browser;
use crate::probe::effects as oracle;
use crate::probe::oauth::claims;
use crate::redact::Redactor;

/// Bytes as an answer: everything is an answer to something.
fn answer(bytes: &[u8]) -> Received {
    let (head, body) = match bytes.windows(2).position(|it| it == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().and_then(|it| it.split(' ').nth(1)?.parse().ok());
    let headers = lines.filter_map(|it| it.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers = headers.collect();
    let status = status.unwrap_or_default();
    Received { status, headers, body: body.to_vec(), failure: None, took_ms: 0 }
}

/// A user agent that is sent around and shown forms: it leaves its host only by a redirect.
pub fn agent(bytes: &[u8]) {
    let answer = answer(bytes);
    let at = &*LOGIN;
    if let Some(to) = agent::location(at, &answer) {
        assert_eq!(agent::is_same(&to, at), agent::is_same(at, &to), "sameness has no direction");
    }
    for secret in agent::secrets(&answer) {
        assert!(secret.len() <= bytes.len() * 3, "what is hidden stood in the answer");
    }
    for form in page::forms(&answer.body) {
        if let Some(ask) = agent::submit(at, &form, Some(("kim", "a password"))) {
            let to = Url::parse(&ask.url).ok();
            let host = to.as_ref().and_then(Url::host_str);
            assert_eq!(host, at.host_str(), "a password goes to the host that asked for it");
        }
    }
}

/// A browser that signs in: its cookies stay with their site.
pub fn browser(bytes: &[u8]) {
    let answer = answer(bytes);
    let mut browser = browser::Browser::default();
    for (_, line) in answer.headers.iter().filter(|it| it.0 == "set-cookie") {
        browser.keep("app.acme.example", line);
    }
    let _own = browser.cookies("app.acme.example");
    assert_eq!(browser.cookies("elsewhere.test"), None, "cookies stay with their site");
    let _next = browser::target(LOGIN.as_str(), &answer);
}

/// An access token, as it stands in an answer.
pub fn access_token(bytes: &[u8]) {
    let joined = lines_joined(bytes);
    for token in [String::from_utf8_lossy(bytes).as_ref(), joined.as_str()] {
        if let Some((header, _claims)) = claims::parts(token) {
            assert!(header.contains_key("alg"), "only a signed token has parts");
        }
    }
}

/// Metadata of an authorization server: they count for one issuer alone.
pub fn metadata(bytes: &[u8]) {
    let _places = server::addresses(&String::from_utf8_lossy(bytes));
    let answer = answer(bytes);
    let Ok(metadata) = server::read(ISSUER, answer.json()) else { return };
    assert_eq!(metadata.get("issuer").and_then(Value::as_str), Some(ISSUER), "of one issuer");
    let server = server::Server {
        side: Side::Partner,
        issuer: ISSUER.to_owned(),
        metadata,
        resource: None,
        audience: ISSUER.to_owned(),
    };
    assert!(server.token_endpoint().starts_with("https://"), "nothing is sent in the clear");
    let _methods = server.words("token_endpoint_auth_methods_supported");
}

/// A redirect that may bear a code.
pub fn code(bytes: &[u8]) {
    let Some(to) = agent::location(&LOGIN, &answer(bytes)) else { return };
    if let Some(code) = code::code_of(&agent::Stop::Away(to), "https://app.acme.example/callback") {
        assert!(!code.is_empty(), "a code is not empty");
    }
}

/// What an effect oracle answers, in both of its forms.
pub fn effects(bytes: &[u8]) {
    let answer = answer(bytes);
    for kind in [EffectsKind::Feed, EffectsKind::Object] {
        let read = oracle::read(kind, &answer);
        assert!(answer.is_success() || read.is_err(), "a refusal is no effect");
        if let Ok(seen) = read {
            let _count = seen.count("evt_1");
        }
    }
}

/// What comes to the harness before and instead of TLS, and what its scripts look at.
pub fn harness(bytes: &[u8]) {
    greet(bytes);
    let inner = Inner::default();
    inner.clear(bytes);
    let text = String::from_utf8_lossy(bytes);
    let path = text.split(' ').nth(1).unwrap_or_default();
    assert!(inner.find(path).is_none(), "no booth is open");
    let seen = Seen {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: text.split_once('?').map(|it| it.1.to_owned()).unwrap_or_default(),
        headers: answer(bytes).headers,
        body: bytes.to_vec(),
        peer: ([192, 0, 2, 1], 443).into(),
    };
    let _shown = (seen.asked("code"), seen.field("code"), seen.header("authorization"));
}

/// The date of an answer.
pub fn date(bytes: &[u8]) {
    let at = Timestamp::from_seconds(1_795_489_511);
    let _skew = crate::preflight::skew(&answer(bytes), at);
}

/// Lines of logs, read by every format whether it fits or not.
pub fn log_formats(bytes: &[u8]) {
    format::every(bytes);
}

/// What is written down of an answer: never a secret that is known.
pub fn redact(bytes: &[u8]) {
    let answer = answer(bytes);
    let redactor = Redactor::new([7; 32], [KNOWN]);
    for (name, value) in &answer.headers {
        let shown = redactor.header(name, value);
        assert!(!shown.contains(KNOWN), "a known secret is taken out of a header");
    }
    let (shown, cut) = redactor.body(&answer.body);
    assert!(!shown.contains(KNOWN), "a known secret is taken out of a body");
    // Other texts may become JSON by what is taken out of them.
    let is_whole = answer.json().is_some_and(|it| it.is_object() || it.is_array());
    let again = || redactor.body(shown.as_bytes()).0;
    assert!(cut || !is_whole || again() == shown, "twice is once");
}

/// The log and the key set that are watched while keys are changed.
pub fn rotation(bytes: &[u8]) {
    let start = Timestamp::from_seconds(1_795_489_511);
    let requests = Requests::read(bytes, start, 60_000);
    let _shown = json!(requests);
    let _keys = keys::read(bytes);
}

/// Tokens that are written over several lines, so that they are not taken for live ones.
pub fn lines_joined(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().collect()
}

static LOGIN: LazyLock<Url> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant that cannot be read must not go unseen")]
    Url::parse("https://id.example.com/login?next=/").expect("it is an address")
});
const ISSUER: &str = "https://id.example.com";
/// Something that only we and a partner know.
const KNOWN: &str = "known-to-two-alone";
