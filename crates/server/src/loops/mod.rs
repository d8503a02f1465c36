//! The loops that keep a certification alive.

mod clock;
mod drift;
mod renew;
mod sweep;
mod take_up;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;

/// Starts all of them; they end when `stop` becomes true.
pub fn start(app: &Arc<App>, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(clock::run(Arc::clone(app), stop.clone()));
    tasks.spawn(drift::run(Arc::clone(app), stop.clone()));
    tasks.spawn(renew::run(Arc::clone(app), stop.clone()));
    tasks.spawn(sweep::run(Arc::clone(app), stop.clone()));
    tasks.spawn(take_up::run(Arc::clone(app), stop.clone()));
    tasks
}

/// Waits a while; false when it is time to end.
async fn pause(stop: &mut watch::Receiver<bool>, length: std::time::Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(length) => true,
        _ = stop.wait_for(|it| *it) => false,
    }
}
