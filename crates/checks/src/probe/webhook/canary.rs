//! Events that are made up for a check: right ones, and wrong ones made of right ones.

use countersign_model::declare::manifest::EventSubscription;
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use countersign_seal::scheme::standard_webhooks::{
    ID, SIGNATURE, Secret, SendKey, TIMESTAMP, WebhookError, sign,
};
use serde_json::{Map, Value, json};

use crate::live::ask::Ask;

/// A message as it is sent: what is none is not sent at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) timestamp: Option<String>,
    pub(super) signature: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Message {
    fn headers(&self) -> Vec<(&'static str, &str)> {
        let mut headers = vec![("content-type", "application/json"), (ID, self.id.as_str())];
        headers.extend(self.timestamp.as_deref().map(|it| (TIMESTAMP, it)));
        headers.extend(self.signature.as_deref().map(|it| (SIGNATURE, it)));
        headers
    }

    /// The request that brings it.
    pub(super) fn ask(&self, endpoint: &str) -> Ask {
        let mut ask = Ask::new("POST", endpoint);
        ask.body.clone_from(&self.body);
        self.headers().into_iter().fold(ask, |ask, (name, value)| ask.header(name, value))
    }

    /// The same request for a shell. Nothing in it opens anything: the signature is one over an
    /// event that never happened.
    pub(super) fn curl(&self, endpoint: &str) -> String {
        self.ask(endpoint).curl()
    }
}

/// Where messages are made.
#[derive(Debug, Clone)]
pub(super) struct Workshop<'a> {
    /// What is declared about the events.
    pub(super) event: &'a EventSubscription,
    /// The key that the receiver knows.
    pub(super) key: SendKey,
    /// A key that nobody knows.
    pub(super) foreign: SendKey,
    /// A name that nobody has used before.
    pub(super) stem: String,
    /// How old or early a message may be, in seconds.
    pub(super) window_seconds: i64,
    /// What time it is.
    pub(super) now: Timestamp,
}

impl Workshop<'_> {
    /// A message that is right but for its age: `seconds` are counted from now, negative ones back.
    pub(super) fn at(&self, name: &str, seconds: i64) -> Result<Message, WebhookError> {
        // Nobody can tell from an id which message is right.
        let named = Digest::of_parts(&[self.stem.as_bytes(), name.as_bytes()]).hex();
        let id = format!("msg_{}", &named[..ID_DIGITS]);
        let body = body(self.event, &id, self.now).to_string().into_bytes();
        self.again(&Message { id, timestamp: None, signature: None, body }, seconds)
    }

    /// A message that is right.
    pub(super) fn right(&self, name: &str) -> Result<Message, WebhookError> {
        self.at(name, 0)
    }

    /// The same message, signed anew at another time.
    pub(super) fn again(&self, message: &Message, seconds: i64) -> Result<Message, WebhookError> {
        let time = self.now.seconds().saturating_add(seconds);
        let signature = sign(&message.id, time, &message.body, &self.key)?;
        Ok(Message {
            timestamp: Some(time.to_string()),
            signature: Some(signature),
            ..message.clone()
        })
    }

    /// How far a message lies that is a minute outside the window, in seconds.
    pub(super) fn outside(&self) -> i64 {
        self.window_seconds.saturating_add(60)
    }

    /// How far a message lies that is a day outside the window, in seconds.
    pub(super) fn far_outside(&self) -> i64 {
        self.window_seconds.saturating_add(86_400)
    }

    /// What a key that nobody knows says about a message.
    pub(super) fn forged(&self, message: &Message) -> Result<String, WebhookError> {
        sign(&message.id, self.now.seconds(), &message.body, &self.foreign)
    }

    /// The signature of whoever takes the public key, which everybody knows, for a shared secret.
    pub(super) fn downgraded(&self, message: &Message) -> Result<Option<String>, WebhookError> {
        let SendKey::Private(key) = &self.key else { return Ok(None) };
        let Ok(secret) = Secret::from_bytes(key.public().as_bytes()) else { return Ok(None) };
        let key = SendKey::Secret(secret);
        sign(&message.id, self.now.seconds(), &message.body, &key).map(Some)
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
        let (workshop, key) = workshop(&event);
        let message = workshop.right("control").unwrap();
        assert_eq!(received(&message, &key), Ok(()));
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        insta::assert_snapshot!(body, @r#"{"data":{"event":{"time":"2026-11-24T03:05:11.000Z","type":"user.locked"},"user":{"id":"canary-msg_76ef46b899e414202955"}},"timestamp":"2026-11-24T03:05:11.000Z","type":"user.locked"}"#);
    }

    #[test]
    fn a_request_can_be_repeated_by_hand() {
        let event = event();
        let (workshop, _) = workshop(&event);
        let mut message = workshop.right("control").unwrap();
        message.signature = Some(String::new());
        message.body = b"it's".to_vec();
        insta::assert_snapshot!(message.curl("https://events.acme.example/id"), @r"curl -i -X POST 'https://events.acme.example/id' -H 'content-type: application/json' -H 'webhook-id: msg_76ef46b899e414202955' -H 'webhook-timestamp: 1795489511' -H 'webhook-signature;' --data-binary 'it'\''s'");
    }
}
