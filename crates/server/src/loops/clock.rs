//! Time alone changes standings: what lapses or resumes is published.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::pause;
use crate::app::App;

pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while pause(&mut stop, Duration::from_millis(250)).await {
        if let Err(error) = app.book.tick(app.clock.now()).await {
            tracing::error!(%error, "standings could not be published");
        }
    }
}
