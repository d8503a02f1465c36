//! Everything that looks at a partner: probes, platforms, sources and logs.

pub mod log;
pub mod platform;
