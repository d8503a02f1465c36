//! Finds an integration's own live credentials without holding them.
//!
//! Of every credential, and of every way in which it is commonly written, only a length, a few bits of
//! a keyed rolling hash and a keyed digest are kept. A text is passed over once with the rolling hash;
//! where its bits agree, the digest of the bytes in question decides.

use std::collections::HashMap;
use std::ops::Range;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::digest::{DigestKey, KeyedDigest};

/// One way in which one live credential may be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveFingerprint {
    /// The keyed digest of the credential itself, by which it is named.
    pub credential: KeyedDigest,
    /// How it is written.
    pub form: LiveForm,
    /// How many bytes it is long in this form.
    pub length: usize,
    /// Some bits of the keyed rolling hash of the first bytes.
    prefilter: u32,
    /// The keyed digest of the whole form.
    digest: KeyedDigest,
}

/// How a credential is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LiveForm {
    /// In base64, alone or inside something longer such as `user:password`.
    Base64,
    /// In base64url, alone or inside something longer.
    Base64Url,
    /// With escapes, as inside a JSON text.
    Escaped,
    /// In hexadecimal digits.
    Hex,
    /// With percent signs, as inside an address.
    Percent,
    /// As it is.
    Raw,
}

/// A credential that cannot be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LiveCredentialError {
    /// So long that it would not fit into the overlap of two pieces of a stream.
    #[error("credential {index} is longer than {LENGTH_MAX} bytes")]
    TooLong {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// So short that it would be found by chance.
    #[error("credential {index} is shorter than {LENGTH_MIN} bytes")]
    TooShort {
        /// Its place in the list, from 0.
        index: usize,
    },
}

/// The shortest credential that is looked for, in bytes.
pub(super) const LENGTH_MIN: usize = 8;
/// The longest credential that is looked for, in bytes.
pub(super) const LENGTH_MAX: usize = 8192;

/// The live credentials of an integration, as fingerprints.
#[derive(Debug, Clone)]
pub struct LiveCredentials {
    key: DigestKey,
    fingerprints: Vec<LiveFingerprint>,
    tables: Vec<Table>,
}

/// A live credential in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LiveHit {
    pub(super) range: Range<usize>,
    pub(super) credential: KeyedDigest,
}

impl LiveHit {
    pub(super) fn overlaps(&self, range: &Range<usize>) -> bool {
        self.range.start < range.end && range.start < self.range.end
    }
}

impl LiveCredentials {
    /// Looks for these credentials, which are not kept.
    pub fn new(key: &DigestKey, credentials: &[&[u8]]) -> Result<Self, LiveCredentialError> {
        let mut fingerprints = Vec::new();
        for (index, credential) in credentials.iter().enumerate() {
            if credential.len() < LENGTH_MIN {
                return Err(LiveCredentialError::TooShort { index });
            }
            if LENGTH_MAX < credential.len() {
                return Err(LiveCredentialError::TooLong { index });
            }
            fingerprints.extend(fingerprints_of(key, credential));
        }
        Ok(Self::from_fingerprints(key, &fingerprints))
    }

    /// Looks for credentials of which only fingerprints under this key are at hand.
    pub fn from_fingerprints(key: &DigestKey, fingerprints: &[LiveFingerprint]) -> Self {
        let hash = RollingHash::new(key);
        let fits = |it: &&LiveFingerprint| (LENGTH_MIN..=FORM_LENGTH_MAX).contains(&it.length);
        let fingerprints: Vec<_> = fingerprints.iter().filter(fits).cloned().collect();
        let tables = WINDOWS
            .into_iter()
            .map(|width| Table::new(hash, width, &fingerprints))
            .filter(|it| !it.forms.is_empty())
            .collect();
        Self { key: key.clone(), fingerprints, tables }
    }

    /// What may be stored to look for the same credentials later.
    pub fn fingerprints(&self) -> &[LiveFingerprint] {
        &self.fingerprints
    }

    /// Where live credentials are in `text`; of overlapping places only the first and longest.
    pub(super) fn find(&self, text: &[u8]) -> Vec<LiveHit> {
        let mut hits = Vec::new();
        for table in &self.tables {
            table.pass_over(text, |start, form| {
                let Some(fingerprint) = self.fingerprints.get(form) else { return };
                let range = start..start.saturating_add(fingerprint.length);
                let Some(bytes) = text.get(range.clone()) else { return };
                if self.key.digest_for(FORM, bytes) == fingerprint.digest && hits.len() < HITS_MAX {
                    hits.push(LiveHit { range, credential: fingerprint.credential });
                }
            });
        }
        hits.sort_by_key(|it| (it.range.start, usize::MAX - it.range.end));
        let mut end = 0;
        hits.retain(|it| {
            let is_apart = end <= it.range.start;
            end = if is_apart { it.range.end } else { end };
            is_apart
        });
        hits
    }
}

/// Live credentials that one piece of text may hold; more are not worth telling apart.
const HITS_MAX: usize = 10_000;
const FORM: &str = "live form";
/// Escapes make a credential at most so much longer.
const FORM_LENGTH_MAX: usize = LENGTH_MAX * 6;

fn fingerprints_of(key: &DigestKey, credential: &[u8]) -> Vec<LiveFingerprint> {
    let hash = RollingHash::new(key);
    let named = key.digest(credential);
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut fingerprints = Vec::new();
    for (form, written) in forms_of(credential) {
        if written.len() < LENGTH_MIN || seen.contains(&written) {
            continue;
        }
        fingerprints.push(LiveFingerprint {
            credential: named,
            form,
            length: written.len(),
            prefilter: hash.prefilter(written.get(..window_of(written.len())).unwrap_or_default()),
            digest: key.digest_for(FORM, &written),
        });
        seen.push(written);
    }
    fingerprints
}

fn forms_of(credential: &[u8]) -> Vec<(LiveForm, Vec<u8>)> {
    let hex = |digits: &[u8; 16]| -> Vec<u8> {
        let digit = |it: u8| digits.get(usize::from(it)).copied().unwrap_or(b'0');
        credential.iter().flat_map(|it| [digit(it >> 4), digit(it & 15)]).collect()
    };
    let mut forms = vec![
        (LiveForm::Raw, credential.to_vec()),
        (LiveForm::Hex, hex(b"0123456789abcdef")),
        (LiveForm::Hex, hex(b"0123456789ABCDEF")),
        (LiveForm::Percent, percent(credential, b"0123456789ABCDEF")),
        (LiveForm::Percent, percent(credential, b"0123456789abcdef")),
        (LiveForm::Escaped, escaped(credential, b"")),
        (LiveForm::Escaped, escaped(credential, b"/")),
        (LiveForm::Escaped, escaped(credential, b"<>&")),
    ];
    for shift in 0..3 {
        forms.push((LiveForm::Base64, core(&STANDARD_NO_PAD, credential, shift)));
        forms.push((LiveForm::Base64Url, core(&URL_SAFE_NO_PAD, credential, shift)));
    }
    forms
}

/// The part of the base64 of something longer that depends on the credential alone, if `shift` bytes
/// (modulo three) stand before it.
fn core(engine: &impl base64::Engine, credential: &[u8], shift: usize) -> Vec<u8> {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(credential);
    let from = (shift * 8).div_ceil(6);
    let to = padded.len() * 8 / 6;
    engine.encode(padded).into_bytes().get(from..to).unwrap_or_default().to_vec()
}

fn percent(credential: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    let digit = |it: u8| digits.get(usize::from(it)).copied().unwrap_or(b'0');
    let mut written = Vec::with_capacity(credential.len() * 3);
    for byte in credential {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            written.push(*byte);
        } else {
            written.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    written
}

/// As JSON writes it, and where some writers escape more: slashes, or what a page could mistake.
fn escaped(credential: &[u8], more: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(credential.len());
    for byte in credential {
        match byte {
            b'\n' => written.extend(b"\\n"),
            b'\r' => written.extend(b"\\r"),
            b'\t' => written.extend(b"\\t"),
            b'"' | b'\\' => written.extend([b'\\', *byte]),
            b'/' if more.contains(byte) => written.extend(b"\\/"),
            it if more.contains(it) => written.extend(format!("\\u{it:04x}").bytes()),
            other => written.push(*other),
        }
    }
    written
}

/// How many first bytes of a form the rolling hash sees.
const WINDOWS: [usize; 2] = [16, 8];

fn window_of(length: usize) -> usize {
    if length < 16 { 8 } else { 16 }
}

/// A polynomial hash whose base is derived from the key, so that its values tell nothing without it.
#[derive(Debug, Clone, Copy)]
struct RollingHash {
    base: u64,
}

impl RollingHash {
    const BITS: u32 = 18;

    fn new(key: &DigestKey) -> Self {
        Self { base: key.digest_for("rolling hash", &[]).number() | 1 }
    }

    fn value(self, bytes: &[u8]) -> u64 {
        bytes.iter().fold(0, |sum, it| self.push(sum, *it))
    }

    fn push(self, sum: u64, byte: u8) -> u64 {
        sum.wrapping_mul(self.base).wrapping_add(u64::from(byte) + 1)
    }

    /// The few bits that are kept: enough to rule out nearly every place, too few to guess from.
    fn prefilter(self, bytes: &[u8]) -> u32 {
        Self::fold(self.value(bytes))
    }

    fn fold(value: u64) -> u32 {
        (value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - Self::BITS)) as u32
    }
}

/// The forms that share one window width.
#[derive(Debug, Clone)]
struct Table {
    hash: RollingHash,
    width: usize,
    /// What a byte that leaves the window weighs.
    power: u64,
    /// One bit for each value of the prefilter.
    bits: Vec<u64>,
    forms: HashMap<u32, Vec<usize>>,
}

impl Table {
    fn new(hash: RollingHash, width: usize, fingerprints: &[LiveFingerprint]) -> Self {
        let power = (1..width).fold(1, |power: u64, _| power.wrapping_mul(hash.base));
        let mut bits = vec![0_u64; (1 << RollingHash::BITS) / 64];
        let mut forms: HashMap<u32, Vec<usize>> = HashMap::new();
        for (index, it) in fingerprints.iter().enumerate() {
            if window_of(it.length) == width {
                if let Some(word) = bits.get_mut((it.prefilter / 64) as usize) {
                    *word |= 1 << (it.prefilter % 64);
                }
                forms.entry(it.prefilter).or_default().push(index);
            }
        }
        Self { hash, width, power, bits, forms }
    }

    /// Calls `each` with every place and form whose prefilter agrees.
    fn pass_over(&self, text: &[u8], mut each: impl FnMut(usize, usize)) {
        let (Some(first), Some(rest)) = (text.get(..self.width), text.get(self.width..)) else {
            return;
        };
        let mut value = self.hash.value(first);
        self.ask(value, 0, &mut each);
        for (at, (leaving, entering)) in text.iter().zip(rest).enumerate() {
            let left = (u64::from(*leaving) + 1).wrapping_mul(self.power);
            value = self.hash.push(value.wrapping_sub(left), *entering);
            self.ask(value, at + 1, &mut each);
        }
    }

    #[inline]
    fn ask(&self, value: u64, at: usize, each: &mut impl FnMut(usize, usize)) {
        let prefilter = RollingHash::fold(value);
        let word = self.bits.get((prefilter / 64) as usize).copied().unwrap_or_default();
        if word >> (prefilter % 64) & 1 == 1 {
            for form in self.forms.get(&prefilter).into_iter().flatten() {
                each(at, *form);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_credential_is_found_in_every_common_form() {
        let key = DigestKey::new(b"a key of thirty-two random bytes");
        let secret: &[u8] = b"pay/roll \"key\"+=7Zq9";
        let live = LiveCredentials::new(&key, &[secret]).unwrap();
        let hex = secret.iter().map(|it| format!("{it:02X}")).collect::<Vec<_>>().concat();
        for text in [
            String::from_utf8_lossy(secret).into_owned(),
            format!("x = {}", String::from_utf8_lossy(secret)),
            hex.clone(),
            hex.to_lowercase(),
            STANDARD.encode(secret),
            STANDARD.encode([b"a:", secret].concat()),
            STANDARD.encode([b"ab:", secret, b"tail"].concat()),
            STANDARD.encode([b"abc:", secret, b"t"].concat()),
            URL_SAFE_NO_PAD.encode(secret),
            "pay%2Froll%20%22key%22%2B%3D7Zq9".to_owned(),
            "pay%2froll%20%22key%22%2b%3d7Zq9".to_owned(),
            serde_json::to_string(&String::from_utf8_lossy(secret)).unwrap(),
        ] {
            let hits = live.find(text.as_bytes());
            assert_eq!(hits.len(), 1, "in {text}");
            assert_eq!(hits.first().map(|it| it.credential), Some(key.digest(secret)));
        }
        assert_eq!(live.find(b"pay/roll \"key\"+=7Zq8 and nothing else of any kind"), []);
    }

    #[test]
    fn fingerprints_hold_no_part_of_the_credential_and_find_it_again() {
        let key = DigestKey::new(b"key");
        let live = LiveCredentials::new(&key, &[b"tangerine-42-velvet"]).unwrap();
        let stored = serde_json::to_string(live.fingerprints()).unwrap();
        assert!(!stored.contains("tangerine") && !format!("{live:?}").contains("tangerine"));
        let again = LiveCredentials::from_fingerprints(
            &key,
            &serde_json::from_str::<Vec<_>>(&stored).unwrap(),
        );
        assert_eq!(again.find(b"= tangerine-42-velvet;").len(), 1);
        let other = DigestKey::new(b"other");
        let other = LiveCredentials::from_fingerprints(&other, live.fingerprints());
        assert_eq!(other.find(b"= tangerine-42-velvet;"), []);
    }

    #[test]
    fn what_would_be_found_by_chance_is_refused() {
        let key = DigestKey::new(b"key");
        let error = |secret: &[u8]| LiveCredentials::new(&key, &[b"long enough", secret]).err();
        assert_eq!(error(b"short"), Some(LiveCredentialError::TooShort { index: 1 }));
        assert_eq!(error(&[7; 9000]), Some(LiveCredentialError::TooLong { index: 1 }));
    }
}
