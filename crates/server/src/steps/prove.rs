//! What a partner publishes at its hosts, so that hostile requests may go there.

use countersign_checks::live::client::hosts_of;
use countersign_checks::live::proof::Challenge;
use serde_json::{Value, json};

use crate::app::{App, find};
use crate::problem::Problem;

/// A token for each host that the submitted manifest names. One that was issued before goes on
/// proving until its own end.
pub async fn challenges(app: &App, name: &str) -> Result<Value, Problem> {
    let published = app.book.published();
    let record = find(&published.registry, name)?;
    let (parsed, _) = app.book.manifest(record.submission.blob).await?;
    let manifest = &parsed.manifest;
    let now = app.clock.now();
    let method = manifest.rules_of_engagement.as_ref().map(|it| it.proof);
    let issue = |host: &String| -> Option<Challenge> {
        Some(app.keys.proofs.issue(record.slug.as_str(), host, method?, now))
    };
    let challenges: Vec<Challenge> = hosts_of(manifest).iter().filter_map(issue).collect();
    Ok(json!({
        "schema": "countersign.proof/1", "integration": record.slug, "method": method,
        "challenges": challenges,
    }))
}
