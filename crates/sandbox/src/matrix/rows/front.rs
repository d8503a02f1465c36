//! The front channel of authorization servers.

use crate::Fault::Front;
use crate::FrontFault as Lapse;
use crate::Kind::{self, Acme, Shiftly};
use crate::matrix::Leans::Platform;
use crate::matrix::Mutant::{self, Does};
use crate::matrix::Row;

/// Those whose people sign in.
const ALL: &[Kind] = &[Acme, Shiftly];

const fn lapse(lapse: Lapse) -> Mutant {
    Does(Acme, Front(lapse))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_implicit_grant",
        right: ALL,
        mutants: &[lapse(Lapse::AnswersImplicit), lapse(Lapse::AnswersHybrid)],
        leans: Platform,
    },
    Row {
        check: "sends_codes_only_to_registered_redirects",
        right: ALL,
        mutants: &[
            lapse(Lapse::MatchesRedirectByHost),
            lapse(Lapse::MatchesRedirectByPrefix),
            lapse(Lapse::MatchesRedirectLoosely),
            lapse(Lapse::RedirectsErrors),
        ],
        leans: Platform,
    },
    Row {
        check: "binds_codes_to_their_verifier",
        right: ALL,
        mutants: &[
            lapse(Lapse::NeedsNoChallenge),
            lapse(Lapse::IgnoresVerifier),
            lapse(Lapse::TakesPlainChallenge),
            lapse(Lapse::IgnoresStrayVerifier),
        ],
        leans: Platform,
    },
    Row {
        check: "ends_tokens_of_replayed_code",
        right: ALL,
        mutants: &[lapse(Lapse::RedeemsCodeTwice), lapse(Lapse::KeepsTokensOfReplayedCode)],
        leans: Platform,
    },
    Row {
        check: "bounds_code_lifetime",
        right: ALL,
        mutants: &[lapse(Lapse::CodesLiveLong)],
        leans: Platform,
    },
    Row {
        check: "binds_pushed_requests",
        right: ALL,
        mutants: &[
            lapse(Lapse::IgnoresRequiredPush),
            lapse(Lapse::PushesUnauthenticated),
            lapse(Lapse::ReusesPushedRequest),
            lapse(Lapse::SharesPushedRequest),
            lapse(Lapse::TakesStalePushedRequest),
        ],
        leans: Platform,
    },
    Row {
        check: "keeps_password_out_of_redirects",
        right: ALL,
        mutants: &[lapse(Lapse::RepostsLogin)],
        leans: Platform,
    },
    Row {
        check: "gates_client_registration",
        right: ALL,
        mutants: &[
            lapse(Lapse::RegistersAnybody),
            lapse(Lapse::BelievesSoftwareStatement),
            lapse(Lapse::FetchesKeysUnseen),
            lapse(Lapse::RegistersPrivateKeyAddress),
            lapse(Lapse::RegistersPlainRedirect),
        ],
        leans: Platform,
    },
    Row {
        check: "ends_registration_tokens",
        right: ALL,
        mutants: &[
            lapse(Lapse::KeepsRotatedRegistrationToken),
            lapse(Lapse::KeepsDeletedRegistrationToken),
        ],
        leans: Platform,
    },
];
