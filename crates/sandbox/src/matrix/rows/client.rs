//! The partner's own client, when users sign in.

use crate::Kind::{Acme, Meridian};
use crate::matrix::Leans::Partner;
use crate::matrix::Mutant::Does;
use crate::matrix::Row;
use crate::{ClientFault, Fault};

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_code_of_another_issuer",
        right: &[Meridian, Acme],
        mutants: &[
            Does(Meridian, Fault::Client(ClientFault::AcceptsOtherIssuer)),
            Does(Meridian, Fault::Client(ClientFault::AcceptsMissingIssuer)),
        ],
        leans: Partner,
    },
    Row {
        check: "refuses_foreign_state",
        right: &[Meridian, Acme],
        mutants: &[
            Does(Meridian, Fault::Client(ClientFault::SkipsState)),
            Does(Meridian, Fault::Client(ClientFault::ReusesState)),
            Does(Meridian, Fault::Client(ClientFault::SharesState)),
        ],
        leans: Partner,
    },
    Row {
        check: "redirects_only_to_itself",
        right: &[Meridian, Acme],
        mutants: &[
            Does(Meridian, Fault::Client(ClientFault::RedirectsAnywhere)),
            Does(Meridian, Fault::Client(ClientFault::RedirectsToSlashes)),
        ],
        leans: Partner,
    },
    Row {
        check: "refuses_metadata_of_another_issuer",
        right: &[Meridian, Acme],
        mutants: &[Does(Meridian, Fault::Client(ClientFault::BelievesAnyMetadata))],
        leans: Partner,
    },
];
