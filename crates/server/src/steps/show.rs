//! What is known, as it travels.

use std::collections::BTreeMap;

use countersign_ledger::VerifierKey;
use countersign_model::check::{Assessment, Evidence};
use countersign_model::enforce::snapshot::{HEARTBEAT_TYPE, Heartbeat, Lane};
use countersign_model::id::{AssessmentId, EvidenceId};
use countersign_model::lifecycle::{State, status};
use countersign_model::registry::{Record, WithdrawalRecord};
use countersign_model::time::Timestamp;
use countersign_seal::dsse::Envelope;
use countersign_seal::status_list::{Status, StatusList};
use countersign_seal::{Digest, jwt};
use serde_json::{Value, json};

use crate::app::{App, find};
use crate::problem::Problem;
use crate::snapshot::grace;

/// One row of the list.
pub(crate) fn row(record: &Record, now: Timestamp) -> Value {
    let status = status(now, record, grace(record));
    json!({
        "id": record.id, "slug": record.slug, "state": status.state, "reasons": status.reasons,
        "admits_until": status.admits_until, "profile": record.submission.profile,
        "tier": record.submission.tier, "manifest": record.submission.manifest,
        "certificate": record.certificate.as_ref().map(|it| &it.id),
        "drill": super::drill::newest(record),
    })
}

/// Every integration, by name.
pub fn list(app: &App) -> Value {
    let now = app.clock.now();
    let published = app.book.published();
    let records = &published.registry.integrations;
    let known = published.registry.slugs.values().filter_map(|it| records.get(it));
    known.map(|it| row(it, now)).collect()
}

/// One integration, with everything about it.
pub async fn one(app: &App, name: &str) -> Result<Value, Problem> {
    let published = app.book.published();
    let record = find(&published.registry, name)?;
    let mut document = row(record, app.clock.now());
    let assessment: Option<Assessment> = match &record.assessment {
        Some(it) => Some(app.book.document(it.digest).await?),
        None => None,
    };
    let withdrawal = match &record.withdrawal {
        Some(it) => Some(withdrawal(app, it).await?),
        None => None,
    };
    let decisions = record
        .decisions
        .iter()
        .map(|it| json!({ "decision": it.id, "person": it.person, "at": it.at, "verb": it.verb }));
    let more = json!({
        "environment": record.submission.environment,
        "submitted": record.submission.at,
        "assessment": assessment.map(|it| json!({
            "id": it.id, "finished": it.finished, "exit": it.exit(), "summary": it.summary,
            "blocking": it.blocking().iter().map(|it| &it.control).collect::<Vec<_>>(),
        })),
        "decisions": decisions.collect::<Vec<_>>(),
        "withdrawal": withdrawal,
        "drifts": record.drifts,
        "sweeps": super::sweep::shown(record, app.clock.now()),
        "failing": record.failing,
        "triggers": record.triggers,
        "waivers": record.waivers.values().collect::<Vec<_>>(),
        "ends": record.certificate.as_ref().map(|it| it.not_after),
        "log_index": record.certificate.as_ref().map(|it| it.log_index),
        "requester": record.submission.requester,
    });
    if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
        document.extend(more);
    }
    Ok(document)
}

/// A withdrawal, with who did it and why.
async fn withdrawal(app: &App, known: &WithdrawalRecord) -> Result<Value, Problem> {
    let reason: Value = app.book.document(known.reason).await?;
    let mut document = super::revoke::receipt(known, &[]);
    if let Some(it) = document.as_object_mut() {
        it.insert("by".to_owned(), json!(known.by));
        for name in ["reason", "ticket"] {
            it.insert(name.to_owned(), reason.get(name).cloned().unwrap_or_default());
        }
    }
    Ok(document)
}

/// Declared, granted and certified, side by side, as they are now.
pub async fn diff(app: &App, name: &str) -> Result<Value, Problem> {
    let published = app.book.published();
    let record = find(&published.registry, name)?;
    let (parsed, _) = app.book.manifest(record.submission.blob).await?;
    let baseline = super::granted::now(app, record, &parsed, parsed.digest)
        .await
        .map_err(|it| Problem::new(502, "unreachable", it.0))?;
    let mut document = super::check::difference(app, record, &parsed, &baseline).await?;
    // Beside what people sign: who changed something may become known later than that it changed.
    if let Some(it) = document.as_object_mut() {
        it.insert("drifts".to_owned(), json!(record.drifts));
    }
    Ok(document)
}

/// What waits for people, by name.
pub fn queue(app: &App) -> Value {
    let now = app.clock.now();
    let published = app.book.published();
    let open = published.registry.integrations.values().filter_map(|it| {
        let assessed = super::review::current(it).ok()?;
        let blocks = countersign_model::check::ControlOutcome::blocks;
        if assessed.outcomes.iter().any(blocks) || !it.swept_away(now).is_empty() {
            return None;
        }
        let certified = it.certificate.as_ref().is_some_and(|it| {
            it.manifest == assessed.manifest && it.baseline == assessed.baseline && !it.revoked
        });
        let state = status(now, it, grace(it)).state;
        let asks = !certified || matches!(state, State::Due | State::Lapsed);
        let people = it.decisions.iter().filter(|it| it.verb.grants()).count();
        asks.then(|| {
            json!({
                "id": it.id, "slug": it.slug, "state": state, "assessment": assessed.id,
                "people": people, "needed": 2,
                "waits_for": if people < 2 { format!("{} of 2 people", 2 - people) } else { "certify".to_owned() },
            })
        })
    });
    open.collect()
}

/// A stored assessment: one that is current, or under a certificate.
pub async fn assessment(app: &App, id: &AssessmentId) -> Result<Assessment, Problem> {
    for assessment in known_assessments(app).await? {
        if assessment.id == *id {
            return Ok(assessment);
        }
    }
    Err(Problem::unknown("such assessment in force"))
}

/// A stored piece of evidence of such an assessment.
pub async fn evidence(app: &App, id: &EvidenceId) -> Result<Evidence, Problem> {
    for assessment in known_assessments(app).await? {
        if let Some(it) = assessment.evidence.iter().find(|it| it.id == *id) {
            return Ok(app.book.document(it.digest).await?);
        }
    }
    let published = app.book.published();
    let watches = published.registry.integrations.values().flat_map(|it| it.watches.values());
    if let Some(it) = watches.flat_map(|it| it.made.values()).find(|it| it.evidence == *id) {
        return Ok(app.book.document(it.digest).await?);
    }
    Err(Problem::unknown("such evidence in force"))
}

async fn known_assessments(app: &App) -> Result<Vec<Assessment>, Problem> {
    let published = app.book.published();
    let mut found = Vec::new();
    for record in published.registry.integrations.values() {
        if let Some(it) = &record.assessment {
            found.push(app.book.document(it.digest).await?);
        }
        if let Some(it) = certified_assessment(app, record).await? {
            found.push(app.book.document(it).await?);
        }
    }
    Ok(found)
}

async fn certified_assessment(app: &App, record: &Record) -> Result<Option<Digest>, Problem> {
    let Some(certificate) = &record.certificate else { return Ok(None) };
    let envelope: Envelope = app.book.document(certificate.envelope).await?;
    let read = countersign_model::review::quorum::read(envelope.unverified_payload());
    Ok(read.ok().map(|(it, _)| it.assessment_digest))
}

/// A signed sign of life.
pub fn heartbeat(app: &App, lane: Lane, nonce: &str) -> Result<String, Problem> {
    if nonce.len() < 8 || 128 < nonce.len() {
        return Err(Problem::new(400, "nonce", "a nonce of 8 to 128 characters is needed"));
    }
    let published = app.book.published();
    let claims = Heartbeat {
        nonce: nonce.to_owned(),
        lane,
        epoch: published.epoch,
        snapshot: published.lane(lane).digest,
        iat: app.clock.now().seconds(),
    };
    let key = &app.keys.snapshot;
    jwt::sign(HEARTBEAT_TYPE, key.key_id().as_str(), &claims, key)
        .map_err(|it| Problem::broken(&it))
}

/// What a gate has to be told once.
pub fn gate_config(app: &App, lane: Lane) -> Value {
    let published = app.book.published();
    json!({
        "lane": lane, "environment": app.config.environment, "issuer": super::certify::issuer(app),
        "snapshot_key": app.keys.snapshot.public(),
        "certificate_key": app.keys.certificate.public(),
        "approvers": published.registry.approvers, "lease": app.config.lease,
    })
}

/// The signed status list of all certificates.
pub fn status_list(app: &App) -> Result<String, Problem> {
    let published = app.book.published();
    let now = app.clock.now();
    let uri = format!("{}/statuslists/1", super::certify::issuer(app));
    let size = usize::try_from(published.registry.next_status_index).unwrap_or(usize::MAX);
    let mut list = StatusList::new(size.max(1)).map_err(|it| Problem::broken(&it))?;
    // An index that no certificate in force has belongs to one that was replaced.
    for index in 0..size {
        list.set(index, Status::Invalid).map_err(|it| Problem::broken(&it))?;
    }
    for record in published.registry.integrations.values() {
        let Some(certificate) = &record.certificate else { continue };
        let index = usize::try_from(certificate.status_index).unwrap_or(usize::MAX);
        list.set(index, status_of(record, now)).map_err(|it| Problem::broken(&it))?;
    }
    let claim = list.to_claim().map_err(|it| Problem::broken(&it))?;
    let claims = json!({
        "sub": uri, "iat": now.seconds(), "exp": now.seconds() + 300, "ttl": 5,
        "status_list": claim,
    });
    let key = &app.keys.certificate;
    jwt::sign("statuslist+jwt", key.key_id().as_str(), &claims, key)
        .map_err(|it| Problem::broken(&it))
}

/// The status of a certificate, as its list tells it.
pub(crate) fn status_of(record: &Record, now: Timestamp) -> Status {
    let status = status(now, record, grace(record));
    match (status.state, status.admits_until) {
        (State::Suspended, _) => Status::Suspended,
        (_, Some(_)) => Status::Valid,
        (_, None) => Status::Invalid,
    }
}

/// What a trust mark says now: `active`, `expired`, `revoked`, `suspended`; 404 for one that is not ours.
pub fn trust_mark(app: &App, token: &str) -> Result<String, Problem> {
    let unknown = || Problem::unknown("such trust mark");
    let keys = [jwt::VerifyingKey::ed25519(app.keys.certificate.public())];
    let typ = countersign_model::certify::certificate::CERTIFICATE_TYPE;
    let expect = jwt::Expect { typ: Some(typ), ..jwt::Expect::default() };
    let verified = jwt::verify(token, &keys, expect).map_err(|_| unknown())?;
    let claims: countersign_model::certify::Claims =
        serde_json::from_value(verified.claims).map_err(|_| unknown())?;
    let published = app.book.published();
    let now = app.clock.now();
    let record =
        published.registry.integrations.get(&claims.bound.integration).ok_or_else(unknown)?;
    let mine = record.certificate.as_ref().is_some_and(|it| it.id == claims.bound.certificate);
    let word = match status_of(record, now) {
        _ if !mine => "revoked",
        Status::Suspended => "suspended",
        Status::Valid if claims.exp <= now.seconds() => "expired",
        Status::Valid => "active",
        Status::Invalid if record.certificate.as_ref().is_some_and(|it| it.revoked) => "revoked",
        Status::Invalid => "expired",
    };
    let answer = json!({
        "iss": super::certify::issuer(app), "iat": now.seconds(), "trust_mark": token,
        "status": word,
    });
    let key = &app.keys.certificate;
    jwt::sign("trust-mark-status-response+jwt", key.key_id().as_str(), &answer, key)
        .map_err(|it| Problem::broken(&it))
}

/// The log's verifier key.
pub fn vkey(app: &App) -> Result<String, Problem> {
    let key = VerifierKey::log(app.book.origin(), app.keys.log.public());
    key.map(|it| it.to_string()).map_err(|it| Problem::broken(&it))
}

/// How far each gate has come.
pub fn gates(app: &App) -> Value {
    let acks: BTreeMap<String, u64> = app.acks.borrow().clone();
    let epoch = app.book.published().epoch;
    let gates = app.config.gate.iter().map(|it| {
        let acked = acks.get(&it.name);
        json!({
            "gate": it.name, "lane": it.lane, "epoch": acked, "current": acked == Some(&epoch),
        })
    });
    gates.collect()
}
