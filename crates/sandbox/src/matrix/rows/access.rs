//! What a stolen credential reaches.

use crate::AccessFault::{
    AllowsBrowser, AllowsSignIn, ErasesItsLog, GrantsItself, GrantsItselfBehindRefusal,
    HighCeiling, IgnoresCeiling, IgnoresNetworks, IgnoresOwner, LeaksInRefusal, SlowForForeign,
};
use crate::Fault::{self, Access};
use crate::Kind::{Acme, Northwind, Payrun, Shiftly};
use crate::matrix::Leans::Platform;
use crate::matrix::Mutant::Does;
use crate::matrix::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_foreign_objects",
        right: &[Acme, Payrun, Shiftly],
        mutants: &[
            Does(Acme, Access(IgnoresOwner)),
            Does(Payrun, Access(IgnoresOwner)),
            Does(Acme, Access(LeaksInRefusal)),
            Does(Shiftly, Access(SlowForForeign)),
        ],
        leans: Platform,
    },
    Row {
        check: "refuses_self_grant",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Access(GrantsItself)), Does(Acme, Access(GrantsItselfBehindRefusal))],
        leans: Platform,
    },
    Row {
        check: "stops_at_its_ceiling",
        right: &[Northwind],
        mutants: &[Does(Northwind, Access(IgnoresCeiling)), Does(Northwind, Access(HighCeiling))],
        leans: Platform,
    },
    Row {
        check: "refuses_use_off_its_network",
        right: &[Northwind, Acme, Payrun],
        mutants: &[
            Does(Northwind, Access(IgnoresNetworks)),
            Does(Northwind, Fault::SilentMisuse),
            Does(Payrun, Access(IgnoresNetworks)),
            Does(Acme, Fault::SilentMisuse),
        ],
        leans: Platform,
    },
    Row {
        check: "refuses_interactive_use",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Access(AllowsBrowser)), Does(Acme, Access(AllowsSignIn))],
        leans: Platform,
    },
    Row {
        check: "keeps_its_log_from_being_erased",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Access(ErasesItsLog))],
        leans: Platform,
    },
];
