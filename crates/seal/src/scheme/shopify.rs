//! Shopify's webhooks: HMAC-SHA-256 over the body, in base64, and nothing else.
//!
//! Neither the time nor the ids in the headers are signed.
//!
//! Source: Shopify documentation, "Verify webhook deliveries" and "Ignore duplicates".

use super::{
    Arrived, Draft, Entry, Facts, Place, Scheme, Sealed, Signer, Verified, Verifier, WebhookError,
    Window, any_shared, only_shared,
};
use crate::encoding::{base64_decode, base64_encode};

/// The header with the id of the delivery.
pub const ID: &str = "x-shopify-webhook-id";
/// The header with the id of what happened, which several deliveries may share.
pub const EVENT_ID: &str = "x-shopify-event-id";
/// The header with the signature.
pub const SIGNATURE: &str = "x-shopify-hmac-sha256";

/// Shopify's scheme.
#[derive(Debug, Clone, Copy)]
pub struct Shopify;

const NAME: &str = "shopify";
const FACTS: Facts = Facts {
    time: None,
    id: Place::Header(ID),
    id_signed: false,
    signature: Place::Header(SIGNATURE),
    shared: true,
    private: false,
    several: false,
    versions: false,
};

impl Scheme for Shopify {
    fn name(&self) -> &'static str {
        NAME
    }

    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn entry(&self, draft: &Draft<'_>, key: &Signer) -> Result<Entry, WebhookError> {
        Ok(Entry::new("", base64_encode(&only_shared(key, NAME)?.mac(draft.body))))
    }

    fn wrap(&self, draft: &Draft<'_>, entries: &[Entry]) -> Sealed {
        let mut sealed = Sealed::new(draft.body, &[(ID, draft.id), (EVENT_ID, draft.id)]);
        if let Some(it) = entries.first() {
            sealed.set(SIGNATURE, Some(&it.signature));
        }
        sealed
    }

    fn set_time(&self, _: &mut Sealed, _: Option<&str>) {}

    fn verify(
        &self,
        arrived: &Arrived<'_>,
        keys: &[Verifier],
        _: Window,
    ) -> Result<Verified, WebhookError> {
        let mac = base64_decode(arrived.header(SIGNATURE)?);
        if !mac.is_some_and(|it| any_shared(keys, arrived.body, &it)) {
            return Err(WebhookError::NoMatchingSignature);
        }
        let id = arrived.header(ID).ok().map(str::to_owned);
        Ok(Verified { id, time_seconds: None })
    }
}
