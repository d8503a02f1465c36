//! Everything that is known, folded from the events. Views are made from this and can be dropped.

mod apply;
mod drills;
mod record;
mod sweeps;

use std::collections::{BTreeMap, BTreeSet};

use countersign_seal::{Digest, PublicKey};

use crate::declare::words::Slug;
use crate::enforce::snapshot::Approver;
use crate::event::{Event, What};
use crate::id::{IntegrationId, PersonId};

pub use record::{
    AssessmentRecord, CertificateRecord, Cut, DecisionRecord, PlanRecord, Record, Submission,
    WithdrawalRecord,
};
pub use sweeps::{CameBack, Made, Unswept, WatchEnd, WatchRecord, came_back};

/// Everything that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// How many events were folded.
    pub size: u64,
    /// Integrations by id.
    pub integrations: BTreeMap<IntegrationId, Record>,
    /// Ids by the integrations' own names.
    pub slugs: BTreeMap<Slug, IntegrationId>,
    /// Keys that count in a review, by person.
    pub approvers: Vec<Approver>,
    /// Enrolled gates.
    pub gates: BTreeSet<String>,
    /// Lists of adopted clients, by platform.
    pub adopted: BTreeMap<String, Digest>,
    /// The next free index of the status list.
    pub next_status_index: u64,
}

impl Registry {
    /// Folds events in order.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut registry = Self::default();
        for event in events {
            registry.apply(event);
        }
        registry
    }

    /// Looks an integration up by its own name or its id.
    pub fn find(&self, name: &str) -> Option<&Record> {
        let by_slug = name.parse::<Slug>().ok().and_then(|it| self.slugs.get(&it).cloned());
        let id = by_slug.or_else(|| name.parse().ok())?;
        self.integrations.get(&id)
    }

    /// The person whose key this is.
    pub fn person_of(&self, key: PublicKey) -> Option<&PersonId> {
        self.approvers.iter().find(|it| it.key == key).map(|it| &it.person)
    }

    /// Takes one event in. Total: an event about something unknown changes nothing.
    pub fn apply(&mut self, event: &Event) {
        let index = self.size;
        self.size += 1;
        match &event.what {
            What::KeyEnrolled { person, key } => {
                let approver = Approver { person: person.clone(), key: *key };
                if !self.approvers.iter().any(|it| it.key == approver.key) {
                    self.approvers.push(approver);
                }
            }
            What::KeyRevoked { key } => {
                self.approvers.retain(|it| it.key != *key);
                for record in self.integrations.values_mut() {
                    record.key_revoked(*key, event.at);
                }
            }
            What::GateEnrolled { gate } => {
                self.gates.insert(gate.clone());
            }
            What::Adopted { platform, adopted } => {
                self.adopted.insert(platform.clone(), *adopted);
            }
            What::Submitted { .. } => self.submitted(event),
            what => {
                if let What::Certified { status_index, .. } = what {
                    self.next_status_index = self.next_status_index.max(status_index + 1);
                }
                let record = what.integration().and_then(|it| self.integrations.get_mut(it));
                if let Some(record) = record {
                    record.apply(event, index);
                }
            }
        }
    }

    fn submitted(&mut self, event: &Event) {
        let What::Submitted {
            integration,
            slug,
            manifest,
            blob,
            environment,
            profile,
            tier,
            triggers,
        } = &event.what
        else {
            return;
        };
        let Some(requester) = event.by.clone() else { return };
        let submission = Submission {
            at: event.at,
            requester,
            manifest: *manifest,
            blob: *blob,
            environment: *environment,
            profile: profile.clone(),
            tier: *tier,
        };
        self.slugs.insert(slug.clone(), integration.clone());
        if let Some(record) = self.integrations.get_mut(integration) {
            record.resubmitted(submission, triggers, event.at);
        } else {
            let record = Record::new(integration.clone(), slug.clone(), submission);
            self.integrations.insert(integration.clone(), record);
        }
    }
}
