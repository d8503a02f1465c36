//! The signed statement that one baseline is trusted until a date.

use std::collections::BTreeSet;

use countersign_seal::Digest;
use serde::{Deserialize, Serialize};

use crate::declare::words::ProfileRef;
use crate::id::{CertificateId, IntegrationId};
use crate::review::Approved;
use crate::time::{Period, Timestamp};

/// The JWT type of a certificate: an OpenID Federation 1.0 trust mark.
pub const CERTIFICATE_TYPE: &str = "trust-mark+jwt";
/// The namespace of our own claims.
pub const NAMESPACE: &str = "https://countersign.example/certificate";
/// How long one signature counts at most; it is renewed while status is green.
pub const SIGNATURE_MAX: Period = Period::from_days(30);

/// The claims of a certificate.
///
/// Source: OpenID Federation 1.0 (trust marks); Token Status List (`status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who certifies.
    pub iss: String,
    /// The integration's entity id.
    pub sub: String,
    /// What it says: the profile, as an address.
    pub trust_mark_type: String,
    /// When it was signed, in seconds since 1970.
    pub iat: i64,
    /// When this signature ends, in seconds since 1970.
    pub exp: i64,
    /// Where the report is.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Where its status is.
    pub status: StatusClaim,
    /// What it is bound to.
    #[serde(rename = "https://countersign.example/certificate")]
    pub bound: Bound,
}

/// Where the status of a certificate is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusClaim {
    /// A reference into a Token Status List.
    pub status_list: StatusReference,
}

/// A reference into a Token Status List.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReference {
    /// The index.
    pub idx: u64,
    /// The list.
    pub uri: String,
}

/// What a certificate is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// Its id.
    pub certificate: CertificateId,
    /// What it certifies.
    pub integration: IntegrationId,
    /// Digest of the manifest.
    pub manifest: Digest,
    /// Digest of manifest and grants.
    pub baseline: Digest,
    /// Digest of the assessment.
    pub assessment: Digest,
    /// Digest of the statement that two people signed.
    pub decision: Digest,
    /// Index of its entry in the log.
    pub log_index: u64,
    /// Scopes that it covers.
    pub scopes: BTreeSet<String>,
    /// Data paths that it covers.
    pub data_paths: BTreeSet<String>,
    /// Client ids that it covers.
    pub client_ids: BTreeSet<String>,
    /// Digest of the owners' names.
    pub owner: Digest,
    /// The profile.
    pub profile: ProfileRef,
}

/// What the issuer adds to an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuing {
    /// Who certifies: an address.
    pub issuer: String,
    /// The certificate's id.
    pub certificate: CertificateId,
    /// Index of its entry in the log.
    pub log_index: u64,
    /// Index in the status list.
    pub status_index: u64,
    /// Digest of the signed statement.
    pub decision: Digest,
    /// The manifest's data paths.
    pub data_paths: BTreeSet<String>,
    /// Digest of the owners' names.
    pub owner: Digest,
    /// Now.
    pub now: Timestamp,
}

impl Claims {
    /// The claims that follow from an approval: there is no other way to make them.
    pub fn issue(approved: &Approved, issuing: Issuing) -> Self {
        let decision = approved.decision();
        let scopes = decision.grant.identities.iter().flat_map(|it| it.scopes.keys());
        let exp = decision.not_after.min(issuing.now + SIGNATURE_MAX);
        let issuer = issuing.issuer;
        let slug = &decision.grant.integration;
        Self {
            sub: format!("{issuer}/integrations/{slug}"),
            trust_mark_type: format!("{issuer}/profiles/{}", decision.profile),
            iat: issuing.now.seconds(),
            exp: exp.seconds(),
            reference: format!("{issuer}/v1/integrations/{slug}"),
            status: StatusClaim {
                status_list: StatusReference {
                    idx: issuing.status_index,
                    uri: format!("{issuer}/statuslists/1"),
                },
            },
            bound: Bound {
                certificate: issuing.certificate,
                integration: decision.integration.clone(),
                manifest: approved.manifest(),
                baseline: decision.baseline,
                assessment: decision.assessment_digest,
                decision: issuing.decision,
                log_index: issuing.log_index,
                scopes: scopes.map(ToString::to_string).collect(),
                data_paths: issuing.data_paths,
                client_ids: decision
                    .grant
                    .identities
                    .iter()
                    .map(|it| it.client_id.clone())
                    .collect(),
                owner: issuing.owner,
                profile: decision.profile.clone(),
            },
            iss: issuer,
        }
    }

    /// Whether these claims are about this approval and no other.
    pub fn is_bound_to(&self, approved: &Approved) -> bool {
        let decision = approved.decision();
        let bound = &self.bound;
        bound.integration == decision.integration
            && bound.manifest == approved.manifest()
            && bound.baseline == decision.baseline
            && bound.assessment == decision.assessment_digest
            && bound.profile == decision.profile
    }
}
