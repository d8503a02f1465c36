//! How a service is told to end: Ctrl-C, or SIGTERM.

use crate::exit::Exit;
use crate::failure::Failure;

/// Waits for the end.
#[derive(Debug)]
pub(crate) struct Ended {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Ended {
    /// Listens from now on: a signal that comes before [`Self::wait`] is not lost.
    pub(crate) fn listen() -> Result<Self, Failure> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let wrong = |it: std::io::Error| {
                Failure::new(Exit::Broken, "could not hear signals").because(&it)
            };
            let terminate = signal(SignalKind::terminate()).map_err(wrong)?;
            let interrupt = signal(SignalKind::interrupt()).map_err(wrong)?;
            Ok(Self { terminate, interrupt })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Until somebody asks for the end.
    pub(crate) async fn wait(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        drop(tokio::signal::ctrl_c().await);
    }
}
