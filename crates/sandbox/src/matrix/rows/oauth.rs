//! Authorization servers.

use crate::Fault::Oauth;
use crate::Kind::{self, Acme, Northwind, Payrun, Shiftly};
use crate::OauthFault as Lapse;
use crate::matrix::Leans::Platform;
use crate::matrix::Mutant::{self, Does};
use crate::matrix::Row;

const ALL: &[Kind] = &[Acme, Payrun, Northwind, Shiftly];

const fn lapse(lapse: Lapse) -> Mutant {
    Does(Acme, Oauth(lapse))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_password_grant",
        right: ALL,
        mutants: &[lapse(Lapse::AllowsPasswordGrant)],
        leans: Platform,
    },
    Row {
        check: "ends_family_of_replayed_refresh_token",
        right: &[Acme, Shiftly],
        mutants: &[lapse(Lapse::RefreshesTwice), lapse(Lapse::KeepsRefreshFamily)],
        leans: Platform,
    },
    Row {
        check: "refuses_refresh_token_of_another_client",
        right: &[Acme, Shiftly],
        mutants: &[lapse(Lapse::RefreshesForOthers)],
        leans: Platform,
    },
    Row {
        check: "refuses_secret_of_asymmetric_client",
        right: ALL,
        mutants: &[lapse(Lapse::AcceptsAnySecret), lapse(Lapse::AcceptsSecretInAddress)],
        leans: Platform,
    },
    Row {
        check: "refuses_wrong_client_assertion",
        right: ALL,
        mutants: &[
            lapse(Lapse::AcceptsForeignAudience),
            lapse(Lapse::AcceptsAudienceList),
            lapse(Lapse::AcceptsLongAssertion),
            lapse(Lapse::AcceptsReplayedAssertion),
            lapse(Lapse::AcceptsForeignIssuer),
            lapse(Lapse::AcceptsHs256Assertion),
        ],
        leans: Platform,
    },
    Row {
        check: "states_required_claims_in_access_tokens",
        right: ALL,
        mutants: &[lapse(Lapse::HidesTokenEnd)],
        leans: Platform,
    },
    Row {
        check: "forbids_caching_of_token_responses",
        right: ALL,
        mutants: &[lapse(Lapse::LetsTokensBeCached)],
        leans: Platform,
    },
];
