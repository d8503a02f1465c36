//! JSON lines with our own names, and with the names that many gateways use.

use std::borrow::Cow;

use super::super::record::Record;
use super::super::tree::{Object, Value};
use super::{About, Format};

/// Any JSON object.
#[derive(Debug)]
pub(super) struct Own;

impl Format for Own {
    fn about(&self) -> &'static About {
        &About {
            name: "json-lines",
            title: "JSON lines with the names of the normal record",
            source: "docs/logs.md",
            cannot: &[],
        }
    }

    fn fits(&self, _object: &Object<'_>) -> bool {
        true
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::granted();
        for (name, value) in object.0 {
            if let Some(text) = value.text() {
                record.member(name, &value, text);
            }
        }
        record
    }
}

impl<'a> Record<'a> {
    fn member(&mut self, name: Cow<'a, str>, value: &Value<'a>, text: Cow<'a, str>) {
        match name.as_ref() {
            "time" | "timestamp" | "ts" => self.time = self.moment_of("time", value),
            "issued_at" | "iat" => self.issued_at = self.moment_of("issued_at", value),
            "expires_at" | "exp" => self.expires_at = self.moment_of("expires_at", value),
            "revoked_at" => self.revoked_at = self.moment_of("revoked_at", value),
            "event_id" => self.event_id = Some(text),
            "client_id" => self.client_id = Some(text),
            "token_id" | "jti" => self.token_id = Some(text),
            "token_hash" | "token_sha256" => self.token_hash = Some(text),
            "session_id" | "sid" => self.session_id = Some(text),
            "actor" => self.actor = Some(text),
            "subject" | "sub" => self.subject = Some(text),
            "key_id" | "kid" => self.key_id = Some(text),
            "auth" => self.auth = Some(text),
            "grant" | "grant_type" => self.grant = Some(text),
            "scope" | "scopes" => self.scopes = value.words(),
            "audience" | "aud" => self.audience = value.words(),
            "user_agent" | "agent" => self.agent = Some(text),
            "action" | "event" | "event_type" | "type" => {
                self.action = self.action.take().or(Some(text));
            }
            "resource" => self.resource = self.resource.take().or(Some(text)),
            // What was done on the wire says more than a word for it.
            "method" | "path" => {
                let place = if name == "path" { &mut self.resource } else { &mut self.action };
                *place = Some(text.clone());
                self.fields.insert(name, text);
            }
            "ip" | "source_ip" => self.at_address(Some(text)),
            "seq" | "sequence" => self.numbered(&text),
            "result" | "outcome" => self.granted &= is_yes(&text),
            "status" => {
                self.granted &= text.parse().map_or_else(|_| is_yes(&text), |it: u16| it < 400);
                self.fields.insert(name, text);
            }
            _ => self.fields.insert(name, text),
        }
    }
}

fn is_yes(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["allowed", "granted", "issued", "ok", "success", "succeeded", "true"].contains(&text.as_str())
}

/// A whole record.
#[cfg(test)]
pub(super) const SAMPLE: &str = r#"{"time":"2026-11-24T03:05:11Z","client_id":"a","token_id":"t1","actor":"","scope":"x y","ip":"192.0.2.1","seq":7,"order_id":"o-1","expires_at":1795489811,"result":"refused"}"#;
