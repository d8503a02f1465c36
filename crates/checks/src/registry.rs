//! Every check, once.

use crate::check::Check;
use crate::{drill, fact, granted, leak, log, probe};

/// Every check, in the order in which they are shown.
pub const CHECKS: &[&dyn Check] = &[
    &fact::owners::NamesOwnersAndLiveContact,
    &fact::tier::DeclaresTierNoLowerThanItsPower,
    &fact::holders::NamesDownstreamHolders,
    &fact::shared_secrets::AvoidsSharedSecretsWhereForbidden,
    &fact::asymmetric::AuthenticatesClientsAsymmetrically,
    &fact::refresh::BoundsRefreshTokens,
    &fact::retention::KeepsLogsLongEnough,
    &fact::data_paths::DeclaresDataPaths,
    &fact::age::BoundsAgeOfEvidence,
    &fact::revoke_by::NamesAWayToRevokeEveryPath,
    &fact::exceptions::KeepsExceptionsDated,
    &granted::scopes::GrantsOnlyDeclaredScopes,
    &granted::credentials::HoldsOnlyDeclaredCredentials,
    &granted::wildcard::HoldsNoWildcardAuthority,
    &granted::before_pass::GotNoProductionTrustBeforeAPass,
    &granted::lifetime::BoundsAccessTokenLifetime,
    &leak::secrets::KeepsSecretsOutOfSource,
    &leak::live::KeepsLiveCredentialsOutOfSource,
    &probe::webhook::unsigned::RefusesUnsignedWebhook,
    &probe::webhook::tampered::RefusesTamperedWebhookBody,
    &probe::webhook::wrong_key::RefusesWrongWebhookKey,
    &probe::webhook::stale::RefusesStaleTimestamp,
    &probe::webhook::future::RefusesFutureTimestamp,
    &probe::webhook::unsigned_time::RefusesUnsignedTimestamp,
    &probe::webhook::once::AppliesReplayedWebhookOnce,
    &probe::webhook::sends::SendsSignedWebhooks,
    &probe::undeclared_scope::RefusesUndeclaredScope,
    &probe::revoked_token::RefusesRevokedToken,
    &probe::replayed_token::RaisesAlertOnReplayedToken,
    &drill::rotates::RotatesWithoutAPerson,
    &drill::old_credential::RefusesOldCredentialAfterRotation,
    &drill::suspended::DeniesEveryPathWhenSuspended,
    &drill::stops_events::StopsEventsWhenDisabled,
    &drill::offboarding::LeavesNothingBehindWhenOffboarded,
    &log::attributable::AttributesEveryTokenRequest,
    &log::bounded::BoundsEveryTokenInTime,
    &log::declared_use::KeepsToItsDeclaredUse,
    &log::complete::LosesNoLogLine,
    &log::actions::RecordsEveryActionOfTheAccount,
];

/// The check of this name.
pub fn find(name: &str) -> Option<&'static dyn Check> {
    CHECKS.iter().copied().find(|it| it.info().name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use countersign_model::require::Catalogue;

    use super::*;

    #[test]
    fn every_check_is_one_that_its_controls_name() {
        let catalogue = Catalogue::embedded();
        let mut names = BTreeSet::new();
        for check in CHECKS {
            let info = check.info();
            assert!(names.insert(info.name), "{} stands twice", info.name);
            assert!(!info.controls.is_empty(), "{}", info.name);
            for control in info.controls {
                let known = catalogue.control(control);
                let named = known.is_some_and(|it| it.checks.iter().any(|it| it == info.name));
                assert!(named, "{control} does not name {}", info.name);
            }
        }
    }
}
