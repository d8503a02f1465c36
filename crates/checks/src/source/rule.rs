use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::Regex;

use super::allow::Allow;
use super::finding::Weight;
use super::rule_file::{self, RuleFileError};
use super::verify::Verify;

/// One rule, ready to run.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) description: String,
    /// Absent in a rule that only looks at paths.
    pub(super) regex: Option<Regex>,
    /// Which group is the secret; without it the first that took part, or else all of the match.
    pub(super) secret_group: Option<usize>,
    /// Lower-case texts of which one must occur.
    pub(super) keywords: Vec<String>,
    pub(super) entropy_min: u32,
    pub(super) path: Option<Regex>,
    pub(super) allow: Vec<Allow>,
    /// Bytes before and after a keyword in which the pattern is tried.
    pub(super) window: Option<(usize, usize)>,
    pub(super) weight: Weight,
    pub(super) verify: Verify,
}

/// The rules of a scan.
#[derive(Clone)]
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
    /// Allowlists that hold for every rule.
    pub(super) allow: Vec<Allow>,
    /// All keywords, and for each the rules that it wakes.
    pub(super) keywords: AhoCorasick,
    pub(super) woken: Vec<Vec<usize>>,
}

const BUILT_IN: &str = include_str!("rules.toml");

impl RuleSet {
    /// Our own rules.
    pub fn built_in() -> Result<Self, RuleFileError> {
        let (rules, allow) = rule_file::parse(BUILT_IN)?.into_rules()?;
        Self::new(rules, allow)
    }

    /// The rules of a gitleaks file; ours behind them if it says `[extend] useDefault = true`.
    ///
    /// Fails with every rule that cannot be used, rather than leaving one out.
    pub fn from_gitleaks(text: &str) -> Result<Self, RuleFileError> {
        let file = rule_file::parse(text)?;
        let extend = file.extend();
        let (mut rules, mut allow) = file.into_rules()?;
        if extend.default {
            let (ours, allowed) = rule_file::parse(BUILT_IN)?.into_rules()?;
            let is_wanted = |id: &String| !extend.disabled.contains(id);
            let given: Vec<String> = rules.iter().map(|it| it.id.clone()).collect();
            rules
                .extend(ours.into_iter().filter(|it| is_wanted(&it.id) && !given.contains(&it.id)));
            allow.extend(allowed);
        }
        Self::new(rules, allow)
    }

    /// These rules, and `others` behind them.
    pub fn and(self, others: Self) -> Result<Self, RuleFileError> {
        let (mut rules, mut allow) = (self.rules, self.allow);
        let known: Vec<String> = rules.iter().map(|it| it.id.clone()).collect();
        rules.extend(others.rules.into_iter().filter(|it| !known.contains(&it.id)));
        allow.extend(others.allow);
        Self::new(rules, allow)
    }

    /// The ids of the rules, in their order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|it| it.id.as_str())
    }

    /// Whether the same bytes may be judged differently under another path.
    pub(super) fn is_path_dependent(&self) -> bool {
        self.rules
            .iter()
            .any(|it| it.path.is_some() || it.allow.iter().any(Allow::is_path_dependent))
            || self.allow.iter().any(Allow::is_path_dependent)
    }

    fn new(rules: Vec<Rule>, allow: Vec<Allow>) -> Result<Self, RuleFileError> {
        let mut words: Vec<&str> = Vec::new();
        let mut woken: Vec<Vec<usize>> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            for keyword in &rule.keywords {
                if let Some(at) = words.iter().position(|it| it == keyword) {
                    woken.get_mut(at).map(|it| it.push(index)).unwrap_or_default();
                } else {
                    words.push(keyword);
                    woken.push(vec![index]);
                }
            }
        }
        let kind = (words.len() <= 1000).then_some(AhoCorasickKind::DFA);
        let keywords = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(kind)
            .build(&words)
            .map_err(|source| RuleFileError::Keywords { source })?;
        Ok(Self { rules, allow, keywords, woken })
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleSet").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}
