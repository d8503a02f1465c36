//! A small life of an integration, told in events.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::check::{ControlOutcome, Outcome};
use countersign_model::declare::manifest::{Environment, FailMode};
use countersign_model::enforce::Grant;
use countersign_model::enforce::grant::IdentityGrant;
use countersign_model::event::{Event, What};
use countersign_model::id::{
    AssessmentId, CertificateId, DecisionId, IntegrationId, PersonId, PlanId, RevocationId,
};
use countersign_model::require::requirement::Level;
use countersign_model::require::tier::Tier;
use countersign_model::review::Decision;
use countersign_model::review::decision::DECISION_SCHEMA;
use countersign_model::revoke::WithdrawalKind;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::Digest;

/// The moment `seconds` into the story.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_000_000 + seconds)
}

pub(crate) fn person(number: u8) -> PersonId {
    PersonId::new(at(0), [number; 10])
}

pub(crate) fn integration() -> IntegrationId {
    IntegrationId::new(at(0), [1; 10])
}

pub(crate) fn manifest(number: u8) -> Digest {
    Digest::of(&[b'm', number])
}

pub(crate) fn submitted(seconds: i64, number: u8) -> Event {
    Event::new(
        at(seconds),
        Some(person(1)),
        What::Submitted {
            integration: integration(),
            slug: "acme-helpdesk".parse().unwrap(),
            manifest: manifest(number),
            blob: manifest(number),
            environment: Environment::Sandbox,
            profile: "saas-vendor@1".parse().unwrap(),
            tier: Tier::Elevated,
            triggers: vec!["scope-added".to_owned()],
        },
    )
}

pub(crate) fn assessed(seconds: i64, number: u8, outcome: Outcome, fresh_for: u64) -> Event {
    let control = ControlOutcome {
        control: "CTS-SCP-01".to_owned(),
        level: Level::Required,
        outcome,
        fresh_until: Some(at(seconds) + Period::from_seconds(fresh_for)),
        waiver: None,
    };
    Event::new(
        at(seconds),
        None,
        What::Assessed {
            integration: integration(),
            assessment: AssessmentId::new(at(seconds), [2; 10]),
            digest: Digest::of(b"assessment"),
            manifest: manifest(number),
            baseline: Digest::of(b"baseline"),
            diff: Digest::of(b"diff"),
            outcomes: vec![control],
        },
    )
}

pub(crate) fn certified(seconds: i64, number: u8, days: u64) -> Event {
    let end = at(seconds) + Period::from_days(days);
    Event::new(
        at(seconds),
        None,
        What::Certified {
            integration: integration(),
            certificate: CertificateId::new(at(seconds), [3; 10]),
            plan: PlanId::new(at(seconds), [4; 10]),
            decision: DecisionId::new(at(seconds), [5; 10]),
            envelope: Digest::of(b"envelope"),
            token: Digest::of(b"token"),
            manifest: manifest(number),
            baseline: Digest::of(b"baseline"),
            status_index: 0,
            not_before: at(seconds),
            not_after: end,
            signature_ends: end,
        },
    )
}

pub(crate) fn withdrawn(seconds: i64, how: WithdrawalKind, until: Option<i64>) -> Event {
    Event::new(
        at(seconds),
        Some(person(2)),
        What::Withdrawn {
            integration: integration(),
            revocation: RevocationId::new(at(seconds), [6; 10]),
            how,
            until: until.map(at),
            reason: Digest::of(b"reason"),
            paths: Vec::new(),
        },
    )
}

pub(crate) fn resume(seconds: i64, withdrawn_at: i64, who: u8) -> Event {
    Event::new(
        at(seconds),
        Some(person(who)),
        What::ResumeAgreed {
            integration: integration(),
            revocation: RevocationId::new(at(withdrawn_at), [6; 10]),
        },
    )
}

pub(crate) fn grant() -> Grant {
    let scopes =
        BTreeMap::from([("tickets:write".parse().unwrap(), vec!["POST /v1/tickets".to_owned()])]);
    Grant {
        integration: "acme-helpdesk".parse().unwrap(),
        environment: Environment::Sandbox,
        paths: Vec::new(),
        identities: vec![IdentityGrant {
            identity: "oauth:acme-helpdesk".to_owned(),
            client_id: "acme-helpdesk".to_owned(),
            grant_type: None,
            max_token_ttl: Period::from_seconds(600),
            refresh: false,
            scopes,
            auth: None,
            keys_at: None,
        }],
        events: Vec::new(),
        calls: Vec::new(),
        automations: Vec::new(),
        networks: Vec::new(),
        hours: None,
        max_per_hour: None,
        fail_mode: FailMode::Strict,
        max_stale: None,
    }
}

pub(crate) fn decision() -> Decision {
    Decision {
        schema: DECISION_SCHEMA.to_owned(),
        decision: DecisionId::new(at(0), [5; 10]),
        integration: integration(),
        assessment: AssessmentId::new(at(0), [2; 10]),
        assessment_digest: Digest::of(b"assessment"),
        baseline: Digest::of(b"baseline"),
        seen_diff: Digest::of(b"diff"),
        profile: "saas-vendor@1".parse().unwrap(),
        tier: Tier::Elevated,
        waivers: Vec::new(),
        removed_scopes: BTreeSet::new(),
        grant: grant(),
        not_before: at(0),
        not_after: at(86_400),
    }
}
