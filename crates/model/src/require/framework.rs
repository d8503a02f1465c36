//! The ids of other frameworks that a control may cite: facts, no prose.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// One framework: one file in `catalogue/frameworks/`.
///
/// Its ids are listed, or numbered in families, or articles of a law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// The name under which controls cite it: `csf2`.
    pub key: String,
    /// Its name for people.
    pub title: String,
    /// Where its ids come from.
    pub source: String,
    /// How findings cite an id: `CSF2:{id}`.
    pub label: String,
    /// Ids that live, where they are listed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ids: BTreeSet<String>,
    /// Ids that were withdrawn: citing one is an error.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub withdrawn: BTreeSet<String>,
    /// The last number of each family: `AC` to 25. An enhancement may stand behind: `AC-2(3)`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub families: BTreeMap<String, u32>,
    /// The last article. Paragraph and point may stand behind: `Art.21(2)(d)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub articles: Option<u32>,
    /// Titles, where they may be cited.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub titles: BTreeMap<String, String>,
    /// Other names for ids, and what they stand for.
    #[serde(default, rename = "alias", skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, Alias>,
}

/// Another name for one or more ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// How findings cite it, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it means.
    pub means: String,
    /// The ids that it stands for.
    pub stands_for: Vec<String>,
}

/// An id is not one that a control may cite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It is an old name.
    #[error("`{id}` is an alias in {framework}: cite {}", stands_for.join(", "))]
    Alias {
        /// The name.
        id: String,
        /// The framework.
        framework: String,
        /// What it stands for.
        stands_for: Vec<String>,
    },
    /// The framework never had it.
    #[error("{framework} has no `{id}`")]
    Unknown {
        /// The id.
        id: String,
        /// The framework.
        framework: String,
    },
    /// The framework no longer has it.
    #[error("{framework} has withdrawn `{id}`")]
    Withdrawn {
        /// The id.
        id: String,
        /// The framework.
        framework: String,
    },
}

impl Framework {
    /// Whether an id lives.
    pub fn check(&self, id: &str) -> Result<(), IdError> {
        let framework = self.title.clone();
        let base = id.split('(').next().unwrap_or_default();
        if let Some(alias) = self.aliases.get(id) {
            let stands_for = alias.stands_for.clone();
            return Err(IdError::Alias { id: id.to_owned(), framework, stands_for });
        }
        if self.withdrawn.contains(base) {
            return Err(IdError::Withdrawn { id: id.to_owned(), framework });
        }
        if self.ids.contains(id) || self.is_in_family(id) || self.is_article(id) {
            return Ok(());
        }
        Err(IdError::Unknown { id: id.to_owned(), framework })
    }

    /// How findings cite these ids: each id, then the aliases that stand for any of them.
    pub fn labels(&self, ids: &[String]) -> Vec<String> {
        let own = ids.iter().map(|it| self.label.replace("{id}", it));
        let mentions = |it: &&Alias| it.stands_for.iter().any(|it| ids.contains(it));
        let aliases = self.aliases.values().filter(mentions).filter_map(|it| it.label.clone());
        own.chain(aliases).collect()
    }

    /// `AC-2`, `AC-2(3)`.
    fn is_in_family(&self, id: &str) -> bool {
        let Some((family, rest)) = id.split_once('-') else { return false };
        let (base, behind) = rest.split_at(rest.find('(').unwrap_or(rest.len()));
        let enhancement = behind.is_empty()
            || brackets(behind).is_some_and(|it| it.len() == 1 && number(it[0]).is_some());
        let last = self.families.get(family).copied().unwrap_or_default();
        number(base).is_some_and(|it| (1..=last).contains(&it)) && enhancement
    }

    /// `Art.28`, `Art.28(3)`, `Art.21(2)(d)`.
    fn is_article(&self, id: &str) -> bool {
        let Some(rest) = id.strip_prefix("Art.") else { return false };
        let (base, behind) = rest.split_at(rest.find('(').unwrap_or(rest.len()));
        let point = |it: &str| it.len() == 1 && it.bytes().all(|it| it.is_ascii_lowercase());
        let parts = if behind.is_empty() { Some(Vec::new()) } else { brackets(behind) };
        let placed = parts.is_some_and(|it| match it.as_slice() {
            [] => true,
            [paragraph] => number(paragraph).is_some(),
            [paragraph, letter] => number(paragraph).is_some() && point(letter),
            _ => false,
        });
        let last = self.articles.unwrap_or_default();
        number(base).is_some_and(|it| (1..=last).contains(&it)) && placed
    }
}

/// The parts of `(2)(d)`.
fn brackets(text: &str) -> Option<Vec<&str>> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    Some(inner.split(")(").collect())
}

/// A positive number without leading zeros.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|it| it.is_ascii_digit()) && !text.starts_with('0');
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use crate::require::catalogue::Catalogue;

    #[test]
    fn ids_live_or_are_refused_with_the_reason() {
        let table = [
            ("owasp_nhi", "NHI1", "ok"),
            ("owasp_nhi", "NHI11", "OWASP Non-Human Identities Top 10, 2025 has no `NHI11`"),
            (
                "owasp_nhi",
                "NHI-01",
                "`NHI-01` is an alias in OWASP Non-Human Identities Top 10, 2025: cite NHI3, NHI5, NHI8",
            ),
            ("csf2", "PR.AA-05", "ok"),
            ("csf2", "ID.BE-01", "NIST Cybersecurity Framework 2.0 has withdrawn `ID.BE-01`"),
            (
                "csf2",
                "ID.SC-2",
                "`ID.SC-2` is an alias in NIST Cybersecurity Framework 2.0: cite GV.OC-02, GV.SC-03, GV.SC-04, GV.SC-07, ID.RA-10",
            ),
            ("csf2", "PR.AA-99", "NIST Cybersecurity Framework 2.0 has no `PR.AA-99`"),
            ("sp800_53r5", "AC-2", "ok"),
            ("sp800_53r5", "SA-15(13)", "ok"),
            ("sp800_53r5", "AC-26", "NIST SP 800-53 revision 5, release 5.2.0 has no `AC-26`"),
            ("sp800_53r5", "AC-02", "NIST SP 800-53 revision 5, release 5.2.0 has no `AC-02`"),
            ("sp800_53r5", "AC-2()", "NIST SP 800-53 revision 5, release 5.2.0 has no `AC-2()`"),
            (
                "sp800_53r5",
                "AC-2(3)(4)",
                "NIST SP 800-53 revision 5, release 5.2.0 has no `AC-2(3)(4)`",
            ),
            ("sp800_53r5", "ZZ-1", "NIST SP 800-53 revision 5, release 5.2.0 has no `ZZ-1`"),
            (
                "sp800_53r5",
                "SA-12",
                "NIST SP 800-53 revision 5, release 5.2.0 has withdrawn `SA-12`",
            ),
            (
                "sp800_53r5",
                "SA-12(1)",
                "NIST SP 800-53 revision 5, release 5.2.0 has withdrawn `SA-12(1)`",
            ),
            ("iso27001_2022", "A.8.34", "ok"),
            ("iso27001_2022", "A.8.35", "ISO/IEC 27001:2022, Annex A has no `A.8.35`"),
            ("pci_dss_4", "7.2.5.1", "ok"),
            ("dora", "Art.28(3)", "ok"),
            ("dora", "Art.65", "Regulation (EU) 2022/2554 (DORA) has no `Art.65`"),
            ("nis2", "Art.21(2)(d)", "ok"),
            ("nis2", "Art.21(d)", "Directive (EU) 2022/2555 (NIS2) has no `Art.21(d)`"),
        ];
        for (key, id, expected) in table {
            let framework = Catalogue::embedded().framework(key).unwrap();
            let got = framework.check(id).map_or_else(|it| it.to_string(), |()| "ok".to_owned());
            assert_eq!(got, expected, "checking {id:?}");
        }
    }

    #[test]
    fn every_alias_stands_for_ids_that_live() {
        for framework in &Catalogue::embedded().frameworks {
            for (name, alias) in &framework.aliases {
                assert!(!alias.stands_for.is_empty(), "{name} stands for nothing");
                for id in &alias.stands_for {
                    assert_eq!(framework.check(id), Ok(()), "alias {name}");
                }
            }
            let both = framework.ids.intersection(&framework.withdrawn).next();
            assert_eq!(both, None, "{} lists an id as living and withdrawn", framework.key);
        }
    }
}
