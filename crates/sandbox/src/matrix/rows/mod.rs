//! The data: which check is held against whom. One file for each family.

mod access;
mod client;
mod drill;
mod fact;
mod front;
mod granted;
mod jwt;
mod leak;
mod log;
mod oauth;
mod probe;
mod revocation;
mod set;
mod tls;
mod webhook;

use std::sync::LazyLock;

use super::Row;

const FAMILIES: &[&[Row]] = &[
    fact::ROWS,
    granted::ROWS,
    leak::ROWS,
    webhook::ROWS,
    oauth::ROWS,
    client::ROWS,
    jwt::ROWS,
    set::ROWS,
    front::ROWS,
    tls::ROWS,
    probe::ROWS,
    access::ROWS,
    revocation::ROWS,
    drill::ROWS,
    log::ROWS,
];

/// One row for each check, in the order of the registry.
pub static ROWS: LazyLock<Vec<&'static Row>> =
    LazyLock::new(|| FAMILIES.iter().copied().flatten().collect());
