//! Tokens of the platform.

use crate::Kind::{Acme, Northwind, Payrun, Shiftly};
use crate::matrix::Leans::Platform;
use crate::matrix::Mutant::Does;
use crate::matrix::Row;
use crate::{Fault, OauthFault};

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_undeclared_scope",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Fault::GrantsAnyScope), Does(Acme, Fault::OverBroadScope)],
        leans: Platform,
    },
    Row {
        check: "refuses_revoked_token",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[
            Does(Acme, Fault::KeepsRevokedTokens),
            Does(Acme, Fault::Oauth(OauthFault::RevivesRevokedTokens)),
        ],
        leans: Platform,
    },
    Row {
        check: "raises_alert_on_replayed_token",
        right: &[Acme],
        mutants: &[Does(Acme, Fault::SilentMisuse)],
        leans: Platform,
    },
];
