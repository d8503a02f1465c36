//! Compares the platform with what was certified.

use std::sync::Arc;

use tokio::sync::watch;

use super::pause;
use crate::app::App;
use crate::steps::monitor;

pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while pause(&mut stop, app.config.drift_every.std()).await {
        if let Err(error) = monitor::look(&app).await {
            tracing::error!(%error, "drift could not be looked for");
        }
    }
}
