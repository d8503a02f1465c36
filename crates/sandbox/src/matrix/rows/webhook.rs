//! Receivers and senders of webhooks.

use crate::Kind::{Acme, Meridian, Shiftly};
use crate::matrix::Leans::{Both, Platform};
use crate::matrix::Mutant::Does;
use crate::matrix::Row;
use crate::{Fault, HookFault};

/// Two of Meridian's receivers, and two of its webhooks, use schemes that sign no time: what asks for
/// one passes nobody who uses them, so Meridian is not right there.
pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_unsigned_webhook",
        right: &[Acme, Shiftly, Meridian],
        mutants: &[
            Does(Acme, Fault::AcceptsUnsignedWebhook),
            Does(Meridian, Fault::AcceptsUnsignedWebhook),
        ],
        leans: Both,
    },
    Row {
        check: "refuses_tampered_webhook_body",
        right: &[Acme, Shiftly, Meridian],
        mutants: &[
            Does(Acme, Fault::AcceptsTamperedBody),
            Does(Meridian, Fault::AcceptsTamperedBody),
        ],
        leans: Both,
    },
    Row {
        check: "refuses_wrong_webhook_key",
        right: &[Acme, Shiftly, Meridian],
        mutants: &[Does(Acme, Fault::AcceptsWrongKey), Does(Meridian, Fault::AcceptsWrongKey)],
        leans: Both,
    },
    Row {
        check: "reads_webhook_signature_lists",
        right: &[Acme, Shiftly, Meridian],
        mutants: &[
            Does(Acme, hook(HookFault::ReadsFirstSignatureOnly)),
            Does(Meridian, hook(HookFault::ReadsFirstSignatureOnly)),
            Does(Acme, hook(HookFault::AcceptsUnknownVersion)),
            Does(Acme, hook(HookFault::BreaksOnManySignatures)),
            Does(Acme, hook(HookFault::SlowOnManySignatures)),
        ],
        leans: Both,
    },
    Row {
        check: "refuses_public_key_as_webhook_secret",
        right: &[Acme, Shiftly, Meridian],
        mutants: &[Does(Acme, hook(HookFault::TakesPublicKeyAsSecret))],
        leans: Both,
    },
    Row {
        check: "refuses_ambiguous_webhook_id",
        right: &[Acme, Shiftly, Meridian],
        mutants: &[
            Does(Acme, hook(HookFault::AcceptsDottedId)),
            Does(Meridian, hook(HookFault::AcceptsDottedId)),
        ],
        leans: Both,
    },
    Row {
        check: "refuses_weak_webhook_secret",
        right: &[Meridian],
        mutants: &[Does(Meridian, hook(HookFault::TakesWeakWebhookSecret))],
        leans: Both,
    },
    Row {
        check: "retires_old_webhook_key",
        right: &[Meridian],
        mutants: &[
            Does(Meridian, hook(HookFault::KeepsOldWebhookKey)),
            Does(Meridian, hook(HookFault::KnowsOneWebhookKey)),
            Does(Meridian, hook(HookFault::ReadsFirstSignatureOnly)),
        ],
        leans: Both,
    },
    Row {
        check: "refuses_legacy_signature",
        right: &[Acme, Shiftly, Meridian],
        mutants: &[
            Does(Acme, hook(HookFault::AcceptsLegacySha1)),
            Does(Meridian, hook(HookFault::AcceptsLegacySha1)),
        ],
        leans: Both,
    },
    Row {
        check: "refuses_webhook_of_another_endpoint",
        right: &[Meridian],
        mutants: &[Does(Meridian, hook(HookFault::SharesWebhookKeys))],
        leans: Both,
    },
    Row {
        check: "refuses_stale_timestamp",
        right: &[Acme, Shiftly],
        mutants: &[
            Does(Acme, Fault::AcceptsStaleTimestamp),
            Does(Meridian, Fault::AcceptsStaleTimestamp),
        ],
        leans: Both,
    },
    Row {
        check: "refuses_future_timestamp",
        right: &[Acme, Shiftly],
        mutants: &[
            Does(Acme, Fault::AcceptsFutureTimestamp),
            Does(Meridian, Fault::AcceptsFutureTimestamp),
        ],
        leans: Both,
    },
    Row {
        check: "refuses_unsigned_timestamp",
        right: &[Acme, Shiftly],
        mutants: &[
            Does(Acme, Fault::TimestampNotSigned),
            Does(Meridian, Fault::TimestampNotSigned),
        ],
        leans: Both,
    },
    Row {
        check: "applies_replayed_webhook_once",
        right: &[Acme, Shiftly, Meridian],
        mutants: &[
            Does(Acme, Fault::AppliesReplayTwice),
            Does(Meridian, Fault::AppliesReplayTwice),
            Does(Acme, hook(HookFault::ForgetsWebhookIds)),
            Does(Meridian, hook(HookFault::ForgetsWebhookIds)),
        ],
        leans: Both,
    },
    Row {
        check: "sends_signed_webhooks",
        right: &[Acme, Meridian],
        mutants: &[
            Does(Acme, Fault::SendsUnsignedWebhooks),
            Does(Meridian, Fault::SendsUnsignedWebhooks),
        ],
        leans: Platform,
    },
    Row {
        check: "sends_fresh_webhooks",
        right: &[Acme],
        mutants: &[
            Does(Acme, hook(HookFault::RepeatsWebhookIds)),
            Does(Acme, hook(HookFault::SendsLateWebhooks)),
            Does(Meridian, hook(HookFault::RepeatsWebhookIds)),
            Does(Meridian, hook(HookFault::SendsLateWebhooks)),
        ],
        leans: Platform,
    },
];

const fn hook(fault: HookFault) -> Fault {
    Fault::Hook(fault)
}
