//! One request to the platform: to the right address, with the right token, inside limits.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::check::transcript::FailureKind;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rustls::ClientConfig;
use url::Url;

use super::SandboxSettings;
use crate::live::ask::Ask;
use crate::live::client::{certificates, public_roots, request, tls};
use crate::live::http::{BODY_BYTES_MAX, Bounds, Failure, Raw, Way, exchange};
use crate::live::resolve::Resolver;
use crate::platform::{PlatformFault, Reach};

/// The largest record that is read.
const LOG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest list of the administrators' API that is read.
const ANSWER_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;

/// In whose name a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// In that of whoever may kill.
    Killer,
    /// In nobody's.
    Nobody,
    /// In that of whoever may read.
    Reader,
}

/// How large an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// As an ordinary answer.
    Answer,
    /// As a record of many lines.
    Log,
}

/// The line to the platform.
pub(super) struct Line {
    origin: Url,
    host: String,
    port: u16,
    reader: String,
    killer: String,
    resolver: Resolver,
    tls: Arc<ClientConfig>,
    limit: Duration,
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Line({})", self.origin)
    }
}

impl Line {
    pub(super) fn new(issuer: &str, settings: SandboxSettings) -> Result<Self, PlatformFault> {
        let wrong = |it: &str| PlatformFault::Settings(it.to_owned());
        let origin = Url::parse(issuer).map_err(|_| wrong("its address cannot be read"))?;
        let host = origin.host_str().unwrap_or_default().to_lowercase();
        let is_plain =
            origin.path() == "/" && origin.query().is_none() && origin.username().is_empty();
        if origin.scheme() != "https" || host.is_empty() || !is_plain {
            return Err(wrong("its address is not `https://` and a host"));
        }
        for (name, token) in [("reads", &settings.reader), ("kills", &settings.killer)] {
            if token.is_empty() || !token.bytes().all(|it| it.is_ascii_graphic()) {
                return Err(wrong(&format!("the token that {name} is not one")));
            }
        }
        let roots = match &settings.ca {
            Some(pem) => certificates(pem).map_err(|it| wrong(&it.to_string()))?,
            None => public_roots(),
        };
        Ok(Self {
            port: origin.port_or_known_default().unwrap_or(443),
            origin,
            host,
            reader: settings.reader,
            killer: settings.killer,
            // The operator names this host, not a partner: it may well be a private one.
            resolver: Resolver {
                fixed: settings.resolve,
                allowed: everywhere(),
                ..Resolver::default()
            },
            tls: tls(roots).map_err(|it| wrong(&it.to_string()))?,
            limit: settings.limit,
        })
    }

    /// The way to it, for requests that somebody else makes.
    pub(super) fn reach(&self) -> Reach {
        Reach {
            hosts: [self.host.clone()].into(),
            resolver: self.resolver.clone(),
            tls: Arc::clone(&self.tls),
            api: self.origin.as_str().trim_end_matches('/').to_owned(),
        }
    }

    /// A request; every part of the path is written as one part, whatever is in it.
    pub(super) fn new_ask(
        &self,
        method: &str,
        path: &[&str],
        who: Who,
    ) -> Result<Ask, PlatformFault> {
        self.address(path).map(|it| self.signed(Ask::new(method, it), who))
    }

    /// A `GET` with a query.
    pub(super) fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        who: Who,
    ) -> Result<Ask, PlatformFault> {
        let mut url = self.address(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(self.signed(Ask::get(url), who))
    }

    fn address(&self, path: &[&str]) -> Result<Url, PlatformFault> {
        // `.` and `..` would be taken for steps: such a name cannot be asked for.
        if let Some(part) = path.iter().find(|it| ["", ".", ".."].contains(it)) {
            return Err(PlatformFault::Settings(format!("`{part}` is not a name")));
        }
        let mut url = self.origin.clone();
        let no_path = |()| PlatformFault::Settings("its address has no path".to_owned());
        url.path_segments_mut().map_err(no_path)?.clear().extend(path);
        Ok(url)
    }

    fn signed(&self, ask: Ask, who: Who) -> Ask {
        match who {
            Who::Killer => ask.bearer(Some(&self.killer)),
            Who::Nobody => ask,
            Who::Reader => ask.bearer(Some(&self.reader)),
        }
    }

    /// Sends it, and nowhere else than to the platform.
    pub(super) async fn send(
        &self,
        ask: Ask,
        from: Option<IpAddr>,
        size: Size,
    ) -> Result<Raw, PlatformFault> {
        let unwritable = || PlatformFault::Settings("the request cannot be written".to_owned());
        let url = Url::parse(&ask.url).map_err(|_| unwritable())?;
        if url.origin() != self.origin.origin() {
            return Err(PlatformFault::Settings("the request leads elsewhere".to_owned()));
        }
        let request = request(&ask, &url, &self.host).ok_or_else(unwritable)?;
        let address = self.resolver.resolve(&self.host, self.port).await;
        let address =
            address.map_err(|it| self.fault(&Failure { kind: it.kind, detail: it.detail }))?;
        let body_bytes_max = match size {
            Size::Answer => ANSWER_BYTES_MAX,
            Size::Log => LOG_BYTES_MAX,
        };
        let bounds = Bounds { time: self.limit, body_bytes_max };
        let tls = Arc::clone(&self.tls);
        let way = Way { address, host: &self.host, tls, from, bounds };
        exchange(&way, request).await.map_err(|it| self.fault(&it))
    }

    fn fault(&self, failure: &Failure) -> PlatformFault {
        let words = format!("{}: {}", failure.kind.words(), failure.detail);
        match failure.kind {
            FailureKind::AddressRefused => PlatformFault::Settings(words),
            FailureKind::Closed
            | FailureKind::Connect
            | FailureKind::Resolve
            | FailureKind::Tls => PlatformFault::Connection(words),
            FailureKind::Protocol | FailureKind::TooLarge => PlatformFault::Unreadable(words),
            FailureKind::Timeout => PlatformFault::Timeout { seconds: self.limit.as_secs().max(1) },
        }
    }
}

fn everywhere() -> Vec<IpNet> {
    vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> SandboxSettings {
        SandboxSettings {
            issuer: String::new(),
            reader: "reads".to_owned(),
            killer: "kills".to_owned(),
            resolve: [].into(),
            ca: None,
            limit: Duration::from_secs(1),
        }
    }

    #[test]
    fn only_a_plain_address_with_two_tokens_is_one() {
        let none = SandboxSettings { killer: String::new(), ..settings() };
        let table = [
            ("https://test.id.example.com", settings(), true),
            ("https://127.0.0.1:8443", settings(), true),
            ("http://test.id.example.com", settings(), false),
            ("https://test.id.example.com/tenant", settings(), false),
            ("https://me:pw@test.id.example.com", settings(), false),
            ("nowhere", settings(), false),
            ("https://test.id.example.com", none, false),
            (
                "https://test.id.example.com",
                SandboxSettings { ca: Some(b"rubbish".to_vec()), ..settings() },
                false,
            ),
        ];
        for (issuer, settings, is_one) in table {
            let line = Line::new(issuer, settings);
            assert_eq!(line.is_ok(), is_one, "{issuer}");
            assert!(is_one || matches!(line, Err(PlatformFault::Settings(_))), "{issuer}");
        }
    }

    #[test]
    fn every_part_of_a_path_stays_one_part() {
        let line = Line::new("https://id.example.com", settings()).unwrap();
        let url = |path: &[&str]| line.new_ask("POST", path, Who::Nobody).map(|it| it.url);
        let plain = url(&["admin", "clients", "acme-helpdesk"]).unwrap();
        assert_eq!(plain, "https://id.example.com/admin/clients/acme-helpdesk");
        let odd = url(&["jobs", "a/b?c#d", "job:nightly%2f"]).unwrap();
        assert_eq!(odd, "https://id.example.com/jobs/a%2Fb%3Fc%23d/job:nightly%252f");
        for part in ["", ".", ".."] {
            assert!(url(&["admin", "clients", part]).is_err(), "`{part}`");
        }
    }

    #[test]
    fn every_failure_has_its_cause() {
        let line = Line::new("https://id.example.com", settings()).unwrap();
        let fault = |kind| line.fault(&Failure { kind, detail: "why".to_owned() }).to_string();
        insta::assert_snapshot!(
            [FailureKind::Connect, FailureKind::TooLarge, FailureKind::Timeout]
                .map(fault)
                .join("\n"),
            @r"
        it cannot be reached: no connection: why
        its answer cannot be read: answer too large: why
        it did not answer within 1 s
        "
        );
    }
}
