//! What the runs of the stand-in world leave to be tried again, and what trying it comes to.

use countersign_checks::canaries::{Canaries, Kept};
use countersign_checks::platform::{ClientCopy, Seed};
use countersign_model::check::{Evidence, Judgement, Owed, Transcript, Verdict};
use countersign_model::id::EvidenceId;
use countersign_model::time::{Period, Timestamp};
use countersign_server::world::{Seen, SweepJob};

use crate::stage::Told;

/// The check that leaves something to be tried again.
pub(crate) const GHOST: &str = "stays_gone_after_offboarding";
/// The secrets of the copy that a run leaves.
pub(crate) const CANARY_TOKEN: &str = concat!("the-access-", "token-of-a-canary");
pub(crate) const CANARY_REFRESH: &str = concat!("the-refresh-", "token-of-a-canary");
pub(crate) const CANARY_SEED: [u8; 32] = *b"canary-seed-of-a-throw-away-copy";

/// The looks that a copy owes which ended now.
pub(crate) fn owed(now: Timestamp) -> Vec<Owed> {
    let one = |what: &str, after: u64, late: u64| Owed {
        what: what.to_owned(),
        due: now + Period::from_hours(after),
        by: now + Period::from_hours(after + late),
    };
    vec![one("T+24 h", 24, 6), one("T+30 d", 720, 48)]
}

fn canaries(copy: &str) -> Canaries {
    Canaries::new(ClientCopy::new(copy.to_owned(), Seed::new(CANARY_SEED)), "acme-helpdesk")
        .token(CANARY_TOKEN, None)
        .refresh(Some(CANARY_REFRESH.to_owned()))
}

/// What a run leaves.
pub(crate) fn kept(evidence: &Evidence, controls: &[String], run: usize) -> Kept {
    Kept {
        evidence: evidence.id.clone(),
        check: evidence.transcript.check.clone(),
        subject: evidence.transcript.subject.clone(),
        controls: controls.to_vec(),
        began: evidence.at,
        sweeps: owed(evidence.at),
        until: evidence.at + Period::from_days(37),
        canaries: canaries(&format!("acme-helpdesk.copy-{run}")),
    }
}

/// One later look.
pub(crate) fn sweep(told: &mut Told, job: &SweepJob<'_>, now: Timestamp) -> Seen {
    let bytes = job.canaries.to_bytes().unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(text.contains(CANARY_TOKEN) && text.contains(CANARY_REFRESH), "unsealed: {text}");
    told.swept.push((job.sweep.to_owned(), job.canaries.client().to_owned()));
    let judgement = match told.sweeps.get(job.sweep) {
        Some(Verdict::Fail) => Judgement::fail("an offboarded client is let in"),
        Some(Verdict::Inconclusive) => Judgement::inconclusive("nobody is let in"),
        _ => Judgement::pass("an offboarded client stays gone"),
    };
    let number = 200 + u8::try_from(told.swept.len() % 50).unwrap();
    let evidence = Evidence {
        schema: "countersign.evidence/1".to_owned(),
        id: EvidenceId::new(now, [number; 10]),
        judge: "1".to_owned(),
        collector: "server".to_owned(),
        at: now,
        transcript: Transcript::new(GHOST, job.subject, job.digest),
        judgement,
    };
    Seen {
        evidence,
        check: GHOST.to_owned(),
        case: Some("REV-10".to_owned()),
        controls: vec!["CTS-WDR-02".to_owned()],
        subject: job.subject.to_owned(),
        finding: None,
    }
}
