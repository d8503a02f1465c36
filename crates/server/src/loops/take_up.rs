//! Takes up what is unfinished, from the first moment on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::pause;
use crate::app::App;
use crate::steps::take_up::{Agenda, look};

pub(super) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut agenda = Agenda::default();
    loop {
        look(&app, &mut agenda).await;
        if !pause(&mut stop, Duration::from_millis(250)).await {
            return;
        }
    }
}
