//! What changes after the certificate: more is asked for and even granted at the platform, and the gate denies it.

use std::time::Duration;

use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::Kind;
use countersign_sandbox::manifests::{ADDED_EVENT, Version, added_scope};
use serde_json::Value;

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
    let tried = story.sandbox.world.ask_for_more(story.kind, Lane::Certified).await;
    let reason = tried.map_err(|it| story.failed("it could not ask for more").because(&it))?;
    let reason = reason.unwrap_or_default();
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
