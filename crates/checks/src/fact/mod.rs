//! Facts of the manifest: what is declared, and what is missing.

pub mod age;
pub mod asymmetric;
pub mod data_paths;
pub mod exceptions;
pub mod holders;
pub mod owners;
pub mod refresh;
pub mod retention;
pub mod revoke_by;
pub mod shared_secrets;
pub mod tier;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &owners::NamesOwnersAndLiveContact,
    &tier::DeclaresTierNoLowerThanItsPower,
    &holders::NamesDownstreamHolders,
    &shared_secrets::AvoidsSharedSecretsWhereForbidden,
    &asymmetric::AuthenticatesClientsAsymmetrically,
    &refresh::BoundsRefreshTokens,
    &retention::KeepsLogsLongEnough,
    &data_paths::DeclaresDataPaths,
    &age::BoundsAgeOfEvidence,
    &revoke_by::NamesAWayToRevokeEveryPath,
    &exceptions::KeepsExceptionsDated,
];

/// The subject of a check that looks at the whole manifest.
pub(crate) const MANIFEST: &str = "manifest";

/// The transcript of a check over a manifest text, for tests.
#[cfg(test)]
pub(crate) fn judged(check: &dyn Check, text: &str) -> Vec<countersign_model::check::Judgement> {
    let parsed = countersign_model::declare::parse(text, countersign_model::declare::Format::Toml);
    let parsed = parsed.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let now = countersign_model::time::Timestamp::from_seconds(1_795_000_000);
    let subjects = check.subjects(&parsed.manifest);
    subjects
        .iter()
        .map(|subject| {
            let name = check.info().name;
            let mut talk = crate::talk::Talk::new(name, subject, parsed.digest, now, b"salt");
            runtime.block_on(check.talk(subject, &parsed.manifest, &mut talk));
            let transcript = talk.finish();
            let stored = serde_json::to_string(&transcript).unwrap();
            let again = serde_json::from_str(&stored).unwrap();
            let judgement = check.judge(&transcript);
            assert_eq!(judgement, check.judge(&again), "judging again gives the same");
            assert!(
                !stored.contains("@example.com"),
                "a transcript holds no mail address: {stored}"
            );
            judgement
        })
        .collect()
}

/// The verdicts of a check over a manifest text, for tests.
#[cfg(test)]
pub(crate) fn verdicts(check: &dyn Check, text: &str) -> String {
    let words: Vec<&str> = judged(check, text).iter().map(|it| it.verdict.word()).collect();
    words.join(" ")
}

#[cfg(test)]
pub(crate) const SAAS: &str = include_str!("../../../../spec/vectors/manifest/saas.toml");
#[cfg(test)]
pub(crate) const PAYROLL: &str = include_str!("../../../../spec/vectors/manifest/payroll.toml");
#[cfg(test)]
pub(crate) const RESELLER: &str = include_str!("../../../../spec/vectors/manifest/reseller.toml");
#[cfg(test)]
pub(crate) const MARKETPLACE: &str =
    include_str!("../../../../spec/vectors/manifest/marketplace.toml");
