use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::entropy::millibits;
use super::fake::{is_common, is_placeholder, is_wordy};
use super::finding::Weight;

/// A test of what a pattern matched, beyond what a pattern can say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verify {
    /// The password of an address: neither a template nor everybody's example.
    Address,
    /// A value beside a telling name: long, mixed and not words.
    Assignment,
    /// Base64 of a user and a password.
    Basic,
    /// A token whose three parts hold together.
    Jwt,
    /// Nothing more than the pattern: rules of a user's file.
    #[default]
    None,
    /// A password: neither a template nor everybody's example.
    Password,
    /// A body that can be a key.
    Pem,
    /// A value of a known format that is not a placeholder.
    Token,
}

/// What a test says of one match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is known to be harmless, so that no vaguer rule needs to look at it.
    Harmless,
    /// This rule has nothing to say; another may.
    NotThis,
    /// It is a secret.
    Secret(Weight),
}

use Judgement::{Harmless, NotThis, Secret};

impl Verify {
    /// Judges `secret`, found inside `matched`; `now` is in seconds since 1970, if known.
    pub(super) fn judge(
        self,
        matched: &[u8],
        secret: &[u8],
        weight: Weight,
        now: Option<i64>,
    ) -> Judgement {
        match self {
            Self::Token if is_placeholder(secret) => Harmless,
            Self::None | Self::Token => Secret(weight),
            Self::Assignment if is_high_entropy(secret) => Secret(weight),
            Self::Password if is_password(secret) => Secret(weight),
            Self::Assignment | Self::Password => NotThis,
            Self::Address => judge_address(matched, secret, weight),
            Self::Basic => judge_basic(secret, weight),
            Self::Jwt => judge_jwt(secret, now),
            Self::Pem => judge_pem(matched, secret),
        }
    }
}

/// Whether a value assigned to a telling name is random enough to be a secret.
fn is_high_entropy(value: &[u8]) -> bool {
    if !(8..=512).contains(&value.len())
        || is_placeholder(value)
        || is_wordy(value)
        || is_common(value)
    {
        return false;
    }
    if value.windows(3).any(|it| it == b"://") || value.windows(2).any(|it| it == b"::") {
        return false;
    }
    let any = |test: fn(&u8) -> bool| value.iter().any(test);
    let (lower, upper) = (any(u8::is_ascii_lowercase), any(u8::is_ascii_uppercase));
    let (digit, other) = (any(u8::is_ascii_digit), any(|it| !it.is_ascii_alphanumeric()));
    let classes = [lower, upper, digit, other].into_iter().filter(|it| *it).count();
    let entropy = millibits(value);
    let letter = lower || upper;
    if value.iter().all(u8::is_ascii_hexdigit) {
        return letter && digit && 12 <= value.len() && 2700 <= entropy;
    }
    if letter && digit {
        return (12 <= value.len() && 3200 <= entropy) || (3 <= classes && 2700 <= entropy);
    }
    if lower && upper && 20 <= value.len() {
        return 3900 <= entropy;
    }
    lower && other && 3 <= classes && 10 <= value.len() && 3000 <= entropy
}

fn is_password(value: &[u8]) -> bool {
    let code = value.iter().any(|it| b"{}()[]<>".contains(it));
    4 <= value.len() && !code && !is_placeholder(value) && !is_common(value)
}

fn judge_address(matched: &[u8], password: &[u8], weight: Weight) -> Judgement {
    let text = String::from_utf8_lossy(matched);
    let user = text.split_once("://").and_then(|(_, it)| it.split_once(':')).map_or("", |it| it.0);
    let host = text.rsplit_once('@').map_or("", |it| it.1);
    let local = ["localhost", "127.", "0.0.0.0", "[::1]", "host.docker.internal", "example."];
    let only_words = is_wordy(password) && password.iter().all(u8::is_ascii_alphabetic);
    if !is_password(password)
        || user.as_bytes() == password
        || (only_words && local.iter().any(|it| host.starts_with(it)))
        || password.iter().all(|it| it.is_ascii_digit() && password.len() <= 5)
    {
        return NotThis;
    }
    Secret(weight)
}

fn judge_basic(encoded: &[u8], weight: Weight) -> Judgement {
    let plain: Vec<u8> = encoded
        .iter()
        .filter(|it| **it != b'=')
        .map(|it| match it {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    let Ok(decoded) = STANDARD_NO_PAD.decode(&plain) else { return NotThis };
    let Some(at) = decoded.iter().position(|it| *it == b':') else { return NotThis };
    let (user, password) = (decoded.get(..at), decoded.get(at + 1..));
    let printable = std::str::from_utf8(&decoded).is_ok_and(|it| !it.chars().any(char::is_control));
    match (user, password) {
        (Some(user), Some(password)) if printable => {
            if is_password(password) && user != password {
                Secret(weight)
            } else {
                Harmless
            }
        }
        _ => NotThis,
    }
}

fn judge_jwt(token: &[u8], now: Option<i64>) -> Judgement {
    let mut parts = token.split(|it| *it == b'.');
    let mut decode = || parts.next().and_then(|it| URL_SAFE_NO_PAD.decode(it).ok());
    let (Some(header), Some(claims), Some(signature)) = (decode(), decode(), decode()) else {
        return NotThis;
    };
    let Ok(header) = serde_json::from_slice::<Value>(&header) else { return NotThis };
    let Some(algorithm) = header.get("alg").and_then(Value::as_str) else { return NotThis };
    let kind = header.get("typ").and_then(Value::as_str).unwrap_or_default();
    if !could_sign(algorithm, signature.len()) || is_statement(kind) {
        return Harmless;
    }
    let Ok(claims) = serde_json::from_slice::<Value>(&claims) else { return NotThis };
    let says = |claim: &str, value: &str| claims.get(claim).and_then(Value::as_str) == Some(value);
    // The tokens of RFC 7515, RFC 7519 and of the web page that everybody copies from.
    if says("iss", "joe") || says("sub", "1234567890") || says("name", "John Doe") {
        return Harmless;
    }
    let expires = claims.get("exp").and_then(Value::as_i64);
    match (now, expires) {
        (Some(now), Some(expires)) if expires < now => Secret(Weight::Low),
        _ => Secret(Weight::High),
    }
}

/// Whether a token of this type is a signed statement, made to be published, that opens nothing: ours,
/// and those of OpenID Federation 1.0 and Token Status List.
fn is_statement(kind: &str) -> bool {
    let kind = kind.strip_prefix("application/").unwrap_or(kind);
    let known = ["entity-statement+jwt", "statuslist+jwt", "trust-mark+jwt"];
    known.contains(&kind) || (kind.starts_with("countersign-") && kind.ends_with("+jwt"))
}

/// Whether a signature of that many bytes can be one of that algorithm.
fn could_sign(algorithm: &str, bytes: usize) -> bool {
    match algorithm {
        "HS256" => bytes == 32,
        "HS384" => bytes == 48,
        "HS512" | "EdDSA" | "Ed25519" | "ES256" | "ES256K" => bytes == 64,
        "ES384" => bytes == 96,
        "ES512" => bytes == 132,
        "none" => false,
        it if it.starts_with("RS") || it.starts_with("PS") => (128..=1024).contains(&bytes),
        _ => 20 <= bytes,
    }
}

fn judge_pem(matched: &[u8], body: &[u8]) -> Judgement {
    let body = base64_of(body);
    if body.len() < 64 || millibits(&body) < 3500 {
        return Harmless;
    }
    let head = matched.get(..matched.len().min(400)).unwrap_or(matched);
    let encrypted = head.windows(9).any(|it| it == b"ENCRYPTED") || is_encrypted_openssh(&body);
    Secret(if encrypted { Weight::Low } else { Weight::High })
}

/// The base64 of a body that may be quoted, indented, commented or escaped.
pub(super) fn base64_of(body: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(body.len());
    let mut escaped = false;
    for byte in body {
        match byte {
            b'\\' => escaped = true,
            b'n' | b'r' | b't' if escaped => escaped = false,
            it => {
                escaped = false;
                if it.is_ascii_alphanumeric() || b"+/".contains(it) {
                    clean.push(*it);
                }
            }
        }
    }
    clean
}

/// `openssh-key-v1`, NUL, length and name of the cipher, which is `none` for a bare key.
fn is_encrypted_openssh(body: &[u8]) -> bool {
    let Some(Ok(start)) = body.get(..64).map(|it| STANDARD_NO_PAD.decode(it)) else { return false };
    let Some(rest) = start.strip_prefix(b"openssh-key-v1\0\0\0\0") else { return false };
    rest.get(1..5) != Some(b"none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_values_are_told_from_words_and_numbers() {
        for (value, expected) in [
            ("zJ7q9Lk2Wm4Xs8Vb", true),
            ("9c1d0f3ab2e47765", true),
            ("Tr0ub4dor&3", true),
            ("Sup3rS3cret!", true),
            ("hunter22", false),
            ("get_token_from_vault", false),
            ("some-kebab-case-name-v2", false),
            ("https://idp.acme.test/oauth", false),
            ("2024-01-01T00", false),
            ("1234567.89", false),
            ("module::path4", false),
            ("refreshTokenLifetimeInSeconds", false),
        ] {
            assert_eq!(is_high_entropy(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn a_published_statement_is_no_token() {
        for (kind, expected) in [
            ("JWT", Secret(Weight::High)),
            ("at+jwt", Secret(Weight::High)),
            ("trust-mark+jwt", Harmless),
            ("application/statuslist+jwt", Harmless),
            ("countersign-pack+jwt", Harmless),
        ] {
            let header = format!(r#"{{"alg":"EdDSA","typ":"{kind}"}}"#);
            let parts = [header.as_bytes(), br#"{"sub":"svc"}"#, &[7; 64]];
            let token = parts.map(|it| URL_SAFE_NO_PAD.encode(it)).join(".");
            assert_eq!(judge_jwt(token.as_bytes(), None), expected, "{kind}");
        }
    }

    #[test]
    fn an_escaped_body_is_the_same_body() {
        assert_eq!(base64_of(b"AAAA\\nBBBB\n  \"CCCC\" +"), b"AAAABBBBCCCC+");
    }
}
