//! The end of a throw-away tenant at the partner.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Method, Offboarding};
use countersign_model::time::Period;
use serde_json::json;

use crate::drill::rotation;
use crate::live::ask::{Ask, Received};
use crate::talk::Talk;

/// How often the partner is asked whether the tenant is gone.
const LOOK_EVERY: Period = Period::from_millis(250);
/// In a long offboarding it is asked this many times at most.
const LOOKS_MAX: u64 = 200;
/// The longest offboarding that a run watches.
const FINISH_MAX: Period = Period::from_seconds(20 * 60);

/// Ends a tenant that exists for this alone. Nothing means: it stopped, and the transcript says where.
pub(super) async fn end(
    talk: &mut Talk,
    manifest: &Manifest,
    declared: &Offboarding,
) -> Option<()> {
    if declared.method == Method::Manual {
        talk.fact("manual", "manifest", json!({ "method": "manual" }));
        return None;
    }
    let means = talk.means()?;
    if FINISH_MAX < declared.finish {
        return stop(
            talk,
            &format!("`offboarding.finish` is longer than a run may watch ({FINISH_MAX})"),
        );
    }
    if ![&declared.start, &declared.confirmed].iter().all(|it| it.contains("{tenant}")) {
        return stop(talk, "without `{tenant}` in both calls, a real tenant would be ended");
    }
    let Some(secret) = rotation::secret(manifest, &means.secrets) else {
        let name = rotation::secret_name(manifest);
        return stop(talk, &format!("the server holds no secret named `{name}`"));
    };
    let tenant = talk.fresh_name("countersign-drill-")?;
    let call = |text: &str| {
        Ask::parse(&text.replace("{tenant}", &tenant)).map(|it| it.bearer(Some(secret)))
    };
    let (Some(start), Some(confirmed)) = (call(&declared.start), call(&declared.confirmed)) else {
        return stop(talk, "`offboarding.start` or `offboarding.confirmed` is no call");
    };
    if !talk.send("tenant-before", confirmed.clone()).await.is_success() {
        return None;
    }
    let began = talk.stopwatch_ms();
    if !talk.send("offboard", start).await.is_success() {
        return None;
    }
    let every = LOOK_EVERY.max(Period::from_millis(declared.finish.millis() / LOOKS_MAX));
    talk.poll("tenant-after", &confirmed, (declared.finish, every), is_gone).await?;
    let after_ms = talk.stopwatch_ms().saturating_sub(began);
    talk.fact("gone", "partner", json!({ "after_ms": after_ms }));
    Some(())
}

fn is_gone(answer: &Received) -> bool {
    matches!(answer.status, 404 | 410)
}

fn stop(talk: &mut Talk, why: &str) -> Option<()> {
    talk.fact("stopped", "run", json!({ "error": why }));
    None
}
