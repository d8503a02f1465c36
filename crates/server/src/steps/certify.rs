//! Step 5, certify: plan, then apply.

use std::collections::BTreeSet;

use countersign_model::certify::Claims;
use countersign_model::certify::certificate::{CERTIFICATE_TYPE, Issuing};
use countersign_model::enforce::snapshot::{Approver, Lane};
use countersign_model::event::What;
use countersign_model::id::{DecisionId, IntegrationId, PersonId, PlanId};
use countersign_model::lifecycle::{State, status};
use countersign_model::registry::{Record, Registry};
use countersign_model::review::{Approved, QuorumError};
use countersign_model::time::{Period, Timestamp};
use countersign_seal::dsse::Envelope;
use countersign_seal::{Digest, jwt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::{App, find, new_certificate, new_plan};
use crate::book::{BookError, Draft};
use crate::clock::Stopwatch;
use crate::problem::Problem;
use crate::snapshot::grace;

/// How long a plan can be applied.
pub const PLAN_MAX: Period = Period::from_seconds(30 * 60);

/// What a plan rests on. If anything of it moves, the plan is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `countersign.plan/1`.
    pub schema: String,
    /// Its id.
    pub plan: PlanId,
    /// What would be certified.
    pub integration: IntegrationId,
    /// The manifest.
    pub manifest: Digest,
    /// The assessment.
    pub assessment: Digest,
    /// Manifest and grants.
    pub baseline: Digest,
    /// The decision.
    pub decision: DecisionId,
    /// The envelope with two people's signatures.
    pub envelope: Digest,
    /// Until when it can be applied.
    pub until: Timestamp,
}

/// Shows what would be signed.
pub async fn plan(app: &App, by: &PersonId, name: &str) -> Result<Value, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let record = find(writer.registry(), name)?;
    let (approved, envelope) = approved(app, writer.registry(), record, now).await?;
    let decision = approved.decision();
    let plan = Plan {
        schema: "countersign.plan/1".to_owned(),
        plan: new_plan(now)?,
        integration: record.id.clone(),
        manifest: approved.manifest(),
        assessment: decision.assessment_digest,
        baseline: decision.baseline,
        decision: decision.decision.clone(),
        envelope,
        until: now + PLAN_MAX,
    };
    let mut draft = Draft::default();
    let digest = draft.document(&plan)?;
    let scopes: BTreeSet<String> = decision
        .grant
        .identities
        .iter()
        .flat_map(|it| it.scopes.keys().map(ToString::to_string))
        .collect();
    let removed: Vec<String> = decision.removed_scopes.iter().map(ToString::to_string).collect();
    let mut text = vec![
        format!(
            "{} · {} · profile {}",
            record.slug,
            record.submission.tier.word(),
            decision.profile
        ),
        format!("manifest  {}", plan.manifest),
        format!("baseline  {}", plan.baseline),
        format!("scopes    {}", scopes.into_iter().collect::<Vec<_>>().join(" ")),
        format!("valid     {} to {}", decision.not_before, decision.not_after),
        format!("approvals {} of 2 people", approved.people().len()),
    ];
    if !removed.is_empty() {
        text.push(format!("not granted {}", removed.join(" ")));
    }
    let what = What::Planned {
        integration: record.id.clone(),
        plan: plan.plan.clone(),
        decision: plan.decision.clone(),
        digest,
        until: plan.until,
    };
    draft.event(now, Some(by), what);
    writer.commit(draft, now).await?;
    Ok(json!({ "plan": plan.plan, "digest": digest, "text": text, "until": plan.until }))
}

/// The complete approval of the current assessment, checked from its signatures.
async fn approved(
    app: &App,
    registry: &Registry,
    record: &Record,
    now: Timestamp,
) -> Result<(Approved, Digest), Problem> {
    let assessed = super::review::current(record)?;
    if record.withdrawal.as_ref().is_some_and(|it| !it.ended) {
        let state = status(now, record, grace(record)).state;
        if state == State::Suspended {
            let text = "it is suspended; two people can resume it";
            return Err(Problem::new(409, "suspended", text));
        }
    }
    if let Some(blocking) = assessed.outcomes.iter().find(|it| it.blocks()) {
        let text = format!("control {} does not hold", blocking.control);
        return Err(Problem::new(409, "not-ready", text));
    }
    // From the first certificate on, what was certified may not get worse.
    if let Some(control) = record.failing.keys().next() {
        let text = format!("control {control} held when it was certified, and fails now");
        return Err(Problem::new(409, "not-ready", text));
    }
    if let Some(why) = record.swept_away(now).first() {
        return Err(super::sweep::in_the_way(why));
    }
    if assessed.outcomes.iter().any(|it| {
        it.fresh_until.is_some_and(|end| end <= now)
            && it.level == countersign_model::require::Level::Required
    }) {
        return Err(Problem::moved("evidence has become stale; check again"));
    }
    if let Some(no) = record.decisions.iter().find(|it| !it.verb.grants()) {
        let text = format!("somebody decided `{}`", no.verb.word());
        return Err(Problem::new(409, "refused", text));
    }
    let mut last = None;
    for decided in record.decisions.iter().rev() {
        let Some(digest) = decided.envelope else { continue };
        let envelope: Envelope = app.book.document(digest).await?;
        match check(&envelope, &registry.approvers, record) {
            Ok(approved) if approved.is_current(now) => return Ok((approved, digest)),
            Ok(_) => return Err(Problem::moved("the decision's time has run out")),
            Err(error) => last = last.or(Some(error)),
        }
    }
    let text = last.map_or_else(|| "nobody has approved it".to_owned(), |it| it.to_string());
    Err(Problem::new(409, "not-approved", text))
}

fn check(
    envelope: &Envelope,
    approvers: &[Approver],
    record: &Record,
) -> Result<Approved, QuorumError> {
    let approved = Approved::check_disjoint(envelope, approvers, &record.submission.requester)?;
    let decision = approved.decision();
    let assessed = record.assessment.as_ref();
    let mine = decision.integration == record.id
        && approved.manifest() == record.submission.manifest
        && assessed.is_some_and(|it| {
            it.digest == decision.assessment_digest
                && it.baseline == decision.baseline
                && it.diff == decision.seen_diff
        });
    if mine {
        Ok(approved)
    } else {
        Err(QuorumError::NotADecision("it is about another assessment".to_owned()))
    }
}

/// Signs, if nothing has moved since the plan.
pub async fn apply(
    app: &App,
    by: &PersonId,
    plan: &PlanId,
    digest: Digest,
) -> Result<Value, Problem> {
    let watch = Stopwatch::start();
    let published = app.book.published();
    let of = |it: &&Record| it.plan.as_ref().is_some_and(|it| it.id == *plan);
    let seen =
        published.registry.integrations.values().find(of).cloned().ok_or_else(|| {
            Problem::moved("there is a newer plan, or the question was asked again")
        })?;
    let (parsed, _) = app.book.manifest(seen.submission.blob).await?;
    // Read again at the platform, before anybody holds the pen.
    let granted = super::granted::now(app, &seen, &parsed, parsed.digest)
        .await
        .map_err(|it| Problem::new(502, "unreachable", it.0))?;
    let granted = granted.digest().map_err(BookError::from)?;
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let record = find(writer.registry(), seen.id.as_str())?;
    let planned = record
        .plan
        .as_ref()
        .filter(|it| it.id == *plan)
        .ok_or_else(|| Problem::moved("there is a newer plan"))?;
    if planned.digest != digest {
        return Err(Problem::moved("the digest is not this plan's"));
    }
    if planned.applied {
        return Err(Problem::moved("the plan was applied already"));
    }
    if planned.until <= now {
        return Err(Problem::moved("the plan's 30 minutes are over"));
    }
    let document: Plan = app.book.document(planned.digest).await?;
    let (approved, envelope) = approved(app, writer.registry(), record, now).await?;
    if document.envelope != envelope
        || document.manifest != record.submission.manifest
        || document.baseline != approved.decision().baseline
    {
        return Err(Problem::moved("something changed since the plan"));
    }
    if granted != document.baseline {
        return Err(Problem::moved("the platform grants something else than what was assessed"));
    }
    let decision = approved.decision();
    let certificate = new_certificate(now)?;
    let status_index = writer.registry().next_status_index;
    let log_index = writer.registry().size;
    let signed: Envelope = app.book.document(envelope).await?;
    let owners = &parsed.manifest.owners;
    let names = format!("{}\0{}", owners.business, owners.technical);
    let issuing = Issuing {
        issuer: issuer(app),
        certificate: certificate.clone(),
        log_index,
        status_index,
        decision: Digest::of(signed.unverified_payload()),
        data_paths: parsed.manifest.data_paths.iter().map(|it| it.id.to_string()).collect(),
        owner: app.keys.salt.digest("owner", &names),
        now,
    };
    let claims = Claims::issue(&approved, issuing);
    let key = &app.keys.certificate;
    let token = jwt::sign(CERTIFICATE_TYPE, key.key_id().as_str(), &claims, key)
        .map_err(|it| Problem::broken(&it))?;
    let mut draft = Draft::default();
    let what = What::Certified {
        integration: record.id.clone(),
        certificate: certificate.clone(),
        plan: plan.clone(),
        decision: decision.decision.clone(),
        envelope,
        token: draft.blob(token.clone().into_bytes()),
        manifest: approved.manifest(),
        baseline: decision.baseline,
        status_index,
        not_before: decision.not_before,
        not_after: decision.not_after,
        signature_ends: Timestamp::from_seconds(claims.exp),
    };
    draft.event(now, Some(by), what);
    let epoch = writer.commit(draft, now).await?;
    drop(writer);
    let wait = app.config.wait.std();
    // What an earlier withdrawal cut at the platform comes back with the trust.
    let gates = app.wait_for_gates(Lane::Certified, epoch, wait, watch);
    let back = super::after::give_back(app, seen.id.as_str());
    let (gates, back) = tokio::join!(gates, back);
    if let Err(error) = &back {
        tracing::warn!(integration = %seen.slug, %error, "what was cut is given back later");
    }
    let active = gates.iter().filter(|it| it.ms.is_some()).count();
    Ok(json!({
        "certificate": certificate, "token": token, "log_index": log_index,
        "restored": back.unwrap_or(false), "active_at": active, "gates": gates.len(), "ms": watch.ms(), "epoch": epoch,
    }))
}

/// The issuer without a slash at the end.
pub(crate) fn issuer(app: &App) -> String {
    app.config.issuer.as_str().trim_end_matches('/').to_owned()
}

/// Signs again, without people, what is green and whose signature ends soon. How many.
pub async fn renew(app: &App) -> Result<u32, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let mut draft = Draft::default();
    let mut renewed = 0;
    for record in writer.registry().integrations.values() {
        let Some(certificate) = &record.certificate else { continue };
        let state = status(now, record, grace(record)).state;
        let green = matches!(state, State::Certified | State::Conditional);
        let soon = certificate.signature_ends.since(now) < RENEW_BEFORE;
        if !green || !soon || certificate.not_after <= certificate.signature_ends {
            continue;
        }
        let envelope: Envelope = app.book.document(certificate.envelope).await?;
        let Ok(approved) = Approved::check(&envelope, &writer.registry().approvers) else {
            continue;
        };
        let old = app.book.blob(certificate.token).await?;
        let Some(bound) = claims_of(&String::from_utf8_lossy(&old)) else { continue };
        let issuing = Issuing {
            issuer: issuer(app),
            certificate: certificate.id.clone(),
            log_index: certificate.log_index,
            status_index: certificate.status_index,
            decision: bound.bound.decision,
            data_paths: bound.bound.data_paths,
            owner: bound.bound.owner,
            now,
        };
        let claims = Claims::issue(&approved, issuing);
        let key = &app.keys.certificate;
        let token = jwt::sign(CERTIFICATE_TYPE, key.key_id().as_str(), &claims, key)
            .map_err(|it| Problem::broken(&it))?;
        let what = What::Renewed {
            integration: record.id.clone(),
            certificate: certificate.id.clone(),
            token: draft.blob(token.into_bytes()),
            signature_ends: Timestamp::from_seconds(claims.exp),
        };
        draft.event(now, None, what);
        renewed += 1;
    }
    if 0 < renewed {
        writer.commit(draft, now).await?;
    }
    Ok(renewed)
}

/// A signature is renewed when it ends within this.
const RENEW_BEFORE: Period = Period::from_days(7);

/// The claims of a token of our own store.
pub(crate) fn claims_of(token: &str) -> Option<Claims> {
    use base64::Engine as _;
    let part = token.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}
