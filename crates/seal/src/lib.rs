//! Keys, signatures, envelopes and canonical digests: bytes in, bytes out.
//!
//! Nothing here reads a clock, a file, a socket or a source of randomness: time and entropy are
//! arguments.

pub mod canonical;
pub mod digest;
pub mod dsse;
mod encoding;
pub mod json;
pub mod jwk;
pub mod jwt;
pub mod key;
pub mod keyfile;
pub mod scheme;
pub mod statement;
pub mod status_list;

pub use canonical::{CanonicalError, canonical_json, digest_of};
pub use digest::Digest;
pub use key::{KeyId, PublicKey, SigningKey};
