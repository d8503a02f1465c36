//! A server on loopback that can be stopped and started on the same port.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;

use crate::StartError;

/// A router behind TLS on a port of loopback.
#[derive(Debug)]
pub(crate) struct Served {
    address: SocketAddr,
    config: RustlsConfig,
    router: Router,
    running: Mutex<Option<Handle<SocketAddr>>>,
}

/// A free port of loopback, held.
pub(crate) fn listener() -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(StartError::Listen)
}

impl Served {
    /// Starts to answer.
    pub(crate) fn start(
        listener: TcpListener,
        config: RustlsConfig,
        router: Router,
    ) -> Result<Self, StartError> {
        let address = listener.local_addr().map_err(StartError::Listen)?;
        let served = Self { address, config, router, running: Mutex::new(None) };
        served.run(listener)?;
        Ok(served)
    }

    fn run(&self, listener: TcpListener) -> Result<(), StartError> {
        let handle = Handle::new();
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        let server = axum_server::from_tcp_rustls(listener, self.config.clone())
            .map_err(StartError::Listen)?
            .handle(handle.clone());
        tokio::spawn(async move {
            if let Err(error) = server.serve(service).await {
                tracing::warn!(%error, "a sandbox server ended");
            }
        });
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
        Ok(())
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks every connection and takes no more.
    pub(crate) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = running {
            handle.shutdown();
        }
    }

    /// Answers again on the same port; does nothing when it does already.
    pub(crate) async fn resume(&self) -> Result<(), StartError> {
        if self.running.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Ok(());
        }
        // The listener that was stopped closes a moment after it was told to.
        let mut tries = 0;
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(error) if tries == TRIES_MAX => return Err(StartError::Listen(error)),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        self.run(listener)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

const TRIES_MAX: u32 = 50;
