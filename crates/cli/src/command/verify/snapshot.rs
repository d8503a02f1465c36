//! A snapshot, checked as a gate checks it.

use countersign_gate::Snapshot;
use countersign_model::enforce::snapshot::SnapshotDocument;
use countersign_seal::dsse::Envelope;
use countersign_server::pack::{Pins, Report, Word};

use super::document::chain;

/// Checks a snapshot against the pinned keys, for a gate of the lane and environment that it names.
pub(super) fn verify(bytes: &[u8], envelope: &Envelope, pins: &Pins, report: &mut Report) {
    let (Some(snapshot_key), Some(certificate_key), Some(issuer), Some(approvers)) =
        (pins.snapshot, pins.certificate, &pins.issuer, &pins.approvers)
    else {
        report.add("snapshot", Word::NotChecked, "it holds no keys; name all of them: --keys FILE");
        return;
    };
    if let Err(error) = envelope.verify(&[snapshot_key], 1) {
        report.add("snapshot", Word::Fails, chain(&error));
        return;
    }
    let document: SnapshotDocument = match serde_json::from_slice(envelope.unverified_payload()) {
        Ok(it) => it,
        Err(error) => {
            report.add("snapshot", Word::Fails, format!("it cannot be read: {error}"));
            return;
        }
    };
    let pinned = countersign_gate::Pins {
        lane: document.lane,
        environment: document.environment,
        snapshot_key,
        certificate_key,
        issuer: issuer.clone(),
        approvers: approvers.clone(),
    };
    match Snapshot::check(bytes, &pinned, 0) {
        Err(error) => report.add("snapshot", Word::Fails, chain(&error)),
        Ok(checked) => {
            let (epoch, at, lease) = (document.epoch, document.issued_at, document.lease);
            let text = format!("epoch {epoch}, signed at {at}, for a lease of {lease}");
            report.add("snapshot", Word::Holds, text);
            for (integration, error) in checked.left_out() {
                let text = format!("{integration} is left out by a gate: {}", chain(error));
                report.add("entry", Word::Fails, text);
            }
            let good = document.entries.len() - checked.left_out().len();
            let all = document.entries.len();
            report.add("entries", Word::Holds, format!("{good} of {all} rest on what they must"));
        }
    }
}
