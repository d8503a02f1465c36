//! The document, as it travels.

use countersign_model::declare::words::Slug;
use countersign_model::enforce::snapshot::Approver;
use countersign_seal::dsse::Envelope;
use countersign_seal::{PublicKey, SigningKey, digest_of, jwt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The schema name of a pack.
pub const PACK_SCHEMA: &str = "countersign.pack/1";
/// The schema name of a set of public keys.
pub const KEYS_SCHEMA: &str = "countersign.keys/1";
/// The JWT type of a pack's seal.
pub const SEAL_TYPE: &str = "countersign-pack+jwt";
/// The largest pack that is made or read.
pub const PACK_BYTES_MAX: usize = 48 * 1024 * 1024;
/// How many entries of the log a pack holds at most.
pub const ENTRIES_MAX: usize = 4_096;
/// How many pieces of evidence it holds at most.
pub const EVIDENCE_MAX: usize = 4_096;

/// Everything that somebody needs to verify one certification.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// `countersign.pack/1`.
    pub schema: String,
    /// The integration's own name.
    pub integration: Slug,
    /// The certified manifest, as it was written.
    pub manifest: String,
    /// What was declared and really granted.
    pub baseline: Value,
    /// The assessment that was approved.
    pub assessment: Value,
    /// Its evidence, in its order: transcripts and what was concluded from them.
    pub evidence: Vec<Value>,
    /// The difference that was on the approvers' screens.
    pub diff: Value,
    /// What two people signed.
    pub decision: Envelope,
    /// The certificate, as it is signed now.
    pub certificate: String,
    /// The status of all certificates, when the pack was made.
    pub status_list: String,
    /// The keys that all of this verifies with, as the server tells them.
    pub keys: Keys,
    /// The log's checkpoint that the proofs lead to.
    pub checkpoint: String,
    /// The log's entries about this integration and about people's keys, in order.
    pub entries: Vec<Logged>,
    /// The evidence of later looks that the entries name after the assessment, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweeps: Vec<Value>,
    /// The server's signature over all of the above: nothing was changed, added or left out since.
    pub seal: String,
}

/// The public keys of a server and its people: what a verifier pins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// `countersign.keys/1`.
    pub schema: String,
    /// Who certifies.
    pub issuer: String,
    /// Who signs certificates, status and packs.
    pub certificate: PublicKey,
    /// Who signs snapshots.
    pub snapshot: PublicKey,
    /// Who signs the log: a verifier key, `name+hash+key`.
    pub log: String,
    /// Whose approvals count.
    pub approvers: Vec<Approver>,
}

/// An entry of the log with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// The entry's bytes in base64.
    pub entry: String,
    /// Its proof file, `c2sp.org/tlog-proof@v1`.
    pub proof: String,
}

/// A pack cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It has no canonical form.
    #[error("the pack has no canonical form")]
    Canonical(#[from] countersign_seal::CanonicalError),
    /// It cannot be written.
    #[error("the pack cannot be written")]
    Json(#[from] serde_json::Error),
}

/// Signs a pack: what stands in `seal` is replaced.
pub fn seal(pack: &mut Pack, iat: i64, key: &SigningKey) -> Result<(), SealError> {
    let mut value = serde_json::to_value(&*pack)?;
    if let Some(it) = value.as_object_mut() {
        it.remove("seal");
    }
    let claims = json!({ "iss": pack.keys.issuer, "iat": iat, "pack": digest_of(&value)? });
    pack.seal = jwt::sign(SEAL_TYPE, key.key_id().as_str(), &claims, key)?;
    Ok(())
}
