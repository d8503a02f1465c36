//! Signs again what is green.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::pause;
use crate::app::App;
use crate::steps::certify;

pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while pause(&mut stop, Duration::from_mins(1)).await {
        if let Err(error) = certify::renew(&app).await {
            tracing::error!(%error, "certificates could not be renewed");
        }
    }
}
