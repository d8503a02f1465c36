//! From a name to the one address that may be connected to.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use countersign_model::check::transcript::FailureKind;
use ipnet::IpNet;

use super::dns::Dns;

/// How long a name may take to resolve.
const RESOLVE_MAX: Duration = Duration::from_secs(3);
/// How many addresses of a name are looked at.
const ADDRESSES_MAX: usize = 32;

/// Where names lead, and which addresses nobody may be sent to.
#[derive(Debug, Clone, Default)]
pub struct Resolver {
    /// Names with an address of our own choice, for tests: they pass the guard. `host:port` is for
    /// that port alone and comes before `host`, which is for every other one.
    pub fixed: BTreeMap<String, SocketAddr>,
    /// Private networks that are allowed all the same.
    pub allowed: Vec<IpNet>,
    /// Who is asked for addresses, where an operator chose somebody.
    pub dns: Dns,
}

impl Resolver {
    /// The address to connect to. One private address among several refuses the name: a name that
    /// answers both ways is a trap.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<SocketAddr, Refusal> {
        let exact = self.fixed.get(&format!("{host}:{port}"));
        if let Some(fixed) = exact.or_else(|| self.fixed.get(host)) {
            return Ok(*fixed);
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return self.guard(address).map(|()| SocketAddr::new(address, port));
        }
        let unresolved = |detail: &str| Refusal {
            kind: FailureKind::Resolve,
            detail: format!("{host}: {detail}"),
        };
        let addresses = self.look_up(host, port).await.map_err(|it| unresolved(&it))?;
        for address in &addresses {
            self.guard(address.ip())?;
        }
        addresses.first().copied().ok_or_else(|| unresolved("no address"))
    }

    /// Asked anew for every request: what was seen before says nothing about the next one.
    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        if self.dns.is_chosen() {
            let found = self.dns.addresses(host).await?;
            return Ok(found.into_iter().map(|it| SocketAddr::new(it, port)).collect());
        }
        let looked_up = tokio::net::lookup_host((host.to_owned(), port));
        match tokio::time::timeout(RESOLVE_MAX, looked_up).await {
            Err(_) => Err("no answer in time".to_owned()),
            Ok(Err(_)) => Err("no such name".to_owned()),
            Ok(Ok(it)) => Ok(it.take(ADDRESSES_MAX).collect()),
        }
    }

    /// Whether an operator leads this name, or one of its ports, to an address of his own.
    pub fn is_mapped(&self, host: &str) -> bool {
        let of_port = |it: &String| it.rsplit_once(':').is_some_and(|(name, _)| name == host);
        self.fixed.contains_key(host) || self.fixed.keys().any(of_port)
    }

    /// Whether this very port leads somewhere: a mapped name says nothing about its other ports.
    pub fn knows(&self, host: &str, port: u16) -> bool {
        !self.is_mapped(host) || self.fixed.contains_key(&format!("{host}:{port}"))
    }

    fn guard(&self, address: IpAddr) -> Result<(), Refusal> {
        let address = address.to_canonical();
        if is_public(address) || self.allowed.iter().any(|it| it.contains(&address)) {
            return Ok(());
        }
        let detail = format!("{address} is not a public address");
        Err(Refusal { kind: FailureKind::AddressRefused, detail })
    }
}

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of failure that is.
    pub kind: FailureKind,
    /// In words.
    pub detail: String,
}

/// Networks that are not the public internet (IANA special-purpose registries).
const SPECIAL: [&str; 31] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
];

fn is_public(address: IpAddr) -> bool {
    let special = SPECIAL.iter().filter_map(|it| it.parse::<IpNet>().ok());
    !special.into_iter().any(|it| it.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_network_can_be_read() {
        assert!(SPECIAL.iter().all(|it| it.parse::<IpNet>().is_ok()));
    }

    #[tokio::test]
    async fn private_addresses_are_refused_unless_an_operator_maps_the_name() {
        let mut resolver = Resolver::default();
        for host in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "100.64.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fd00::1]",
            "[64:ff9b::7f00:1]",
            "0.0.0.0",
        ] {
            let refused = resolver.resolve(host, 443).await.unwrap_err();
            assert_eq!(refused.kind, FailureKind::AddressRefused, "resolving {host}");
        }
        assert!(resolver.resolve("93.184.216.34", 443).await.is_ok());
        let fixed: SocketAddr = "127.0.0.1:8443".parse().unwrap();
        resolver.fixed.insert("acme.example".to_owned(), fixed);
        assert_eq!(resolver.resolve("acme.example", 443).await, Ok(fixed));
    }

    #[tokio::test]
    async fn a_mapped_port_comes_before_a_mapped_name() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (any, plain) = (address("127.0.0.1:8443"), address("127.0.0.1:8080"));
        let fixed = [("acme.example", any), ("acme.example:80", plain), ("b.example:81", plain)];
        let fixed = fixed.map(|(name, it)| (name.to_owned(), it)).into();
        let resolver = Resolver { fixed, ..Resolver::default() };
        assert_eq!(resolver.resolve("acme.example", 80).await, Ok(plain));
        assert_eq!(resolver.resolve("acme.example", 443).await, Ok(any));
        assert!(resolver.is_mapped("acme.example") && resolver.is_mapped("b.example"));
        assert!(!resolver.is_mapped("c.example"));
        assert!(resolver.knows("acme.example", 80) && !resolver.knows("acme.example", 81));
        assert!(resolver.knows("c.example", 80));
    }
}
