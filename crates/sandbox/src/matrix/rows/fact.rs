//! What manifests say.

use crate::Kind::{Acme, Northwind, Payrun, Shiftly};
use crate::matrix::Leans::Manifest;
use crate::matrix::Mutant::{Excepted, Says};
use crate::matrix::Row;

pub(super) const ROWS: &[Row] = &[
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
];
