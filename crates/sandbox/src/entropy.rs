//! The only place here that makes random bytes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_seal::SigningKey;

/// The system gives no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoEntropy;

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}

/// 256 random bits as text: a token.
pub(crate) fn token() -> Result<String, NoEntropy> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// 64 random bits as text: the end of a name.
pub(crate) fn suffix() -> Result<String, NoEntropy> {
    Ok(format!("{:016x}", u64::from_be_bytes(random()?)))
}

/// A new key.
pub(crate) fn key() -> Result<SigningKey, NoEntropy> {
    Ok(SigningKey::from_seed(random()?))
}
