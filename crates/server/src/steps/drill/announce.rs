//! Who is told of a drill before it begins, and what a drill in shadow says.

use std::collections::BTreeSet;

use countersign_model::declare::Manifest;
use countersign_model::enforce::snapshot::{Lane, Standing};
use countersign_model::event::What;
use countersign_model::id::PersonId;
use countersign_model::revoke::DrillPart;
use serde_json::{Value, json};

use super::{Announced, Wish, is_allowed};
use crate::app::{App, find, new_drill};
use crate::book::{Draft, Published};
use crate::problem::Problem;

/// Writes down that a drill begins, and whom it concerns.
pub(super) async fn announce(app: &App, by: &PersonId, wish: &Wish) -> Result<Announced, Problem> {
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let record = find(writer.registry(), &wish.name)?.clone();
    let (parsed, _) = app.book.manifest(record.submission.blob).await?;
    is_allowed(&record, &parsed, wish.window, now)?;
    let id = new_drill(now)?;
    let until = now + wish.window;
    let told = told(&parsed.manifest);
    let mut draft = Draft::default();
    let announcement = draft.document(&json!({
        "schema": "countersign.drill-announcement/1", "drill": id, "parts": wish.parts,
        "from": now, "until": until, "told": told,
        "salt": app.keys.salt.digest("drill", id.as_str()),
    }))?;
    let what = What::DrillAnnounced {
        integration: record.id.clone(),
        drill: id.clone(),
        parts: wish.parts.clone(),
        until,
        announcement,
    };
    draft.event(now, Some(by), what);
    writer.commit(draft, now).await?;
    tracing::info!(integration = %record.id, drill = %id, %until, "a drill is announced");
    Ok(Announced { id, at: now, until, record, parsed, told })
}

/// The owners and contacts of a manifest, each once, with what they are to it.
pub(super) fn told(manifest: &Manifest) -> Vec<Value> {
    let (owners, partner) = (&manifest.owners, &manifest.partner);
    let rules = manifest.rules_of_engagement.as_ref();
    let each = [
        ("business owner", Some(&owners.business)),
        ("technical owner", Some(&owners.technical)),
        ("backup owner", owners.backup.as_ref()),
        ("partner's technical contact", Some(&partner.technical_contact)),
        ("partner's incident contact", Some(&partner.incident_contact)),
        ("contact of the rules of engagement", rules.map(|it| &it.contact)),
    ];
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let each = each.into_iter().filter_map(|(role, who)| Some((role, who?)));
    let each = each.filter(|(_, who)| known.insert(who.as_str()));
    each.map(|(role, who)| json!({ "who": who, "role": role })).collect()
}

/// Says what a live drill would do. Nobody is asked, nothing is changed and nothing is written down.
pub(super) async fn shadow(app: &App, wish: &Wish) -> Result<Value, Problem> {
    let published = app.book.published();
    let record = find(&published.registry, &wish.name)?;
    let (parsed, _) = app.book.manifest(record.submission.blob).await?;
    let manifest = &parsed.manifest;
    let steps = app.world.shadow(manifest, &wish.parts);
    let mut steps: Vec<Value> = steps
        .map_err(|it| Problem::new(502, "unreachable", it.0))?
        .into_iter()
        .map(|it| json!(it))
        .collect();
    if wish.parts.contains(&DrillPart::KillSwitch) {
        let lanes = admitting(&published, record);
        let gates = app.config.gate.iter().filter(|it| lanes.contains(&it.lane));
        let gates = gates.map(|it| {
            json!({
                "part": DrillPart::KillSwitch, "path": format!("gate {}", it.name),
                "does": "deny every call of it, until its paths were seen to refuse",
                "at": it.name, "call": "a snapshot in which it is suspended",
                "undone": format!("it ends by itself, at the latest after {}", wish.window),
            })
        });
        steps.splice(0..0, gates.collect::<Vec<_>>());
    }
    let now = app.clock.now();
    let refused = is_allowed(record, &parsed, wish.window, now).err().map(|it| it.detail);
    Ok(json!({
        "schema": "countersign.drill/1", "mode": "shadow", "target": record.slug,
        "name": manifest.integration.name, "parts": wish.parts, "window": wish.window,
        "announces": told(manifest), "steps": steps, "refused": refused, "exit": 0,
    }))
}

/// The lanes whose gates admit an integration now.
pub(super) fn admitting(
    published: &Published,
    record: &countersign_model::registry::Record,
) -> Vec<Lane> {
    let admits = |lane: &Lane| {
        let entries = &published.lane(*lane).document.entries;
        let mine = entries.iter().find(|it| it.id == record.id);
        mine.is_some_and(|it| matches!(it.standing, Standing::Good { .. }))
    };
    [Lane::Certified, Lane::Trial].into_iter().filter(admits).collect()
}
