use std::collections::BTreeMap;
use std::fmt;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::allow::{Allow, AllowTarget};
use super::finding::Weight;
use super::go_syntax;
use super::rule::Rule;
use super::verify::Verify;

/// A rule file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleFileError {
    /// The keywords could not be put into one searcher.
    #[error("keywords cannot be searched together")]
    Keywords {
        /// What the searcher said.
        source: aho_corasick::BuildError,
    },
    /// Some rules cannot be used; none is.
    #[error("{} of its rules cannot be used: {}", .0.len(), Joined(.0))]
    Rules(Vec<RuleProblem>),
    /// It is not TOML of the expected shape.
    #[error("rule file cannot be read")]
    Syntax(#[source] Box<toml::de::Error>),
}

/// Why one rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{rule}`: {reason}")]
pub struct RuleProblem {
    /// The id of the rule, or its number if it has none; `allowlist` for one that holds for all.
    pub rule: String,
    /// What is wrong with it.
    pub reason: String,
}

struct Joined<'a>(&'a [RuleProblem]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, it)| {
            if 0 < at {
                f.write_str("; ")?;
            }
            write!(f, "{it}")
        })
    }
}

const RULES_MAX: usize = 2000;
const REGEX_BYTES_MAX: usize = 8 << 20;

/// A rule file as it is written.
#[derive(Debug, Deserialize)]
pub(super) struct RuleFile {
    #[serde(default)]
    extend: RawExtend,
    #[serde(default)]
    rules: Vec<RawRule>,
    allowlist: Option<RawAllow>,
    #[serde(default)]
    allowlists: Vec<RawAllow>,
    #[serde(flatten)]
    other: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawExtend {
    #[serde(default)]
    use_default: bool,
    #[serde(default)]
    disabled_rules: Vec<String>,
    #[serde(flatten)]
    other: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRule {
    #[serde(default)]
    id: String,
    #[serde(default)]
    description: String,
    regex: Option<String>,
    secret_group: Option<usize>,
    #[serde(default)]
    keywords: Vec<String>,
    entropy: Option<f64>,
    path: Option<String>,
    allowlist: Option<RawAllow>,
    #[serde(default)]
    allowlists: Vec<RawAllow>,
    window: Option<(usize, usize)>,
    weight: Option<Weight>,
    #[serde(default)]
    verify: Verify,
    #[serde(flatten)]
    other: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAllow {
    condition: Option<String>,
    #[serde(default)]
    commits: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    regexes: Vec<String>,
    regex_target: Option<String>,
    #[serde(default)]
    stopwords: Vec<String>,
    #[serde(default)]
    target_rules: Vec<String>,
    #[serde(flatten)]
    other: BTreeMap<String, toml::Value>,
}

/// What a file wants of our own rules.
#[derive(Debug)]
pub(super) struct Extend {
    pub(super) default: bool,
    pub(super) disabled: Vec<String>,
}

/// Reads a rule file.
pub(super) fn parse(text: &str) -> Result<RuleFile, RuleFileError> {
    toml::from_str(text).map_err(|source| RuleFileError::Syntax(Box::new(source)))
}

impl RuleFile {
    pub(super) fn extend(&self) -> Extend {
        Extend { default: self.extend.use_default, disabled: self.extend.disabled_rules.clone() }
    }

    /// The rules, and the allowlists that hold for all of them.
    pub(super) fn into_rules(self) -> Result<(Vec<Rule>, Vec<Allow>), RuleFileError> {
        let mut problems = Problems::default();
        problems.unknown("file", &self.other, &["title", "description", "minVersion"]);
        problems.unknown("extend", &self.extend.other, &[]);
        if RULES_MAX < self.rules.len() {
            problems.add("file", format!("more than {RULES_MAX} rules"));
        }
        let mut rules: Vec<Rule> = Vec::new();
        for (at, raw) in self.rules.into_iter().take(RULES_MAX).enumerate() {
            let name = if raw.id.is_empty() { format!("rule {}", at + 1) } else { raw.id.clone() };
            if raw.id.is_empty() || rules.iter().any(|it| it.id == raw.id) {
                problems.add(&name, "needs an id of its own".to_owned());
            }
            rules.push(problems.rule(&name, raw));
        }
        let mut allow = Vec::new();
        for raw in self.allowlist.into_iter().chain(self.allowlists) {
            let targets = raw.target_rules.clone();
            let Some(list) = problems.allow("allowlist", raw) else { continue };
            if targets.is_empty() {
                allow.push(list);
                continue;
            }
            for target in targets {
                match rules.iter_mut().find(|it| it.id == target) {
                    Some(rule) => rule.allow.push(list.clone()),
                    None => problems.add("allowlist", format!("no rule `{target}` in this file")),
                }
            }
        }
        if problems.0.is_empty() {
            Ok((rules, allow))
        } else {
            Err(RuleFileError::Rules(problems.0))
        }
    }
}

/// Everything wrong with a file, so that one reading names all of it.
#[derive(Debug, Default)]
struct Problems(Vec<RuleProblem>);

impl Problems {
    fn add(&mut self, rule: &str, reason: String) {
        self.0.push(RuleProblem { rule: rule.to_owned(), reason });
    }

    fn unknown(&mut self, rule: &str, other: &BTreeMap<String, toml::Value>, known: &[&str]) {
        for key in other.keys().filter(|it| !known.contains(&it.as_str())) {
            self.add(rule, format!("`{key}` is not supported"));
        }
    }

    fn rule(&mut self, name: &str, raw: RawRule) -> Rule {
        self.unknown(name, &raw.other, &["tags", "skipReport"]);
        let regex = raw.regex.as_deref().map(|it| self.regex(name, it));
        let path = raw.path.as_deref().map(|it| self.regex(name, it));
        if regex.is_none() && path.is_none() {
            self.add(name, "has neither `regex` nor `path`".to_owned());
        }
        let groups = regex.as_ref().and_then(Option::as_ref).map_or(1, Regex::captures_len);
        if raw.secret_group.is_some_and(|it| groups <= it) {
            self.add(name, format!("`secretGroup` is beyond its {} groups", groups - 1));
        }
        let mut allow = Vec::new();
        for list in raw.allowlist.into_iter().chain(raw.allowlists) {
            allow.extend(self.allow(name, list));
        }
        let keywords = raw.keywords.iter().filter(|it| !it.is_empty());
        Rule {
            id: raw.id,
            description: raw.description,
            regex: regex.flatten(),
            // Zero is how gitleaks writes "not given".
            secret_group: raw.secret_group.filter(|it| 0 < *it),
            keywords: keywords.map(|it| it.to_ascii_lowercase()).collect(),
            entropy_min: millibits_of(raw.entropy.unwrap_or(0.0)),
            path: path.flatten(),
            allow,
            window: raw.window,
            weight: raw.weight.unwrap_or(Weight::High),
            verify: raw.verify,
        }
    }

    fn allow(&mut self, name: &str, raw: RawAllow) -> Option<Allow> {
        self.unknown(name, &raw.other, &["description"]);
        let all = match raw.condition.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("OR" | "||") => false,
            Some("AND" | "&&") => true,
            Some(other) => {
                self.add(name, format!("condition `{other}` is neither `AND` nor `OR`"));
                return None;
            }
        };
        let target = match raw.regex_target.as_deref() {
            None | Some("" | "secret") => AllowTarget::Secret,
            Some("match") => AllowTarget::Match,
            Some("line") => AllowTarget::Line,
            Some(other) => {
                self.add(name, format!("regexTarget `{other}` is not `secret`, `match` or `line`"));
                return None;
            }
        };
        let mut compile = |all: &[String]| -> Vec<Regex> {
            all.iter().filter_map(|it| self.regex(name, it)).collect()
        };
        let (paths, regexes) = (compile(&raw.paths), compile(&raw.regexes));
        let stopwords = raw.stopwords.iter().filter(|it| !it.is_empty());
        let stopwords: Vec<String> = stopwords.map(|it| it.to_ascii_lowercase()).collect();
        if paths.is_empty() && regexes.is_empty() && stopwords.is_empty() && raw.commits.is_empty()
        {
            self.add(name, "has an allowlist that allows nothing".to_owned());
        }
        Some(Allow { all, commits: raw.commits, paths, regexes, target, stopwords })
    }

    fn regex(&mut self, name: &str, pattern: &str) -> Option<Regex> {
        let compiled = go_syntax::translate(pattern).and_then(|it| {
            let mut builder = RegexBuilder::new(&it);
            builder.unicode(false).size_limit(REGEX_BYTES_MAX);
            builder.build().map_err(|error| last_line(&error.to_string()))
        });
        compiled.map_err(|reason| self.add(name, format!("pattern `{pattern}`: {reason}"))).ok()
    }
}

/// The reason, without the drawing above it.
fn last_line(error: &str) -> String {
    let line = error.lines().rev().find(|it| !it.trim().is_empty()).unwrap_or(error).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Thousandths of a bit.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of an entropy"
)]
fn millibits_of(bits: f64) -> u32 {
    if bits.is_finite() { (bits.clamp(0.0, 8.0) * 1000.0).round() as u32 } else { 8000 }
}
