//! Step 8, revoke: trust is withdrawn on every path, timed and proven.

use std::time::Duration;

use countersign_model::declare::manifest::{FailMode, RevocationTerms};
use countersign_model::declare::path::Path;
use countersign_model::declare::{Manifest, Parsed};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::event::What;
use countersign_model::id::{PersonId, RevocationId};
use countersign_model::registry::{CertificateRecord, Record, Registry, WithdrawalRecord};
use countersign_model::revoke::{PathReceipt, PathState, WithdrawalKind};
use countersign_model::time::{Period, Timestamp};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, GateAck, find, new_revocation};
use crate::book::{BookError, Draft};
use crate::busy::Guard;
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
    let (revocation, _busy) = write_down(app, Some(by), request).await?;
    prove(app, &revocation, Some(watch)).await
}

/// Writes a withdrawal down, and publishes it: from here on gates deny. It stays in hand until the
/// guard is dropped; then whoever takes up unfinished withdrawals proves it.
///
/// Nobody stands behind it where the server's own loops did it by the profile's rule.
pub(super) async fn write_down<'a>(
    app: &'a App,
    by: Option<&PersonId>,
    request: &WithdrawRequest,
) -> Result<(RevocationId, Option<Guard<'a>>), Problem> {
    if request.reason.trim().is_empty() {
        return Err(Problem::new(422, "reason", "a withdrawal needs a reason"));
    }
    if request.kind == WithdrawalKind::Revoke && request.period.is_some() {
        return Err(Problem::new(422, "for", "a revocation has no end; suspend instead"));
    }
    let mut writer = app.book.write().await.map_err(|it| not_written(&it))?;
    let now = app.clock.now();
    let record = find(writer.registry(), &request.integration)?.clone();
    let active = record.withdrawal.as_ref().filter(|it| it.is_active(now));
    let until = request.period.map(|it| now + it);
    let until = match active {
        Some(it) if it.kind == WithdrawalKind::Revoke => {
            if record.submission.at <= it.at {
                return Err(Problem::new(409, "revoked", "it is revoked already"));
            }
            if request.kind == WithdrawalKind::Suspend {
                let text = "it is revoked; a suspension would weaken that";
                return Err(Problem::new(409, "revoked", text));
            }
            until
        }
        // One person cannot shorten what is suspended.
        Some(it) => it.until.and_then(|known| Some(known.max(until?))),
        None => until,
    };
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
        until,
        reason,
        paths: paths(app, &record, &parsed).await?,
    };
    draft.event(now, by, what);
    let busy = app.busy.enter(revocation.as_str());
    writer.commit(draft, now).await.map_err(|it| not_written(&it))?;
    Ok((revocation, busy))
}

/// What is not written down is not withdrawn: nobody may believe that it was.
fn not_written(error: &BookError) -> Problem {
    let broken = Problem::broken(error);
    let detail = "the withdrawal could not be written down, and nothing is claimed about it; try again, or shut the gate itself";
    Problem { status: 503, code: "not-written", detail: detail.to_owned(), ..broken }
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
    let (_, withdrawal) = lookup(&published.registry, id)?;
    if withdrawal.ended {
        return Err(Problem::new(409, "ended", "the suspension was ended"));
    }
    let Some(_busy) = app.busy.enter(id.as_str()) else {
        return Ok(receipt(withdrawal, &[]));
    };
    prove(app, id, None).await
}

/// Every manifest whose paths a withdrawal may have to cut: the newest, and the certified one.
#[derive(Debug)]
pub(super) struct Manifests(Vec<Manifest>);

impl Manifests {
    pub(super) async fn of(app: &App, record: &Record) -> Result<Self, Problem> {
        let mut all = vec![app.book.manifest(record.submission.blob).await?.0.manifest];
        let other = |it: &&CertificateRecord| it.manifest != record.submission.manifest;
        if let Some(certificate) = record.certificate.as_ref().filter(other) {
            all.push(app.book.manifest(certificate.blob).await?.0.manifest);
        }
        Ok(Self(all))
    }

    /// The manifest that declares a path; the newest where none does.
    pub(super) fn with(&self, path: &Path) -> &Manifest {
        self.0.iter().find(|it| it.paths().contains(path)).unwrap_or(&self.0[0])
    }

    pub(super) fn all(&self) -> &[Manifest] {
        &self.0
    }
}

/// Cuts, waits for the gates, and probes, inside the manifest's `prove_within`.
async fn prove(app: &App, id: &RevocationId, watch: Option<Stopwatch>) -> Result<Value, Problem> {
    let published = app.book.published();
    let (record, withdrawal) = lookup(&published.registry, id)?;
    let open: Vec<PathReceipt> =
        withdrawal.receipts.values().filter(|it| it.state != PathState::Proven).cloned().collect();
    let manifests = Manifests::of(app, record).await?;
    let terms = &manifests.all()[0].revocation;
    let wait = terms.prove_within.min(app.config.wait).std();
    let timer = Timer { app, watch, started: withdrawal.at };
    let gates = app.wait_for_gates(
        Lane::Certified,
        published.epoch,
        wait,
        watch.unwrap_or_else(Stopwatch::start),
    );
    let cuts = join_all(open.iter().map(|it| async {
        let cut = app.world.cut(manifests.with(&it.path), &it.path, withdrawal.kind);
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
    let exposed = exposed_until(app, withdrawal, terms, &gates);
    let (timer, gates, manifests) = (&timer, &gates, &manifests);
    let moved = join_all(open.iter().zip(&cuts).map(|(receipt, cut)| async move {
        let Some(mut receipt) = acknowledged(receipt, cut.as_ref(), gates) else {
            return receipt.clone();
        };
        // A gate that has not heard may still admit: what a path answers elsewhere proves nothing.
        if exposed.is_some_and(|end| app.clock.now() < end) {
            return receipt;
        }
        if let Some(seen) = probe(app, manifests.with(&receipt.path), &receipt.path, wait).await {
            receipt = PathReceipt { state: PathState::Proven, ms: timer.ms(), by: seen, ..receipt };
        }
        receipt
    }))
    .await;
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let (current, before) = lookup(writer.registry(), id)?;
    let mut draft = Draft::default();
    let mut some = false;
    for receipt in moved {
        let known = before.receipts.get(&receipt.path);
        if known.is_some_and(|it| it.state < receipt.state) {
            let integration = current.id.clone();
            let what = What::PathMoved { integration, revocation: id.clone(), receipt };
            draft.event(now, None, what);
            some = true;
        }
    }
    if some {
        writer.commit(draft, now).await?;
    }
    let (record, withdrawal) = (record.id.clone(), lookup(writer.registry(), id)?.1);
    tracing::info!(integration = %record, revocation = %id, "trust withdrawn");
    let mut receipt = receipt(withdrawal, gates);
    if let (Some(end), Some(it)) = (exposed, receipt.as_object_mut()) {
        it.insert("exposed_until".to_owned(), json!(end));
    }
    Ok(receipt)
}

/// Until when a gate that has not heard may still admit; none where all have heard.
fn exposed_until(
    app: &App,
    withdrawal: &WithdrawalRecord,
    terms: &RevocationTerms,
    gates: &[GateAck],
) -> Option<Timestamp> {
    let stale = match terms.fail_mode {
        FailMode::BestEffort => terms.max_stale.unwrap_or_default().max(app.config.lease),
        FailMode::Strict => app.config.lease,
    };
    gates.iter().any(|it| it.ms.is_none()).then(|| withdrawal.at + stale)
}

/// A path is acknowledged by whoever stands in front of it: the platform or all gates.
fn acknowledged(
    receipt: &PathReceipt,
    cut: Option<&(String, u64)>,
    gates: &[GateAck],
) -> Option<PathReceipt> {
    let gated = !gates.is_empty() && gates.iter().all(|it| it.ms.is_some());
    let everywhere = gates.iter().filter_map(|it| it.ms).max().unwrap_or(0);
    let count = gates.len();
    let (by, ms) = match (cut, gated) {
        (Some((said, ms)), true) => (format!("{said}, {count} gates"), (*ms).max(everywhere)),
        (Some((said, ms)), false) => (said.clone(), *ms),
        (None, true) => (format!("{count} gates"), everywhere),
        (None, false) => return None,
    };
    Some(if receipt.state < PathState::Acknowledged {
        PathReceipt { state: PathState::Acknowledged, ms, by, ..receipt.clone() }
    } else {
        receipt.clone()
    })
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
