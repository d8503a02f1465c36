//! `server run`: in the foreground until a signal.

use std::path::Path;

use super::Context;
use crate::failure::Outcome;

/// Runs the server until Ctrl-C or a termination signal.
pub(crate) async fn run(context: Context<'_>, config: &Path) -> Outcome {
    crate::command::serve::until_signal(context, config).await
}
