/// Whether a value was plainly written to be replaced: a placeholder, a template, a sequence.
///
/// Asked of what matched a pattern, so that examples in documents and code raise no alarm.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    is_template(&lower)
        || PLACEHOLDERS.iter().any(|it| contains(&lower, it.as_bytes()))
        || longest_run(value) >= RUN_MIN
        || longest_sequence(&lower) >= SEQUENCE_MIN
        || (16 <= value.len() && distinct(value) <= 4)
}

const RUN_MIN: usize = 5;
const SEQUENCE_MIN: usize = 8;

/// Parts of words that people write where a secret will go.
const PLACEHOLDERS: [&str; 40] = [
    "****",
    "....",
    "xxxx",
    "cafebabe",
    "change-it",
    "change-me",
    "change_it",
    "change_me",
    "changeit",
    "changeme",
    "deadbeef",
    "dummy",
    "example",
    "fake",
    "foobar",
    "insert-",
    "insert_",
    "loremipsum",
    "my-password",
    "my-secret",
    "my_password",
    "my_secret",
    "mypassword",
    "mysecret",
    "not-a-real",
    "not-a-secret",
    "not-real",
    "not_a_real",
    "not_a_secret",
    "notasecret",
    "notreal",
    "placeholder",
    "qwerty",
    "redacted",
    "replace",
    "sample",
    "supersecret",
    "to-be-set",
    "your-",
    "your_",
];

/// Marks of a template, a reference or a look-up instead of a value.
fn is_template(lower: &[u8]) -> bool {
    const INSIDE: [&str; 16] = [
        "${",
        "$(",
        "{{",
        "}}",
        "#{",
        "<%",
        "%>",
        "%(",
        "%s",
        "%v",
        "%d",
        "process.env",
        "os.environ",
        "getenv",
        "arn:aws",
        "secretkeyref",
    ];
    const BEFORE: [&str; 20] = [
        "$", "%{", "@@", "enc[", "enc(", "env:", "env.", "secrets.", "secrets:", "secret:",
        "vault:", "op://", "ssm:", "kms:", "file:", "var.", "data.", "<", "{", "sha",
    ];
    let between =
        |mark: u8| 2 < lower.len() && lower.first() == Some(&mark) && lower.last() == Some(&mark);
    INSIDE.iter().any(|it| contains(lower, it.as_bytes()))
        || BEFORE.iter().any(|it| lower.starts_with(it.as_bytes()) && *it != "sha")
        || is_hash_name(lower)
        || between(b'%')
        || between(b'_')
}

/// `sha256:…`, `sha512-…`, `sha1=…`: what follows is a digest.
fn is_hash_name(lower: &[u8]) -> bool {
    let Some(rest) = lower.strip_prefix(b"sha") else { return false };
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let digits = rest.iter().take_while(|it| it.is_ascii_digit()).count();
    (1..=3).contains(&digits) && matches!(rest.get(digits), Some(b':' | b'-' | b'='))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|it| it == part)
}

/// The longest row of one byte.
fn longest_run(value: &[u8]) -> usize {
    longest(value, |before, now| before == now)
}

/// The longest row in which each byte follows the one before: `abcdefgh`, `1234567890`.
fn longest_sequence(lower: &[u8]) -> usize {
    longest(lower, |before, now| {
        matches!((before, now), (b'9', b'0' | b'a') | (b'z', b'0' | b'1'))
            || (before.is_ascii_alphanumeric() && before.checked_add(1) == Some(now))
    })
}

fn longest(value: &[u8], follows: impl Fn(u8, u8) -> bool) -> usize {
    let (mut best, mut run) = (usize::from(!value.is_empty()), 1);
    for pair in value.windows(2) {
        if let [before, now] = pair {
            run = if follows(*before, *now) { run + 1 } else { 1 };
            best = best.max(run);
        }
    }
    best
}

fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in value {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|it| **it).count()
}

/// Whether a value reads as words: an identifier, a file name, a phrase with marks between.
///
/// Short numbers may stand beside the words (`accessTokenV2`); random letters break up into pieces
/// that no word is made of.
pub(super) fn is_wordy(value: &[u8]) -> bool {
    let (mut pieces, mut letters, mut split, mut spoken) = (0_usize, 0_usize, false, true);
    for part in value.split(|it| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty()) {
        let cut = camel_pieces(part);
        split |= 1 < cut.len();
        // Capitals that cannot be spoken are an abbreviation only beside a word: `HTTPSConnection`.
        let beside_a_word = cut.iter().any(|it| 4 <= it.len() && is_word(it));
        for piece in cut {
            let fits = is_word(piece) || (beside_a_word && is_abbreviation(piece));
            if !fits {
                return false;
            }
            pieces += 1;
            spoken &= piece.iter().copied().any(is_vowel);
            letters += piece.iter().filter(|it| it.is_ascii_alphabetic()).count();
        }
    }
    // Random letters change case at every other letter; words do so less, or can at least be spoken.
    let long_enough = pieces * 7 <= letters * 2 || (spoken && pieces * 5 <= letters * 2);
    0 < letters && (!split || long_enough)
}

/// Cuts `accessTokenV2` into `access`, `Token`, `V2`, and leaves `HTTPS` whole.
fn camel_pieces(part: &[u8]) -> Vec<&[u8]> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    for (at, pair) in part.windows(2).enumerate() {
        let upper_after_lower = matches!(pair, [before, now] if !before.is_ascii_uppercase() && now.is_ascii_uppercase());
        let word_after_capitals = start < at
            && matches!(pair, [before, now] if before.is_ascii_uppercase() && now.is_ascii_lowercase());
        let cut = if upper_after_lower { at + 1 } else { at };
        if (upper_after_lower || word_after_capitals)
            && let Some(piece) = part.get(start..cut)
        {
            pieces.push(piece);
            start = cut;
        }
    }
    pieces.extend(part.get(start..).filter(|it| !it.is_empty()));
    pieces
}

/// Up to 16 letters that could be spoken, perhaps with up to three digits behind; or up to four digits.
fn is_word(piece: &[u8]) -> bool {
    let letters = piece.iter().take_while(|it| it.is_ascii_alphabetic()).count();
    let (word, digits) = piece.split_at(letters);
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    match letters {
        0 => digits.len() <= 4,
        1..=3 => digits.len() <= 3,
        4..=16 => digits.len() <= 3 && is_spoken(word),
        _ => false,
    }
}

fn is_abbreviation(piece: &[u8]) -> bool {
    piece.len() <= 6 && piece.iter().all(u8::is_ascii_uppercase)
}

fn is_spoken(word: &[u8]) -> bool {
    let consonants = word.split(|it| is_vowel(*it)).map(<[u8]>::len).max().unwrap_or(0);
    let vowels = word.iter().filter(|it| is_vowel(**it)).count();
    consonants <= 4 && word.len() <= vowels * 5
}

fn is_vowel(letter: u8) -> bool {
    b"aeiouyAEIOUY".contains(&letter)
}

/// Whether it is a password that everybody writes into examples.
pub(super) fn is_common(password: &[u8]) -> bool {
    let lower = password.to_ascii_lowercase();
    COMMON.iter().any(|it| it.as_bytes() == lower)
}

const COMMON: [&str; 34] = [
    "123456",
    "admin",
    "apikey",
    "api_key",
    "guest",
    "key",
    "mongo",
    "mysql",
    "none",
    "null",
    "open sesame",
    "pass",
    "passw0rd",
    "passwd",
    "password",
    "password1",
    "password123",
    "postgres",
    "postgresql",
    "pw",
    "pwd",
    "rabbitmq",
    "redis",
    "root",
    "secret",
    "test",
    "test123",
    "testing",
    "token",
    "true",
    "undefined",
    "user",
    "username",
    "x-oauth-basic",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_secrets() {
        for fake in [
            "${DB_PASSWORD}",
            "{{ token }}",
            "<your-token>",
            "changeme",
            "xxxxxxxx",
            "your_api_key",
            "abcdefghijkl",
            "1234567890abcdef",
            "aaaaaaaaaaaaaaaa",
            "AKIAIOSFODNN7EXAMPLE",
            "$DB_PASSWORD",
            "sha256:9f86d081884c7d65",
            "process.env.TOKEN",
            "%(password)s",
            "vault:secret/data/x",
            "__TOKEN__",
            "abababababababab",
        ] {
            assert!(is_placeholder(fake.as_bytes()), "{fake} is a placeholder");
        }
        for real in ["hunter2", "zJ7q9Lk2Wm4Xs8Vb", "9c1d0f3ab2e4", "correct-horse", "shadow99"] {
            assert!(!is_placeholder(real.as_bytes()), "{real} is none");
        }
    }

    #[test]
    fn words_are_told_from_random_letters() {
        for words in [
            "accessTokenV2",
            "refresh_token",
            "client-secret-name",
            "config.auth.token",
            "HTTPSConnection",
            "password123",
            "some-kebab-case-name-v2",
            "x-api-key",
            "self.next3",
            "getUserById",
        ] {
            assert!(is_wordy(words.as_bytes()), "{words} is words");
        }
        for random in [
            "zJ7q9Lk2Wm4Xs8Vb",
            "aB3dE5gH7jK9",
            "kXqzPwLmRtVbNc",
            "9c1d0f3ab2e4",
            "hvqkzwmtplrsxcvb",
            "Tr0ub4dor&3",
            "XKWTQ-ZWRTP-LMNBV",
        ] {
            assert!(!is_wordy(random.as_bytes()), "{random} is not words");
        }
    }
}
