//! The shapes of well-known credentials.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// One kind of credential that can be told by its looks.
pub(super) struct Shape {
    pub(super) what: &'static str,
    pattern: Option<Regex>,
}

impl Shape {
    /// Every place of it in `text`.
    pub(super) fn all<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        self.pattern.iter().flat_map(|it| it.find_iter(text)).map(|it| it.range())
    }
}

/// Every shape. A pattern that does not compile would be a gap; a test counts them.
pub(super) static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let shape =
        |(what, pattern): &(&'static str, &str)| Shape { what, pattern: Regex::new(pattern).ok() };
    TABLE.iter().map(shape).collect()
});

/// A secret that stands beside its name, `password=…`.
pub(super) static ASSIGNED: LazyLock<Assigned> =
    LazyLock::new(|| Assigned(Regex::new(ASSIGNMENT).ok()));

pub(super) struct Assigned(Option<Regex>);

impl Assigned {
    pub(super) fn captures<'t>(&self, text: &'t str) -> Option<regex::Captures<'t>> {
        self.0.as_ref()?.captures(text)
    }

    pub(super) fn captures_iter<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = regex::Captures<'a>> + 'a {
        self.0.iter().flat_map(|it| it.captures_iter(text))
    }
}

const ASSIGNMENT: &str = r#"(?i)(?:secret|passwd|password|passphrase|private_?key|api_?key|access_?key|access_token|refresh_token)["']?\s?[=:]\s?["']?([^\s"',;]{8,})"#;

const TABLE: [(&str, &str); 27] = [
    (
        "a PEM block",
        r"-----BEGIN [A-Z0-9 ]{1,40}-----[A-Za-z0-9+/=\s\\]*(?:-----END [A-Z0-9 ]{1,40}-----)?",
    ),
    ("an address with a password", r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/?#@:]*:[^\s/?#@]+@"),
    ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*)?"),
    ("a webhook secret", r"\bwhs(?:ec|k)_[A-Za-z0-9+/=_-]{8,}"),
    ("a GitHub token", r"\b(?:gh[opsur]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,})"),
    ("a GitLab token", r"\bgl(?:agent|cbt|dt|ft|imt|pat|ptt|rt|soat)-[A-Za-z0-9_-]{16,}"),
    ("an AWS key", r"\b(?:ABIA|ACCA|AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("a Stripe key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    (
        "a Slack token",
        r"\b(?:xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,})",
    ),
    (
        "a Slack webhook address",
        r"hooks\.slack\.com/(?:services|triggers|workflows)/[A-Za-z0-9/_-]{16,}",
    ),
    (
        "a Google key",
        r"\b(?:AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})",
    ),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{30,}"),
    ("a PyPI token", r"\bpypi-[A-Za-z0-9_-]{16,}"),
    ("a crates.io token", r"\bcio[A-Za-z0-9]{32}\b"),
    ("a DigitalOcean token", r"\bdo[oprt]_v1_[a-f0-9]{32,}"),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("a Shopify token", r"\bshp(?:at|ca|pa|ss)_[A-Fa-f0-9]{24,}"),
    ("an API key", r"\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_]{20,}"),
    ("a Vault token", r"\bhv[brs]\.[A-Za-z0-9_-]{20,}"),
    ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("an Atlassian token", r"\bAT(?:ATT|BB)[A-Za-z0-9_=-]{20,}"),
    ("a storage key", r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/=]{20,}"),
    ("an age key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}"),
    ("a Databricks token", r"\bdapi[a-f0-9]{32}"),
    ("a Twilio key", r"\bSK[a-f0-9]{32}\b"),
    ("a Telegram token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    (
        "an Authorization header",
        r"\b[Bb](?:asic|earer) [A-Za-z+/=._~-]*[0-9][A-Za-z0-9+/=._~-]{15,}",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for (what, pattern) in TABLE {
            assert!(Regex::new(pattern).is_ok(), "{what}");
        }
        assert!(Regex::new(ASSIGNMENT).is_ok());
    }
}
