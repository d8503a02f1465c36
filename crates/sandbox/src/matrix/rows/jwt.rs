//! Tokens at the partner's own API.

use crate::Fault;
use crate::JwtFault as Jwt;
use crate::Kind::Meridian;
use crate::matrix::Leans::Partner;
use crate::matrix::Mutant::Does;
use crate::matrix::Row;

const fn does(fault: Jwt) -> crate::matrix::Mutant {
    Does(Meridian, Fault::Jwt(fault))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_unsigned_access_token",
        right: &[Meridian],
        mutants: &[does(Jwt::AcceptsUnsignedToken)],
        leans: Partner,
    },
    Row {
        check: "refuses_public_key_as_hmac_key",
        right: &[Meridian],
        mutants: &[does(Jwt::AcceptsPublicKeyAsSecret)],
        leans: Partner,
    },
    Row {
        check: "refuses_bad_token_signature",
        right: &[Meridian],
        mutants: &[does(Jwt::SkipsSignature), does(Jwt::ChecksNoToken)],
        leans: Partner,
    },
    Row {
        check: "refuses_key_inside_token",
        right: &[Meridian],
        mutants: &[does(Jwt::TrustsEmbeddedKey)],
        leans: Partner,
    },
    Row {
        check: "follows_no_key_pointer",
        right: &[Meridian],
        mutants: &[does(Jwt::FollowsKeyPointer)],
        leans: Partner,
    },
    Row {
        check: "survives_hostile_key_id",
        right: &[Meridian],
        mutants: &[does(Jwt::ReadsKeyByPath), does(Jwt::BreaksOnOddKeyId)],
        leans: Partner,
    },
    Row {
        check: "refuses_token_of_another_type",
        right: &[Meridian],
        mutants: &[does(Jwt::AcceptsAnyTokenType)],
        leans: Partner,
    },
    Row {
        check: "refuses_token_for_another_audience",
        right: &[Meridian],
        mutants: &[does(Jwt::AcceptsAnyAudience), does(Jwt::AcceptsLongerAudience)],
        leans: Partner,
    },
    Row {
        check: "refuses_token_of_another_issuer",
        right: &[Meridian],
        mutants: &[does(Jwt::TrustsAnyIssuer)],
        leans: Partner,
    },
    Row {
        check: "refuses_token_outside_its_time",
        right: &[Meridian],
        mutants: &[does(Jwt::IgnoresTimes)],
        leans: Partner,
    },
    Row {
        check: "refuses_unknown_critical_header",
        right: &[Meridian],
        mutants: &[does(Jwt::IgnoresCritical)],
        leans: Partner,
    },
    Row {
        check: "refuses_ambiguous_token_members",
        right: &[Meridian],
        mutants: &[does(Jwt::TakesFirstOfDuplicates)],
        leans: Partner,
    },
    Row {
        check: "refuses_costly_token_quickly",
        right: &[Meridian],
        mutants: &[does(Jwt::PaysForCostlyTokens)],
        leans: Partner,
    },
    Row {
        check: "refuses_degenerate_signature",
        right: &[Meridian],
        mutants: &[does(Jwt::AcceptsBlankSignature), does(Jwt::AcceptsDerSignature)],
        leans: Partner,
    },
    Row {
        check: "uses_strong_hmac_secret",
        right: &[Meridian],
        mutants: &[does(Jwt::WeakSecret)],
        leans: Partner,
    },
    Row {
        check: "refuses_token_of_another_environment",
        right: &[Meridian],
        mutants: &[does(Jwt::AcceptsTestTokensInProduction)],
        leans: Partner,
    },
    Row {
        check: "follows_key_rollover",
        right: &[Meridian],
        mutants: &[
            does(Jwt::KeepsWithdrawnKeys),
            does(Jwt::NeverReadsKeysAgain),
            does(Jwt::RefetchesForEveryUnknownKey),
        ],
        leans: Partner,
    },
    Row {
        check: "refuses_token_in_another_format",
        right: &[Meridian],
        mutants: &[does(Jwt::ReadsTokensLeniently)],
        leans: Partner,
    },
    Row {
        check: "refuses_token_in_query",
        right: &[Meridian],
        mutants: &[does(Jwt::AcceptsTokenInQuery), does(Jwt::RedirectsTokenInQuery)],
        leans: Partner,
    },
];
