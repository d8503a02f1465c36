//! The partner's own client, when users sign in, and its sender of webhooks.

use crate::Kind::{Acme, Meridian};
use crate::matrix::Leans::Partner;
use crate::matrix::Mutant::Does;
use crate::matrix::Row;
use crate::{ClientFault, Fault, SenderFault};

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
    Row {
        check: "sends_nothing_to_unverified_servers",
        right: &[Meridian, Acme],
        mutants: &[
            Does(Meridian, Fault::Client(ClientFault::SkipsCertificates)),
            Does(Meridian, Fault::Client(ClientFault::SkipsRevocation)),
            Does(Meridian, Fault::Client(ClientFault::GoesOnInOldTls)),
            Does(Acme, Fault::Client(ClientFault::SkipsRevocation)),
            Does(Acme, Fault::Client(ClientFault::GoesOnInOldTls)),
            Does(Meridian, Fault::Sender(SenderFault::IgnoresCertificates)),
            Does(Meridian, Fault::Sender(SenderFault::IgnoresRevocation)),
            Does(Meridian, Fault::Sender(SenderFault::FallsBackToOldTls)),
        ],
        leans: Partner,
    },
    Row {
        check: "delivers_to_no_inward_address",
        right: &[Meridian, Acme],
        mutants: &[
            Does(Meridian, Fault::Sender(SenderFault::DeliversInward)),
            Does(Meridian, Fault::Sender(SenderFault::DeliversToInwardNames)),
        ],
        leans: Partner,
    },
    Row {
        check: "delivers_only_to_verified_servers",
        right: &[Meridian, Acme],
        mutants: &[
            Does(Meridian, Fault::Sender(SenderFault::DeliversInTheClear)),
            Does(Meridian, Fault::Sender(SenderFault::IgnoresCertificates)),
            Does(Meridian, Fault::Sender(SenderFault::FollowsRedirects)),
        ],
        leans: Partner,
    },
    Row {
        check: "backs_off_when_refused",
        right: &[Meridian, Acme],
        mutants: &[
            Does(Meridian, Fault::Sender(SenderFault::HammersReceivers)),
            Does(Meridian, Fault::Sender(SenderFault::KeepsGoneReceivers)),
        ],
        leans: Partner,
    },
];
