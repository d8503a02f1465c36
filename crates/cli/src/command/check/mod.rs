//! `check`: a manifest is rehearsed from here; an integration is checked by its server.

mod assess;
mod findings;
mod fix;
mod rehearse;
pub(super) mod watch;

use std::path::Path;

use countersign_model::check::Finding;

pub(crate) use watch::line as judged_line;

use super::Context;
use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Checks the target.
pub(crate) async fn run(context: Context<'_>, args: &CheckArgs) -> Outcome {
    let target = args.target.as_deref().unwrap_or("countersign.toml");
    let path = Path::new(target);
    if path.exists() || !is_name(target) {
        if args.fix {
            return fix::run(context, path, args).await;
        }
        return rehearse::run(context, path, args).await;
    }
    if args.fix {
        return Err(Failure::new(Exit::Usage, "only a manifest in a file can be edited")
            .help("countersign check FILE --fix"));
    }
    if context.arguments.server.is_none() {
        return Err(Failure::new(
            Exit::Usage,
            format!("`{target}` is no file, and no server is named that may know it"),
        )
        .help("--server URL --token-file FILE, or the path of a manifest"));
    }
    assess::run(context, target, args).await
}

/// Whether it can be the name of an integration rather than a path.
fn is_name(target: &str) -> bool {
    let name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
    !target.is_empty() && target.chars().all(name)
}

/// Whether a finding is among those that are to be shown.
///
/// What is left out is only not shown: the exit is always that of the whole run.
fn is_shown(finding: &Finding, args: &CheckArgs) -> bool {
    let named = |it: &String| {
        *it == finding.check || finding.case.as_ref() == Some(it) || finding.controls.contains(it)
    };
    (args.only.is_empty() || args.only.iter().any(named)) && (!args.failed || finding.blocks)
}
