//! A call of a partner's webhook, signed with the key of a copy.
//!
//! Source: Standard Webhooks 1.0.0.

use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use countersign_seal::scheme::standard_webhooks::{ID, SIGNATURE, SendKey, TIMESTAMP, sign};
use serde_json::json;

use crate::live::ask::Ask;
use crate::live::entropy;
use crate::platform::{PlatformFault, WebhookCopy};

/// The request with a message that causes nothing, and its signature.
pub(super) fn signed(ask: Ask, copy: &WebhookCopy, now: Timestamp) -> Result<Ask, PlatformFault> {
    let settings = |why: String| PlatformFault::Settings(why);
    let chance: [u8; 16] =
        entropy::random().ok_or_else(|| settings("this machine gives no randomness".to_owned()))?;
    let id = format!("msg_{}", &Digest::of(&chance).hex()[..24]);
    let body = json!({ "type": "countersign.canary", "causes": {} }).to_string();
    let key = SendKey::Private(copy.key.clone());
    let signature = sign(&id, now.seconds(), body.as_bytes(), &key)
        .map_err(|it| settings(format!("a message cannot be signed: {it}")))?;
    let ask = ask.header(ID, id).header(TIMESTAMP, now.seconds().to_string());
    Ok(ask.header(SIGNATURE, signature).json(body))
}
