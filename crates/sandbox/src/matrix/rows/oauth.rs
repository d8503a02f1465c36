//! Authorization servers.

use crate::Fault::Oauth;
use crate::Kind::{self, Acme, Meridian, Northwind, Payrun, Shiftly};
use crate::OauthFault as Lapse;
use crate::matrix::Leans::Both;
use crate::matrix::Mutant::{self, Does};
use crate::matrix::Row;

const ALL: &[Kind] = &[Meridian, Acme, Payrun, Northwind, Shiftly];
const REFRESHING: &[Kind] = &[Meridian, Acme, Shiftly];

/// The partner's own server, and the platform as it treats the partner's client.
const fn theirs(lapse: Lapse) -> Mutant {
    Does(Meridian, Oauth(lapse))
}

const fn lapse(lapse: Lapse) -> Mutant {
    Does(Acme, Oauth(lapse))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_password_grant",
        right: ALL,
        mutants: &[lapse(Lapse::AllowsPasswordGrant), theirs(Lapse::AllowsPasswordGrant)],
        leans: Both,
    },
    Row {
        check: "ends_family_of_replayed_refresh_token",
        right: REFRESHING,
        mutants: &[lapse(Lapse::RefreshesTwice), lapse(Lapse::KeepsRefreshFamily)],
        leans: Both,
    },
    Row {
        check: "refuses_refresh_token_of_another_client",
        right: REFRESHING,
        mutants: &[lapse(Lapse::RefreshesForOthers)],
        leans: Both,
    },
    Row {
        check: "refuses_secret_of_asymmetric_client",
        right: ALL,
        mutants: &[lapse(Lapse::AcceptsAnySecret), lapse(Lapse::AcceptsSecretInAddress)],
        leans: Both,
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
        leans: Both,
    },
    Row {
        check: "states_required_claims_in_access_tokens",
        right: ALL,
        mutants: &[
            lapse(Lapse::HidesTokenEnd),
            theirs(Lapse::OmitsTokenId),
            theirs(Lapse::TypesTokensPlainly),
        ],
        leans: Both,
    },
    Row {
        check: "forbids_caching_of_token_responses",
        right: ALL,
        mutants: &[lapse(Lapse::LetsTokensBeCached)],
        leans: Both,
    },
    Row {
        check: "ends_access_when_refresh_token_is_revoked",
        right: REFRESHING,
        mutants: &[lapse(Lapse::KeepsDerivedTokens), lapse(Lapse::KeepsRevokedRefresh)],
        leans: Both,
    },
    Row {
        check: "ignores_revocation_by_another_client",
        right: ALL,
        mutants: &[lapse(Lapse::RevokesForOthers)],
        leans: Both,
    },
    Row {
        check: "answers_every_revocation_alike",
        right: ALL,
        mutants: &[lapse(Lapse::RefusesUnknownRevocation)],
        leans: Both,
    },
    Row {
        check: "tells_the_truth_at_introspection",
        right: ALL,
        mutants: &[
            lapse(Lapse::CallsRevokedTokensActive),
            lapse(Lapse::DescribesDeadTokens),
            lapse(Lapse::TellsOthersAboutTokens),
            theirs(Lapse::CallsExpiredTokensActive),
        ],
        leans: Both,
    },
    Row {
        check: "shuts_introspection_to_strangers_and_guessers",
        right: ALL,
        mutants: &[lapse(Lapse::OpensIntrospection), lapse(Lapse::NeverThrottlesGuesses)],
        leans: Both,
    },
];
