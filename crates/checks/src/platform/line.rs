//! The line to a platform: one request at a time, only to hosts that its operator named, inside limits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use countersign_model::check::transcript::FailureKind;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rustls::ClientConfig;
use url::Url;

use crate::live::ask::Ask;
use crate::live::client::{certificates, public_roots, request, tls};
use crate::live::http::{Bounds, Failure, Raw, Way, exchange};
use crate::live::resolve::Resolver;
use crate::platform::{PlatformFault, Reach};

/// The line to a platform.
pub(super) struct Line {
    hosts: BTreeSet<String>,
    resolver: Resolver,
    tls: Arc<ClientConfig>,
    limit: Duration,
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Line({:?})", self.hosts)
    }
}

impl Line {
    /// To these hosts alone. Without authorities of the operator's own (PEM), the public ones count.
    pub(super) fn new(
        hosts: impl IntoIterator<Item = String>,
        resolve: BTreeMap<String, SocketAddr>,
        ca: Option<&[u8]>,
        limit: Duration,
    ) -> Result<Self, PlatformFault> {
        let wrong = |it: &dyn fmt::Display| PlatformFault::Settings(it.to_string());
        let roots = match ca {
            Some(pem) => certificates(pem).map_err(|it| wrong(&it))?,
            None => public_roots(),
        };
        Ok(Self {
            hosts: hosts.into_iter().map(|it| it.to_lowercase()).collect(),
            // The operator names these hosts, not a partner: they may well be private ones.
            resolver: Resolver {
                fixed: resolve,
                allowed: vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())],
                ..Resolver::default()
            },
            tls: tls(roots).map_err(|it| wrong(&it))?,
            limit,
        })
    }

    /// The way there, for requests that somebody else makes.
    pub(super) fn reach(&self, api: String) -> Reach {
        Reach {
            hosts: self.hosts.clone(),
            resolver: self.resolver.clone(),
            tls: Arc::clone(&self.tls),
            api,
        }
    }

    /// Sends it, if it leads to a host that was named, by TLS.
    pub(super) async fn send(
        &self,
        ask: Ask,
        from: Option<IpAddr>,
        body_bytes_max: usize,
    ) -> Result<Raw, PlatformFault> {
        let url = Url::parse(&ask.url).map_err(|_| {
            PlatformFault::Settings("the request leads to an address that is none".to_owned())
        })?;
        let host = url.host_str().unwrap_or_default().to_lowercase();
        if url.scheme() != "https" {
            return Err(PlatformFault::Settings(format!(
                "`{}://{host}` would send credentials in the clear; the platform must answer at `https` addresses",
                url.scheme()
            )));
        }
        if !self.hosts.contains(&host) {
            return Err(PlatformFault::Settings(format!(
                "the request leads to `{host}`; if that host is the platform's own, add it to `hosts`"
            )));
        }
        let unwritable = || PlatformFault::Settings("the request cannot be written".to_owned());
        let written = request(&ask, &url, &host).ok_or_else(unwritable)?;
        let port = url.port_or_known_default().unwrap_or(443);
        let address = self.resolver.resolve(&host, port).await;
        let address =
            address.map_err(|it| self.fault(&Failure { kind: it.kind, detail: it.detail }))?;
        let bounds = Bounds { time: self.limit, body_bytes_max };
        let tls = Arc::clone(&self.tls);
        let way = Way { address, host: &host, tls, from, bounds };
        exchange(&way, written).await.map_err(|it| self.fault(&it))
    }

    fn fault(&self, failure: &Failure) -> PlatformFault {
        let words = format!("{}: {}", failure.kind.words(), failure.detail);
        match failure.kind {
            FailureKind::AddressRefused => PlatformFault::Settings(words),
            FailureKind::Tls => PlatformFault::Connection(format!(
                "{words}; if its certificate is of an authority of your own, name that in `ca`"
            )),
            FailureKind::Closed | FailureKind::Connect | FailureKind::Resolve => {
                PlatformFault::Connection(words)
            }
            FailureKind::Protocol | FailureKind::TooLarge => PlatformFault::Unreadable(words),
            FailureKind::Timeout => PlatformFault::Timeout { seconds: self.limit.as_secs().max(1) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        let hosts = ["ID.example.com".to_owned()];
        Line::new(hosts, BTreeMap::new(), None, Duration::from_secs(1)).unwrap()
    }

    #[tokio::test]
    async fn a_request_leads_to_a_named_host_by_tls_or_nowhere() {
        let line = line();
        let mut said = Vec::new();
        for url in ["http://id.example.com/token", "https://evil.example.com/token", "nowhere"] {
            let sent = line.send(Ask::new("POST", url), None, 1).await;
            said.push(sent.map(|_| ()).unwrap_err().to_string());
        }
        insta::assert_snapshot!(said.join("\n"), @r"
        its connector is not set up: `http://id.example.com` would send credentials in the clear; the platform must answer at `https` addresses
        its connector is not set up: the request leads to `evil.example.com`; if that host is the platform's own, add it to `hosts`
        its connector is not set up: the request leads to an address that is none
        ");
    }

    #[test]
    fn every_failure_has_its_cause() {
        let line = line();
        let fault = |kind| line.fault(&Failure { kind, detail: "why".to_owned() }).to_string();
        let kinds =
            [FailureKind::Connect, FailureKind::Tls, FailureKind::TooLarge, FailureKind::Timeout];
        insta::assert_snapshot!(kinds.map(fault).join("\n"), @r"
        it cannot be reached: no connection: why
        it cannot be reached: no trusted TLS session: why; if its certificate is of an authority of your own, name that in `ca`
        its answer cannot be read: answer too large: why
        it did not answer within 1 s
        ");
    }

    #[test]
    fn authorities_that_are_none_are_refused() {
        let line = Line::new([], BTreeMap::new(), Some(b"rubbish"), Duration::from_secs(1));
        assert!(matches!(line, Err(PlatformFault::Settings(_))), "{line:?}");
    }
}
