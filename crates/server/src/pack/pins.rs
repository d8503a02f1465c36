//! What a verifier trusts from outside, and what it has to take from the pack itself.

use countersign_ledger::VerifierKey;
use countersign_model::enforce::snapshot::Approver;
use countersign_seal::PublicKey;

use super::document::{KEYS_SCHEMA, Keys};
use super::report::Report;

/// What a verifier trusts from outside. Whatever is absent is taken from the pack, and said so.
#[derive(Debug, Clone, Default)]
pub struct Pins {
    /// Who certifies.
    pub issuer: Option<String>,
    /// Who signs certificates, status and packs.
    pub certificate: Option<PublicKey>,
    /// Who signs snapshots.
    pub snapshot: Option<PublicKey>,
    /// Who signs the log.
    pub log: Option<VerifierKey>,
    /// Whose approvals count.
    pub approvers: Option<Vec<Approver>>,
}

/// A set of keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// It is another document.
    #[error("its schema is `{0}`, not `{KEYS_SCHEMA}`")]
    Schema(String),
    /// The log's key cannot be read.
    #[error("the log's verifier key cannot be read")]
    Log(#[source] countersign_ledger::NoteError),
}

impl Pins {
    /// Pins everything that a set of keys names.
    pub fn all(keys: &Keys) -> Result<Self, KeysError> {
        if keys.schema != KEYS_SCHEMA {
            return Err(KeysError::Schema(keys.schema.clone()));
        }
        Ok(Self {
            issuer: Some(keys.issuer.clone()),
            certificate: Some(keys.certificate),
            snapshot: Some(keys.snapshot),
            log: Some(keys.log.parse().map_err(KeysError::Log)?),
            approvers: Some(keys.approvers.clone()),
        })
    }

    /// Whether everything that a pack is verified with comes from outside.
    pub fn is_complete(&self) -> bool {
        self.issuer.is_some()
            && self.certificate.is_some()
            && self.log.is_some()
            && self.approvers.is_some()
    }
}

/// The keys that one pack is verified with.
#[derive(Debug)]
pub(crate) struct Trust {
    pub(crate) issuer: String,
    pub(crate) certificate: PublicKey,
    pub(crate) log: VerifierKey,
    pub(crate) approvers: Vec<Approver>,
    /// Whether the approvers are the verifier's own.
    pub(crate) knows_people: bool,
}

impl Trust {
    /// Takes the pinned keys, and the pack's own where none is pinned.
    ///
    /// A pack that names others than the pinned ones is refused as it stands.
    pub(crate) fn of(keys: &Keys, pins: &Pins, report: &mut Report) -> Option<Self> {
        let own = Pins::all(keys);
        let own = report.fails("keys", own.map_err(|it| it.to_string()))?;
        let mut own_words = Vec::new();
        let mut other = Vec::new();
        let mut say = |name, is_pinned: bool, is_same: bool| match (is_pinned, is_same) {
            (false, _) => own_words.push(name),
            (true, false) => other.push(name),
            (true, true) => {}
        };
        say("issuer", pins.issuer.is_some(), pins.issuer == own.issuer);
        say("certificate key", pins.certificate.is_some(), pins.certificate == own.certificate);
        say("snapshot key", pins.snapshot.is_some(), pins.snapshot == own.snapshot);
        say("log key", pins.log.is_some(), pins.log == own.log);
        // People join and leave: the pinned ones count, and need not be the same.
        say("approvers", pins.approvers.is_some(), true);
        own_words.retain(|it| *it != "snapshot key");
        if !other.is_empty() {
            report.fail("keys", format!("the pack names another {}", other.join(", another ")));
        } else if own_words.is_empty() {
            report.pass("keys", "all of them are pinned from outside");
        } else {
            report.own("keys", format!("the pack's own: {}", own_words.join(", ")));
        }
        Some(Self {
            issuer: pins.issuer.clone().or(own.issuer)?,
            certificate: pins.certificate.or(own.certificate)?,
            log: pins.log.clone().or(own.log)?,
            approvers: pins.approvers.clone().or(own.approvers)?,
            knows_people: pins.approvers.is_some(),
        })
    }
}
