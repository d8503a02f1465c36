//! Ways to ask a gate from outside; all of them lead to the one decision.

#[cfg(feature = "authzen")]
pub mod authzen;
#[cfg(feature = "authzen")]
mod batch;
#[cfg(feature = "authzen")]
mod evaluation;
