//! Words that mean the same everywhere: checks, controls, reasons, states, outcomes, triggers, exits.

use countersign_checks::page::rows;
use countersign_model::check::Outcome;
use countersign_model::enforce::Reason;
use countersign_model::lifecycle::State;
use countersign_model::require::Catalogue;

use crate::exit::Exit;

/// What a word means.
#[derive(Debug)]
pub(super) struct Found {
    /// What kind of word it is.
    pub(super) kind: &'static str,
    /// The word.
    pub(super) word: String,
    /// What is said about it, by name.
    pub(super) rows: Vec<(&'static str, String)>,
}

/// Every state, in the order of a life.
const STATES: [State; 10] = [
    State::Submitted,
    State::Checking,
    State::Observing,
    State::InReview,
    State::Certified,
    State::Conditional,
    State::Due,
    State::Lapsed,
    State::Suspended,
    State::Revoked,
];

/// Every outcome of a control.
const OUTCOMES: [Outcome; 8] = [
    Outcome::Pass,
    Outcome::Fail,
    Outcome::Inconclusive,
    Outcome::NotApplicable,
    Outcome::Open,
    Outcome::Stale,
    Outcome::Waiting,
    Outcome::Waived,
];

/// The word, wherever it is known. A word that a state and a reason share is explained as both.
pub(super) fn find(word: &str) -> Option<Found> {
    check(word).or_else(|| control(word)).or_else(|| {
        let mut rows = Vec::new();
        let mut kind = None;
        let mut add = |name: &'static str, text: Option<String>| {
            if let Some(text) = text {
                kind.get_or_insert(name);
                rows.push((name, text));
            }
        };
        add("state", STATES.iter().find(|it| it.word() == word).map(|it| state(*it).to_owned()));
        add(
            "reason",
            Reason::ALL.iter().find(|it| it.code() == word).map(|it| it.explain().to_owned()),
        );
        let outcomes = OUTCOMES.iter().find(|it| it.word() == word);
        add("outcome", outcomes.map(|it| outcome(*it).to_owned()));
        let trigger = Catalogue::embedded().triggers.each.get(word);
        add("trigger", trigger.map(|it| it.means.clone()));
        let standing = standing(word);
        add("because", standing.map(str::to_owned));
        let exits = Exit::ALL.iter().find(|it| it.word() == word || it.code().to_string() == word);
        add("exit", exits.map(|it| format!("{}: {}", it.code(), exit(*it))));
        kind.map(|kind| Found { kind, word: word.to_owned(), rows })
    })
}

fn check(word: &str) -> Option<Found> {
    let mut infos = countersign_checks::registry::CHECKS.iter().map(|it| it.info());
    let info = infos.find(|it| it.name == word || it.case == Some(word))?;
    Some(Found { kind: "check", word: info.name.to_owned(), rows: rows(info) })
}

fn control(word: &str) -> Option<Found> {
    let control = Catalogue::embedded().control(word)?;
    let checks = if control.checks.is_empty() {
        control.automation.map_or("no check decides it yet", |it| it.says()).to_owned()
    } else {
        control.checks.join(", ")
    };
    let rows = vec![
        ("title", control.title.clone()),
        ("in short", control.plain.clone()),
        ("demands", control.requirement.clone()),
        ("risk", control.risk.clone()),
        ("passes if", control.pass_criterion.clone()),
        ("fix", control.remediation.clone()),
        ("severity", control.severity.word().to_owned()),
        ("checks", checks),
    ];
    Some(Found { kind: "control", word: control.id.clone(), rows })
}

fn state(state: State) -> &'static str {
    match state {
        State::Submitted => {
            "A manifest was sent, and nobody has checked it yet. No gate in front of production admits it."
        }
        State::Checking => {
            "A run of checks ended, and something required does not hold. It is not admitted."
        }
        State::Observing => {
            "Everything holds that can be seen at once; the rest needs time. It is not admitted."
        }
        State::InReview => "The checks hold; two people have to decide. It is not admitted.",
        State::Certified => {
            "Two people approved this exact baseline, and nothing has moved since. Gates admit it inside its grant."
        }
        State::Conditional => {
            "Certified, with exceptions that have an end. Gates admit it inside its grant until the first one ends."
        }
        State::Due => {
            "Something asks for recertification. Gates admit what was certified until the grace ends, and nothing new."
        }
        State::Lapsed => "Its time has run out. Gates deny it until it is certified anew.",
        State::Suspended => {
            "Trust is withdrawn for a time. Gates deny it until then, or until two people resume it."
        }
        State::Revoked => {
            "Trust is withdrawn for good. Gates deny it; the way back is a new submission."
        }
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => {
            "Every check of the control saw what it asks for, after a valid request was accepted in the same run."
        }
        Outcome::Fail => "A check saw the opposite of what the control asks for.",
        Outcome::Inconclusive => "It could not be seen either way. It counts as not passed.",
        Outcome::NotApplicable => "The integration has nothing that the control asks about.",
        Outcome::Open => {
            "No check exists yet, none ran, or a person's attestation is missing. It counts as not passed."
        }
        Outcome::Stale => "The evidence is older than allowed. It counts as not passed.",
        Outcome::Waiting => "Only time is missing. It counts as not passed until then.",
        Outcome::Waived => "It does not pass, and a granted exception with an end says so.",
    }
}

/// Reasons of a state that no gate gives.
fn standing(word: &str) -> Option<&'static str> {
    Some(match word {
        "evidence-stale" => {
            "Evidence that a required control rests on is older than allowed; check again."
        }
        "canaries-lost" => {
            "What was offboarded cannot be tried again, since its credentials are lost; check again."
        }
        "sweep-overdue" => {
            "What was offboarded was not tried again in time. The server still does, where it can; a new check begins anew."
        }
        "expired" => "The decision has reached its end; certify again.",
        "waiver-ended" => "An exception has ended, and what it excepted does not pass.",
        _ => return None,
    })
}

/// What an exit means.
pub(in crate::command) fn exit(exit: Exit) -> &'static str {
    match exit {
        Exit::Yes => "done, allowed, verified, proven",
        Exit::Broken => "unexpected failure of the tool",
        Exit::Usage => "wrong flag or argument",
        Exit::No => "a verdict was reached and it is negative",
        Exit::Who => "sign in, or you may not",
        Exit::NotJudged => "preflight or manifest invalid; nothing was decided",
        Exit::Moved => "the plan is stale, somebody changed it",
        Exit::Integrity => "a signature, the log or evidence does not verify: page someone",
        Exit::Pending => {
            "accepted, not finished: waiting for a person, for time, or for proof on a path"
        }
        Exit::Unreachable => "a needed source cannot be reached; any answer shown may be stale",
        Exit::Interrupted => "Ctrl-C; what was already done is printed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_shown_is_explained() {
        let states = STATES.iter().map(|it| it.word());
        let reasons = Reason::ALL.iter().map(|it| it.code());
        let outcomes = OUTCOMES.iter().map(|it| it.word());
        let exits = Exit::ALL.iter().map(|it| it.word());
        let catalogue = Catalogue::embedded();
        let triggers = catalogue.triggers.each.keys().map(String::as_str);
        let controls = catalogue.controls.iter().map(|it| it.id.as_str());
        let checks = countersign_checks::registry::CHECKS.iter().map(|it| it.info().name);
        let all = states.chain(reasons).chain(outcomes).chain(exits);
        for word in all.chain(triggers).chain(controls).chain(checks) {
            let found = find(word).unwrap_or_else(|| panic!("`{word}` is not explained"));
            assert!(found.rows.iter().all(|it| !it.1.trim().is_empty()), "{found:?}");
        }
        assert!(find("nonsense").is_none());
    }

    #[test]
    fn a_word_with_two_meanings_has_both() {
        let found = find("revoked").unwrap();
        let names: Vec<_> = found.rows.iter().map(|it| it.0).collect();
        assert_eq!(names, ["state", "reason"]);
    }
}
