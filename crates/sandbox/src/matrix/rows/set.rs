//! Receivers of security events.

use crate::Fault;
use crate::Kind::Meridian;
use crate::matrix::Leans::Partner;
use crate::matrix::Mutant::Does;
use crate::matrix::Row;
use crate::role::SetFault;

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "accepts_signed_security_event",
        right: &[Meridian],
        mutants: &[Does(Meridian, Fault::Set(SetFault::AcknowledgesWithBody))],
        leans: Partner,
    },
    Row {
        check: "refuses_event_of_another_media_type",
        right: &[Meridian],
        mutants: &[Does(Meridian, Fault::Set(SetFault::AcceptsAnyMediaType))],
        leans: Partner,
    },
    Row {
        check: "refuses_unsigned_security_event",
        right: &[Meridian],
        mutants: &[Does(Meridian, Fault::Set(SetFault::AcceptsUnsignedEvent))],
        leans: Partner,
    },
    Row {
        check: "refuses_misaddressed_security_event",
        right: &[Meridian],
        mutants: &[Does(Meridian, Fault::Set(SetFault::AcceptsMisaddressedEvent))],
        leans: Partner,
    },
    Row {
        check: "refuses_unauthenticated_transmitter",
        right: &[Meridian],
        mutants: &[Does(Meridian, Fault::Set(SetFault::AcceptsStranger))],
        leans: Partner,
    },
    Row {
        check: "applies_replayed_security_event_once",
        right: &[Meridian],
        mutants: &[Does(Meridian, Fault::Set(SetFault::RepeatsEvents))],
        leans: Partner,
    },
    Row {
        check: "keeps_events_and_tokens_apart",
        right: &[Meridian],
        mutants: &[
            Does(Meridian, Fault::Set(SetFault::TakesTokensForEvents)),
            Does(Meridian, Fault::Set(SetFault::TakesEventsForTokens)),
        ],
        leans: Partner,
    },
    Row {
        check: "ends_revoked_session",
        right: &[Meridian],
        mutants: &[Does(Meridian, Fault::Set(SetFault::KeepsRevokedSession))],
        leans: Partner,
    },
    Row {
        check: "ends_revoked_key",
        right: &[Meridian],
        mutants: &[Does(Meridian, Fault::Set(SetFault::KeepsRevokedKey))],
        leans: Partner,
    },
    Row {
        check: "ignores_stale_enable",
        right: &[Meridian],
        mutants: &[Does(Meridian, Fault::Set(SetFault::BelievesOldEvents))],
        leans: Partner,
    },
];
