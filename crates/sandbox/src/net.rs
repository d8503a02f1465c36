//! How the parts of the sandbox reach one another: by name, on loopback, trusting the run's authority.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::StartError;

/// Which name is where, and whom to trust.
#[derive(Debug, Clone)]
pub struct Net {
    /// Where each host is; `host:80` is where it stands without TLS.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// The authority's certificate.
    pub ca_pem: String,
}

impl Net {
    /// A client that knows these hosts and no others, and calls from this address.
    pub fn client(&self, from: Option<IpAddr>) -> Result<reqwest::Client, StartError> {
        self.builder(from)?.build().map_err(StartError::Client)
    }

    /// A client that knows the same hosts, and verifies whom it talks to in its own way.
    pub(crate) fn client_with(
        &self,
        tls: rustls::ClientConfig,
    ) -> Result<reqwest::Client, StartError> {
        self.hosts(None).tls_backend_preconfigured(tls).build().map_err(StartError::Client)
    }

    /// The same client, which takes every certificate.
    pub(crate) fn careless_client(&self) -> Result<reqwest::Client, StartError> {
        let builder = self.builder(None)?.tls_danger_accept_invalid_certs(true);
        builder.build().map_err(StartError::Client)
    }

    fn builder(&self, from: Option<IpAddr>) -> Result<reqwest::ClientBuilder, StartError> {
        crate::tls::install_provider();
        let authority =
            reqwest::Certificate::from_pem(self.ca_pem.as_bytes()).map_err(StartError::Client)?;
        Ok(self.hosts(from).tls_certs_only([authority]))
    }

    fn hosts(&self, from: Option<IpAddr>) -> reqwest::ClientBuilder {
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .local_address(from);
        // A name with a port is for those who look at that port.
        for (host, address) in self.resolve.iter().filter(|it| !it.0.contains(':')) {
            builder = builder.resolve(host, *address);
        }
        builder
    }
}

const TIMEOUT: Duration = Duration::from_secs(3);
