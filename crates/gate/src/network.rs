//! Addresses held against declared networks.

use std::net::IpAddr;

use ipnet::IpNet;

/// Whether an address lies in one of the networks; an IPv4 address written as IPv6 is an IPv4 address.
pub(crate) fn contains(networks: &[IpNet], ip: IpAddr) -> bool {
    let ip = match ip {
        IpAddr::V6(it) => it.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    };
    networks.iter().any(|it| it.contains(&ip))
}
