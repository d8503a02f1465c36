//! Judges stored evidence again, without the partner.

use countersign_model::check::{Evidence, Judgement, Verdict};

use crate::check::conclude;
use crate::registry;

/// Judges stored evidence again; none if the check is not known here.
///
/// The same transcript gives the same judgement. What was not applicable had nothing to judge.
pub fn judge_again(evidence: &Evidence) -> Option<Judgement> {
    let silent = evidence.transcript.entries.is_empty();
    if silent && evidence.judgement.verdict == Verdict::NotApplicable {
        return Some(evidence.judgement.clone());
    }
    let check = registry::find(&evidence.transcript.check)?;
    Some(conclude(check, &evidence.transcript))
}
