//! Finds the credentials of an integration of which only a public trace is known: the public half of a
//! key, or the SHA-256 of a shared secret, as platforms keep it.
//!
//! Whatever a private key looks like in a file, its public half can be made from it; so every private
//! key that is found is held against the published ones.

use std::collections::BTreeSet;
use std::ops::Range;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use countersign_seal::{Digest, SigningKey};
use serde_json::Value;

use super::digest::DigestKey;
use super::live_credential::LiveHit;

/// What is known of credentials that nobody handed over.
#[derive(Debug, Clone, Default)]
pub struct KnownCredentials {
    /// Ed25519 keys, points of elliptic curves (x and y) and RSA moduli, as bytes.
    publics: BTreeSet<Vec<u8>>,
    secrets: BTreeSet<Digest>,
}

/// Keys and digests that are looked for; more make no integration.
const KNOWN_MAX: usize = 1_000;
/// The longest text that may be a shared secret.
const SECRET_BYTES_MAX: usize = 512;
const SECRET_BYTES_MIN: usize = 8;

impl KnownCredentials {
    /// Looks for the private halves of the keys in a JSON Web Key Set; says how many it holds.
    pub fn add_keys(&mut self, set: &Value) -> usize {
        let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten();
        let publics: Vec<_> = keys.filter_map(public_of).collect();
        let count = publics.len();
        for public in publics {
            if self.publics.len() < KNOWN_MAX {
                self.publics.insert(public);
            }
        }
        count
    }

    /// Looks for the shared secret with this SHA-256.
    pub fn add_secret(&mut self, digest: Digest) {
        if self.secrets.len() < KNOWN_MAX {
            self.secrets.insert(digest);
        }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.publics.is_empty() && self.secrets.is_empty()
    }

    /// Where the private half of a known key, or a secret with a known digest, is in `text`.
    pub(super) fn find(&self, key: &DigestKey, text: &[u8]) -> Vec<LiveHit> {
        let mut hits = Vec::new();
        if !self.publics.is_empty() {
            self.find_pem(key, text, &mut hits);
        }
        for word in words(text) {
            let Some(bytes) = text.get(word.clone()) else { continue };
            if let Some(credential) = self.known(key, bytes, text, &word) {
                hits.push(LiveHit { range: word, credential });
            }
        }
        hits
    }

    fn known(
        &self,
        key: &DigestKey,
        word: &[u8],
        text: &[u8],
        place: &Range<usize>,
    ) -> Option<super::KeyedDigest> {
        if !self.publics.is_empty() {
            let public = seeds_of(word).iter().find_map(|it| self.public_from(it));
            let public = public.or_else(|| self.modulus_beside(text, place));
            if let Some(public) = public {
                return Some(key.digest(public));
            }
        }
        if self.secrets.is_empty() {
            return None;
        }
        // `user:password` in base64 is how a client secret travels.
        let decoded = STANDARD_NO_PAD.decode(without_signs(word)).unwrap_or_default();
        let behind = decoded.splitn(2, |it| *it == b':').nth(1).unwrap_or_default();
        let candidates = [word, &decoded, behind].into_iter();
        let fitting =
            candidates.filter(|it| (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&it.len()));
        fitting
            .map(Digest::of)
            .find(|it| self.secrets.contains(it))
            .map(|it| key.digest(it.as_bytes()))
    }

    /// The known public key that grows from these 32 private bytes.
    fn public_from(&self, seed: &[u8; 32]) -> Option<&[u8]> {
        let edwards = SigningKey::from_seed(*seed).public();
        let known = |bytes: &[u8]| self.publics.get(bytes).map(Vec::as_slice);
        known(edwards.as_bytes()).or_else(|| {
            let scalar = PrivateKey::from_private_key(&ECDH_P256, seed).ok()?;
            let point = scalar.compute_public_key().ok()?;
            known(point.as_ref().get(1..)?)
        })
    }

    /// The private exponent of an RSA key as a JSON Web Key stands beside the modulus.
    fn modulus_beside(&self, text: &[u8], place: &Range<usize>) -> Option<&[u8]> {
        if place.len() < RSA_LETTERS_MIN {
            return None;
        }
        let start = memchr::memrchr(b'{', text.get(..place.start)?)?;
        let end = place.end + memchr::memchr(b'}', text.get(place.end..)?)?;
        let object: Value = serde_json::from_slice(text.get(start..=end)?).ok()?;
        let is_private = object.get("d")?.as_str()?.as_bytes() == text.get(place.clone())?;
        let modulus = URL_SAFE_NO_PAD.decode(object.get("n")?.as_str()?).ok()?;
        is_private.then(|| self.publics.get(&modulus).map(Vec::as_slice)).flatten()
    }

    /// Private keys as PEM: the public half stands in them, or grows from the octets inside.
    fn find_pem(&self, key: &DigestKey, text: &[u8], hits: &mut Vec<LiveHit>) {
        for at in memchr::memmem::find_iter(text, PEM_MARK) {
            let head = text.get(at.saturating_sub(PEM_LABEL_BYTES_MAX)..at).unwrap_or_default();
            if memchr::memmem::rfind(head, b"-----BEGIN").is_none() {
                continue;
            }
            let start = at + PEM_MARK.len();
            let Some(rest) = text.get(start..) else { continue };
            let rest = rest.get(..PEM_BYTES_MAX).unwrap_or(rest);
            let Some(length) = memchr::memmem::find(rest, b"-----END") else { continue };
            let body = start..start + length;
            let Some(der) = text.get(body.clone()).and_then(decode_pem) else { continue };
            let octets = der.windows(34).filter_map(|it| it.strip_prefix(&[4, 32]));
            let grown =
                octets.filter_map(|it| it.try_into().ok()).find_map(|it| self.public_from(it));
            let stands = || {
                let held = |it: &&Vec<u8>| memchr::memmem::find(&der, it).is_some();
                self.publics.iter().find(held).map(Vec::as_slice)
            };
            if let Some(public) = grown.or_else(stands) {
                hits.push(LiveHit { range: body, credential: key.digest(public) });
            }
        }
    }
}

const PEM_MARK: &[u8] = b"PRIVATE KEY-----";
const PEM_LABEL_BYTES_MAX: usize = 40;
const PEM_BYTES_MAX: usize = 24_000;
/// The private exponent of an RSA key of 2048 bits has 342 letters.
const RSA_LETTERS_MIN: usize = 300;

/// What is public in a JSON Web Key; nothing in one of a kind that has no public half.
fn public_of(key: &Value) -> Option<Vec<u8>> {
    let member = |name: &str| URL_SAFE_NO_PAD.decode(key.get(name)?.as_str()?).ok();
    match key.get("kty")?.as_str()? {
        "EC" => Some([member("x")?, member("y")?].concat()),
        "OKP" => member("x"),
        "RSA" => member("n"),
        _ => None,
    }
    .filter(|it| 32 <= it.len())
}

/// The 32 bytes that a word may stand for: hexadecimal digits, base64, or base64 of seed and public key.
fn seeds_of(word: &[u8]) -> Vec<[u8; 32]> {
    let bare = without_signs(word.strip_prefix(b"whsk_").unwrap_or(word));
    let decoded = match bare.len() {
        64 if bare.iter().all(u8::is_ascii_hexdigit) => from_hex(bare),
        43 | 86 => STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok(),
        _ => None,
    };
    let first = decoded.and_then(|it| it.first_chunk::<32>().copied());
    first.into_iter().collect()
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |it: u8| char::from(it).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let pair = |it: &[u8]| Some(digit(*it.first()?)? << 4 | digit(*it.get(1)?)?);
    digits.chunks(2).map(pair).collect()
}

/// The bytes of a PEM body, which may be quoted, indented or escaped.
fn decode_pem(body: &[u8]) -> Option<Vec<u8>> {
    let letters = super::verify::base64_of(body);
    STANDARD_NO_PAD.decode(letters).ok()
}

/// Runs of the letters that credentials are written with, with base64's own signs at the end.
fn words(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let is_letter = |it: &u8| it.is_ascii_alphanumeric() || b"+/_-.~".contains(it);
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let start = at + rest.iter().position(is_letter)?;
            let rest = text.get(start..)?;
            let letters = rest.iter().position(|it| !is_letter(it)).unwrap_or(rest.len());
            let signs = rest.iter().skip(letters).take(2).take_while(|it| **it == b'=').count();
            let end = start + letters + signs;
            at = end.max(start + 1);
            if SECRET_BYTES_MIN <= end - start {
                return Some(start..end);
            }
        }
    })
}

fn without_signs(word: &[u8]) -> &[u8] {
    let end = word.iter().rposition(|it| *it != b'=').map_or(0, |it| it + 1);
    word.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    fn pem(label: &str, der: &[u8], line_end: &str) -> String {
        let body = STANDARD.encode(der);
        let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let body = lines.join(line_end);
        format!("-----BEGIN {label}-----{line_end}{body}{line_end}-----END {label}-----")
    }

    fn finds(known: &KnownCredentials, text: &str) -> usize {
        known.find(&DigestKey::new(b"key"), text.as_bytes()).len()
    }

    #[test]
    fn the_private_half_of_a_published_key_is_known_in_every_form() {
        let seed: [u8; 32] = *Digest::of(b"a live key").as_bytes();
        let public = SigningKey::from_seed(seed).public();
        let mut known = KnownCredentials::default();
        assert_eq!(known.add_keys(&json!({"keys": [public.to_jwk(), {"kty": "oct"}]})), 1);
        let label = ["PRIVATE", "KEY"].join(" ");
        let head = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        let der = |seed: &[u8]| [&head[..], seed].concat();
        let hex = Digest::from_bytes(seed).hex();
        let d = URL_SAFE_NO_PAD.encode(seed);
        let both = [&seed[..], public.as_bytes()].concat();
        for (what, text) in [
            ("PEM", pem(&label, &der(&seed), "\n")),
            ("PEM in JSON", format!("{{\"key\": \"{}\"}}", pem(&label, &der(&seed), "\\n"))),
            ("JSON Web Key", format!("{{\"kty\":\"OKP\",\"d\":\"{d}\"}}")),
            ("base64", format!("KEY={}", STANDARD.encode(seed))),
            ("hexadecimal digits", format!("key: {hex}")),
            ("capital digits", format!("key: {}", hex.to_uppercase())),
            ("webhook key", format!("whsk_{}", STANDARD.encode(&both))),
            (
                "OpenSSH",
                pem(
                    &["OPENSSH", &label].join(" "),
                    &[b"openssh-key-v1\0", &both[..]].concat(),
                    "\n",
                ),
            ),
        ] {
            assert_eq!(finds(&known, &text), 1, "{what}: {text}");
        }
        let other = *Digest::of(b"another").as_bytes();
        for (what, text) in [
            ("another key", pem(&label, &der(&other), "\n")),
            ("the public half", public.to_jwk().to_string()),
            ("a digest", Digest::of(b"x").to_string()),
        ] {
            assert_eq!(finds(&known, &text), 0, "{what}: {text}");
        }
    }

    #[test]
    fn keys_of_other_kinds_are_known_too() {
        let curve = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = curve.public_key().as_ref().to_vec();
        let word = |it: &[u8]| URL_SAFE_NO_PAD.encode(it);
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
        // RFC 8017, appendix A.1.1: it ends with the modulus and the exponent 65537 in five bytes.
        let public = rsa.public_key().as_ref();
        let modulus = public[public.len() - 5 - 256..public.len() - 5].to_vec();
        let mut known = KnownCredentials::default();
        let keys = json!({"keys": [
            {"kty": "EC", "crv": "P-256", "x": word(&point[1..33]), "y": word(&point[33..])},
            {"kty": "RSA", "n": word(&modulus), "e": "AQAB"},
        ]});
        assert_eq!(known.add_keys(&keys), 2);
        let label = ["PRIVATE", "KEY"].join(" ");
        let sec1: EcPrivateKeyRfc5915Der<'_> = curve.private_key().as_der().unwrap();
        let exponent = "A".repeat(342);
        for text in [
            pem(&["EC", &label].join(" "), sec1.as_ref(), "\r\n"),
            pem(&label, pkcs8.as_ref(), "\n"),
            json!({"kty": "RSA", "n": word(&modulus), "d": exponent}).to_string(),
        ] {
            assert_eq!(finds(&known, &text), 1, "{text}");
        }
        assert_eq!(finds(&known, &keys.to_string()), 0);
    }

    #[test]
    fn a_shared_secret_is_known_by_its_digest() {
        let secret = ["correct-horse", "battery"].join(".");
        let mut known = KnownCredentials::default();
        known.add_secret(Digest::of(secret.as_bytes()));
        for text in [
            format!("client_secret={secret}&x=1"),
            format!("x: \"{secret}\""),
            format!("Basic {}", STANDARD.encode(format!("acme:{secret}"))),
            STANDARD.encode(&secret),
        ] {
            assert_eq!(finds(&known, &text), 1, "{text}");
        }
        assert_eq!(finds(&known, "correct-horse.batterz and nothing else"), 0);
    }
}
