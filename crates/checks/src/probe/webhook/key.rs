//! The key that a receiver knows: handed out by the test tenant, or held by the server under a name.

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{EventSubscription, WebhookKey};
use countersign_seal::SigningKey;
use countersign_seal::scheme::standard_webhooks::public_key_text;
use countersign_seal::scheme::{Scheme, Signer};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::live::entropy;
use crate::platform::SendingKey;
use crate::talk::Talk;

/// A key, and how it is written where its receiver is told of it.
#[derive(Debug, Clone)]
pub(super) struct Sending {
    pub(super) signer: Signer,
    pub(super) text: Zeroizing<String>,
}

impl Sending {
    fn private(key: SigningKey) -> Self {
        let text = Zeroizing::new(public_key_text(&key.public()));
        Self { signer: Signer::Private(key), text }
    }

    fn shared(scheme: &dyn Scheme, text: &str) -> Option<Self> {
        let signer = scheme.secret(text).ok().map(Signer::Shared)?;
        Some(Self { signer, text: Zeroizing::new(text.to_owned()) })
    }

    /// A new one of the same kind that nobody knows yet.
    pub(super) fn fresh(&self, scheme: &dyn Scheme) -> Option<Self> {
        let bytes = entropy::random::<32>()?;
        match &self.signer {
            Signer::Private(_) => Some(Self::private(SigningKey::from_seed(bytes))),
            Signer::Shared(_) => Self::shared(scheme, &scheme.write_secret(&bytes)),
        }
    }
}

/// The key with which events of this subscription are signed; why there is none is written down.
pub(super) async fn sending(
    manifest: &Manifest,
    event: &EventSubscription,
    scheme: &'static dyn Scheme,
    talk: &mut Talk,
) -> Option<Sending> {
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
        Sending::shared(scheme, text)
    } else {
        let platform = talk.platform()?;
        let integration = &manifest.integration.id;
        let key = platform.sending_key(integration, event.id.as_str()).await;
        match talk.heard("key", key, shown)? {
            SendingKey::Private(key) => Some(Sending::private(key)),
            SendingKey::Secret(text) => {
                talk.hide(&text);
                Sending::shared(scheme, &text)
            }
        }
    };
    let Some(held) = held else {
        let error = format!("the secret is not one that `{}` signs with", scheme.name());
        return refused(talk, error);
    };
    let is_declared = match event.signing.key {
        WebhookKey::Ed25519 => matches!(held.signer, Signer::Private(_)),
        WebhookKey::HmacSha256 => matches!(held.signer, Signer::Shared(_)),
    };
    if !is_declared {
        let error = "the platform signs with another kind of key than `signing.key` says";
        return refused(talk, error.to_owned());
    }
    if !scheme.facts().takes(&held.signer) {
        let name = scheme.name();
        let error = format!("`{name}` does not sign with the kind of key in `signing.key`");
        return refused(talk, error);
    }
    Some(held)
}

fn shown(key: &SendingKey) -> Value {
    match key {
        SendingKey::Private(it) => json!({ "kind": "ed25519", "kid": it.key_id().as_str() }),
        SendingKey::Secret(_) => json!({ "kind": "hmac-sha256" }),
    }
}
