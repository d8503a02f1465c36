//! Everything that looks at a partner: probes, platforms, sources and logs.

pub mod canaries;
pub mod check;
pub mod finding;
pub mod page;
pub mod preflight;
pub mod progress;
pub mod registry;
pub mod rehearse;
pub mod replay;
pub mod run;
pub mod settings;

pub mod harness;
pub mod live;
pub mod once;
pub mod redact;
pub mod secrets;
pub mod talk;
pub mod undo;

pub mod drill;
pub mod fact;
pub mod granted;
pub mod leak;
pub mod log;
pub mod platform;
pub mod probe;
pub mod source;

#[doc(hidden)]
pub mod fuzz;

#[cfg(test)]
mod sample;
