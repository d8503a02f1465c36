//! The catalogue's files, compiled in.
//!
//! A new control, profile or framework is one file in `catalogue/` and one line here.

/// One file of the catalogue: its name below `catalogue/`, and what it says.
pub(super) type File = (&'static str, &'static str);

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../catalogue/", $name)))),*]
    };
}

/// Every control, family by family.
pub(super) const CONTROLS: &[File] = files![
    "controls/governance/accountable-owner-and-live-security-contact.toml",
    "controls/governance/complete-credential-inventory.toml",
    "controls/governance/tier-follows-effective-access.toml",
    "controls/governance/security-terms-in-force.toml",
    "controls/governance/no-production-trust-before-a-pass.toml",
    "controls/governance/exceptions-expire.toml",
    "controls/governance/downstream-holders-disclosed.toml",
    "controls/scope/granted-never-exceeds-declared.toml",
    "controls/scope/unused-privilege-is-removed.toml",
    "controls/scope/no-wildcard-or-tenant-wide-authority.toml",
    "controls/scope/tenant-isolation-holds.toml",
    "controls/scope/no-self-grant.toml",
    "controls/scope/volume-ceiling.toml",
    "controls/credential/shared-secrets-are-short-lived-or-absent.toml",
    "controls/credential/access-tokens-expire-fast-and-really.toml",
    "controls/credential/refresh-tokens-are-bounded-and-bound.toml",
    "controls/credential/rotation-works-without-an-outage.toml",
    "controls/credential/upstream-incident-forces-full-rotation.toml",
    "controls/credential/one-identity-per-integration.toml",
    "controls/credential/environments-do-not-mix.toml",
    "controls/credential/no-human-use.toml",
    "controls/credential/no-secrets-in-code-artefacts-or-logs.toml",
    "controls/credential/token-vault-of-the-partner.toml",
    "controls/credential/secretless-for-the-top-tier.toml",
    "controls/authentication/asymmetric-client-authentication.toml",
    "controls/authentication/requests-are-bound-to-their-sender.toml",
    "controls/authentication/no-obsolete-grants.toml",
    "controls/authentication/authorization-requests-cannot-be-tampered-or-mixed-up.toml",
    "controls/authentication/discovery-and-registration-are-trustworthy.toml",
    "controls/authentication/federation-trust-is-narrow.toml",
    "controls/authentication/workload-identity-is-verified-end-to-end.toml",
    "controls/token/signature-and-algorithm-enforcement.toml",
    "controls/token/issuer-audience-type-time-and-key-rollover.toml",
    "controls/token/hostile-token-input-is-harmless.toml",
    "controls/token/revocation-is-honoured-in-time.toml",
    "controls/token/tokens-stay-out-of-urls-and-logs.toml",
    "controls/webhook/webhooks-are-authenticated.toml",
    "controls/webhook/replays-have-no-effect.toml",
    "controls/webhook/webhook-key-rotation.toml",
    "controls/webhook/senders-cannot-be-turned-inward.toml",
    "controls/security-event/security-events-are-acted-on.toml",
    "controls/network/tls-baseline.toml",
    "controls/network/outbound-calls-verify-the-peer.toml",
    "controls/network/source-network-is-pinned.toml",
    "controls/logging/issuance-evidence-is-complete-and-alive.toml",
    "controls/logging/access-joins-to-issuance.toml",
    "controls/logging/clocks-agree.toml",
    "controls/logging/evidence-cannot-be-erased-by-its-subject.toml",
    "controls/logging/abuse-is-detected-in-time.toml",
    "controls/change/change-triggers-re-validation.toml",
    "controls/change/evidence-has-an-expiry-date.toml",
    "controls/change/signed-manifest-and-verified-release.toml",
    "controls/change/build-pipeline-is-pinned-and-clean.toml",
    "controls/withdrawal/kill-switch-is-proven.toml",
    "controls/withdrawal/nothing-is-left-behind.toml",
    "controls/withdrawal/dormant-credentials-are-disabled.toml",
    "controls/withdrawal/deprovisioning-takes-effect-at-the-partner.toml",
    "controls/operations/incident-path-is-rehearsed.toml",
    "controls/operations/flaws-can-be-reported-and-get-fixed.toml",
    "controls/operations/trust-returns-only-with-fresh-evidence.toml",
];

/// Every profile.
pub(super) const PROFILES: &[File] = files![
    "profiles/saas-vendor@1.toml",
    "profiles/payroll-partner@1.toml",
    "profiles/reseller@1.toml",
    "profiles/marketplace-app@1.toml",
];

/// Every framework whose ids a control may cite.
pub(super) const FRAMEWORKS: &[File] = files![
    "frameworks/owasp_nhi.toml",
    "frameworks/csf2.toml",
    "frameworks/sp800_53r5.toml",
    "frameworks/iso27001_2022.toml",
    "frameworks/soc2_tsc.toml",
    "frameworks/cis_v8_1.toml",
    "frameworks/ccm_v4_0.toml",
    "frameworks/pci_dss_4.toml",
    "frameworks/dora.toml",
    "frameworks/nis2.toml",
];

/// What asks for recertification.
pub(super) const TRIGGERS: File =
    ("triggers.toml", include_str!("../../../../catalogue/triggers.toml"));
