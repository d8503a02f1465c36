//! Step 8, revoke: trust is withdrawn on every path, timed and proven.

use std::time::Duration;

use countersign_model::declare::path::Path;
use countersign_model::declare::{Manifest, Parsed};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::event::What;
use countersign_model::id::{PersonId, RevocationId};
use countersign_model::registry::{Record, Registry, WithdrawalRecord};
use countersign_model::review::quorum::APPROVERS_MIN;
use countersign_model::revoke::{PathReceipt, PathState, WithdrawalKind};
use countersign_model::time::{Period, Timestamp};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, GateAck, find, new_revocation};
use crate::book::Draft;
use crate::clock::Stopwatch;
use crate::problem::Problem;

/// What a person sends to withdraw trust.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawRequest {
    /// The integration.
    pub integration: String,
    /// `revoke` or `suspend`.
    #[schema(value_type = String)]
    pub kind: WithdrawalKind,
    /// How long, for a suspension: `4h`.
    #[serde(default, rename = "for")]
    #[schema(value_type = Option<String>)]
    pub period: Option<Period>,
    /// Why.
    pub reason: String,
    /// The incident.
    #[serde(default)]
    pub ticket: Option<String>,
}

/// Withdraws trust: denied at once, then told to the platform, then proven path by path.
pub async fn withdraw(
    app: &App,
    by: &PersonId,
    request: &WithdrawRequest,
) -> Result<Value, Problem> {
    let watch = Stopwatch::start();
    if request.reason.trim().is_empty() {
        return Err(Problem::new(422, "reason", "a withdrawal needs a reason"));
    }
    if request.kind == WithdrawalKind::Revoke && request.period.is_some() {
        return Err(Problem::new(422, "for", "a revocation has no end; suspend instead"));
    }
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let record = find(writer.registry(), &request.integration)?.clone();
    let active = record.withdrawal.as_ref().filter(|it| !it.ended);
    if active.is_some_and(|it| it.kind == WithdrawalKind::Revoke && record.submission.at <= it.at) {
        return Err(Problem::new(409, "revoked", "it is revoked already"));
    }
    if active.is_some_and(|it| it.kind == WithdrawalKind::Revoke)
        && request.kind == WithdrawalKind::Suspend
    {
        return Err(Problem::new(409, "revoked", "it is revoked; a suspension would weaken that"));
    }
    let (parsed, _) = app.book.manifest(record.submission.blob).await?;
    let mut draft = Draft::default();
    let reason = draft.document(&json!({
        "reason": request.reason, "ticket": request.ticket,
        "salt": app.keys.salt.digest("reason", &now.to_string()),
    }))?;
    let revocation = new_revocation(now)?;
    let what = What::Withdrawn {
        integration: record.id.clone(),
        revocation: revocation.clone(),
        how: request.kind,
        until: request.period.map(|it| now + it),
        reason,
        paths: paths(app, &record, &parsed).await?,
    };
    draft.event(now, Some(by), what);
    writer.commit(draft, now).await?;
    drop(writer);
    prove(app, &revocation, &parsed.manifest, Some(watch)).await
}

/// Every path of the newest manifest and of what two people granted.
async fn paths(app: &App, record: &Record, parsed: &Parsed) -> Result<Vec<Path>, Problem> {
    let mut paths = parsed.manifest.paths();
    if let Some(certificate) = &record.certificate {
        let envelope: countersign_seal::dsse::Envelope =
            app.book.document(certificate.envelope).await?;
        let read = countersign_model::review::quorum::read(envelope.unverified_payload());
        paths.extend(read.map(|(it, _)| it.grant.paths).unwrap_or_default());
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// Tries again what is not proven.
pub async fn retry(app: &App, id: &RevocationId) -> Result<Value, Problem> {
    let published = app.book.published();
    let (record, withdrawal) = lookup(&published.registry, id)?;
    if withdrawal.ended {
        return Err(Problem::new(409, "ended", "the suspension was ended"));
    }
    let (parsed, _) = app.book.manifest(record.submission.blob).await?;
    prove(app, id, &parsed.manifest, None).await
}

/// Cuts, waits for the gates, and probes, inside the manifest's `prove_within`.
async fn prove(
    app: &App,
    id: &RevocationId,
    manifest: &Manifest,
    watch: Option<Stopwatch>,
) -> Result<Value, Problem> {
    let published = app.book.published();
    let (record, withdrawal) = lookup(&published.registry, id)?;
    let open: Vec<PathReceipt> =
        withdrawal.receipts.values().filter(|it| it.state != PathState::Proven).cloned().collect();
    let started = withdrawal.at;
    let timer = Timer { app, watch, started };
    let wait = manifest.revocation.prove_within.min(app.config.wait).std();
    let gates = app.wait_for_gates(
        Lane::Certified,
        published.epoch,
        wait,
        watch.unwrap_or_else(Stopwatch::start),
    );
    let cuts = join_all(open.iter().map(|it| async {
        let cut = app.world.cut(manifest, &it.path, withdrawal.kind);
        match tokio::time::timeout(wait, cut).await {
            Ok(Ok(said)) => Some((said, timer.ms())),
            Ok(Err(error)) => {
                tracing::warn!(path = %it.path, %error, "the platform did not cut");
                None
            }
            Err(_) => None,
        }
    }));
    let (gates, cuts) = tokio::join!(gates, cuts);
    let acked = gates.iter().all(|it| it.ms.is_some());
    let everywhere = gates.iter().filter_map(|it| it.ms).max();
    let (timer, gates_count) = (&timer, gates.len());
    let moved = join_all(open.iter().zip(&cuts).map(|(receipt, cut)| async move {
        let mut receipt = receipt.clone();
        let gated = acked && 0 < gates_count;
        // A path is acknowledged by whoever stands in front of it: the platform or all gates.
        let (by, ms) = match (cut, gated) {
            (Some((said, ms)), true) => {
                (format!("{said}, {gates_count} gates"), (*ms).max(everywhere.unwrap_or(0)))
            }
            (Some((said, ms)), false) => (said.clone(), *ms),
            (None, true) => (format!("{gates_count} gates"), everywhere.unwrap_or(0)),
            (None, false) => return receipt,
        };
        if receipt.state < PathState::Acknowledged {
            receipt = PathReceipt { state: PathState::Acknowledged, ms, by, ..receipt };
        }
        if let Some(seen) = probe(app, manifest, &receipt.path, wait).await {
            receipt = PathReceipt { state: PathState::Proven, ms: timer.ms(), by: seen, ..receipt };
        }
        receipt
    }))
    .await;
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let (current, before) = lookup(writer.registry(), id)?;
    let mut draft = Draft::default();
    for receipt in moved {
        let known = before.receipts.get(&receipt.path);
        if known.is_some_and(|it| it.state < receipt.state) {
            let integration = current.id.clone();
            draft.event(
                now,
                None,
                What::PathMoved { integration, revocation: id.clone(), receipt },
            );
        }
    }
    writer.commit(draft, now).await?;
    let (record, withdrawal) = (record.id.clone(), lookup(writer.registry(), id)?.1);
    tracing::info!(integration = %record, revocation = %id, "trust withdrawn");
    Ok(receipt(withdrawal, &gates))
}

/// Asks until the answer is a refusal, at most `wait` long.
async fn probe(app: &App, manifest: &Manifest, path: &Path, wait: Duration) -> Option<String> {
    let asking = async {
        let mut pause = Duration::from_millis(20);
        loop {
            match app.world.probe(manifest, path).await {
                Ok(Some(seen)) => return seen,
                Ok(None) => {}
                Err(error) => tracing::warn!(%path, %error, "a probe was not answered"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    };
    tokio::time::timeout(wait, asking).await.ok()
}

struct Timer<'a> {
    app: &'a App,
    watch: Option<Stopwatch>,
    started: Timestamp,
}

impl Timer<'_> {
    fn ms(&self) -> u64 {
        let since = || self.app.clock.now().since(self.started).millis();
        self.watch.map_or_else(since, Stopwatch::ms)
    }
}

/// The receipt as it travels.
pub(crate) fn receipt(withdrawal: &WithdrawalRecord, gates: &[GateAck]) -> Value {
    let paths: Vec<Value> = withdrawal
        .receipts
        .values()
        .map(|it| {
            json!({
                "path": it.path.kind, "subject": it.path.subject, "state": it.state,
                "ms": it.ms, "by": it.by,
            })
        })
        .collect();
    let proven = withdrawal.receipts.values().filter(|it| it.state == PathState::Proven).count();
    let gates: Vec<Value> = gates
        .iter()
        .map(|it| json!({ "gate": it.gate, "acked": it.ms.is_some(), "ms": it.ms }))
        .collect();
    json!({
        "revocation": withdrawal.id, "kind": withdrawal.kind, "at": withdrawal.at,
        "until": withdrawal.until, "paths": paths, "proven": proven,
        "total": withdrawal.receipts.len(), "gates": gates, "ended": withdrawal.ended,
        "destroyed": withdrawal.destroyed,
    })
}

/// A withdrawal by its id, or 404.
pub(crate) fn lookup<'a>(
    registry: &'a Registry,
    id: &RevocationId,
) -> Result<(&'a Record, &'a WithdrawalRecord), Problem> {
    registry
        .integrations
        .values()
        .find_map(|it| Some((it, it.withdrawal.as_ref().filter(|it| it.id == *id)?)))
        .ok_or_else(|| Problem::unknown("such withdrawal, or a newer one stands in its place"))
}

/// One of two people agrees to end a suspension; the second ends it.
pub async fn resume(app: &App, by: &PersonId, id: &RevocationId) -> Result<Value, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let (record, withdrawal) = lookup(writer.registry(), id)?;
    let record = record.clone();
    if withdrawal.kind == WithdrawalKind::Revoke {
        let text = "a revocation has no way back but a new certification";
        return Err(Problem::new(409, "revoked", text));
    }
    agree(by, &record, withdrawal, withdrawal.resume.contains(by))?;
    let mut draft = Draft::default();
    let integration = record.id.clone();
    draft.event(now, Some(by), What::ResumeAgreed { integration, revocation: id.clone() });
    writer.commit(draft, now).await?;
    let withdrawal = lookup(writer.registry(), id)?.1.clone();
    drop(writer);
    if withdrawal.ended {
        let (parsed, _) = app.book.manifest(record.submission.blob).await?;
        for path in withdrawal.receipts.keys() {
            if let Err(error) = app.world.restore(&parsed.manifest, path).await {
                tracing::warn!(%path, %error, "the platform did not restore");
            }
        }
    }
    Ok(json!({
        "people": withdrawal.resume.len(), "needed": APPROVERS_MIN, "ended": withdrawal.ended,
    }))
}

/// One of two people agrees to destroy credentials; with the second they are deleted.
pub async fn destroy(app: &App, by: &PersonId, id: &RevocationId) -> Result<Value, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let (record, withdrawal) = lookup(writer.registry(), id)?;
    let record = record.clone();
    if withdrawal.kind != WithdrawalKind::Revoke {
        return Err(Problem::new(409, "suspended", "only what is revoked is destroyed"));
    }
    agree(by, &record, withdrawal, withdrawal.destroy.contains(by))?;
    let mut draft = Draft::default();
    let integration = record.id.clone();
    let revocation = id.clone();
    draft.event(now, Some(by), What::DestroyAgreed { integration, revocation });
    writer.commit(draft, now).await?;
    let people = lookup(writer.registry(), id)?.1.destroy.len();
    drop(writer);
    let mut destroyed = 0;
    if APPROVERS_MIN <= people {
        let (parsed, _) = app.book.manifest(record.submission.blob).await?;
        destroyed = app
            .world
            .destroy(&parsed.manifest)
            .await
            .map_err(|it| Problem::new(502, "unreachable", it.0))?;
        let mut writer = app.book.write().await?;
        let mut draft = Draft::default();
        let integration = record.id.clone();
        let what = What::Destroyed { integration, revocation: id.clone(), destroyed };
        draft.event(app.clock.now(), Some(by), what);
        writer.commit(draft, app.clock.now()).await?;
    }
    Ok(json!({ "people": people, "needed": APPROVERS_MIN, "destroyed": destroyed }))
}

fn agree(
    by: &PersonId,
    record: &Record,
    withdrawal: &WithdrawalRecord,
    twice: bool,
) -> Result<(), Problem> {
    if withdrawal.ended || withdrawal.destroyed {
        return Err(Problem::new(409, "ended", "that is done already"));
    }
    if record.submission.requester == *by {
        return Err(Problem::new(
            403,
            "requester",
            "the person who asked for it may not decide on it",
        ));
    }
    if twice {
        return Err(Problem::new(
            403,
            "one-person-twice",
            "you have agreed; somebody else is needed",
        ));
    }
    Ok(())
}
