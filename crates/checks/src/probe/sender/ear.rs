//! A port of this machine that counts who connects to it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A port that is listened on until this is dropped.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) port: u16,
    count: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Ear {
    /// Listens on a free port of this address, where there is one.
    pub(super) async fn open(address: IpAddr) -> Option<Self> {
        let listener = TcpListener::bind(SocketAddr::new(address, 0)).await.ok()?;
        let port = listener.local_addr().ok()?.port();
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let task = tokio::spawn(async move {
            // Whoever connects is counted and hung up on.
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                drop(stream);
            }
        });
        Some(Self { port, count, task })
    }

    /// How many connections there were.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.task.abort();
    }
}
