//! The partner as a sender of webhooks: each is signed as its manifest declares.

use std::fmt;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Webhook, WebhookKey};
use countersign_model::time::Timestamp;
use countersign_seal::scheme::standard_webhooks::public_key_text;
use countersign_seal::scheme::{Draft, Scheme, Sealed, Signer, WebhookError};
use serde_json::Value;

use super::{Fault, Faults, HookFault};
use crate::registration::{CallerKey, scheme_of};
use crate::{StartError, entropy};

/// How one webhook is called.
#[derive(Clone)]
pub(crate) struct Caller {
    /// The webhook, as declared.
    pub(crate) webhook: String,
    /// Where it is called at each tenant: `/hooks/acme-helpdesk`.
    pub(crate) path: String,
    /// What verifies its calls.
    pub(crate) known: CallerKey,
    scheme: &'static dyn Scheme,
    key: Signer,
    window_seconds: i64,
}

impl fmt::Debug for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Caller({} by {})", self.webhook, self.scheme.name())
    }
}

impl Caller {
    fn new(webhook: &Webhook) -> Result<Self, StartError> {
        let refused = |why: &str| StartError::Refused(format!("{}: {why}", webhook.id));
        let scheme = scheme_of(webhook.signing.scheme).ok_or(refused("nobody knows its scheme"))?;
        let (key, known) = match webhook.signing.key {
            WebhookKey::Ed25519 => {
                let key = entropy::key()?;
                let public = public_key_text(&key.public());
                (Signer::Private(key), CallerKey::Public(public))
            }
            WebhookKey::HmacSha256 => {
                let text = scheme.write_secret(&entropy::random::<32>()?).to_string();
                let secret = scheme.secret(&text).map_err(|it| refused(&it.to_string()))?;
                (Signer::Shared(secret), CallerKey::Secret(text))
            }
        };
        let url = webhook.url.as_str();
        let window = webhook.signing.replay_window.seconds();
        Ok(Self {
            webhook: webhook.id.to_string(),
            path: url::Url::parse(url).map(|it| it.path().to_owned()).unwrap_or_default(),
            known,
            scheme,
            key,
            window_seconds: i64::try_from(window).unwrap_or(i64::MAX),
        })
    }

    /// The media type of its bodies.
    pub(crate) fn content_type(&self) -> &'static str {
        self.scheme.content_type()
    }

    /// A message of this moment as it is sent, wrong where a fault has it so.
    pub(crate) fn sealed(
        &self,
        url: &str,
        (id, mut body): (&str, Value),
        (now, faults): (Timestamp, &Faults),
    ) -> Result<Sealed, WebhookError> {
        let has = |it| faults.has(Fault::Hook(it));
        let id = if has(HookFault::RepeatsWebhookIds) { "msg_0" } else { id };
        self.scheme.put_id(&mut body, id);
        let body = body.to_string().into_bytes();
        let late = if has(HookFault::SendsLateWebhooks) { self.window_seconds + LATE } else { 0 };
        let time_seconds = now.seconds().saturating_sub(late);
        let draft = Draft { method: "POST", url, id, time_seconds, body: &body };
        if faults.has(Fault::SendsUnsignedWebhooks) {
            return Ok(self.scheme.wrap(&draft, &[]));
        }
        self.scheme.sign(&draft, &[&self.key])
    }
}

/// How the webhooks of a manifest are called, each with a new key.
pub(super) fn callers(manifest: &Manifest) -> Result<Vec<Caller>, StartError> {
    manifest.webhooks.iter().map(Caller::new).collect()
}

/// How long after the end of its window a late message comes, in seconds.
const LATE: i64 = 60;
