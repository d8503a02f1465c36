//! Receivers and senders of webhooks.

use crate::Fault;
use crate::Kind::{Acme, Shiftly};
use crate::matrix::Leans::{Both, Platform};
use crate::matrix::Mutant::Does;
use crate::matrix::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_unsigned_webhook",
        right: &[Acme, Shiftly],
        mutants: &[Does(Acme, Fault::AcceptsUnsignedWebhook)],
        leans: Both,
    },
    Row {
        check: "refuses_tampered_webhook_body",
        right: &[Acme, Shiftly],
        mutants: &[Does(Acme, Fault::AcceptsTamperedBody)],
        leans: Both,
    },
    Row {
        check: "refuses_wrong_webhook_key",
        right: &[Acme, Shiftly],
        mutants: &[Does(Acme, Fault::AcceptsWrongKey)],
        leans: Both,
    },
    Row {
        check: "refuses_stale_timestamp",
        right: &[Acme, Shiftly],
        mutants: &[Does(Acme, Fault::AcceptsStaleTimestamp)],
        leans: Both,
    },
    Row {
        check: "refuses_future_timestamp",
        right: &[Acme, Shiftly],
        mutants: &[Does(Acme, Fault::AcceptsFutureTimestamp)],
        leans: Both,
    },
    Row {
        check: "refuses_unsigned_timestamp",
        right: &[Acme, Shiftly],
        mutants: &[Does(Acme, Fault::TimestampNotSigned)],
        leans: Both,
    },
    Row {
        check: "applies_replayed_webhook_once",
        right: &[Acme, Shiftly],
        mutants: &[Does(Acme, Fault::AppliesReplayTwice)],
        leans: Both,
    },
    Row {
        check: "sends_signed_webhooks",
        right: &[Acme],
        mutants: &[Does(Acme, Fault::SendsUnsignedWebhooks)],
        leans: Platform,
    },
];
