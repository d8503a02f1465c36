//! GitHub's webhooks: HMAC-SHA-256 over the body, and nothing else.
//!
//! No time is signed, and the id stands in a header that is not signed either: who saw a delivery can
//! send it again under another id at any time.
//!
//! Source: GitHub documentation, "Validating webhook deliveries".

use super::{
    Arrived, Draft, Entry, Facts, Place, Scheme, Sealed, Signer, Verified, Verifier, WebhookError,
    Window, any_shared, only_shared,
};
use crate::encoding::{hex_decode_32, hex_encode};

/// The header with the id of the delivery.
pub const ID: &str = "x-github-delivery";
/// The header with the signature.
pub const SIGNATURE: &str = "x-hub-signature-256";
/// The header with the signature that nobody should rely on any more: HMAC-SHA-1.
pub const LEGACY_SIGNATURE: &str = "x-hub-signature";

/// GitHub's scheme.
#[derive(Debug, Clone, Copy)]
pub struct Github;

const NAME: &str = "github";
const LABEL: &str = "sha256";
const FACTS: Facts = Facts {
    time: None,
    id: Place::Header(ID),
    id_signed: false,
    signature: Place::Header(SIGNATURE),
    shared: true,
    private: false,
    several: false,
    versions: true,
};

impl Scheme for Github {
    fn name(&self) -> &'static str {
        NAME
    }

    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn entry(&self, draft: &Draft<'_>, key: &Signer) -> Result<Entry, WebhookError> {
        Ok(Entry::new(LABEL, hex_encode(&only_shared(key, NAME)?.mac(draft.body))))
    }

    fn wrap(&self, draft: &Draft<'_>, entries: &[Entry]) -> Sealed {
        let mut sealed = Sealed::new(draft.body, &[(ID, draft.id), ("x-github-event", "ping")]);
        if let Some(it) = entries.first() {
            sealed.set(SIGNATURE, Some(&format!("{}={}", it.label, it.signature)));
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
        let signature = arrived.header(SIGNATURE)?;
        let malformed = WebhookError::Malformed { header: SIGNATURE };
        let (label, mac) = signature.split_once('=').ok_or(malformed)?;
        let mac = hex_decode_32(mac).filter(|_| label == LABEL);
        if !mac.is_some_and(|it| any_shared(keys, arrived.body, &it)) {
            return Err(WebhookError::NoMatchingSignature);
        }
        let id = arrived.header(ID).ok().map(str::to_owned);
        Ok(Verified { id, time_seconds: None })
    }
}
