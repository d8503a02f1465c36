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
    /// The authority's list of what it has revoked.
    pub crl_pem: String,
}

impl Net {
    /// A client that knows these hosts and no others, and calls from this address. It looks whether a
    /// certificate was revoked, and takes none of which it cannot tell.
    pub fn client(&self, from: Option<IpAddr>) -> Result<reqwest::Client, StartError> {
        let list = reqwest::tls::CertificateRevocationList::from_pem(self.crl_pem.as_bytes())
            .map_err(StartError::Client)?;
        self.builder(from)?.tls_crls_only([list]).build().map_err(StartError::Client)
    }

    /// The same client, which never asks whether a certificate was revoked.
    pub(crate) fn trusting_client(&self) -> Result<reqwest::Client, StartError> {
        self.builder(None)?.build().map_err(StartError::Client)
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
        let mut builder = reqwest::Client::builder()
            .tls_certs_only([authority])
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .local_address(from);
        // A name with a port is for those who look at that port.
        for (host, address) in self.resolve.iter().filter(|it| !it.0.contains(':')) {
            builder = builder.resolve(host, *address);
        }
        Ok(builder)
    }
}

const TIMEOUT: Duration = Duration::from_secs(3);
