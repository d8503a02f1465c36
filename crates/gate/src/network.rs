//! Addresses held against declared networks.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Reads a declared network: `192.0.2.0/24`, `2001:db8::/32`, or one address.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let IpNet::V6(six) = network else { return Some(network) };
    // `::ffff:192.0.2.0/120` is `192.0.2.0/24`.
    let four = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
    let four = four.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    Some(four.map_or(network, IpNet::V4))
}

/// Whether an address lies in one of the networks; an IPv4 address written as IPv6 is an IPv4 address.
pub(crate) fn contains(networks: &[IpNet], ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    networks.iter().any(|it| it.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_inside_or_outside() {
        let table = [
            ("192.0.2.0/24", "192.0.2.9", true),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("192.0.2.0/24", "192.0.3.1", false),
            ("192.0.2.0/24", "::192.0.2.9", false),
            ("::ffff:192.0.2.0/120", "192.0.2.9", true),
            ("::ffff:192.0.2.0/120", "192.0.3.9", false),
            ("2001:db8::/32", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8::/32", "192.0.2.1", false),
            ("198.51.100.7", "198.51.100.7", true),
            ("198.51.100.7", "198.51.100.8", false),
        ];
        for (network, ip, inside) in table {
            let networks = [parse(network).unwrap()];
            assert_eq!(contains(&networks, ip.parse().unwrap()), inside, "{ip} in {network}");
        }
        for text in ["", "192.0.2.0/33", "192.0.2", "host.example", "192.0.2.0/24 "] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }
}
