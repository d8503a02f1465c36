//! Logs.

use crate::Fault;
use crate::Kind::{Acme, Northwind, Payrun, Shiftly};
use crate::matrix::Leans::{Both, Platform};
use crate::matrix::Mutant::Does;
use crate::matrix::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "attributes_every_token_request",
        right: &[Payrun, Acme, Northwind, Shiftly],
        mutants: &[Does(Northwind, Fault::UnattributedRequests)],
        leans: Both,
    },
    Row {
        check: "bounds_every_token_in_time",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Northwind, Fault::OverlongTokens)],
        leans: Platform,
    },
    Row {
        check: "keeps_to_its_declared_use",
        right: &[Northwind, Acme, Payrun, Shiftly],
        mutants: &[Does(Northwind, Fault::OffUseRequests)],
        leans: Platform,
    },
    Row {
        check: "loses_no_log_line",
        right: &[Northwind, Acme, Payrun, Shiftly],
        mutants: &[Does(Northwind, Fault::LogGap), Does(Northwind, Fault::LosesTokenRequests)],
        leans: Both,
    },
    Row {
        check: "records_every_action_of_the_account",
        right: &[Payrun, Acme],
        mutants: &[Does(Payrun, Fault::LogLacksActions)],
        leans: Both,
    },
];
