//! Signed tokens: ours with EdDSA, other people's with EdDSA, ES256 or RS256.
//!
//! The algorithm follows from the key, never from the token; time is checked by its own function.
//!
//! Source: RFC 7515, RFC 7519, RFC 8725.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::encoding::{base64url_decode, base64url_encode};
use crate::json;
pub use crate::jwk::{JwkError, VerifyingKey, parse_set};
use crate::key::SigningKey;

/// Signs `claims` as a compact token.
pub fn sign(
    typ: &str,
    kid: &str,
    claims: &impl Serialize,
    key: &SigningKey,
) -> Result<String, serde_json::Error> {
    let header = json!({"alg": "EdDSA", "typ": typ, "kid": kid});
    let header = base64url_encode(header.to_string().as_bytes());
    let claims = base64url_encode(&serde_json::to_vec(claims)?);
    let input = format!("{header}.{claims}");
    let signature = base64url_encode(&key.sign(input.as_bytes()));
    Ok(format!("{input}.{signature}"))
}

/// What the caller demands of a token beside its signature.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expect<'a> {
    /// The header's `typ`, with or without `application/`.
    pub typ: Option<&'a str>,
    /// The claim `iss`, exactly.
    pub issuer: Option<&'a str>,
    /// What the claim `aud` is or contains.
    pub audience: Option<&'a str>,
}

/// A token whose signature and expectations hold; its times are not checked yet.
///
/// [`verify`] is its only source.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "the times of a token are checked by `check_times`"]
pub struct Verified {
    /// The protected header.
    pub header: Header,
    /// The claims.
    pub claims: Value,
}

/// The header of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The algorithm that the token names.
    pub alg: String,
    /// The kind of token.
    pub typ: Option<String>,
    /// The name of the key.
    pub kid: Option<String>,
    /// All members as they were sent.
    pub members: Map<String, Value>,
}

/// Verifies a compact token against the keys of its issuer.
///
/// A token that names a `kid` is tried only with keys of that name or without one.
pub fn verify(
    token: &str,
    keys: &[VerifyingKey],
    expect: Expect<'_>,
) -> Result<Verified, JwtError> {
    let parts = Parts::split(token)?;
    let header = parts.header()?;
    if header.members.contains_key("crit") {
        return Err(JwtError::CriticalExtension);
    }
    if !ALGORITHMS.contains(&header.alg.as_str()) {
        return Err(JwtError::AlgorithmRefused { alg: header.alg });
    }
    let named: Vec<&VerifyingKey> =
        keys.iter().filter(|key| key.kid().is_none() || names(&header, key)).collect();
    if named.is_empty() {
        return Err(JwtError::UnknownKey);
    }
    let mut candidates =
        named.into_iter().filter(|it| it.algorithm() == header.alg).take(KEYS_TRIED_MAX).peekable();
    if candidates.peek().is_none() {
        return Err(JwtError::AlgorithmRefused { alg: header.alg });
    }
    if !candidates.any(|key| key.verifies(parts.input.as_bytes(), &parts.signature)) {
        return Err(JwtError::BadSignature);
    }
    let claims = json::parse(&parts.claims).map_err(|_| JwtError::Malformed)?;
    if !claims.is_object() {
        return Err(JwtError::Malformed);
    }
    check_expectations(&header, &claims, expect)?;
    Ok(Verified { header, claims })
}

/// Reads the header of a token that nobody verified: only to look up its key.
pub fn unverified_header(token: &str) -> Result<Header, JwtError> {
    Parts::split(token)?.header()
}

/// Checks `exp`, `nbf` and `iat`, where present, at `now_seconds` with `skew_seconds` of leeway.
///
/// Whether `exp` must be there is the caller's decision: some kinds of token never carry it.
pub fn check_times(claims: &Value, now_seconds: i64, skew_seconds: i64) -> Result<(), TimeError> {
    let early = now_seconds.saturating_sub(skew_seconds);
    let late = now_seconds.saturating_add(skew_seconds);
    if let Some(exp) = moment(claims, "exp")?
        && exp <= early
    {
        return Err(TimeError::Expired { exp });
    }
    for claim in ["nbf", "iat"] {
        if let Some(from) = moment(claims, claim)?
            && late < from
        {
            return Err(TimeError::NotYetValid { claim, from });
        }
    }
    Ok(())
}

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// An algorithm that is refused always, or that does not belong to the key.
    #[error("token names the algorithm `{alg}`, which its key does not use")]
    AlgorithmRefused {
        /// The algorithm that the token names.
        alg: String,
    },
    /// No key of the issuer made this signature.
    #[error("token's signature does not verify")]
    BadSignature,
    /// The token demands an extension.
    #[error("token carries `crit`, and no extension is understood")]
    CriticalExtension,
    /// Not a compact token, or a member stands twice.
    #[error("not a signed token")]
    Malformed,
    /// The token is beyond its limit.
    #[error("token is longer than {TOKEN_BYTES_MAX} bytes")]
    TooLarge,
    /// The issuer has no key of that name.
    #[error("token names a key that its issuer does not publish")]
    UnknownKey,
    /// A claim or the kind of token is not the expected one.
    #[error("token's `{member}` is not the expected one")]
    Unexpected {
        /// The member.
        member: &'static str,
    },
}

/// Why a token is not valid at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Its end has passed.
    #[error("token expired at {exp}")]
    Expired {
        /// Its end, in seconds since 1970.
        exp: i64,
    },
    /// A time that is not a number.
    #[error("token's `{claim}` is not a number of seconds")]
    Malformed {
        /// The claim.
        claim: &'static str,
    },
    /// It lies in the future.
    #[error("token's `{claim}` is in the future: {from}")]
    NotYetValid {
        /// The claim.
        claim: &'static str,
        /// From when, in seconds since 1970.
        from: i64,
    },
}

struct Parts<'a> {
    input: &'a str,
    header: Vec<u8>,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, JwtError> {
        if TOKEN_BYTES_MAX < token.len() {
            return Err(JwtError::TooLarge);
        }
        let (input, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, claims) = input.split_once('.').ok_or(JwtError::Malformed)?;
        let decode = |part| base64url_decode(part).ok_or(JwtError::Malformed);
        Ok(Self {
            input,
            header: decode(header)?,
            claims: decode(claims)?,
            signature: decode(signature)?,
        })
    }

    fn header(&self) -> Result<Header, JwtError> {
        let Ok(Value::Object(members)) = json::parse(&self.header) else {
            return Err(JwtError::Malformed);
        };
        let text = |name| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(JwtError::Malformed),
        };
        let alg = text("alg")?.ok_or(JwtError::Malformed)?;
        Ok(Header { alg, typ: text("typ")?, kid: text("kid")?, members })
    }
}

fn names(header: &Header, key: &VerifyingKey) -> bool {
    header.kid.as_deref().is_none_or(|kid| key.kid() == Some(kid))
}

fn check_expectations(header: &Header, claims: &Value, expect: Expect<'_>) -> Result<(), JwtError> {
    if let Some(typ) = expect.typ
        && !header.typ.as_deref().is_some_and(|it| same_type(it, typ))
    {
        return Err(JwtError::Unexpected { member: "typ" });
    }
    if let Some(issuer) = expect.issuer
        && claims.get("iss").and_then(Value::as_str) != Some(issuer)
    {
        return Err(JwtError::Unexpected { member: "iss" });
    }
    let Some(audience) = expect.audience else { return Ok(()) };
    match claims.get("aud") {
        Some(Value::String(one)) if one == audience => Ok(()),
        Some(Value::Array(several)) if several.iter().any(|it| it == audience) => Ok(()),
        _ => Err(JwtError::Unexpected { member: "aud" }),
    }
}

/// Media types compare without case, and `application/` may be left out (RFC 7515, 4.1.9).
fn same_type(one: &str, other: &str) -> bool {
    let bare = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.strip_prefix("application/").map_or(text.clone(), str::to_owned)
    };
    bare(one) == bare(other)
}

/// A NumericDate, rounded towards the past.
fn moment(claims: &Value, claim: &'static str) -> Result<Option<i64>, TimeError> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    if let Some(seconds) = value.as_i64() {
        return Ok(Some(seconds));
    }
    match value.as_f64() {
        Some(seconds) if seconds.abs() < SECONDS_MAX => {
            #[expect(clippy::cast_possible_truncation, reason = "bounded by the line above")]
            let whole = seconds.floor() as i64;
            Ok(Some(whole))
        }
        _ => Err(TimeError::Malformed { claim }),
    }
}

const ALGORITHMS: [&str; 3] = ["EdDSA", "ES256", "RS256"];
const TOKEN_BYTES_MAX: usize = 16 * 1024;
const KEYS_TRIED_MAX: usize = 64;
/// 2^53: beyond it a double is no longer exact.
const SECONDS_MAX: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> SigningKey {
        SigningKey::from_seed([number; 32])
    }

    fn forged(header: &str, claims: &str, key: &SigningKey) -> String {
        let input = [header, claims].map(|it| base64url_encode(it.as_bytes())).join(".");
        format!("{input}.{}", base64url_encode(&key.sign(input.as_bytes())))
    }

    #[test]
    fn a_token_of_ours_verifies() {
        let token = sign("a+jwt", "k", &json!({"iss": "i", "aud": ["x", "y"]}), &key(1)).unwrap();
        let keys = [
            VerifyingKey::ed25519(key(2).public()),
            VerifyingKey::ed25519(key(1).public()).named("k"),
        ];
        let expect =
            Expect { typ: Some("application/A+jwt"), issuer: Some("i"), audience: Some("y") };
        let verified = verify(&token, &keys, expect).unwrap();
        assert_eq!(verified.header.kid.as_deref(), Some("k"));
        assert_eq!(verified.claims["iss"], "i");
        for (member, expect) in [
            ("typ", Expect { typ: Some("b+jwt"), ..expect }),
            ("iss", Expect { issuer: Some("j"), ..expect }),
            ("aud", Expect { audience: Some("z"), ..expect }),
        ] {
            assert_eq!(verify(&token, &keys, expect), Err(JwtError::Unexpected { member }));
        }
    }

    #[test]
    fn hostile_headers_and_claims_are_refused() {
        let trusted = [VerifyingKey::ed25519(key(1).public()).named("k")];
        let refused = |alg: &str| JwtError::AlgorithmRefused { alg: alg.to_owned() };
        let table = [
            (r#"{"alg":"none"}"#, "{}", refused("none")),
            (r#"{"alg":"None","kid":"k"}"#, "{}", refused("None")),
            (r#"{"alg":"HS256","kid":"k"}"#, "{}", refused("HS256")),
            (r#"{"alg":"ES256","kid":"k"}"#, "{}", refused("ES256")),
            (r#"{"alg":"RS256","kid":"k"}"#, "{}", refused("RS256")),
            (r#"{"alg":"EdDSA","kid":"other"}"#, "{}", JwtError::UnknownKey),
            (r#"{"alg":"EdDSA","crit":["x"],"x":1}"#, "{}", JwtError::CriticalExtension),
            (r#"{"alg":"EdDSA","crit":[]}"#, "{}", JwtError::CriticalExtension),
            (r#"{"alg":"EdDSA","alg":"none"}"#, "{}", JwtError::Malformed),
            (r#"{"alg":"EdDSA","kid":1}"#, "{}", JwtError::Malformed),
            (r#"{"alg":"EdDSA"}"#, r#"{"a":1,"a":2}"#, JwtError::Malformed),
            (r#"{"alg":"EdDSA"}"#, r#"{"a":{"b":1,"b":2}}"#, JwtError::Malformed),
            (r#"{"alg":"EdDSA"}"#, "[]", JwtError::Malformed),
            ("{}", "{}", JwtError::Malformed),
        ];
        for (header, claims, expected) in table {
            let token = forged(header, claims, &key(1));
            let got = verify(&token, &trusted, Expect::default());
            assert_eq!(got, Err(expected), "{header} {claims}");
        }
        let fine = forged(r#"{"alg":"EdDSA"}"#, "{}", &key(1));
        assert!(verify(&fine, &trusted, Expect::default()).is_ok(), "the positive control");
        assert_eq!(verify(&fine, &[], Expect::default()), Err(JwtError::UnknownKey));
        let other = forged(r#"{"alg":"EdDSA"}"#, "{}", &key(2));
        assert_eq!(verify(&other, &trusted, Expect::default()), Err(JwtError::BadSignature));
    }

    #[test]
    fn texts_that_are_no_tokens_are_refused() {
        let fine = forged(r#"{"alg":"EdDSA"}"#, "{}", &key(1));
        let trusted = [VerifyingKey::ed25519(key(1).public())];
        for token in [
            "",
            ".",
            "..",
            "...",
            "a.b.c",
            "e30.e30.",
            &format!("{fine}."),
            &format!("{fine}="),
            &format!(" {fine}"),
            &fine.replace('.', ".."),
        ] {
            assert_eq!(
                verify(token, &trusted, Expect::default()),
                Err(JwtError::Malformed),
                "{token}"
            );
        }
        let long = "a".repeat(TOKEN_BYTES_MAX + 1);
        assert_eq!(verify(&long, &trusted, Expect::default()), Err(JwtError::TooLarge));
    }

    #[test]
    fn times_are_checked_to_the_second() {
        let table = [
            (json!({}), Ok(())),
            (json!({"exp": 101, "nbf": 100, "iat": 100}), Ok(())),
            (json!({"exp": 100}), Err(TimeError::Expired { exp: 100 })),
            (json!({"exp": 100.9}), Err(TimeError::Expired { exp: 100 })),
            (json!({"nbf": 101}), Err(TimeError::NotYetValid { claim: "nbf", from: 101 })),
            (json!({"iat": 101}), Err(TimeError::NotYetValid { claim: "iat", from: 101 })),
            (json!({"exp": "101"}), Err(TimeError::Malformed { claim: "exp" })),
            (json!({"exp": null}), Err(TimeError::Malformed { claim: "exp" })),
            (json!({"exp": 1e300}), Err(TimeError::Malformed { claim: "exp" })),
        ];
        for (claims, expected) in table {
            assert_eq!(check_times(&claims, 100, 0), expected, "{claims}");
        }
        assert_eq!(check_times(&json!({"exp": 91, "nbf": 110}), 100, 10), Ok(()));
        assert!(check_times(&json!({"exp": 90}), 100, 10).is_err());
    }
}
