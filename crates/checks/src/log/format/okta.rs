//! Okta's System Log.
//!
//! Source: Okta System Log API, LogEvent object; event types `app.oauth2.*`.

use super::super::record::{Record, Told};
use super::super::tree::{Object, Value};
use super::{About, Format};

/// Events of Okta's System Log.
#[derive(Debug)]
pub(super) struct Okta;

impl Format for Okta {
    fn about(&self) -> &'static About {
        &About {
            name: "okta-system-log",
            title: "Okta System Log",
            source: "Okta System Log API, LogEvent object",
            cannot: &[
                ("key_id", "an event does not tell which key or secret was used"),
                ("seq", "events are not numbered"),
                ("issued_at", "an event has its own time, and no other for the token's begin"),
            ],
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        object.has("eventType") && object.has("published")
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        let mut record = Record::granted();
        record.event_id = object.text("uuid");
        record.time = record.moment_of("time", object.get("published"));
        record.action = object.text("eventType");
        record.told = Some(told(record.action.as_deref().unwrap_or_default()));
        let actor = object.text_at(&["actor", "id"]);
        let is_person = object.text_at(&["actor", "type"]).as_deref() == Some("User");
        record.client_id =
            object.text_at(&["client", "id"]).or_else(|| actor.clone().filter(|_| !is_person));
        record.actor = object.text_at(&["actor", "alternateId"]).filter(|_| is_person);
        record.subject = actor;
        record.at_address(object.text_at(&["client", "ipAddress"]));
        record.agent = object.text_at(&["client", "userAgent", "rawUserAgent"]);
        let session = object.text_at(&["authenticationContext", "externalSessionId"]);
        record.session_id = session.filter(|it| it != "unknown");
        let result = object.text_at(&["outcome", "result"]);
        record.granted = result.as_deref().is_none_or(|it| it == "SUCCESS" || it == "ALLOW");
        if let Some(debug) = object.at(&["debugContext", "debugData"]).object() {
            record.grant = debug.text("grantType");
            record.auth = debug.text("clientAuthType");
            let granted = debug.get("grantedScopes");
            let asked = debug.get("requestedScopes");
            record.scopes = if granted.text().is_some() { granted } else { asked }.listed();
            record.resource = debug.text("requestUri");
            record.keep(debug, &["requestId", "requestedScopes"]);
        }
        let tokens = object.get("target").list().iter().filter_map(Value::object);
        for target in tokens.filter(|it| it.text("type").as_deref() == Some("access_token")) {
            record.token_id = target.text("id");
            record.token_hash = target.text_at(&["detailEntry", "hash"]);
            record.expires_at =
                record.moment_of("expires_at", target.at(&["detailEntry", "expires"]));
        }
        record.keep(&object, &["displayMessage", "severity"]);
        record
    }
}

fn told(kind: &str) -> Told {
    if kind.contains(".token.grant") && !kind.ends_with(".id_token") {
        Told::Request
    } else if kind.contains(".token.revoke") || kind == "user.session.end" {
        Told::Revocation
    } else {
        Told::Aside
    }
}

/// A whole record.
#[cfg(test)]
pub(super) const SAMPLE: &str = r#"{"uuid":"b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01","published":"2026-11-18T11:06:40.512Z","eventType":"app.oauth2.as.token.grant.access_token","version":"0","severity":"INFO","displayMessage":"OAuth2 access token is granted","actor":{"id":"0oa1acme","type":"PublicClientApp","alternateId":"0oa1acme","displayName":"acme-sync"},"client":{"id":"0oa1acme","ipAddress":"198.51.100.24","userAgent":{"rawUserAgent":"acme-sync/4.2"},"zone":"null"},"outcome":{"result":"SUCCESS","reason":null},"target":[{"id":"AT.k3y-example","type":"access_token","displayName":"Access Token","detailEntry":{"expires":"2026-11-18T11:21:40.000Z","subject":"0oa1acme","hash":"hW3example"}}],"transaction":{"id":"aRx0example","type":"WEB","detail":{}},"debugContext":{"debugData":{"requestId":"aRx0example","requestUri":"/oauth2/aus1/v1/token","grantType":"client_credentials","requestedScopes":"orders.read","grantedScopes":"orders.read"}},"authenticationContext":{"externalSessionId":"unknown"}}"#;

#[cfg(test)]
mod tests {
    use super::super::tests::{shown, with};
    use super::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn events_of_the_system_log() {
        let person = json!({"id": "00u1", "type": "User", "alternateId": "ada@example.com"});
        let rows = [
            SAMPLE.to_owned(),
            with(SAMPLE, "/outcome", json!({"result": "FAILURE", "reason": "invalid_scope"})),
            with(SAMPLE, "/eventType", "app.oauth2.as.token.revoke".into()),
            with(SAMPLE, "/eventType", "user.authentication.sso".into()),
            with(SAMPLE, "/actor", person),
            with(SAMPLE, "/target", Json::Null),
            with(SAMPLE, "/target/0/detailEntry/expires", "later".into()),
            with(
                SAMPLE,
                "/debugContext/debugData",
                json!({"grantedScopes": "a, b\nc", "grantType": "password"}),
            ),
            with(SAMPLE, "/published", "2027-01-01T00:00:00.000+00:00".into()),
        ];
        let seen: Vec<String> = rows.iter().map(|it| shown(it)).collect();
        insta::assert_snapshot!(seen.join("\n"), @r#"
        okta-system-log Request time=2026-11-18T11:06:40.512Z expires=2026-11-18T11:21:40.000Z event="b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01" client="0oa1acme" token_id="AT.k3y-example" hash="hW3example" subject="0oa1acme" grant="client_credentials" agent="acme-sync/4.2" action="app.oauth2.as.token.grant.access_token" resource="/oauth2/aus1/v1/token" scope=orders.read ip=198.51.100.24 requestId:"aRx0example" requestedScopes:"orders.read" displayMessage:"OAuth2 access token is granted" severity:"INFO"
        okta-system-log Request refused time=2026-11-18T11:06:40.512Z expires=2026-11-18T11:21:40.000Z event="b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01" client="0oa1acme" token_id="AT.k3y-example" hash="hW3example" subject="0oa1acme" grant="client_credentials" agent="acme-sync/4.2" action="app.oauth2.as.token.grant.access_token" resource="/oauth2/aus1/v1/token" scope=orders.read ip=198.51.100.24 requestId:"aRx0example" requestedScopes:"orders.read" displayMessage:"OAuth2 access token is granted" severity:"INFO"
        okta-system-log Revocation time=2026-11-18T11:06:40.512Z expires=2026-11-18T11:21:40.000Z event="b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01" client="0oa1acme" token_id="AT.k3y-example" hash="hW3example" subject="0oa1acme" grant="client_credentials" agent="acme-sync/4.2" action="app.oauth2.as.token.revoke" resource="/oauth2/aus1/v1/token" scope=orders.read ip=198.51.100.24 requestId:"aRx0example" requestedScopes:"orders.read" displayMessage:"OAuth2 access token is granted" severity:"INFO"
        okta-system-log Aside time=2026-11-18T11:06:40.512Z expires=2026-11-18T11:21:40.000Z event="b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01" client="0oa1acme" token_id="AT.k3y-example" hash="hW3example" subject="0oa1acme" grant="client_credentials" agent="acme-sync/4.2" action="user.authentication.sso" resource="/oauth2/aus1/v1/token" scope=orders.read ip=198.51.100.24 requestId:"aRx0example" requestedScopes:"orders.read" displayMessage:"OAuth2 access token is granted" severity:"INFO"
        okta-system-log Request time=2026-11-18T11:06:40.512Z expires=2026-11-18T11:21:40.000Z event="b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01" client="0oa1acme" token_id="AT.k3y-example" hash="hW3example" actor="ada@example.com" subject="00u1" grant="client_credentials" agent="acme-sync/4.2" action="app.oauth2.as.token.grant.access_token" resource="/oauth2/aus1/v1/token" scope=orders.read ip=198.51.100.24 requestId:"aRx0example" requestedScopes:"orders.read" displayMessage:"OAuth2 access token is granted" severity:"INFO"
        okta-system-log Request time=2026-11-18T11:06:40.512Z event="b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01" client="0oa1acme" subject="0oa1acme" grant="client_credentials" agent="acme-sync/4.2" action="app.oauth2.as.token.grant.access_token" resource="/oauth2/aus1/v1/token" scope=orders.read ip=198.51.100.24 requestId:"aRx0example" requestedScopes:"orders.read" displayMessage:"OAuth2 access token is granted" severity:"INFO"
        okta-system-log Request time=2026-11-18T11:06:40.512Z event="b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01" client="0oa1acme" token_id="AT.k3y-example" hash="hW3example" subject="0oa1acme" grant="client_credentials" agent="acme-sync/4.2" action="app.oauth2.as.token.grant.access_token" resource="/oauth2/aus1/v1/token" scope=orders.read ip=198.51.100.24 requestId:"aRx0example" requestedScopes:"orders.read" displayMessage:"OAuth2 access token is granted" severity:"INFO" unreadable:expires_at
        okta-system-log Request time=2026-11-18T11:06:40.512Z expires=2026-11-18T11:21:40.000Z event="b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01" client="0oa1acme" token_id="AT.k3y-example" hash="hW3example" subject="0oa1acme" grant="password" agent="acme-sync/4.2" action="app.oauth2.as.token.grant.access_token" scope=a,b,c ip=198.51.100.24 displayMessage:"OAuth2 access token is granted" severity:"INFO"
        okta-system-log Request time=2027-01-01T00:00:00.000Z expires=2026-11-18T11:21:40.000Z event="b6c1d9a0-c4f3-11f0-8d3a-5f2b9c7e1a01" client="0oa1acme" token_id="AT.k3y-example" hash="hW3example" subject="0oa1acme" grant="client_credentials" agent="acme-sync/4.2" action="app.oauth2.as.token.grant.access_token" resource="/oauth2/aus1/v1/token" scope=orders.read ip=198.51.100.24 requestId:"aRx0example" requestedScopes:"orders.read" displayMessage:"OAuth2 access token is granted" severity:"INFO"
        "#);
    }
}
