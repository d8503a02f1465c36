use serde::{Deserialize, Serialize};

use super::digest::{DigestKey, KeyedDigest};
use super::entropy;

/// One secret in one place.
///
/// It never holds the secret: its only constructor keeps a few first characters, the length and a
/// keyed digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretFinding {
    /// The rule that matched: `aws-access-key-id`, or `live-credential`.
    pub rule: String,
    /// What the rule looks for, in words.
    pub description: String,
    /// The file, with `!` between an archive and its member.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The byte in the line, from 1.
    pub column: u64,
    /// The commit that brought it in; absent in a work tree or an artefact.
    pub commit: Option<CommitReference>,
    /// At most the first four characters, and the length.
    pub redacted: String,
    /// The secret's digest under the scan's key, so that places can be compared.
    pub keyed_digest: KeyedDigest,
    /// Whether it is a live credential of this integration; absent if none were given to look for.
    pub live: Option<bool>,
    /// Shannon entropy in thousandths of a bit for each byte.
    pub entropy_millibits: u32,
    /// How much it weighs.
    pub weight: Weight,
}

/// How much a finding weighs by what was found, before any profile looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// Not usable by itself: an encrypted private key, an expired token, a public identifier.
    Low,
    /// Usable by whoever reads it.
    High,
}

/// A commit, as named in a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitReference {
    /// The full object id.
    pub id: String,
    /// When its author wrote it, in whole seconds since 1970-01-01T00:00:00Z.
    pub author_time: i64,
    /// Whether a branch, tag or other reference still leads to it.
    pub reachable: bool,
}

/// Where a secret was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) commit: Option<&'a CommitReference>,
}

/// What a rule made of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) rule: &'a str,
    pub(super) description: &'a str,
    pub(super) weight: Weight,
    pub(super) live: Option<bool>,
    /// The digest of the credential, if it is known to be another than that of the bytes seen.
    pub(super) digest: Option<KeyedDigest>,
}

impl SecretFinding {
    pub(super) fn new(
        key: &DigestKey,
        secret: &[u8],
        place: &Place<'_>,
        judged: &Judged<'_>,
    ) -> Self {
        Self {
            rule: judged.rule.to_owned(),
            description: judged.description.to_owned(),
            file: without(place.file, secret),
            line: place.line,
            column: place.column,
            commit: place.commit.cloned(),
            redacted: redact(secret),
            keyed_digest: judged.digest.unwrap_or_else(|| key.digest(secret)),
            live: judged.live,
            entropy_millibits: entropy::millibits(secret),
            weight: judged.weight,
        }
    }
}

/// The first characters and the length: never more than four, nor more than a quarter.
fn redact(secret: &[u8]) -> String {
    let shown: String = secret
        .iter()
        .take((secret.len() / 4).min(4))
        .map(|it| if it.is_ascii_graphic() { char::from(*it) } else { '·' })
        .collect();
    format!("{shown}… ({} bytes)", secret.len())
}

/// A file may be named after the secret in it.
fn without(file: &str, secret: &[u8]) -> String {
    match std::str::from_utf8(secret) {
        Ok(secret) if 4 <= secret.len() && file.contains(secret) => file.replace(secret, "…"),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_quarter_of_a_secret_is_shown() {
        for (secret, expected) in [
            (&b""[..], "… (0 bytes)"),
            (b"abc", "… (3 bytes)"),
            (b"hunter22", "hu… (8 bytes)"),
            (b"a-very-long-secret-value", "a-ve… (24 bytes)"),
            (b"\xff\n\x00\x1b............", "····… (16 bytes)"),
        ] {
            assert_eq!(redact(secret), expected, "redacting {secret:?}");
        }
    }

    #[test]
    fn a_file_named_after_its_secret_does_not_give_it_away() {
        assert_eq!(without("keys/hunter22.txt", b"hunter22"), "keys/….txt");
        assert_eq!(without("keys/a.txt", b"a"), "keys/a.txt");
    }
}
