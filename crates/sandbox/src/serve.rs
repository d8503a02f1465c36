//! A server on loopback that can be stopped and started on the same port.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;

use crate::StartError;
use crate::front::{Greeter, hsts};
use crate::partner::Faults;

/// A router behind TLS on a port of loopback.
#[derive(Debug)]
pub(crate) struct Served {
    address: SocketAddr,
    config: RustlsConfig,
    router: Router,
    faults: Faults,
    running: Mutex<Option<Handle<SocketAddr>>>,
}

/// A free port of loopback, held.
pub(crate) fn listener() -> Result<TcpListener, StartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(StartError::Listen)
}

impl Served {
    /// Starts to answer, as it should.
    pub(crate) fn start(
        listener: TcpListener,
        config: RustlsConfig,
        router: Router,
    ) -> Result<Self, StartError> {
        Self::start_with(listener, config, router, Faults::default())
    }

    /// Starts to answer, as these faults have it: those that can be seen before there is a request.
    pub(crate) fn start_with(
        listener: TcpListener,
        config: RustlsConfig,
        router: Router,
        faults: Faults,
    ) -> Result<Self, StartError> {
        let address = listener.local_addr().map_err(StartError::Listen)?;
        let router = router.layer(axum::middleware::from_fn_with_state(faults.clone(), hsts));
        let served = Self { address, config, router, faults, running: Mutex::new(None) };
        served.run(listener)?;
        Ok(served)
    }

    /// What it presents now.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.get_inner()
    }

    /// Presents this to whoever comes from now on.
    pub(crate) fn present(&self, config: Arc<ServerConfig>) {
        self.config.reload_from_config(config);
    }

    fn run(&self, listener: TcpListener) -> Result<(), StartError> {
        let handle = Handle::new();
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        let server = axum_server::from_tcp_rustls(listener, self.config.clone())
            .map_err(StartError::Listen)?
            .map(|it| it.acceptor(Greeter::new(self.faults.clone())))
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
