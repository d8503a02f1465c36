//! A gate: what is pinned, the snapshot in force, and when the server was last heard.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use countersign_model::declare::path::PathKind;
use countersign_model::declare::words::Slug;
use countersign_model::enforce::{Call, Reason};
use countersign_model::id::CertificateId;
use countersign_model::time::Timestamp;

use crate::decide::admit;
use crate::rate::Rates;
use crate::snapshot::{Pins, Snapshot, SnapshotError};

/// A gate. Cheap to share; a decision takes no lock but for declared rates.
#[derive(Debug)]
pub struct Gate {
    pins: Pins,
    snapshot: ArcSwap<Snapshot>,
    heard: Mutex<Option<Instant>>,
    rates: Rates,
}

/// What a gate says to a call, and what it knew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Why.
    pub reason: Reason,
    /// Whom the call belongs to, where that is known.
    pub integration: Option<Slug>,
    /// The certificate that it rests on.
    pub certificate: Option<CertificateId>,
    /// The epoch of the snapshot.
    pub epoch: u64,
    /// How long ago the server was heard; none if never.
    pub age: Option<Duration>,
}

impl Answer {
    /// Whether the call may proceed.
    pub fn is_admitted(&self) -> bool {
        self.reason == Reason::Admitted
    }
}

impl Gate {
    /// A gate that has heard nothing yet, and so admits nobody.
    pub fn new(pins: Pins) -> Self {
        Self {
            pins,
            snapshot: ArcSwap::from_pointee(Snapshot::empty()),
            heard: Mutex::new(None),
            rates: Rates::default(),
        }
    }

    /// Takes a signed snapshot that the server says is in force at `heard`, or keeps the one before.
    pub fn load(&self, envelope: &[u8], heard: Instant) -> Result<Arc<Snapshot>, SnapshotError> {
        let snapshot = Arc::new(Snapshot::check(envelope, &self.pins, self.epoch())?);
        self.snapshot.store(Arc::clone(&snapshot));
        self.heard(heard);
        Ok(snapshot)
    }

    /// The epoch in force.
    pub fn epoch(&self) -> u64 {
        self.snapshot.load().epoch
    }

    /// The server said at `moment` that the snapshot in force still is.
    ///
    /// The moment is when the question was sent, so that a slow answer makes the lease shorter.
    pub fn heard(&self, moment: Instant) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = Some(heard.map_or(moment, |it| it.max(moment)));
    }

    /// Decides one call: `clock` is now on the steady clock, `now` on the wall.
    pub fn decide(&self, call: &Call, clock: Instant, now: Timestamp) -> Answer {
        let snapshot = self.snapshot.load();
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let age = heard.map(|it| clock.saturating_duration_since(it));
        let known = age.unwrap_or(Duration::MAX);
        let decided = admit(call, &snapshot, known, now);
        let entry = snapshot.clients.get(&call.client).and_then(|it| snapshot.entries.get(*it));
        let reason = match decided {
            Err(reason) => reason,
            Ok(permit) => match permit.entry.grant.max_per_hour {
                Some(limit)
                    if call.kind == PathKind::TokenMint
                        && !self.rates.take(&permit.entry.integration, limit, now) =>
                {
                    Reason::OverRate
                }
                _ => Reason::Admitted,
            },
        };
        Answer {
            reason,
            integration: entry.map(|it| it.integration.clone()),
            certificate: entry.and_then(|it| it.certificate.clone()),
            epoch: snapshot.epoch,
            age,
        }
    }
}
