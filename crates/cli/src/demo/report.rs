//! What the demo saw, as one JSON document: `countersign.demo/1`.

use std::collections::BTreeSet;

use countersign_model::enforce::Reason;
use serde::Serialize;

/// The schema name of the document.
pub(crate) const DEMO_SCHEMA: &str = "countersign.demo/1";

/// What the demo saw.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// `countersign.demo/1`.
    pub(crate) schema: &'static str,
    /// Whether everything went as it must.
    pub(crate) ok: bool,
    /// How long it took.
    pub(crate) seconds: u64,
    /// Whether the whole log was verified from its published tiles.
    pub(crate) log_verified: bool,
    /// How many entries it had.
    pub(crate) log_entries: u64,
    /// Each integration's life.
    pub(crate) integrations: Vec<Life>,
}

/// The life of one integration.
#[derive(Debug, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the document")]
pub(crate) struct Life {
    /// Its name.
    pub(crate) id: String,
    /// The profile that judged it.
    pub(crate) profile: String,
    /// Whether the gate refused it before it was certified.
    pub(crate) refused_before: bool,
    /// What was found wrong with its wrong version.
    pub(crate) wrong_version: Wrong,
    /// The exit of the run over its right version.
    pub(crate) right_version_exit: Option<u64>,
    /// Whether one person's approval was not enough.
    pub(crate) one_person_refused: bool,
    /// Whether it was certified.
    pub(crate) certified: bool,
    /// How many people approved.
    pub(crate) approvers: usize,
    /// Whether its ordinary work in production went through afterwards.
    pub(crate) admitted: bool,
    /// Whether its evidence was verified offline, from its pack and pinned keys alone.
    pub(crate) pack_verified: bool,
    /// What happened when it asked for more.
    pub(crate) denied_after_change: Denied,
    /// How trust was withdrawn.
    pub(crate) revoked: Revoked,
    /// Whether its ordinary work in production was refused afterwards.
    pub(crate) refused_after: bool,
}

/// What a run over the wrong version came to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Wrong {
    /// Its exit.
    pub(crate) exit: u64,
    /// The checks that failed.
    pub(crate) checks: BTreeSet<String>,
    /// The controls that they decide.
    pub(crate) controls: BTreeSet<String>,
}

/// A denial of what was not certified.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Denied {
    /// What changed, in the manifest's words: `scope-added`.
    pub(crate) change: String,
    /// The gate's reason.
    pub(crate) reason: String,
    /// The state that the integration went on in.
    pub(crate) state: String,
    /// Whether what was certified went on meanwhile.
    pub(crate) rest_goes_on: bool,
}

impl Denied {
    /// Whether a gate gave the reason. A platform that does not answer denies nothing.
    fn is_by_gate(&self) -> bool {
        Reason::ALL.iter().any(|it| *it != Reason::Admitted && it.code() == self.reason)
    }
}

/// A withdrawal.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Revoked {
    /// Each path.
    pub(crate) paths: Vec<PathRow>,
    /// How many were proven.
    pub(crate) proven: u64,
    /// How many there are.
    pub(crate) total: u64,
}

/// One path of a withdrawal.
#[derive(Debug, Serialize)]
pub(crate) struct PathRow {
    /// The kind of path: `token-mint`.
    pub(crate) path: String,
    /// Which one: `oauth:acme-helpdesk`.
    pub(crate) subject: String,
    /// `asked`, `acknowledged` or `proven`.
    pub(crate) state: String,
    /// When, in milliseconds since the command.
    pub(crate) ms: u64,
    /// What proves it.
    pub(crate) by: String,
}

impl Life {
    /// What did not go as it must, in words; nothing where all did.
    pub(crate) fn problems(&self) -> Vec<String> {
        let facts = [
            (self.refused_before, "it was not refused before its certificate"),
            (self.wrong_version.exit == 3, "its wrong version was not refused"),
            (self.right_version_exit == Some(0), "its right version did not pass"),
            (self.one_person_refused, "one person's approval was enough"),
            (self.certified, "it was not certified"),
            (self.approvers == 2, "it was not approved by two people"),
            (self.admitted, "its ordinary work was refused"),
            (self.pack_verified, "its evidence does not verify"),
            (self.denied_after_change.is_by_gate(), "what changed was not denied by the gate"),
            (self.denied_after_change.state == "due", "it is not due after the change"),
            (self.denied_after_change.rest_goes_on, "what was certified did not go on"),
            (0 < self.revoked.total, "nothing was withdrawn"),
            (self.revoked.proven == self.revoked.total, "a path is not proven shut"),
            (self.refused_after, "it works after its revocation"),
        ];
        let wrong = facts.into_iter().filter(|(holds, _)| !holds);
        wrong.map(|(_, text)| format!("{}: {text}", self.id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_gate_denies() {
        let by = |reason: &str| Denied { reason: reason.to_owned(), ..Denied::default() };
        for (reason, expected) in
            [("outside-scope", true), ("unreachable", false), ("admitted", false), ("", false)]
        {
            assert_eq!(by(reason).is_by_gate(), expected, "{reason}");
        }
    }

    #[test]
    fn a_life_of_which_nothing_was_seen_is_a_problem_in_every_part() {
        let life = Life { id: "acme".to_owned(), ..Life::default() };
        // Of no paths at all, all are proven.
        assert_eq!(life.problems().len(), 13, "{:#?}", life.problems());
    }
}
