//! Stripe's webhooks: HMAC-SHA-256 over time and body, several signatures in one header.
//!
//! The id stands in the body and is signed with it. The secret is used as it is written, `whsec_` and all.
//!
//! Source: Stripe documentation, "Verify webhook signatures manually".

use super::{
    Arrived, Draft, Entry, Facts, Place, SIGNATURE_BYTES_MAX, SIGNATURES_MAX, Scheme, Sealed,
    Signer, Verified, Verifier, WebhookError, Window, any_shared, only_shared, seconds,
};
use crate::encoding::{hex_decode_32, hex_encode};

/// The member of the body with the id.
pub const ID: &str = "id";
/// The header with time and signatures.
pub const SIGNATURE: &str = "stripe-signature";

/// Stripe's scheme.
#[derive(Debug, Clone, Copy)]
pub struct Stripe;

const NAME: &str = "stripe";
const LABEL: &str = "v1";
const FACTS: Facts = Facts {
    time: Some(Place::Header(SIGNATURE)),
    id: Place::Body(ID),
    id_signed: true,
    signature: Place::Header(SIGNATURE),
    shared: true,
    private: false,
    several: true,
    versions: true,
};

impl Scheme for Stripe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn entry(&self, draft: &Draft<'_>, key: &Signer) -> Result<Entry, WebhookError> {
        let message = signed_bytes(&draft.time_seconds.to_string(), draft.body);
        Ok(Entry::new(LABEL, hex_encode(&only_shared(key, NAME)?.mac(&message))))
    }

    fn wrap(&self, draft: &Draft<'_>, entries: &[Entry]) -> Sealed {
        let mut sealed = Sealed::new(draft.body, &[]);
        if !entries.is_empty() {
            let mut parts = vec![format!("t={}", draft.time_seconds)];
            parts.extend(entries.iter().map(|it| format!("{}={}", it.label, it.signature)));
            sealed.set(SIGNATURE, Some(&parts.join(",")));
        }
        sealed
    }

    fn set_time(&self, sealed: &mut Sealed, time: Option<&str>) {
        let Some(header) = sealed.header(SIGNATURE) else { return };
        let others = header.split(',').filter(|it| !it.starts_with("t=")).map(str::to_owned);
        let parts: Vec<String> =
            time.map(|it| format!("t={it}")).into_iter().chain(others).collect();
        sealed.set(SIGNATURE, Some(&parts.join(",")));
    }

    fn verify(
        &self,
        arrived: &Arrived<'_>,
        keys: &[Verifier],
        window: Window,
    ) -> Result<Verified, WebhookError> {
        let header = arrived.header(SIGNATURE)?;
        let malformed = WebhookError::Malformed { header: SIGNATURE };
        if SIGNATURE_BYTES_MAX < header.len() {
            return Err(malformed);
        }
        let (mut time, mut macs) = (None, Vec::new());
        for part in header.split(',') {
            let (name, value) = part.split_once('=').ok_or(malformed)?;
            match name {
                "t" if time.is_none() => time = Some(value),
                "t" => return Err(malformed),
                LABEL if macs.len() < SIGNATURES_MAX => macs.push(value),
                LABEL => return Err(malformed),
                _ => {}
            }
        }
        let time = time.ok_or(malformed)?;
        let sent = seconds(time, SIGNATURE)?;
        window.check(sent)?;
        let message = signed_bytes(time, arrived.body);
        let mut macs = macs.into_iter().filter_map(hex_decode_32);
        if !macs.any(|it| any_shared(keys, &message, &it)) {
            return Err(WebhookError::NoMatchingSignature);
        }
        Ok(Verified { id: arrived.member(ID), time_seconds: Some(sent) })
    }
}

fn signed_bytes(time: &str, body: &[u8]) -> Vec<u8> {
    [time.as_bytes(), b".", body].concat()
}
