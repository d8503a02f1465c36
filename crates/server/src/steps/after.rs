//! What follows a withdrawal: ending a suspension, giving back what was cut, destroying what is left.
//!
//! Both need two people, and both are carried out at the platform after they are written down: what
//! fails there, or is cut short by a crash, is taken up again.

use countersign_model::event::What;
use countersign_model::id::{PersonId, RevocationId};
use countersign_model::registry::{Record, WithdrawalRecord};
use countersign_model::review::quorum::APPROVERS_MIN;
use countersign_model::revoke::WithdrawalKind;
use serde_json::{Value, json};

use super::revoke::{Manifests, lookup};
use crate::app::App;
use crate::book::Draft;
use crate::problem::Problem;
use crate::world::Unreachable;

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
    let restored = withdrawal.ended && give_back(app, record.slug.as_str()).await?;
    Ok(json!({
        "people": withdrawal.resume.len(), "needed": APPROVERS_MIN, "ended": withdrawal.ended,
        "restored": restored,
    }))
}

/// Gives back at the platform what withdrawals cut, where they are over. Whether nothing is left to
/// give back; what failed is taken up again later.
pub async fn give_back(app: &App, name: &str) -> Result<bool, Problem> {
    let published = app.book.published();
    let record = crate::app::find(&published.registry, name)?;
    let Some(cut) = record.cut.as_ref().filter(|_| record.gives_back(app.clock.now())) else {
        return Ok(record.cut.is_none());
    };
    let Some(_busy) = app.busy.enter(&format!("restore {}", record.id)) else {
        return Ok(false);
    };
    let manifests = Manifests::of(app, record).await?;
    let mut whole = true;
    for path in &cut.paths {
        if let Err(error) = app.world.restore(manifests.with(path), path).await {
            tracing::warn!(%path, %error, "the platform did not restore");
            whole = false;
        }
    }
    if whole {
        let mut writer = app.book.write().await?;
        let now = app.clock.now();
        let same = writer
            .registry()
            .integrations
            .get(&record.id)
            .is_some_and(|it| it.cut == record.cut && it.gives_back(now));
        // Somebody withdrew it meanwhile: that withdrawal cuts again.
        if !same {
            return Ok(false);
        }
        let mut draft = Draft::default();
        let integration = record.id.clone();
        let revocation = cut.revocation.clone();
        draft.event(now, None, What::Restored { integration, revocation });
        writer.commit(draft, now).await?;
    }
    Ok(whole)
}

/// One of two people agrees to destroy credentials; with the second they are deleted.
pub async fn destroy(app: &App, by: &PersonId, id: &RevocationId) -> Result<Value, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let (record, withdrawal) = lookup(writer.registry(), id)?;
    if withdrawal.kind != WithdrawalKind::Revoke {
        return Err(Problem::new(409, "suspended", "only what is revoked is destroyed"));
    }
    agree(by, record, withdrawal, withdrawal.destroy.contains(by))?;
    let mut draft = Draft::default();
    let integration = record.id.clone();
    let revocation = id.clone();
    draft.event(now, Some(by), What::DestroyAgreed { integration, revocation });
    writer.commit(draft, now).await?;
    let people = lookup(writer.registry(), id)?.1.destroy.len();
    drop(writer);
    let destroyed = if APPROVERS_MIN <= people { carry_out(app, id).await? } else { None };
    Ok(json!({
        "people": people, "needed": APPROVERS_MIN, "destroyed": destroyed.unwrap_or_default(),
        "done": destroyed.is_some(),
    }))
}

/// Whether two people agreed to destroy, and it is not done yet.
pub(crate) fn is_to_destroy(withdrawal: &WithdrawalRecord) -> bool {
    APPROVERS_MIN <= withdrawal.destroy.len() && !withdrawal.destroyed
}

/// Deletes what two people agreed to delete; how many. None where the platform did not do it: it
/// is taken up again later.
pub async fn carry_out(app: &App, id: &RevocationId) -> Result<Option<u32>, Problem> {
    let published = app.book.published();
    let (record, withdrawal) = lookup(&published.registry, id)?;
    if !is_to_destroy(withdrawal) {
        return Ok(None);
    }
    let Some(_busy) = app.busy.enter(&format!("destroy {id}")) else { return Ok(None) };
    let destroyed = match delete(app, record).await? {
        Ok(it) => it,
        Err(error) => {
            tracing::warn!(revocation = %id, %error, "the platform did not destroy");
            return Ok(None);
        }
    };
    let mut writer = app.book.write().await?;
    let mut draft = Draft::default();
    let integration = record.id.clone();
    let what = What::Destroyed { integration, revocation: id.clone(), destroyed };
    draft.event(app.clock.now(), None, what);
    writer.commit(draft, app.clock.now()).await?;
    Ok(Some(destroyed))
}

async fn delete(app: &App, record: &Record) -> Result<Result<u32, Unreachable>, Problem> {
    let mut destroyed = 0;
    for manifest in Manifests::of(app, record).await?.all() {
        match app.world.destroy(manifest).await {
            Ok(it) => destroyed += it,
            Err(it) => return Ok(Err(it)),
        }
    }
    Ok(Ok(destroyed))
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
