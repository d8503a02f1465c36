//! The key that a receiver knows: handed out by the test tenant, or held by the server under a name.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{EventSubscription, WebhookKey};
use countersign_seal::SigningKey;
use countersign_seal::scheme::{Scheme, Shared, Signer};
use serde_json::{Value, json};

use crate::live::entropy;
use crate::platform::SendingKey;
use crate::talk::Talk;

/// The key with which events of this subscription are signed; why there is none is written down.
pub(super) async fn sending(
    manifest: &Manifest,
    event: &EventSubscription,
    scheme: &'static dyn Scheme,
    talk: &mut Talk,
) -> Option<Signer> {
    let refused = |talk: &mut Talk, error: String| {
        talk.fact("key", "check", json!({ "error": error }));
        None
    };
    let by_name = event.signing.secret_ref.as_ref();
    let held = if let Some(name) = by_name.filter(|_| event.signing.key == WebhookKey::HmacSha256) {
        let means = talk.means();
        let Some(text) = means.as_ref().and_then(|it| it.secrets.get(name)) else {
            return refused(talk, format!("the server holds no secret named `{name}`"));
        };
        read(scheme, text)
    } else {
        let platform = talk.platform()?;
        let integration = &manifest.integration.id;
        let key = platform.sending_key(integration, event.id.as_str()).await;
        match talk.heard("key", key, shown)? {
            SendingKey::Private(key) => Some(Signer::Private(key)),
            SendingKey::Secret(text) => {
                talk.hide(&text);
                read(scheme, &text)
            }
        }
    };
    let Some(key) = held else {
        let error = format!("the secret is not one that `{}` signs with", scheme.name());
        return refused(talk, error);
    };
    let is_declared = match event.signing.key {
        WebhookKey::Ed25519 => matches!(key, Signer::Private(_)),
        WebhookKey::HmacSha256 => matches!(key, Signer::Shared(_)),
    };
    if !is_declared {
        let error = "the platform signs with another kind of key than `signing.key` says";
        return refused(talk, error.to_owned());
    }
    if !scheme.facts().takes(&key) {
        let error =
            format!("`{}` does not sign with the kind of key in `signing.key`", scheme.name());
        return refused(talk, error);
    }
    Some(key)
}

fn read(scheme: &dyn Scheme, text: &str) -> Option<Signer> {
    scheme.secret(text).ok().map(Signer::Shared)
}

fn shown(key: &SendingKey) -> Value {
    match key {
        SendingKey::Private(it) => json!({ "kind": "ed25519", "kid": it.key_id().as_str() }),
        SendingKey::Secret(_) => json!({ "kind": "hmac-sha256" }),
    }
}

/// A new key of the same kind that nobody knows.
pub(super) fn fresh(like: &Signer) -> Option<Signer> {
    let bytes = entropy::random::<32>()?;
    match like {
        Signer::Private(_) => Some(Signer::Private(SigningKey::from_seed(bytes))),
        Signer::Shared(_) => Shared::from_bytes(&bytes).ok().map(Signer::Shared),
    }
}
