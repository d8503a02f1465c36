//! A call of a partner's webhook, signed as its scheme signs, with the key of a copy.

use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use countersign_seal::scheme::{self, Draft, Signer};
use serde_json::json;

use crate::live::ask::Ask;
use crate::live::entropy;
use crate::platform::{PlatformFault, SendingKey, WebhookCopy};

/// The parts of the path at which a copy is called.
pub(super) fn path(copy: &WebhookCopy) -> Vec<&str> {
    copy.path.split('/').filter(|it| !it.is_empty()).collect()
}

/// The request with a message that causes nothing, and its signature.
pub(super) fn signed(
    mut ask: Ask,
    copy: &WebhookCopy,
    now: Timestamp,
) -> Result<Ask, PlatformFault> {
    let settings = |why: String| PlatformFault::Settings(why);
    let Some(scheme) = scheme::find(&copy.scheme) else {
        return Err(settings(format!("`{}` is signed by no scheme known here", copy.scheme)));
    };
    let chance: [u8; 16] =
        entropy::random().ok_or_else(|| settings("this machine gives no randomness".to_owned()))?;
    let id = format!("msg_{}", &Digest::of(&chance).hex()[..24]);
    let mut body = json!({ "type": "countersign.canary", "causes": {} });
    scheme.put_id(&mut body, &id);
    let key = match &copy.key {
        SendingKey::Private(key) => Signer::Private(key.clone()),
        SendingKey::Secret(text) => {
            let secret = scheme.secret(text);
            Signer::Shared(secret.map_err(|_| settings("the copy's key is not one".to_owned()))?)
        }
    };
    let body = body.to_string().into_bytes();
    let draft =
        Draft { method: "POST", url: &ask.url, id: &id, time_seconds: now.seconds(), body: &body };
    let sealed = scheme
        .sign(&draft, &[&key])
        .map_err(|it| settings(format!("a message cannot be signed: {it}")))?;
    ask.body = sealed.body;
    let ask = ask.header("content-type", scheme.content_type());
    Ok(sealed.headers.into_iter().fold(ask, |ask, (name, value)| ask.header(&name, value)))
}
