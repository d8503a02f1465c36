//! Takes secrets, tokens and personal data out before anything is written down.
//!
//! What is taken out leaves a digest with the run's salt, so that a judge can still see that two
//! values were the same.

use std::sync::LazyLock;

use countersign_model::check::Transcript;
use countersign_model::check::transcript::{Answer, Entry};
use countersign_seal::Digest;
use regex::{Captures, Regex};
use serde_json::Value;

/// How much text of a body is kept.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Takes secrets, tokens and personal data out.
#[derive(Clone)]
pub struct Redactor {
    salt: [u8; 32],
    /// Longest first, so that a secret that holds another one goes as a whole.
    known: Vec<String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Redactor({} known secrets)", self.known.len())
    }
}

impl Redactor {
    /// With the run's salt, and the secrets that are known by name.
    pub fn new<'a>(salt: [u8; 32], known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self { salt, known: Vec::new() };
        for secret in known {
            all.learn(secret);
        }
        all
    }

    /// From now on this goes too.
    pub fn learn(&mut self, secret: &str) {
        // Shorter ones would tear ordinary words apart.
        if 8 <= secret.len() && !self.known.iter().any(|it| it == secret) {
            self.known.push(secret.to_owned());
            self.known.sort_by_key(|it| std::cmp::Reverse(it.len()));
        }
    }

    /// The salted digest of a whole value.
    pub fn digest(&self, bytes: &[u8]) -> Digest {
        Digest::keyed(&self.salt, bytes)
    }

    /// A text without secrets, tokens and addresses of people.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.known {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), &self.mark("secret", secret));
            }
        }
        let text = PAIR.replace_all(&text, |it: &Captures<'_>| {
            let value = &it["value"];
            // The name of a scheme before something that was taken out already.
            if ["bearer", "basic", "dpop"].iter().any(|it| it.eq_ignore_ascii_case(value)) {
                return it[0].to_owned();
            }
            format!("{}{}", &it["name"], self.mark("secret", value))
        });
        let text = TOKEN.replace_all(&text, |it: &Captures<'_>| self.mark("token", &it[0]));
        let text = KEY.replace_all(&text, |it: &Captures<'_>| self.mark("key", &it[0]));
        MAIL.replace_all(&text, |it: &Captures<'_>| self.mark("mail", &it[0])).into_owned()
    }

    /// The same for a JSON value: members with a telling name go as a whole.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|it| self.value(it)).collect(),
            Value::Object(members) => {
                let is_key = members.contains_key("kty");
                let members = members.iter().map(|(name, it)| {
                    let is_telling = is_telling(name) || (is_key && is_private(name));
                    let hidden = match it {
                        Value::String(text) if is_telling && !text.is_empty() => {
                            Value::String(self.mark("secret", text))
                        }
                        other => self.value(other),
                    };
                    (self.text(name), hidden)
                });
                Value::Object(members.collect())
            }
            other => other.clone(),
        }
    }

    /// One header value.
    pub fn header(&self, name: &str, value: &str) -> String {
        match name {
            _ if MARK.is_match(value) => value.to_owned(),
            "authorization" | "proxy-authorization" => match value.split_once(' ') {
                // What stands where a scheme belongs need not be one.
                Some((scheme, rest)) => {
                    format!("{} {}", self.text(scheme), self.mark("secret", rest))
                }
                None => self.mark("secret", value),
            },
            "cookie" | "set-cookie" | "x-api-key" | "dpop" | "x-auth-token" => {
                self.mark("secret", value)
            }
            _ => self.text(value),
        }
    }

    /// A body as text: JSON by its members, JSON lines by line, everything else by pattern.
    pub fn body(&self, bytes: &[u8]) -> (String, bool) {
        let Ok(text) = std::str::from_utf8(bytes) else { return (String::new(), false) };
        let hidden = match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => self.value(&value).to_string(),
            _ if text.trim_start().starts_with('{') => {
                let lines = text.lines().map(|line| match serde_json::from_str::<Value>(line) {
                    Ok(value) => self.value(&value).to_string(),
                    Err(_) => self.text(line),
                });
                lines.collect::<Vec<_>>().join("\n")
            }
            _ => self.text(text),
        };
        if hidden.len() <= TEXT_BYTES_MAX {
            return (hidden, false);
        }
        let end = (0..=TEXT_BYTES_MAX).rev().find(|it| hidden.is_char_boundary(*it));
        (hidden[..end.unwrap_or_default()].to_owned(), true)
    }

    /// What was taken out before stays as it is, so that redacting twice is redacting once.
    fn mark(&self, kind: &str, value: &str) -> String {
        if MARK.is_match(value) {
            return value.to_owned();
        }
        format!("[{kind} {}]", &self.digest(value.as_bytes()).hex()[..16])
    }
}

/// Names of members and form fields whose value opens something.
const TELLING: [&str; 23] = [
    "access_token",
    "api_key",
    "apikey",
    "assertion",
    "authorization",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "cookie",
    "id_token",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "refresh_token",
    "registration_access_token",
    "secret",
    "seed",
    "session",
    "signing_key",
    "subject_token",
    "token",
];

/// Private members of a JSON Web Key (RFC 7518, section 6).
fn is_private(name: &str) -> bool {
    ["d", "dp", "dq", "k", "p", "q", "qi"].contains(&name)
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    TELLING.contains(&name.as_str())
}

/// What stands in the place of something that was taken out.
static MARK: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\A\[(?:key|mail|secret|token) [0-9a-f]{16}\]\z"));
/// `name=value` of a form, query or fragment (packed into another one, too), and the value of an authorization written in running text.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"(?i)(?P<name>(?:^|[^a-z0-9_-]|%(?:23|26|3f))(?:{})["']?\s*(?:[=:]|%3d)\s*["']?(?:(?:bearer|basic|dpop)\s+)?|\b(?:bearer|basic|dpop)\s+)(?P<value>[^\s&;,"'\[\]{{}}]{{6,}})"#,
        TELLING.join("|")
    ))
});
/// A signed or encrypted token in its compact form.
static TOKEN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\beyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){1,4}"));
/// Keys that say what they are.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?s)\bwhs(?:ec|k)_[A-Za-z0-9+/=_-]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    )
});
/// An address of a person.
static MAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"));

#[expect(clippy::expect_used, reason = "a test compiles every one of these patterns")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("patterns are constant")
}

/// Where a transcript shows what looks like a secret, a token or an address of a person.
///
/// Capture took them out; whatever is found here came in another way.
pub fn shown(transcript: &Transcript) -> Vec<String> {
    let redactor = Redactor::new([0; 32], []);
    let mut places = Vec::new();
    for (index, entry) in transcript.entries.iter().enumerate() {
        let mut see = |place: &str, clean: bool| {
            if !clean {
                places.push(format!("entry {index}, {place}"));
            }
        };
        match entry {
            Entry::Exchange(it) => {
                see("request address", redactor.text(&it.request.url) == it.request.url);
                see("request headers", redactor.hides_all(&it.request.headers));
                see("request body", redactor.hides(&it.request.body.text));
                if let Answer::Response { headers, body, .. } = &it.answer {
                    see("answer headers", redactor.hides_all(headers));
                    see("answer body", redactor.hides(&body.text));
                }
            }
            Entry::Fact(it) => see("fact", redactor.value(&it.value) == it.value),
            Entry::Wait(_) => {}
        }
    }
    places
}

impl Redactor {
    fn hides(&self, text: &str) -> bool {
        let (again, _) = self.body(text.as_bytes());
        // White space and the order of members may differ; what matters is what is said.
        again == text
            || serde_json::from_str::<Value>(text)
                .is_ok_and(|it| serde_json::from_str::<Value>(&again).is_ok_and(|two| it == two))
    }

    fn hides_all(&self, headers: &[(String, String)]) -> bool {
        headers.iter().all(|(name, value)| self.header(name, value) == *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redactor() -> Redactor {
        Redactor::new([7; 32], ["hunter2-hunter2"])
    }

    #[test]
    fn what_opens_something_is_taken_out_wherever_it_stands() {
        let jwt = concat!("eyJhbGciOiJFZERTQSJ9", ".eyJzdWIiOiJhIn0", ".c2ln");
        let secret = concat!("s3cr3t", "-value-", "0001");
        let bodies = [
            json!({"access_token": secret, "token_type": "Bearer"}).to_string(),
            json!({"nested": [{"client_secret": secret}]}).to_string(),
            format!("grant_type=x&client_secret={secret}&scope=a"),
            format!("Authorization: Bearer {secret}"),
            format!("the token is {jwt}"),
            "mail lena.fischer@example.com about hunter2-hunter2".to_owned(),
            json!({"keys": [{"kty": "OKP", "x": "public", "d": secret}]}).to_string(),
            format!("{{\"refresh_token\":\"{secret}\"}}\n{{\"token\":\"{secret}\"}}"),
        ];
        for body in bodies {
            let (shown, _) = redactor().body(body.as_bytes());
            for hidden in [secret, jwt, "lena.fischer", "hunter2"] {
                assert!(!shown.contains(hidden), "{body} shows as {shown}");
            }
        }
        assert!(!redactor().header("authorization", &format!("Bearer {secret}")).contains(secret));
        let in_front = redactor().header("authorization", "hunter2-hunter2 and more");
        assert!(!in_front.contains("hunter2"), "{in_front}");
        assert!(!redactor().header("set-cookie", "sid=abc").contains("abc"));
    }

    #[test]
    fn equal_values_stay_equal_and_other_salts_differ() {
        let one = redactor().header("authorization", "Bearer abcdefgh");
        assert_eq!(one, redactor().header("authorization", "Bearer abcdefgh"));
        assert_ne!(one, redactor().header("authorization", "Bearer abcdefgi"));
        assert_ne!(one, Redactor::new([8; 32], []).header("authorization", "Bearer abcdefgh"));
    }

    #[test]
    fn redacting_twice_is_redacting_once() {
        let jwt = concat!("eyJhbGciOiJFZERTQSJ9", ".eyJzdWIiOiJhIn0", ".c2ln");
        let secret = concat!("s3cr3t", "-value-", "0001");
        let bodies = [
            json!({"access_token": secret, "list": [{"client_secret": secret}]}).to_string(),
            format!("grant_type=x&client_secret={secret}&scope=a"),
            format!("Authorization: Bearer {secret}, token {jwt}, mail lena.fischer@example.com"),
            format!("{{\"refresh_token\":\"{secret}\"}}\n{{\"token\":\"{secret}\"}}"),
            format!("{{\"token\":\"{secret}\",\"rest\":\"{}\"}}", "a ".repeat(20_000)),
        ];
        for body in bodies {
            let (once, _) = redactor().body(body.as_bytes());
            assert!(Redactor::new([0; 32], []).hides(&once), "{once}");
            assert!(!Redactor::new([0; 32], []).hides(&body), "{body}");
        }
        for (name, value) in [("authorization", "Bearer abcdefgh"), ("cookie", "sid=1; b=2")] {
            let once = redactor().header(name, value);
            assert_eq!(Redactor::new([0; 32], []).header(name, &once), once);
            let bare = redactor().header(name, "abcdefgh");
            assert_eq!(redactor().header(name, &bare), bare);
        }
    }

    #[test]
    fn ordinary_words_stay() {
        let text = r#"{"scope":"tickets:write","token_type":"Bearer","effect":"unlock-request"}"#;
        let (shown, cut) = redactor().body(text.as_bytes());
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["scope"], "tickets:write");
        assert!(!cut);
        let long = "a ".repeat(20_000);
        assert!(redactor().body(long.as_bytes()).1);
    }
}
