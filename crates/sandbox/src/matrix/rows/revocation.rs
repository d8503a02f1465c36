//! What is cut, and whether it is.

use crate::AccessFault::{
    ExtendsTokensOnUse, GhostAfterDeletion, GhostLongAfterDeletion, GhostWebhookAfterDeletion,
    HonoursExpiredTokens, MintsWhileDisabled,
};
use crate::Fault::{self, Access};
use crate::Kind::{Acme, Northwind, Payrun, Shiftly};
use crate::matrix::Leans::Platform;
use crate::matrix::Mutant::Does;
use crate::matrix::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_disabled_client",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Access(MintsWhileDisabled)), Does(Acme, Fault::TokensOutliveDisable)],
        leans: Platform,
    },
    Row {
        check: "ends_tokens_when_declared",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[
            Does(Acme, Access(HonoursExpiredTokens)),
            Does(Acme, Access(ExtendsTokensOnUse)),
        ],
        leans: Platform,
    },
    Row {
        check: "stays_gone_after_offboarding",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[
            Does(Acme, Access(GhostAfterDeletion)),
            Does(Acme, Access(GhostLongAfterDeletion)),
            Does(Acme, Access(GhostWebhookAfterDeletion)),
        ],
        leans: Platform,
    },
];
