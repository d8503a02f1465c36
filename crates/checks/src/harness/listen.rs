//! Where the harness listens, as settings name it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::{Certificates, Harness, HarnessConfig, HarnessError, Inner, host_of, serve};

impl Harness {
    /// Starts to answer at this address. Where another is just ending there, it waits for that end
    /// for some seconds. Needs a runtime of tokio.
    pub fn listen(
        url: String,
        address: SocketAddr,
        certificates: Certificates,
    ) -> Result<Arc<Self>, HarnessError> {
        let config = |listener| HarnessConfig {
            url: url.clone(),
            listener,
            certificates: certificates.clone(),
        };
        match std::net::TcpListener::bind(address) {
            Ok(listener) => return Self::start(config(listener)),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error.into()),
        }
        let inner = Arc::new(Inner::default());
        let shared = Arc::clone(&inner);
        let shown = (certificates.clone(), host_of(&url).to_owned());
        let task = tokio::spawn(async move {
            for _ in 0..TRIES {
                match TcpListener::bind(address).await {
                    Ok(listener) => return serve::serve(listener, shown, shared).await,
                    Err(error) => tracing::debug!(%error, "the harness waits for its port"),
                }
                tokio::time::sleep(PAUSE).await;
            }
            tracing::error!(%address, "the harness cannot listen: its port stays in use");
        });
        Ok(Self::with(url, certificates, (inner, task)))
    }
}

const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);
