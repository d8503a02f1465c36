//! Every check is itself checked: it catches the partner that is wrong in its way, passes the right one,
//! and never passes one that is down, broken or says yes to everything.

mod jobs;
mod rows;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use countersign_checks::registry::CHECKS;
use countersign_model::check::Verdict;

use crate::{Fault, Kind, StartError};

pub use rows::ROWS;

/// What one check is held against.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name.
    pub check: &'static str,
    /// The partners that it passes.
    pub right: &'static [Kind],
    /// Those that it fails.
    pub mutants: &'static [Mutant],
    /// Whom it needs in order to conclude anything.
    pub leans: Leans,
}

/// One way to be wrong that a check has to catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// The partner, or what is registered for it, has this fault.
    Does(Kind, Fault),
    /// Tokens were granted in production before there was a certificate.
    Early(Kind),
    /// An exception is in force that its requester granted to themselves.
    Excepted(Kind),
    /// Its manifest says the second where the right one says the first.
    Says(Kind, &'static str, &'static str),
}

impl Mutant {
    fn kind(self) -> Kind {
        match self {
            Self::Does(kind, _)
            | Self::Early(kind)
            | Self::Excepted(kind)
            | Self::Says(kind, ..) => kind,
        }
    }

    /// In a few words, for people.
    fn words(self) -> String {
        match self {
            Self::Does(_, fault) => serde_json::to_value(fault)
                .ok()
                .and_then(|it| it.as_str().map(str::to_owned))
                .unwrap_or_else(|| format!("{fault:?}")),
            Self::Early(_) => "tokens-before-certificate".to_owned(),
            Self::Excepted(_) => "self-granted-exception".to_owned(),
            Self::Says(_, _, to) => format!("manifest: {}", to.lines().next().unwrap_or_default()),
        }
    }
}

/// Whom a check needs in order to conclude anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leans {
    /// Partner and platform.
    Both,
    /// Nobody: it reads the manifest and what the server knows.
    Manifest,
    /// The partner.
    Partner,
    /// The platform.
    Platform,
}

/// How somebody can be there and be of no use.
pub const BROKEN: [Fault; 5] =
    [Fault::Down, Fault::AllErrors, Fault::AllSuccess, Fault::Hangs, Fault::ClosesHalfWay];

/// Under which circumstances a check was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scenario {
    Right(Kind),
    Mutant(Mutant),
    Partner(Kind, Fault),
    Platform(Kind, Fault),
}

impl Scenario {
    fn kind(self) -> Kind {
        match self {
            Self::Right(kind) | Self::Partner(kind, _) | Self::Platform(kind, _) => kind,
            Self::Mutant(mutant) => mutant.kind(),
        }
    }
}

impl Row {
    /// Every circumstance in which the check is run.
    fn scenarios(&self) -> Vec<Scenario> {
        let mut all: Vec<Scenario> = self.right.iter().map(|it| Scenario::Right(*it)).collect();
        all.extend(self.mutants.iter().map(|it| Scenario::Mutant(*it)));
        let Some(kind) = self.right.first().copied() else { return all };
        if matches!(self.leans, Leans::Both | Leans::Partner) {
            all.extend(BROKEN.map(|it| Scenario::Partner(kind, it)));
        }
        if matches!(self.leans, Leans::Both | Leans::Platform) {
            all.extend(BROKEN.map(|it| Scenario::Platform(kind, it)));
        }
        all
    }
}

/// What every check said under every circumstance.
#[derive(Debug)]
pub struct Matrix {
    verdicts: BTreeMap<(&'static str, Scenario), Verdict>,
    told: BTreeMap<(&'static str, Scenario), String>,
}

/// Runs every check under every circumstance; `only` narrows it to some checks. Needs a runtime of
/// several threads.
pub async fn run(only: Option<&BTreeSet<String>>) -> Result<Matrix, StartError> {
    jobs::run(only).await
}

/// Checks of the registry that no row holds against anything, and rows of checks that do not exist.
pub fn uncovered() -> Vec<&'static str> {
    let known: BTreeSet<&str> = CHECKS.iter().map(|it| it.info().name).collect();
    let held: BTreeSet<&str> =
        ROWS.iter().filter(|it| !it.mutants.is_empty()).map(|it| it.check).collect();
    known.symmetric_difference(&held).copied().collect()
}
