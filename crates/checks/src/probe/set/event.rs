//! Security events that are made up for a check: right ones, and wrong ones made of right ones.
//!
//! Source: RFC 8417, RFC 9493, CAEP 1.0, RISC 1.0.

use std::sync::Arc;

use countersign_model::declare::manifest::{Stream, StreamAlg};
use countersign_model::time::Timestamp;
use serde_json::{Value, json};

use crate::harness::keys::{Alg, KeyPair};
use crate::live::ask::Ask;

/// The media type of a pushed event (RFC 8935, section 2.1).
pub(super) const MEDIA_TYPE: &str = "application/secevent+jwt";

/// The last word of a kind of event: `session-revoked`.
pub(super) fn short(kind: &str) -> &str {
    kind.rsplit('/').next().unwrap_or(kind)
}

/// The whole name of a kind of event.
pub(super) fn whole(kind: &str) -> String {
    if kind.contains("://") {
        return kind.to_owned();
    }
    let family = if kind.starts_with("account-") { "risc" } else { "caep" };
    format!("https://schemas.openid.net/secevent/{family}/event-type/{kind}")
}

/// What events are made with.
#[derive(Debug, Clone)]
pub(super) struct Maker {
    /// Our issuer.
    pub(super) issuer: String,
    /// The key that the receiver finds in our key set.
    pub(super) key: Arc<KeyPair>,
    /// A key of the same kind that nobody publishes.
    pub(super) foreign: Arc<KeyPair>,
    /// Whom events are for.
    pub(super) audience: String,
    /// Where they go.
    pub(super) endpoint: String,
    /// Our bearer token.
    pub(super) bearer: String,
    /// A name that nobody has used before.
    pub(super) stem: String,
    /// The kind of event that is sent where any will do.
    pub(super) kind: String,
    /// Whom it is about where anybody will do.
    pub(super) subject: String,
    /// What time it is.
    pub(super) now: Timestamp,
}

/// An event as it is pushed.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) jti: String,
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) token: String,
    pub(super) media_type: &'static str,
    pub(super) bearer: Option<String>,
    /// How the token is made, for people.
    pub(super) signed: &'static str,
}

/// The algorithm of a stream.
pub(super) fn alg(stream: &Stream) -> Alg {
    match stream.alg {
        StreamAlg::EdDsa => Alg::EdDsa,
        StreamAlg::Es256 => Alg::Es256,
        StreamAlg::Rs256 => Alg::Rs256,
    }
}

const OUR_KEY: &str = "signed with the transmitter's key";

impl Maker {
    /// A right event of any kind, about nobody in particular.
    pub(super) fn right(&self, name: &str) -> Option<Event> {
        let payload = match short(&self.kind) {
            "credential-change" => json!({"credential_type": "x509", "change_type": "update"}),
            _ => json!({}),
        };
        self.about(name, &self.kind, &self.subject, payload, self.now)
    }

    /// A right event of a kind about a subject, as of a moment.
    pub(super) fn about(
        &self,
        name: &str,
        kind: &str,
        subject: &str,
        mut payload: Value,
        moment: Timestamp,
    ) -> Option<Event> {
        let jti = format!("{}-{name}", self.stem);
        payload["event_timestamp"] = moment.seconds().into();
        let claims = json!({
            "iss": self.issuer, "aud": self.audience, "jti": jti, "iat": self.now.seconds(),
            "sub_id": {"format": "opaque", "id": subject},
            "events": {whole(kind): payload},
        });
        self.sign(jti, self.key.header("secevent+jwt"), claims)
    }

    /// Signs a header and claims with our key.
    pub(super) fn sign(&self, jti: String, header: Value, claims: Value) -> Option<Event> {
        let token = self.key.token(&header.to_string(), &claims.to_string())?;
        Some(Event {
            jti,
            header,
            claims,
            token,
            media_type: MEDIA_TYPE,
            bearer: Some(self.bearer.clone()),
            signed: OUR_KEY,
        })
    }

    /// The request that pushes an event.
    pub(super) fn ask(&self, event: &Event) -> Ask {
        let mut ask = Ask::new("POST", self.endpoint.as_str())
            .header("content-type", event.media_type)
            .header("accept", "application/json")
            .bearer(event.bearer.as_deref());
        ask.body = event.token.clone().into_bytes();
        ask
    }

    /// The same request for a shell, and how its token is made.
    pub(super) fn curl(&self, event: &Event) -> String {
        let bearer =
            event.bearer.as_ref().map_or("", |_| " -H \"authorization: Bearer $PUSH_TOKEN\"");
        format!(
            "curl -i -X POST '{}' -H 'content-type: {}' -H 'accept: application/json'{bearer} \
             --data-binary \"$SET\"  # $SET: header {}, claims {}, {}",
            self.endpoint, event.media_type, event.header, event.claims, event.signed,
        )
    }
}
