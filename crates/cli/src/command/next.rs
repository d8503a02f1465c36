//! `countersign` alone: the most likely next commands.

use super::Context;
use crate::exit::Exit;

/// Prints the most likely next commands for this folder and login.
pub(crate) fn run(context: Context<'_>) -> Exit {
    let here = std::path::Path::new("countersign.toml").exists();
    let signed_in = context.arguments.server.is_some();
    let lines: &[&str] = match (here, signed_in) {
        (true, true) => &[
            "countersign submit             send countersign.toml for certification",
            "countersign status             where every integration stands",
            "countersign check NAME         run all checks on an integration",
        ],
        (true, false) => &[
            "countersign check              run the checks that need no server",
            "countersign --help             everything else",
        ],
        (false, true) => &[
            "countersign status             where every integration stands",
            "countersign review             what waits for a decision",
            "countersign revoke NAME -r …   cut a partner off now",
        ],
        (false, false) => &[
            "countersign demo               the whole thing on this machine, in a minute",
            "countersign check FILE         run the checks that need no server",
            "countersign --help             everything else",
        ],
    };
    for line in lines {
        context.ui.line(line);
    }
    Exit::Yes
}
