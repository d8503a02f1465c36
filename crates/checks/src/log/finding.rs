//! What a line fails: by which rule, for which reason, and against which part of the manifest.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One thing that was found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The file, or the name of the stream; empty where it is about no line.
    pub source: String,
    /// The line in it; 0 where it is about no line.
    pub line: u64,
    /// What it was counted among.
    pub among: Among,
    /// The rule.
    pub rule: Rule,
    /// How many requests or numbers it stands for.
    pub count: u64,
    /// The reason.
    pub reason: String,
    /// The part of the manifest that it breaks: `declared_use.networks`.
    pub breaks: String,
}

/// What a finding was counted among.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Among {
    /// Requests for a token.
    Requests,
    /// Uses of a token.
    Uses,
    /// Lines, numbers or tokens of the log as a whole.
    Log,
}

/// A question that is asked of every line, or of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The line cannot be read.
    Unreadable,
    /// It names no client.
    NamesItsClient,
    /// A field is missing that every request carries.
    CarriesWhatItMust,
    /// The actor looks like nothing that was declared.
    NamesAnActor,
    /// It names no token.
    NamesItsToken,
    /// The token has an end, inside the declared life.
    EndsInTime,
    /// No scope that is not declared.
    KeepsToItsScopes,
    /// No other grant.
    KeepsToItsGrant,
    /// No person acts as a machine.
    StaysAMachine,
    /// From the declared networks.
    StaysInItsNetworks,
    /// At the declared hours.
    KeepsItsHours,
    /// No more requests in any hour than declared.
    KeepsItsRate,
    /// No call that is not declared.
    KeepsToItsEndpoints,
    /// No use after the token's end.
    StopsAtTheEnd,
    /// No use after the token was revoked.
    StopsWhenRevoked,
    /// A token stays in one network.
    StaysInOneNetwork,
    /// Each token that is used was issued.
    WasIssued,
    /// No number is missing, and none comes twice.
    LosesNoNumber,
    /// Every request that we made ourselves is in the log.
    ShowsEveryCanary,
}

/// The question that a rule belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Who, with what, and why?
    Attributable,
    /// Does the token end?
    TimeBounded,
    /// Was it declared?
    Consistent,
    /// Is nothing missing?
    Complete,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 19] = [
        Self::Unreadable,
        Self::NamesItsClient,
        Self::CarriesWhatItMust,
        Self::NamesAnActor,
        Self::NamesItsToken,
        Self::EndsInTime,
        Self::KeepsToItsScopes,
        Self::KeepsToItsGrant,
        Self::StaysAMachine,
        Self::StaysInItsNetworks,
        Self::KeepsItsHours,
        Self::KeepsItsRate,
        Self::KeepsToItsEndpoints,
        Self::StopsAtTheEnd,
        Self::StopsWhenRevoked,
        Self::StaysInOneNetwork,
        Self::WasIssued,
        Self::LosesNoNumber,
        Self::ShowsEveryCanary,
    ];

    /// Its name: `keeps_its_hours`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NamesItsClient => "names_its_client",
            Self::CarriesWhatItMust => "carries_what_it_must",
            Self::NamesAnActor => "names_an_actor",
            Self::NamesItsToken => "names_its_token",
            Self::EndsInTime => "ends_in_time",
            Self::KeepsToItsScopes => "keeps_to_its_scopes",
            Self::KeepsToItsGrant => "keeps_to_its_grant",
            Self::StaysAMachine => "stays_a_machine",
            Self::StaysInItsNetworks => "stays_in_its_networks",
            Self::KeepsItsHours => "keeps_its_hours",
            Self::KeepsItsRate => "keeps_its_rate",
            Self::KeepsToItsEndpoints => "keeps_to_its_endpoints",
            Self::StopsAtTheEnd => "stops_at_the_end",
            Self::StopsWhenRevoked => "stops_when_revoked",
            Self::StaysInOneNetwork => "stays_in_one_network",
            Self::WasIssued => "was_issued",
            Self::LosesNoNumber => "loses_no_number",
            Self::ShowsEveryCanary => "shows_every_canary",
        }
    }

    /// The question that it belongs to.
    pub const fn question(self) -> Question {
        match self {
            Self::NamesItsClient
            | Self::CarriesWhatItMust
            | Self::NamesAnActor
            | Self::NamesItsToken => Question::Attributable,
            Self::EndsInTime | Self::StopsAtTheEnd | Self::StopsWhenRevoked => {
                Question::TimeBounded
            }
            Self::KeepsToItsScopes
            | Self::KeepsToItsGrant
            | Self::StaysAMachine
            | Self::StaysInItsNetworks
            | Self::KeepsItsHours
            | Self::KeepsItsRate
            | Self::KeepsToItsEndpoints
            | Self::StaysInOneNetwork => Question::Consistent,
            Self::Unreadable | Self::WasIssued | Self::LosesNoNumber | Self::ShowsEveryCanary => {
                Question::Complete
            }
        }
    }

    /// The part of the manifest that a line breaks which fails it; `identity` stands for the client's own.
    pub const fn breaks(self) -> &'static str {
        match self {
            Self::Unreadable | Self::NamesItsClient | Self::NamesItsToken | Self::WasIssued => {
                "logging.fields"
            }
            Self::CarriesWhatItMust => "declared_use.must_carry",
            Self::NamesAnActor => "declared_use.actor_pattern",
            Self::EndsInTime | Self::StopsAtTheEnd => "identity.max_token_ttl",
            Self::KeepsToItsScopes | Self::KeepsToItsEndpoints => "identity.scope",
            Self::KeepsToItsGrant | Self::StaysAMachine => "declared_use.grant",
            Self::StaysInItsNetworks | Self::StaysInOneNetwork => "declared_use.networks",
            Self::KeepsItsHours => "declared_use.hours",
            Self::KeepsItsRate => "declared_use.max_per_hour",
            Self::StopsWhenRevoked => "revocation.deny_within",
            Self::LosesNoNumber | Self::ShowsEveryCanary => "logging.sequence",
        }
    }
}

/// The answer of one line to one question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Answer {
    /// It is in order.
    #[default]
    Good,
    /// Its source never tells what is asked for, and why.
    Untold(&'static str),
    /// It is not in order.
    Wrong(Box<Wrong>),
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) rule: Rule,
    pub(super) reason: Cow<'static, str>,
}

impl Answer {
    pub(super) fn wrong(rule: Rule, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Wrong(Box::new(Wrong { rule, reason: reason.into() }))
    }

    /// This answer where it is wrong, else the other; what is not told outweighs what is good.
    pub(super) fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Wrong(_) => self,
            Self::Good => other(),
            Self::Untold(_) => match other() {
                Self::Wrong(it) => Self::Wrong(it),
                Self::Good | Self::Untold(_) => self,
            },
        }
    }

    pub(super) fn is_wrong(&self) -> bool {
        matches!(self, Self::Wrong(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rules_are_told_apart_by_their_names() {
        let names: BTreeSet<&str> = Rule::ALL.iter().map(|it| it.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
        }
    }

    #[test]
    fn what_is_wrong_outweighs_what_is_not_told() {
        let wrong = || Answer::wrong(Rule::KeepsItsHours, "late");
        let untold = || Answer::Untold("never");
        assert!(untold().or(wrong).is_wrong() && wrong().or(untold).is_wrong());
        assert_eq!(untold().or(|| Answer::Good), untold());
        assert_eq!(Answer::Good.or(untold), untold());
    }
}
