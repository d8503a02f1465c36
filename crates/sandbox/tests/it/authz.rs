//! The checks of an authorization server of the partner's: a right one passes them all, and each wrong one
//! fails the check that is meant for it, whatever our own platform does at the same time.

use std::collections::BTreeMap;

use countersign_checks::redact::shown;
use countersign_model::check::Verdict;
use countersign_sandbox::{Fault, Kind, OauthFault};

use crate::helper::{checked, world};

const THEIRS: &str = "as:meridian";

/// Each check, with the ways to be wrong that it catches.
const TABLE: [(&str, &[OauthFault]); 14] = [
    ("refuses_undeclared_scope", &[]),
    ("refuses_password_grant", &[OauthFault::AllowsPasswordGrant]),
    (
        "ends_family_of_replayed_refresh_token",
        &[OauthFault::RefreshesTwice, OauthFault::KeepsRefreshFamily],
    ),
    ("refuses_refresh_token_of_another_client", &[OauthFault::RefreshesForOthers]),
    ("refuses_secret_of_asymmetric_client", &[OauthFault::AcceptsAnySecret]),
    (
        "refuses_wrong_client_assertion",
        &[OauthFault::AcceptsForeignAudience, OauthFault::AcceptsReplayedAssertion],
    ),
    (
        "states_required_claims_in_access_tokens",
        &[OauthFault::OmitsTokenId, OauthFault::TypesTokensPlainly],
    ),
    ("forbids_caching_of_token_responses", &[OauthFault::LetsTokensBeCached]),
    ("refuses_revoked_token", &[OauthFault::RevivesRevokedTokens]),
    ("ends_access_when_refresh_token_is_revoked", &[OauthFault::KeepsDerivedTokens]),
    ("ignores_revocation_by_another_client", &[OauthFault::RevokesForOthers]),
    ("answers_every_revocation_alike", &[OauthFault::RefusesUnknownRevocation]),
    (
        "tells_the_truth_at_introspection",
        &[OauthFault::CallsExpiredTokensActive, OauthFault::TellsOthersAboutTokens],
    ),
    (
        "shuts_introspection_to_strangers_and_guessers",
        &[OauthFault::OpensIntrospection, OauthFault::NeverThrottlesGuesses],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_partners_is_looked_at_as_ours_is() {
    let (world, _door) = world();
    let names = TABLE.map(|it| it.0);
    let evidence = checked(&world, Kind::Meridian, &names).await;
    let theirs: BTreeMap<_, _> = evidence
        .iter()
        .filter(|it| it.transcript.subject == THEIRS)
        .map(|it| (it.transcript.check.as_str(), it))
        .collect();
    for name in names {
        let it = theirs[name];
        assert_eq!(it.judgement.verdict, Verdict::Pass, "{name}: {:?}", it.judgement);
        assert_eq!(shown(&it.transcript), Vec::<String>::new(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_be_wrong_is_caught_at_the_partners_server() {
    let (world, _door) = world();
    for (name, faults) in TABLE {
        for fault in faults {
            world.set_faults(Kind::Meridian, [Fault::Oauth(*fault)]).await.unwrap();
            let evidence = checked(&world, Kind::Meridian, &[name]).await;
            let theirs = evidence.iter().find(|it| it.transcript.subject == THEIRS).unwrap();
            let judgement = &theirs.judgement;
            assert_eq!(judgement.verdict, Verdict::Fail, "{name} {fault:?}: {judgement:?}");
            assert!(judgement.repeat.is_some(), "{name} {fault:?} says how to repeat it");
            assert_eq!(judgement.place.as_deref(), Some("authorization_server[0]"), "{name}");
        }
    }
}
