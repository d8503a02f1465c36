//! What each event of a drill changes.

use crate::event::{Event, What};
use crate::revoke::drill::{DrillEnd, DrillRecord};

/// How many drills of one integration are known at once; the log has them all.
const KEPT_MAX: usize = 20;

pub(super) fn apply(drills: &mut Vec<DrillRecord>, event: &Event) {
    if let What::DrillAnnounced { drill, parts, until, announcement, .. } = &event.what {
        drills.push(DrillRecord {
            id: drill.clone(),
            at: event.at,
            by: event.by.clone(),
            parts: parts.clone(),
            until: *until,
            announcement: *announcement,
            denies_until: None,
            ended: None,
        });
        let surplus = drills.len().saturating_sub(KEPT_MAX);
        drills.drain(..surplus);
        return;
    }
    let (What::DrillDenied { drill, .. }
    | What::DrillLifted { drill, .. }
    | What::Drilled { drill, .. }) = &event.what
    else {
        return;
    };
    let Some(known) = drills.iter_mut().find(|it| it.id == *drill) else { return };
    match &event.what {
        // It never outlives what was announced.
        What::DrillDenied { until, .. } => known.denies_until = Some((*until).min(known.until)),
        What::DrillLifted { .. } => known.denies_until = None,
        What::Drilled { outcome, slowest, report, assessment, .. } => {
            known.denies_until = None;
            known.ended = Some(DrillEnd {
                at: event.at,
                outcome: *outcome,
                slowest: *slowest,
                report: *report,
                assessment: assessment.clone(),
            });
        }
        _ => {}
    }
}
