//! A gate: what is pinned, the snapshot in force, and when the server was last heard.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use countersign_model::declare::path::PathKind;
use countersign_model::declare::words::Slug;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::enforce::{Call, Reason};
use countersign_model::id::{CertificateId, DecisionId};
use countersign_model::time::Timestamp;

use crate::clock::Moment;
use crate::decide::{admit, is_bounded};
use crate::freshness::Life;
use crate::heartbeat::{self, HeartbeatError};
use crate::log::{Log, Record};
use crate::rate::Rates;
use crate::snapshot::{Pins, Snapshot, SnapshotError};

/// A gate. Cheap to share: the snapshot is swapped as a whole, and no lock is held for longer than
/// a few numbers take.
#[derive(Debug)]
pub struct Gate {
    pins: Pins,
    snapshot: ArcSwap<Snapshot>,
    loading: Mutex<()>,
    life: Mutex<Life>,
    rates: Rates,
    log: Log,
}

/// What a gate says to a call, and what it knew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The name of this decision, to explain it by.
    pub decision: DecisionId,
    /// Why.
    pub reason: Reason,
    /// Whom the call belongs to, where that is known.
    pub integration: Option<Slug>,
    /// The certificate that it rests on.
    pub certificate: Option<CertificateId>,
    /// The epoch of the snapshot.
    pub epoch: u64,
    /// How long ago the server was heard; none if never, or if the clock on the wall went back.
    pub age: Option<Duration>,
    /// For how long this gate knows enough without hearing from its server.
    pub fresh_for: Duration,
    /// Whether it was admitted although the lease was over, as its owner chose in writing.
    pub stale_but_admitted: bool,
}

impl Answer {
    /// Whether the call may proceed.
    pub fn is_admitted(&self) -> bool {
        self.reason == Reason::Admitted
    }

    /// How long ago the server was heard, in milliseconds.
    pub fn age_ms(&self) -> Option<u64> {
        self.age.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
    }
}

/// What a sign of life says about the snapshot in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Another one is in force at the server; the lease did not begin anew.
    Behind {
        /// Its epoch.
        epoch: u64,
    },
    /// It still is; the lease begins anew.
    Current,
}

/// A decision that was asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// What was decided then.
    pub then: Arc<Record>,
    /// What the snapshot in force says to the same call at the same moment. Rates are not asked
    /// again: a call that was over its rate then still is.
    pub again: Reason,
    /// The epoch of the snapshot in force.
    pub epoch: u64,
}

impl Gate {
    /// A gate that has heard nothing yet, and so admits nobody.
    pub fn new(pins: Pins) -> Self {
        Self {
            pins,
            snapshot: ArcSwap::from_pointee(Snapshot::empty()),
            loading: Mutex::new(()),
            life: Mutex::default(),
            rates: Rates::default(),
            log: Log::new(),
        }
    }

    /// Takes a signed snapshot that the server says is in force at `heard`, or keeps the one before.
    ///
    /// For callers that got it from the server itself a moment ago. Whoever follows over a network
    /// uses [`Self::offer`] and [`Self::heartbeat`]: an old envelope is no sign of life.
    pub fn load(&self, envelope: &[u8], heard: Instant) -> Result<Arc<Snapshot>, SnapshotError> {
        let snapshot = self.offer(envelope)?;
        self.heard(heard);
        Ok(snapshot)
    }

    /// Takes a signed snapshot, or keeps the one before. The lease does not begin anew.
    pub fn offer(&self, envelope: &[u8]) -> Result<Arc<Snapshot>, SnapshotError> {
        // Two that are offered at once are taken one after the other, so no epoch goes back.
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = Arc::new(Snapshot::check(envelope, &self.pins, self.epoch())?);
        self.snapshot.store(Arc::clone(&snapshot));
        self.rates.keep(|it| snapshot.knows(it));
        Ok(snapshot)
    }

    /// The epoch in force.
    pub fn epoch(&self) -> u64 {
        self.snapshot.load().epoch
    }

    /// Which snapshots it reads.
    pub fn lane(&self) -> Lane {
        self.pins.lane
    }

    /// The server said at `moment` that the snapshot in force still is.
    ///
    /// The moment is when the question was sent, so that a slow answer makes the lease shorter.
    pub fn heard(&self, moment: Instant) {
        self.life().heard(moment, None);
    }

    /// Takes a signed sign of life that answers `nonce`, which was sent at `asked`.
    ///
    /// The lease begins anew only where it speaks of the very snapshot that is in force here.
    pub fn heartbeat(
        &self,
        token: &str,
        nonce: &str,
        asked: Moment,
    ) -> Result<Heard, HeartbeatError> {
        let beat = heartbeat::check(token, nonce, &self.pins, asked.wall)?;
        let snapshot = self.snapshot.load();
        if beat.epoch < snapshot.epoch {
            return Err(HeartbeatError::WentBack { offered: beat.epoch, in_force: snapshot.epoch });
        }
        if beat.epoch != snapshot.epoch || snapshot.digest != Some(beat.snapshot) {
            return Ok(Heard::Behind { epoch: beat.epoch });
        }
        self.life().heard(asked.steady, Some(asked.wall));
        Ok(Heard::Current)
    }

    /// Decides one call: `clock` is now on the steady clock, `now` on the wall.
    pub fn decide(&self, call: &Call, clock: Instant, now: Timestamp) -> Answer {
        // The age is taken first: a snapshot that is swapped in meanwhile is only younger.
        let age = self.life().age(clock, now);
        let snapshot = self.snapshot.load();
        let entry = snapshot.entry(&call.client);
        let (reason, stale) = match admit(call, &snapshot, age, now) {
            Err(reason) => (reason, false),
            Ok(permit) => match permit.entry.grant.max_per_hour {
                Some(limit)
                    if call.kind == PathKind::TokenMint
                        && !self.rates.take(&permit.entry.integration, limit, now) =>
                {
                    (Reason::OverRate, false)
                }
                _ => (Reason::Admitted, permit.is_stale()),
            },
        };
        let lease = snapshot.lease.std();
        let answer = Answer {
            decision: self.log.name(now),
            reason,
            integration: entry.map(|it| it.integration.clone()),
            certificate: entry.and_then(|it| it.certificate.clone()),
            epoch: snapshot.epoch,
            age,
            fresh_for: age.map_or(Duration::ZERO, |it| lease.saturating_sub(it)),
            stale_but_admitted: stale,
        };
        let call = is_bounded(call).then(|| call.clone());
        self.log.add(Record { at: now, call, answer: answer.clone() });
        answer
    }

    /// Says no to a question that is no call in words that a gate knows, and remembers it.
    pub fn refuse_unknown(&self, clock: Instant, now: Timestamp) -> Answer {
        let age = self.life().age(clock, now);
        let snapshot = self.snapshot.load();
        let answer = Answer {
            decision: self.log.name(now),
            reason: Reason::UnknownWord,
            integration: None,
            certificate: None,
            epoch: snapshot.epoch,
            age,
            fresh_for: age.map_or(Duration::ZERO, |it| snapshot.lease.std().saturating_sub(it)),
            stale_but_admitted: false,
        };
        self.log.add(Record { at: now, call: None, answer: answer.clone() });
        answer
    }

    /// One of the last decisions, as it was taken.
    pub fn record(&self, decision: &DecisionId) -> Option<Arc<Record>> {
        self.log.get(decision)
    }

    /// The last decisions, the newest first, at most `most`.
    pub fn last(&self, most: usize) -> Vec<Arc<Record>> {
        self.log.last(most)
    }

    /// Asks one of the last decisions again, at the moment and the age of then.
    ///
    /// None where it is forgotten, or was too large to remember.
    pub fn replay(&self, decision: &DecisionId) -> Option<Replayed> {
        let then = self.log.get(decision)?;
        let call = then.call.as_ref()?;
        let snapshot = self.snapshot.load();
        let again = match admit(call, &snapshot, then.answer.age, then.at) {
            Ok(_) if then.answer.reason == Reason::OverRate => Reason::OverRate,
            Ok(_) => Reason::Admitted,
            Err(reason) => reason,
        };
        Some(Replayed { then: Arc::clone(&then), again, epoch: snapshot.epoch })
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
