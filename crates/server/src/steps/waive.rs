//! Waivers: asked for by one person, granted by another, with an end.

use countersign_model::event::What;
use countersign_model::id::{PersonId, WaiverId};
use countersign_model::registry::{Record, Registry};
use countersign_model::require::Catalogue;
use countersign_model::review::Waiver;
use countersign_model::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, find, new_waiver};
use crate::book::Draft;
use crate::problem::Problem;

/// What a person sends to ask for a waiver.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverRequest {
    /// The integration.
    pub integration: String,
    /// The control.
    pub control: String,
    /// When it ends.
    #[schema(value_type = String)]
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// Asks for a waiver.
pub async fn request(app: &App, by: &PersonId, sent: &WaiverRequest) -> Result<Value, Problem> {
    let refused = |text: String| Problem::new(422, "waiver", text);
    if sent.reason.trim().is_empty() {
        return Err(refused("a waiver needs a reason".to_owned()));
    }
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let record = find(writer.registry(), &sent.integration)?;
    let catalogue = Catalogue::embedded();
    let profile = catalogue
        .profile(record.submission.profile.as_str())
        .ok_or_else(|| refused("its profile is not known".to_owned()))?;
    if catalogue.control(&sent.control).is_none() {
        return Err(refused(format!("there is no control `{}`", sent.control)));
    }
    let most = profile
        .waiver_age_max(&sent.control, record.submission.tier, catalogue)
        .ok_or_else(|| refused(format!("`{}` is never waived", sent.control)))?;
    if sent.until <= now || now + most < sent.until {
        return Err(refused(format!("a waiver of `{}` lasts at most {most}", sent.control)));
    }
    let manifest = record.submission.manifest;
    let open = |it: &&Waiver| it.manifest == manifest && it.ended.is_none() && now < it.until;
    let alive = record.waivers.values().filter(open).count();
    if usize::try_from(profile.waiver.at_once_max).unwrap_or(usize::MAX) <= alive {
        return Err(refused(format!("{alive} waivers are alive; no more at once")));
    }
    let waiver = Waiver {
        id: new_waiver(now)?,
        control: sent.control.clone(),
        manifest,
        requester: by.clone(),
        granter: None,
        until: sent.until,
        ended: None,
    };
    let mut draft = Draft::default();
    draft.document(&json!({ "waiver": waiver.id, "reason": sent.reason }))?;
    let integration = record.id.clone();
    draft.event(now, Some(by), What::WaiverRequested { integration, waiver: waiver.clone() });
    writer.commit(draft, now).await?;
    Ok(json!(waiver))
}

/// Grants a waiver that somebody else asked for.
pub async fn grant(app: &App, by: &PersonId, id: &WaiverId) -> Result<Value, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let (record, waiver) = lookup(writer.registry(), id)?;
    if waiver.requester == *by || record.submission.requester == *by {
        return Err(Problem::new(403, "requester", "the person who asked for it may not grant it"));
    }
    if waiver.granter.is_some() || waiver.ended.is_some() || waiver.until <= now {
        return Err(Problem::new(409, "ended", "it is granted already, or over"));
    }
    let mut draft = Draft::default();
    let integration = record.id.clone();
    draft.event(now, Some(by), What::WaiverGranted { integration, waiver: id.clone() });
    writer.commit(draft, now).await?;
    Ok(json!(lookup(writer.registry(), id)?.1))
}

/// Ends a waiver early.
pub async fn end(app: &App, by: &PersonId, id: &WaiverId) -> Result<Value, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let (record, waiver) = lookup(writer.registry(), id)?;
    if waiver.ended.is_some() {
        return Err(Problem::new(409, "ended", "it is over already"));
    }
    let mut draft = Draft::default();
    let integration = record.id.clone();
    draft.event(now, Some(by), What::WaiverEnded { integration, waiver: id.clone() });
    writer.commit(draft, now).await?;
    Ok(json!(lookup(writer.registry(), id)?.1))
}

fn lookup<'a>(registry: &'a Registry, id: &WaiverId) -> Result<(&'a Record, &'a Waiver), Problem> {
    registry
        .integrations
        .values()
        .find_map(|it| Some((it, it.waivers.get(id)?)))
        .ok_or_else(|| Problem::unknown("such waiver"))
}
