//! A resource server of the partner's that accepts tokens of ours: right tokens, and every way to
//! spoil one.
//!
//! The issuer that it trusts is played by the harness.

mod audience;
mod bench;
mod confused;
mod costly;
mod critical;
mod crossing;
mod degenerate;
mod embedded;
mod forged;
mod format;
mod hear;
mod issuer;
mod kid;
mod kind;
mod pointer;
mod query;
mod rollover;
mod secret;
mod time;
mod twice;
mod unsigned;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &unsigned::CHECK,
    &confused::CHECK,
    &forged::CHECK,
    &embedded::CHECK,
    &pointer::CHECK,
    &kid::CHECK,
    &kind::CHECK,
    &audience::CHECK,
    &issuer::CHECK,
    &time::CHECK,
    &critical::CHECK,
    &twice::CHECK,
    &costly::CHECK,
    &degenerate::CHECK,
    &secret::CHECK,
    &crossing::CHECK,
    &rollover::CHECK,
    &format::CHECK,
    &query::CHECK,
];

#[cfg(test)]
mod tests;
