//! Tries again what was offboarded, when it is time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::pause;
use crate::app::App;
use crate::steps::sweep::{agenda, look};

pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut agenda = agenda();
    loop {
        if let Err(error) = look(&app, &mut agenda).await {
            tracing::error!(%error, "what was offboarded could not be looked for");
        }
        if !pause(&mut stop, Duration::from_secs(2)).await {
            return;
        }
    }
}
