//! Everything that a platform holds, declared or not, and who changed it.

use countersign_model::certify::baseline::Granted;
use countersign_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Every client that a platform holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Inventory {
    /// The clients, by their id.
    pub clients: Vec<InventoryClient>,
    /// Clients that are listed and whose details could not be read, with the reason.
    pub unread: Vec<(String, String)>,
}

/// One client of a platform.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InventoryClient {
    /// Its id.
    pub client_id: String,
    /// Its name, as people read it.
    pub name: Option<String>,
    /// The integration that the platform files it under.
    pub integration: Option<String>,
    /// Who is said to own it.
    pub owner: Option<String>,
    /// How it acts.
    pub kind: ClientKind,
    /// Whether it came with the platform itself.
    pub built_in: bool,
    /// A throw-away copy of this client, made for a drill.
    pub copy_of: Option<String>,
    /// What is granted to it.
    pub granted: Granted,
    /// Roles, which grant more than scopes tell.
    pub roles: Vec<String>,
    /// What it can prove itself with.
    pub credentials: Vec<InventoryCredential>,
    /// When it was made, where the platform tells.
    pub created: Option<Timestamp>,
    /// When it last got a token, where the platform tells.
    pub last_used: Option<Timestamp>,
}

/// How a client acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKind {
    /// By itself: it has a service account.
    ServiceAccount,
    /// For people, with something to prove itself.
    Confidential,
    /// For people, with nothing to prove itself.
    Public,
    /// It only receives tokens.
    BearerOnly,
    /// The platform does not tell.
    #[default]
    Unknown,
}

/// Something that a client can prove itself with; no secret half of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryCredential {
    /// What tells it from others: a `kid`, a thumbprint, `secret`, `rotated-secret`.
    pub id: String,
    /// What it is.
    pub kind: CredentialKind,
    /// Since when, where the platform tells.
    pub created: Option<Timestamp>,
    /// Until when, where it ends.
    pub expires: Option<Timestamp>,
}

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// A certificate.
    Certificate,
    /// Keys behind an address, read by the platform when it needs them.
    JwksUri,
    /// A registered public key.
    Key,
    /// A shared secret.
    Secret,
}

/// One change by an administrator, as the platform wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminRecord {
    /// When.
    pub time: Timestamp,
    /// Who: a name where the platform knows it, else an id.
    pub actor: String,
    /// From where.
    pub ip: Option<String>,
    /// What was done: `UPDATE CLIENT`.
    pub action: String,
    /// What it was done to.
    pub resource: String,
    /// The client that it changed, where it changed one.
    pub client_id: Option<String>,
}
