//! Secrets in source.

use crate::Fault;
use crate::Kind::{Acme, Northwind, Payrun, Shiftly};
use crate::matrix::Leans::Both;
use crate::matrix::Mutant::Does;
use crate::matrix::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "keeps_secrets_out_of_source",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Shiftly, Fault::SecretInOldCommit), Does(Shiftly, Fault::LiveKeyInSource)],
        leans: Both,
    },
    Row {
        check: "keeps_live_credentials_out_of_source",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Shiftly, Fault::LiveKeyInSource)],
        leans: Both,
    },
];
