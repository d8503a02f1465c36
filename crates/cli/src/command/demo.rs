//! `demo`: the whole thing on this machine, with the four integrations of the mission.

use std::io::IsTerminal as _;

use super::Context;
use crate::demo::{play, yours};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Plays the story; at a terminal, a stage then stays up to try things on.
pub(crate) async fn run(context: Context<'_>) -> Outcome {
    let ui = context.ui;
    let no_folder = |it: std::io::Error| Failure::new(Exit::Broken, "no folder").because(&it);
    ui.say(
        "a platform with two tenants, two gates, four partners and a server start on loopback …",
    );
    let folder = tempfile::tempdir().map_err(no_folder)?;
    let report = play(ui, &folder.path().join("story")).await?;
    if ui.json {
        let document = serde_json::to_value(&report).map_err(|it| {
            Failure::new(Exit::Broken, "the report cannot be written").because(&it)
        })?;
        ui.document(&document);
    } else {
        let lives = report.integrations.len();
        let log = if report.log_verified { "verified" } else { "NOT VERIFIED" };
        ui.line(format!(
            "{lives} integrations  {} log entries {log}  {} s",
            report.log_entries, report.seconds
        ));
    }
    let asks = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if asks && !context.arguments.no_input && !ui.json {
        yours(ui, &folder.path().join("yours")).await?;
    }
    Ok(if report.ok { Exit::Yes } else { Exit::No })
}
