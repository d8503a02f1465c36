//! Everything that looks at a partner: probes, platforms, sources and logs.

pub mod check;
pub mod finding;
pub mod registry;
pub mod rehearse;
pub mod talk;

pub mod fact;
pub mod log;
pub mod platform;
