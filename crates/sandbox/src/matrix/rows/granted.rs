//! What the platform holds.

use crate::Kind::{Acme, Northwind, Payrun, Shiftly};
use crate::matrix::Leans::Platform;
use crate::matrix::Mutant::{Does, Early, Says};
use crate::matrix::Row;
use crate::{AccessFault, Fault};

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "grants_only_declared_scopes",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Fault::OverBroadScope)],
        leans: Platform,
    },
    Row {
        check: "holds_only_declared_credentials",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[
            Says(Acme, "app.acme.example/oauth/callback", "app.acme.example/oauth/return"),
            Does(Acme, Fault::Access(AccessFault::SecondSecret)),
            Does(Payrun, Fault::Access(AccessFault::StrayKey)),
        ],
        leans: Platform,
    },
    Row {
        check: "holds_no_wildcard_authority",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Fault::OverBroadScope)],
        leans: Platform,
    },
    Row {
        check: "got_no_production_trust_before_a_pass",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Early(Acme)],
        leans: Platform,
    },
    Row {
        check: "bounds_access_token_lifetime",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Northwind, Fault::OverlongTokens)],
        leans: Platform,
    },
];
