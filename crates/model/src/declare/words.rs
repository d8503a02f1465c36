//! The small checked words that a manifest is made of.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text is not the word that was expected here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct WordError {
    /// What was given, cut at 120 characters.
    pub text: String,
    /// What would have been right, with an example.
    pub expected: &'static str,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident, $pattern:literal, $expected:literal, $check:path;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String", extend("pattern" = $pattern))]
        pub struct $name(String);

        impl $name {
            /// The word as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = WordError;
            fn from_str(text: &str) -> Result<Self, WordError> {
                if $check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(WordError { text: text.chars().take(120).collect(), expected: $expected })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = WordError;
            fn try_from(text: String) -> Result<Self, WordError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(it: $name) -> Self {
                it.0
            }
        }
    )*};
}

words! {
    /// The manifest's own name for an integration: 3 to 40 lowercase ASCII letters, digits and inner hyphens: `acme-helpdesk`.
    Slug, r"^[a-z0-9](?:[a-z0-9-]{1,38})[a-z0-9]$",
        "3 to 40 lowercase letters, digits and inner hyphens, such as `acme-helpdesk`", is_slug;
    /// The name of an identity or a path inside one manifest: a kind, a colon, a name: `oauth:acme-helpdesk`.
    PathId, r"^[a-z0-9]{1,16}:[A-Za-z0-9._-]{1,80}$",
        "a kind, a colon and a name, such as `oauth:acme-helpdesk`", is_path_id;
    /// A profile with its version: `saas-vendor@1`.
    ProfileRef, r"^[a-z][a-z0-9-]{1,38}@[1-9][0-9]{0,3}$",
        "a profile and its version, such as `saas-vendor@1`", is_profile;
    /// An absolute `https` address without user name, password or fragment.
    HttpsUrl, r"^https://",
        "an `https://` address without user name, password or fragment", is_https_url;
    /// One scope as OAuth spells it (RFC 6749, section 3.3): printable ASCII without space, quote or backslash, at most 200 characters.
    ScopeName, r"^[\x21\x23-\x5B\x5D-\x7E]{1,200}$",
        "one OAuth scope, such as `tickets:write` (RFC 6749, section 3.3)", is_scope;
    /// A share of a whole in percent with at most three decimals, as text so that the canonical form holds no floats: `99.5%`.
    Share, r"^(100(\.0{1,3})?|\d{1,2}(\.\d{1,3})?)%$",
        "a share from `0%` to `100%`, such as `99.5%`", is_share;
}

impl Share {
    /// The share in thousandths of a percent: `99.5%` is 99 500.
    pub fn milli_percent(&self) -> u64 {
        let number = self.0.trim_end_matches('%');
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let whole: u64 = whole.parse().unwrap_or_default();
        let decimals: u64 = format!("{decimals:0<3}").parse().unwrap_or_default();
        whole * 1_000 + decimals
    }

    /// Whether `part` of `all` is at least this share; an empty whole is not.
    pub fn met_by(&self, part: u64, all: u64) -> bool {
        0 < all && u128::from(self.milli_percent()) * u128::from(all) <= u128::from(part) * 100_000
    }
}

impl HttpsUrl {
    /// The host, in lowercase.
    pub fn host(&self) -> String {
        url::Url::parse(&self.0)
            .ok()
            .and_then(|it| it.host_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

fn is_slug(text: &str) -> bool {
    let inner = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    let bytes = text.as_bytes();
    (3..=40).contains(&bytes.len())
        && bytes.iter().all(|it| inner(*it) || *it == b'-')
        && bytes.first().copied().is_some_and(inner)
        && bytes.last().copied().is_some_and(inner)
}

fn is_path_id(text: &str) -> bool {
    text.split_once(':').is_some_and(|(kind, name)| {
        (1..=16).contains(&kind.len())
            && kind.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
            && (1..=80).contains(&name.len())
            && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it))
    })
}

fn is_profile(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, version)| {
        (2..=40).contains(&name.len())
            && name.starts_with(|it: char| it.is_ascii_lowercase())
            && name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
            && (1..=4).contains(&version.len())
            && !version.starts_with('0')
            && version.bytes().all(|it| it.is_ascii_digit())
    })
}

fn is_https_url(text: &str) -> bool {
    text.len() <= 2_000
        && url::Url::parse(text).is_ok_and(|it| {
            it.scheme() == "https"
                && it.host_str().is_some_and(|host| !host.is_empty())
                && it.username().is_empty()
                && it.password().is_none()
                && it.fragment().is_none()
        })
}

fn is_scope(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text.bytes().all(|it| (0x21..=0x7E).contains(&it) && it != b'"' && it != b'\\')
}

fn is_share(text: &str) -> bool {
    let Some(number) = text.strip_suffix('%') else { return false };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits =
        |it: &str| !it.is_empty() && it.len() <= 3 && it.bytes().all(|it| it.is_ascii_digit());
    digits(whole)
        && digits(decimals)
        && (whole.len() <= 2 || (whole == "100" && decimals.bytes().all(|it| it == b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact() {
        let share: Share = "99.5%".parse().unwrap();
        assert!(share.met_by(995, 1_000));
        assert!(!share.met_by(994, 1_000));
        assert!(!share.met_by(0, 0), "an empty whole proves nothing");
        for text in ["100%", "100.0%", "0%", "7.125%"] {
            assert!(text.parse::<Share>().is_ok(), "parsing {text:?}");
        }
        for text in ["101%", "100.1%", "%", "5", "1.2345%", "-1%"] {
            assert!(text.parse::<Share>().is_err(), "parsing {text:?}");
        }
    }

    #[test]
    fn words_are_checked() {
        assert!("acme-helpdesk".parse::<Slug>().is_ok());
        for text in ["ac", "-acme", "acme-", "Acme", "ac me", "acme_1"] {
            assert!(text.parse::<Slug>().is_err(), "parsing {text:?}");
        }
        for text in [
            "http://acme.example",
            "https://u:p@acme.example",
            "https://",
            "ftp://a",
            "https://a/#b",
        ] {
            assert!(text.parse::<HttpsUrl>().is_err(), "parsing {text:?}");
        }
    }
}
