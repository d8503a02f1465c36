//! Events that are made up for a check: right ones, and wrong ones made of right ones.

use countersign_model::declare::manifest::EventSubscription;
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use countersign_seal::scheme::{Draft, Entry, Place, Scheme, Sealed, Shared, Signer, WebhookError};
use serde_json::{Map, Value, json};

use crate::live::ask::Ask;

/// A message as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The id that shows its effects.
    pub(super) id: String,
    /// What it is about.
    pub(super) body: Vec<u8>,
    /// Its headers and body, as the scheme writes them.
    pub(super) sealed: Sealed,
}

impl Message {
    /// The request that brings it.
    pub(super) fn ask(&self, endpoint: &str, content_type: &str) -> Ask {
        let mut ask = Ask::new("POST", endpoint).header("content-type", content_type);
        ask.body.clone_from(&self.sealed.body);
        self.sealed.headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value))
    }
}

/// Where messages are made.
#[derive(Debug, Clone)]
pub(super) struct Workshop<'a> {
    /// What is declared about the events.
    pub(super) event: &'a EventSubscription,
    /// How they are signed.
    pub(super) scheme: &'static dyn Scheme,
    /// The key that the receiver knows.
    pub(super) key: Signer,
    /// A key of the same kind that nobody knows.
    pub(super) foreign: Signer,
    /// A name that nobody has used before.
    pub(super) stem: String,
    /// Where messages for another endpoint of the same partner are made.
    pub(super) sibling: Option<Box<Self>>,
    /// How old or early a message may be, in seconds.
    pub(super) window_seconds: i64,
    /// Whether effects are counted one by one.
    pub(super) counts: bool,
    /// What time it is.
    pub(super) now: Timestamp,
}

impl Workshop<'_> {
    /// A message that is right but for its age: `seconds` are counted from now, negative ones back.
    pub(super) fn at(&self, name: &str, seconds: i64) -> Result<Message, WebhookError> {
        self.about(self.id(name), seconds)
    }

    /// A message that is right.
    pub(super) fn right(&self, name: &str) -> Result<Message, WebhookError> {
        self.at(name, 0)
    }

    /// An id for a message. Nobody can tell from it which message is right.
    pub(super) fn id(&self, name: &str) -> String {
        let named = Digest::of_parts(&[self.stem.as_bytes(), name.as_bytes()]).hex();
        format!("msg_{}", &named[..ID_DIGITS])
    }

    /// A message with this id that is right but for its age.
    pub(super) fn about(&self, id: String, seconds: i64) -> Result<Message, WebhookError> {
        let mut body = body(self.event, &id, self.now);
        self.scheme.put_id(&mut body, &id);
        let body = body.to_string().into_bytes();
        self.again(&Message { id, body, sealed: Sealed::default() }, seconds)
    }

    /// The same message, signed anew at another time.
    pub(super) fn again(&self, message: &Message, seconds: i64) -> Result<Message, WebhookError> {
        let sealed = self.scheme.sign(&self.draft(message, seconds), &[&self.key])?;
        Ok(Message { sealed, ..message.clone() })
    }

    /// What a key says about a message of now.
    pub(super) fn entry(&self, message: &Message, key: &Signer) -> Result<Entry, WebhookError> {
        self.scheme.entry(&self.draft(message, 0), key)
    }

    /// The same message of now with these signatures.
    pub(super) fn with(&self, message: &Message, entries: &[Entry]) -> Message {
        let sealed = self.scheme.wrap(&self.draft(message, 0), entries);
        Message { sealed, ..message.clone() }
    }

    /// The same message of now, signed with this key alone.
    pub(super) fn signed_by(
        &self,
        message: &Message,
        key: &Signer,
    ) -> Result<Message, WebhookError> {
        Ok(self.with(message, &[self.entry(message, key)?]))
    }

    fn draft<'m>(&'m self, message: &'m Message, seconds: i64) -> Draft<'m> {
        Draft {
            method: "POST",
            url: self.event.endpoint.as_str(),
            id: &message.id,
            time_seconds: self.now.seconds().saturating_add(seconds),
            body: &message.body,
        }
    }

    /// The request that brings a message to the receiver.
    pub(super) fn ask(&self, message: &Message) -> Ask {
        message.ask(self.event.endpoint.as_str(), self.scheme.content_type())
    }

    /// The same request for a shell. Nothing in it opens anything: the signature is one over an
    /// event that never happened.
    pub(super) fn curl(&self, message: &Message) -> String {
        self.ask(message).curl()
    }

    /// The header with the signature, where it stands in one.
    pub(super) fn signature_header(&self) -> Option<&'static str> {
        match self.scheme.facts().signature {
            Place::Body(_) => None,
            Place::Header(name) => Some(name),
        }
    }

    /// How far a message lies that is a minute outside the window, in seconds.
    pub(super) fn outside(&self) -> i64 {
        self.window_seconds.saturating_add(60)
    }

    /// How far a message lies that is a day outside the window, in seconds.
    pub(super) fn far_outside(&self) -> i64 {
        self.window_seconds.saturating_add(86_400)
    }

    /// Secrets of whoever takes the public key, which everybody knows, for a shared secret: its
    /// bytes, and the text in which receivers configure it.
    pub(super) fn mistaken(&self) -> Vec<(&'static str, Shared)> {
        let Signer::Private(key) = &self.key else { return Vec::new() };
        let public = key.public();
        let text = countersign_seal::scheme::standard_webhooks::public_key_text(&public);
        let bytes = Shared::from_bytes(public.as_bytes()).ok();
        let text = Shared::from_bytes(text.as_bytes()).ok();
        let named = [("public-key-as-secret", bytes), ("public-key-text-as-secret", text)];
        named.into_iter().filter_map(|(name, it)| Some((name, it?))).collect()
    }
}

/// How names begin that stand for nobody.
pub(super) const CANARY: &[u8] = b"canary-";
const ID_DIGITS: usize = 20;

/// An event of the declared kind, with nothing but the declared fields, about nobody.
fn body(event: &EventSubscription, name: &str, now: Timestamp) -> Value {
    let kind = event.types.first().map_or("canary", String::as_str);
    let mut data = Value::Object(Map::new());
    for field in &event.fields {
        let last = field.rsplit('.').next().unwrap_or_default();
        let value = match last {
            "time" | "timestamp" => now.to_string(),
            "type" => kind.to_owned(),
            _ => format!("{}{name}", String::from_utf8_lossy(CANARY)),
        };
        put(&mut data, field, value);
    }
    json!({ "type": kind, "timestamp": now.to_string(), "data": data })
}

fn put(into: &mut Value, field: &str, value: String) {
    match field.split_once('.') {
        Some((first, rest)) => {
            if !into[first].is_object() {
                into[first] = Value::Object(Map::new());
            }
            put(&mut into[first], rest, value);
        }
        None => into[field] = value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::webhook::sample::{event, received, workshop};

    #[test]
    fn a_right_message_is_one_and_carries_only_declared_fields() {
        let event = event();
        let workshop = workshop(&event);
        let message = workshop.right("control").unwrap();
        assert_eq!(received(&message, &workshop), Ok(()));
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        insta::assert_snapshot!(body, @r#"{"data":{"event":{"time":"2026-11-24T03:05:11.000Z","type":"user.locked"},"user":{"id":"canary-msg_76ef46b899e414202955"}},"timestamp":"2026-11-24T03:05:11.000Z","type":"user.locked"}"#);
    }

    #[test]
    fn a_request_can_be_repeated_by_hand() {
        let event = event();
        let workshop = workshop(&event);
        let mut message = workshop.right("control").unwrap();
        message.sealed.set("webhook-signature", Some(""));
        message.sealed.body = b"it's".to_vec();
        insta::assert_snapshot!(workshop.curl(&message), @r"curl -i -X POST 'https://events.acme.example/id' -H 'content-type: application/json' -H 'webhook-id: msg_76ef46b899e414202955' -H 'webhook-timestamp: 1795489511' -H 'webhook-signature;' --data-binary 'it'\''s'");
    }
}
