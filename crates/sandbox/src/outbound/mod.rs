//! How a partner calls whoever it is told to call: verified in every respect, or with one of its faults.

mod lists;
mod old_tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::{Client, RequestBuilder, Response};
use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{DEFAULT_VERSIONS, RootCertStore};
use url::Url;

use crate::{Net, StartError, TlsError};
use lists::{Listed, Lists};

/// What a client looks at before it sends anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Certificate, name, time and revocation, in TLS 1.2 or newer.
    Careful,
    /// The same, and where that fails it tries TLS 1.0.
    FallsBack,
    /// Nothing.
    SkipsCertificates,
    /// Everything but revocation.
    SkipsRevocation,
}

/// The clients of a partner.
#[derive(Debug)]
pub(crate) struct Outbound {
    careful: Client,
    unlisted: Client,
    careless: Client,
    lists: Arc<Lists>,
    resolve: BTreeMap<String, SocketAddr>,
}

impl Outbound {
    /// The clients, which know the hosts of this net.
    pub(crate) fn new(net: &Net) -> Result<Self, StartError> {
        let unlisted = net.client(None)?;
        let lists = Arc::new(Lists::new(unlisted.clone()));
        let tls = careful(net, &lists).map_err(TlsError::from)?;
        Ok(Self {
            careful: net.client_with(tls)?,
            careless: net.careless_client()?,
            unlisted,
            lists,
            resolve: net.resolve.clone(),
        })
    }

    /// Sends a request to this address; none where it was not sent, or not answered.
    pub(crate) async fn send(
        &self,
        trust: Trust,
        url: &Url,
        build: impl Fn(&Client) -> RequestBuilder,
    ) -> Option<Response> {
        match trust {
            Trust::SkipsCertificates => return build(&self.careless).send().await.ok(),
            Trust::SkipsRevocation => return build(&self.unlisted).send().await.ok(),
            Trust::Careful | Trust::FallsBack => {}
        }
        if let Ok(answer) = build(&self.careful).send().await {
            return Some(answer);
        }
        // The first connection told which lists have to be read before the second one.
        if self.lists.fetch().await
            && let Ok(answer) = build(&self.careful).send().await
        {
            return Some(answer);
        }
        if trust == Trust::FallsBack
            && let Some(host) = url.host_str()
            && let Some(address) = self.resolve.get(host)
        {
            old_tls::go_on(*address, host).await;
        }
        None
    }
}

/// Verifies as usual, and asks the lists of what was revoked.
fn careful(net: &Net, lists: &Arc<Lists>) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(net.ca_pem.as_bytes()).flatten() {
        roots.add(certificate)?;
    }
    let (roots, provider) = (Arc::new(roots), Arc::new(default_provider()));
    let usual =
        WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .build()
            .map_err(|it| rustls::Error::General(it.to_string()))?;
    let verifier =
        Listed { usual, roots, provider: Arc::clone(&provider), lists: Arc::clone(lists) };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(DEFAULT_VERSIONS)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}
