//! Keywords, then patterns around them, then entropy, tests and allowlists.

use std::collections::BTreeMap;
use std::ops::Range;

use super::allow::Seen;
use super::entropy::millibits;
use super::finding::Weight;
use super::rule::{Rule, RuleSet};
use super::verify::Judgement;

/// A secret in a piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// The place of its rule in the set.
    pub(super) rule: usize,
    pub(super) range: Range<usize>,
    pub(super) weight: Weight,
}

/// A piece of text, and what is known of the file around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) path: &'a str,
    pub(super) commit: Option<&'a str>,
    pub(super) now: Option<i64>,
}

/// What a file's earlier pieces leave for its later ones.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Rules without a window whose keyword was seen.
    awake: Vec<bool>,
}

/// Places in one piece of text, claimed by the rule that comes first.
#[derive(Debug, Default)]
struct Claims(BTreeMap<usize, (usize, Option<Hit>)>);

/// Hits in one piece of text; the report's own limit is far lower.
const CLAIMS_MAX: usize = 20_000;

impl Claims {
    fn is_free(&self, range: &Range<usize>) -> bool {
        let before = self.0.range(..range.end).next_back();
        before.is_none_or(|(_, (end, _))| *end <= range.start)
    }

    fn claim(&mut self, range: &Range<usize>, hit: Option<Hit>) {
        if self.0.len() < CLAIMS_MAX {
            self.0.insert(range.start, (range.end, hit));
        }
    }
}

impl RuleSet {
    /// The secrets in `text`, in their order; no two overlap.
    pub(super) fn find(&self, text: &Text<'_>, memory: &mut Memory) -> Vec<Hit> {
        let whole = 0..text.bytes.len();
        let windows = self.windows(text.bytes, memory);
        let mut claims = Claims::default();
        for (index, (rule, mut windows)) in self.rules.iter().zip(windows).enumerate() {
            if rule.path.as_ref().is_some_and(|it| !it.is_match(text.path.as_bytes())) {
                continue;
            }
            let awake = rule.keywords.is_empty() || memory.awake.get(index) == Some(&true);
            if rule.window.is_none() && awake {
                windows = [whole.clone()].into();
            }
            for window in windows {
                self.try_rule(index, rule, text, window, &mut claims);
            }
        }
        claims.0.into_values().filter_map(|(_, hit)| hit).collect()
    }

    /// For each rule the parts of the text that are near its keywords.
    fn windows(&self, text: &[u8], memory: &mut Memory) -> Vec<Vec<Range<usize>>> {
        memory.awake.resize(self.rules.len(), false);
        let mut windows: Vec<Vec<Range<usize>>> = vec![Vec::new(); self.rules.len()];
        for found in self.keywords.find_overlapping_iter(text) {
            for index in self.woken.get(found.pattern().as_usize()).into_iter().flatten() {
                let (Some(rule), Some(known)) = (self.rules.get(*index), windows.get_mut(*index))
                else {
                    continue;
                };
                let Some((before, after)) = rule.window else {
                    memory.awake.get_mut(*index).map(|it| *it = true).unwrap_or_default();
                    continue;
                };
                let start = found.start().saturating_sub(before);
                let end = found.end().saturating_add(after).min(text.len());
                match known.last_mut() {
                    Some(last) if start <= last.end => last.end = last.end.max(end),
                    _ => known.push(start..end),
                }
            }
        }
        windows
    }

    fn try_rule(
        &self,
        index: usize,
        rule: &Rule,
        text: &Text<'_>,
        window: Range<usize>,
        claims: &mut Claims,
    ) {
        let (Some(regex), Some(visible)) = (&rule.regex, text.bytes.get(..window.end)) else {
            return;
        };
        let mut at = window.start;
        while at <= visible.len() {
            let Some(groups) =
                regex.find_at(visible, at).and_then(|it| regex.captures_at(visible, it.start()))
            else {
                return;
            };
            let Some(matched) = groups.get(0).map(|it| it.range()) else { return };
            let secret = match rule.secret_group {
                Some(group) => groups.get(group),
                None => groups.iter().skip(1).flatten().find(|it| !it.is_empty()),
            };
            let secret = secret.map_or(matched.clone(), |it| it.range());
            let judged = self.judge(rule, text, &matched, &secret);
            let is_free = claims.is_free(&secret);
            match judged {
                Judgement::Secret(weight) if is_free => {
                    let hit = Hit { rule: index, range: secret.clone(), weight };
                    claims.claim(&secret, Some(hit));
                }
                Judgement::Harmless if is_free => claims.claim(&secret, None),
                _ => {}
            }
            // A refused value may itself be the name beside a secret: `password_token: api_key=…`.
            let is_refused = judged == Judgement::NotThis && rule.window.is_some();
            let next = if is_refused { secret.start } else { matched.end };
            at = next.max(matched.start + 1);
        }
    }

    fn judge(
        &self,
        rule: &Rule,
        text: &Text<'_>,
        matched: &Range<usize>,
        secret: &Range<usize>,
    ) -> Judgement {
        let (Some(all), Some(value)) =
            (text.bytes.get(matched.clone()), text.bytes.get(secret.clone()))
        else {
            return Judgement::NotThis;
        };
        if value.is_empty() || (0 < rule.entropy_min && millibits(value) <= rule.entropy_min) {
            return Judgement::NotThis;
        }
        let judged = rule.verify.judge(all, value, rule.weight, text.now);
        let seen = Seen {
            path: text.path,
            commit: text.commit,
            text: text.bytes,
            matched: (matched.start, matched.end),
            secret: (secret.start, secret.end),
        };
        let is_secret = matches!(judged, Judgement::Secret(_));
        if is_secret && rule.allow.iter().chain(&self.allow).any(|it| it.allows(&seen)) {
            return Judgement::NotThis;
        }
        judged
    }
}
