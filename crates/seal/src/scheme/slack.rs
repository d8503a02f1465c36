//! Slack's requests: HMAC-SHA-256 over version, time and body.
//!
//! The id stands in the body and is signed with it.
//!
//! Source: Slack documentation, "Verifying requests from Slack".

use super::{
    Arrived, Draft, Entry, Facts, Place, Scheme, Sealed, Signer, Verified, Verifier, WebhookError,
    Window, any_shared, only_shared, seconds,
};
use crate::encoding::{hex_decode_32, hex_encode};

/// The member of the body with the id.
pub const ID: &str = "event_id";
/// The header with the time of sending, in seconds since 1970.
pub const TIMESTAMP: &str = "x-slack-request-timestamp";
/// The header with the signature.
pub const SIGNATURE: &str = "x-slack-signature";

/// Slack's scheme.
#[derive(Debug, Clone, Copy)]
pub struct Slack;

const NAME: &str = "slack";
const LABEL: &str = "v0";
const FACTS: Facts = Facts {
    time: Some(Place::Header(TIMESTAMP)),
    id: Place::Body(ID),
    id_signed: true,
    signature: Place::Header(SIGNATURE),
    shared: true,
    private: false,
    several: false,
    versions: true,
};

impl Scheme for Slack {
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
        let time = draft.time_seconds.to_string();
        let mut sealed = Sealed::new(draft.body, &[(TIMESTAMP, &time)]);
        if let Some(it) = entries.first() {
            sealed.set(SIGNATURE, Some(&format!("{}={}", it.label, it.signature)));
        }
        sealed
    }

    fn set_time(&self, sealed: &mut Sealed, time: Option<&str>) {
        sealed.set(TIMESTAMP, time);
    }

    fn verify(
        &self,
        arrived: &Arrived<'_>,
        keys: &[Verifier],
        window: Window,
    ) -> Result<Verified, WebhookError> {
        let time = arrived.header(TIMESTAMP)?;
        let signature = arrived.header(SIGNATURE)?;
        let sent = seconds(time, TIMESTAMP)?;
        let malformed = WebhookError::Malformed { header: SIGNATURE };
        let (label, mac) = signature.split_once('=').ok_or(malformed)?;
        window.check(sent)?;
        let mac = hex_decode_32(mac).filter(|_| label == LABEL);
        let message = signed_bytes(time, arrived.body);
        if !mac.is_some_and(|it| any_shared(keys, &message, &it)) {
            return Err(WebhookError::NoMatchingSignature);
        }
        Ok(Verified { id: arrived.member(ID), time_seconds: Some(sent) })
    }
}

fn signed_bytes(time: &str, body: &[u8]) -> Vec<u8> {
    [LABEL.as_bytes(), b":", time.as_bytes(), b":", body].concat()
}
