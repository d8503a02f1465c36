//! What changes after the certificate: more is asked for and even granted at the platform, and the gate denies it.

use std::time::Duration;

use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::Kind;
use countersign_sandbox::manifests::{ADDED_EVENT, Version, added_scope};
use serde_json::{Value, json};

use super::chapter::Chapter;
use super::report::Denied;
use super::story::Story;
use super::until::until;
use crate::command::{list, text};
use crate::failure::Failure;

/// How long a denial or a new state may take to be seen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Plays the change: an administrator grants more, the partner submits the manifest that asks for it, and tries.
pub(super) async fn play(story: &Story, chapter: &mut Chapter) -> Result<Denied, Failure> {
    let granted = story.sandbox.world.grant(story.kind, Lane::Certified, Version::Changed);
    granted.map_err(|it| story.failed("more could not be granted").because(&it))?;
    let submitted = story.submit(Version::Changed).await?;
    let change = list(&submitted, "triggers").iter().find_map(Value::as_str).unwrap_or_default();
    let reason = denied(story).await?.unwrap_or_default();
    let state = until(PATIENCE, async || {
        let state = story.one().await.ok().map(|it| text(&it, "state").to_owned());
        state.filter(|it| it == "due")
    });
    let state = state.await.unwrap_or_default();
    let rest_goes_on = story.works().await;
    let asked = asked(story.kind);
    let rest = if rest_goes_on { "the rest goes on" } else { "THE REST IS REFUSED" };
    chapter.say("monitor", format!("{asked} ({change}): denied, {reason}; now {state}, {rest}"));
    Ok(Denied { change: change.to_owned(), reason, state, rest_goes_on })
}

fn asked(kind: Kind) -> String {
    match added_scope(kind) {
        Some((scope, _)) => format!("it asks for `{scope}` too"),
        None => format!("it wants `{ADDED_EVENT}` too"),
    }
}

/// What the production gate says to the new part; none where it let it through.
async fn denied(story: &Story) -> Result<Option<String>, Failure> {
    match added_scope(story.kind) {
        Some((scope, _)) => {
            let partner = story.sandbox.world.partner(story.kind);
            Ok(partner.attempt(Lane::Certified, scope, "client_credentials").await.err())
        }
        None => event(story).await,
    }
}

/// An event of the new type is produced, and its delivery looked up in the platform's record.
async fn event(story: &Story) -> Result<Option<String>, Failure> {
    let production = story.sandbox.world.tenant(Lane::Certified);
    let data = json!({ "group": { "id": "g-1" }, "event": { "type": ADDED_EVENT } });
    let emitted = production.emit(ADDED_EVENT, &data);
    let id = emitted.map_err(|it| story.failed("no event could be made").because(&it))?;
    let delivery = until(PATIENCE, async || production.delivery(story.slug(), &id));
    let result = delivery.await.ok_or_else(|| story.failed("the event was never tried"))?.result;
    Ok((result != "delivered").then_some(result))
}
