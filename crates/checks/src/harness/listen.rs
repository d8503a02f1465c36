//! Where the harness listens, and its certificate, as settings name them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;

use super::{Certificates, Harness, HarnessConfig, HarnessError, Inner, Named, serve};

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
            certificates: Arc::clone(&certificates),
        };
        match std::net::TcpListener::bind(address) {
            Ok(listener) => return Self::start(config(listener)),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error.into()),
        }
        let inner = Arc::new(Inner::default());
        let shared = Arc::clone(&inner);
        let named = Named(Arc::clone(&certificates));
        let task = tokio::spawn(async move {
            for _ in 0..TRIES {
                match TcpListener::bind(address).await {
                    Ok(listener) => return serve::serve(listener, certificates, shared).await,
                    Err(error) => tracing::debug!(%error, "the harness waits for its port"),
                }
                tokio::time::sleep(PAUSE).await;
            }
            tracing::error!(%address, "the harness cannot listen: its port stays in use");
        });
        Ok(Self::with(url, named, (inner, task)))
    }
}

/// One certificate for every name, out of PEM files.
pub fn certificates(certificate: &[u8], key: &[u8]) -> Result<Certificates, HarnessError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|_| HarnessError::Pem("certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| HarnessError::Pem("key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    Ok(Arc::new(move |_| Some(Arc::clone(&config))))
}

const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);
