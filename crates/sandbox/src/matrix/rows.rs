//! The data: which check is held against whom.

use super::Leans::{Both, Manifest, Platform};
use super::Mutant::{Does, Early, Excepted, Says};
use super::Row;
use crate::Fault;
use crate::Kind::{Acme, Northwind, Payrun, Shiftly};

/// One row for each check, in the order of the registry.
pub const ROWS: &[Row] = &[
    Row {
        check: "names_owners_and_live_contact",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[
            Says(Acme, "lena.fischer@example.com", "team@example.com"),
            Says(Acme, "tel:+49-30-5550-0199", "https://acme.example/contact"),
        ],
        leans: Manifest,
    },
    Row {
        check: "declares_tier_no_lower_than_its_power",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Says(Payrun, "= \"critical\"", "= \"standard\"")],
        leans: Manifest,
    },
    Row {
        check: "names_downstream_holders",
        right: &[Acme],
        mutants: &[Says(Acme, "holds = [\"display-name\"]", "holds = []")],
        leans: Manifest,
    },
    Row {
        check: "avoids_shared_secrets_where_forbidden",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Says(Payrun, "\"private_key_jwt\"", "\"client_secret_basic\"")],
        leans: Manifest,
    },
    Row {
        check: "authenticates_clients_asymmetrically",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Says(Acme, "\"private_key_jwt\"", "\"client_secret_post\"")],
        leans: Manifest,
    },
    Row {
        check: "bounds_refresh_tokens",
        right: &[Acme, Shiftly],
        mutants: &[
            Says(Acme, "rotate = true, max_age = \"8h\"", "rotate = false, max_age = \"8h\""),
            Says(Acme, "rotate = true, max_age = \"8h\"", "rotate = true, max_age = \"400d\""),
        ],
        leans: Manifest,
    },
    Row {
        check: "keeps_logs_long_enough",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Says(Acme, "retention = \"400d\"", "retention = \"500ms\"")],
        leans: Manifest,
    },
    Row {
        check: "declares_data_paths",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Says(
            Acme,
            "endpoint     = \"https://events.acme.example\"",
            "endpoint     = \"https://app.acme.example\"",
        )],
        leans: Manifest,
    },
    Row {
        check: "bounds_age_of_evidence",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Says(Payrun, "max_age = \"90d\"", "max_age = \"400d\"")],
        leans: Manifest,
    },
    Row {
        check: "names_a_way_to_revoke_every_path",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Says(Acme, "revoke_by = [\"redirect-removal\"]", "revoke_by = []")],
        leans: Manifest,
    },
    Row {
        check: "keeps_exceptions_dated",
        right: &[Acme],
        mutants: &[Excepted(Acme)],
        leans: Manifest,
    },
    Row {
        check: "grants_only_declared_scopes",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Fault::OverBroadScope)],
        leans: Platform,
    },
    Row {
        check: "holds_only_declared_credentials",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Says(Acme, "app.acme.example/oauth/callback", "app.acme.example/oauth/return")],
        leans: Platform,
    },
    Row {
        check: "holds_no_wildcard_authority",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Fault::OverBroadScope)],
        leans: Platform,
    },
    Row {
        check: "got_no_production_trust_before_a_pass",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Early(Acme)],
        leans: Platform,
    },
    Row {
        check: "bounds_access_token_lifetime",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Northwind, Fault::OverlongTokens)],
        leans: Platform,
    },
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
    Row {
        check: "refuses_undeclared_scope",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Fault::GrantsAnyScope), Does(Acme, Fault::OverBroadScope)],
        leans: Platform,
    },
    Row {
        check: "refuses_revoked_token",
        right: &[Acme, Payrun, Northwind, Shiftly],
        mutants: &[Does(Acme, Fault::KeepsRevokedTokens)],
        leans: Platform,
    },
    Row {
        check: "raises_alert_on_replayed_token",
        right: &[Acme],
        mutants: &[Does(Acme, Fault::SilentMisuse)],
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
        mutants: &[Does(Acme, Fault::TokensOutliveDisable), Does(Acme, Fault::KeepsRevokedTokens)],
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
