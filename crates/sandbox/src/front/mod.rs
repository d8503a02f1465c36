//! What stands in front of a server: old and broken TLS, played by hand, and port 80.
//!
//! No library speaks any more what a check must see refused. Only the first answer is looked at, so
//! only that is played; every other hello goes on to the real server.

mod greeter;
mod hello;
mod hsts;
mod plain;

pub(crate) use greeter::Greeter;
pub(crate) use hsts::hsts;
pub(crate) use plain::{Plain, PlainPort};
