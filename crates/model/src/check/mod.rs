//! Step 3, check: what was looked at, what was seen, and what follows from it.

pub mod assessment;
pub mod evidence;
pub mod finding;
pub mod outcome;
pub mod transcript;
pub mod verdict;

pub use assessment::{Assessment, ControlOutcome};
pub use evidence::{Evidence, EvidenceRef};
pub use finding::Finding;
pub use outcome::{Outcome, Summary};
pub use transcript::{Answer, Entry, Exchange, Fact, Transcript, Wait};
pub use verdict::{Judgement, Owed, Progress, Verdict};
