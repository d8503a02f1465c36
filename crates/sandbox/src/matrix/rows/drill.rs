//! Drills.

use crate::Kind::{Acme, Northwind, Payrun, Shiftly};
use crate::matrix::Leans::{Both, Platform};
use crate::matrix::Mutant::Does;
use crate::matrix::Row;
use crate::{AccessFault, Fault};

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "serves_every_call_while_a_key_is_changed",
        right: &[Payrun],
        mutants: &[
            Does(Payrun, Fault::Access(AccessFault::ForgetsOldKeyAtOnce)),
            Does(Payrun, Fault::Access(AccessFault::KeepsOldKeys)),
        ],
        leans: Platform,
    },
    Row {
        check: "writes_down_every_act",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[
            Does(Acme, Fault::Access(AccessFault::EnablesWithoutTrace)),
            Does(Acme, Fault::Access(AccessFault::RefusesWithoutTrace)),
        ],
        leans: Platform,
    },
    Row {
        check: "rotates_without_a_person",
        right: &[Payrun],
        mutants: &[Does(Payrun, Fault::RotationNeedsAPerson), Does(Payrun, Fault::RenamesOldKey)],
        leans: Both,
    },
    Row {
        check: "refuses_old_credential_after_rotation",
        right: &[Payrun],
        mutants: &[Does(Payrun, Fault::OldKeyStaysAlive)],
        leans: Both,
    },
    Row {
        check: "denies_every_path_when_suspended",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[
            Does(Acme, Fault::TokensOutliveDisable),
            Does(Acme, Fault::KeepsRevokedTokens),
            Does(Acme, Fault::Access(AccessFault::KeepsRefreshTokens)),
            Does(Acme, Fault::Access(AccessFault::IntrospectsFromMemory)),
        ],
        leans: Platform,
    },
    Row {
        check: "stops_events_when_disabled",
        right: &[Shiftly, Acme],
        mutants: &[
            Does(Shiftly, Fault::DeliversAfterDisable),
            Does(Shiftly, Fault::FlushesAfterEnable),
        ],
        leans: Both,
    },
    Row {
        check: "leaves_nothing_behind_when_offboarded",
        right: &[Payrun, Acme, Northwind, Shiftly],
        mutants: &[Does(Payrun, Fault::OffboardingDoesNothing)],
        leans: Both,
    },
];
