//! Long stretches of text that only a generator of random bytes writes.
//!
//! Words have runs of lowercase letters and few digits inside them; keys have neither. The limits
//! are our own, set on the two tables of tests here and in the parent module.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Every token of `text` that looks random. Addresses count by their queries only, digests and UUIDs not at all.
pub(super) fn random_tokens(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut parts = Vec::new();
    let mut at = 0;
    for exempt in EXEMPT.iter().flat_map(|it| it.find_iter(text)) {
        parts.push(at..exempt.start());
        at = exempt.end();
        if let Some(query) = exempt.as_str().find('?').filter(|_| exempt.as_str().contains("://")) {
            parts.push(exempt.start() + query..exempt.end());
        }
    }
    parts.push(at..text.len());
    parts
        .into_iter()
        .flat_map(|part| tokens(text, part))
        .filter(|it| text.get(it.clone()).is_some_and(is_random))
}

static EXEMPT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EXEMPT_PATTERN).ok());

/// Digests, UUIDs, addresses and the paths of requests.
const EXEMPT_PATTERN: &str = concat!(
    r"\bsha(?:256|384|512):[0-9a-f]{64,128}\b",
    r"|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b",
    r#"|[a-z][a-z0-9+.-]*://[^\s"'<>]+"#,
    r"|\b[A-Z]{3,7} /[^\s?]*",
);

fn tokens(text: &str, part: Range<usize>) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut start = None;
    for (at, byte) in text.as_bytes()[part.clone()].iter().enumerate() {
        let inside = byte.is_ascii_alphanumeric() || b"+/_-".contains(byte);
        match (inside, start) {
            (true, None) => start = Some(part.start + at),
            (false, Some(from)) => {
                tokens.push(from..part.start + at);
                start = None;
            }
            _ => {}
        }
    }
    tokens.extend(start.map(|from| from..part.end));
    tokens
}

fn is_random(token: &str) -> bool {
    let bytes = token.as_bytes();
    let length = bytes.len();
    if length < LENGTH_MIN {
        return false;
    }
    if TOKEN_MAX < length {
        return true;
    }
    let letters_and_digits = bytes.iter().filter(|it| it.is_ascii_alphanumeric()).count();
    if letters_and_digits * 10 < length * 8 {
        return false;
    }
    let count = |is: fn(&u8) -> bool| bytes.iter().filter(|it| is(it)).count();
    let digits = count(u8::is_ascii_digit);
    let upper = count(u8::is_ascii_uppercase);
    let lower = count(u8::is_ascii_lowercase);
    let turns = changes(bytes, |one, other| one.is_ascii_digit() != other.is_ascii_digit());
    let bits = entropy_millibits(bytes);
    if 0 < upper && 0 < lower {
        // Base64: mean runs of one case are short, whatever the digits.
        let runs = changes(bytes, |one, other| class(*one) != class(*other));
        let short_runs = length * 10 < runs * 24;
        return short_runs && 3_400 <= bits && (0 < digits || 24 <= length);
    }
    // Hexadecimal, base32 or base36: digits stand scattered among the letters.
    0 < lower + upper
        && 24 <= length
        && 2_700 <= bits
        && length * 14 <= digits * 100
        && length * 15 <= turns * 100
}

fn changes(bytes: &[u8], differ: impl Fn(&u8, &u8) -> bool) -> usize {
    bytes.windows(2).filter(|it| matches!(it, [one, other] if differ(one, other))).count()
}

fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

/// Shannon's entropy of the bytes, in thousandths of a bit for each.
fn entropy_millibits(bytes: &[u8]) -> u64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let length = f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let bits: f64 = counts
        .iter()
        .filter(|it| 0 < **it)
        .map(|it| f64::from(*it) / length)
        .map(|share| -share * share.log2())
        .sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 8 000")]
    let milli = (bits * 1_000.0) as u64;
    milli
}

/// Below this length too many honest names look random.
const LENGTH_MIN: usize = 20;

/// No name is this long; nothing longer needs to be told apart.
const TOKEN_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    /// The same "random" characters on every run.
    fn sample(alphabet: &[u8], length: usize, seed: u64) -> String {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(alphabet[usize::try_from(state >> 33).unwrap() % alphabet.len()])
            })
            .collect()
    }

    #[test]
    fn nearly_every_random_key_is_found() {
        let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (name, alphabet, length, missed_max) in [
            ("base64, 24", &base64[..], 24, 60),
            ("base64, 32", &base64[..], 32, 20),
            ("base64, 44", &base64[..], 44, 10),
            ("base62, 40", &base64[..62], 40, 10),
            ("base36, 32", b"abcdefghijklmnopqrstuvwxyz0123456789", 32, 60),
            ("base36, 48", b"abcdefghijklmnopqrstuvwxyz0123456789", 48, 30),
            ("hex, 32", b"0123456789abcdef", 32, 10),
            ("hex, 64", b"0123456789abcdef", 64, 1),
        ] {
            let missed =
                (1..=1_000).filter(|seed| !is_random(&sample(alphabet, length, *seed))).count();
            assert!(missed <= missed_max, "{name}: {missed} of 1000 missed");
        }
    }
}
