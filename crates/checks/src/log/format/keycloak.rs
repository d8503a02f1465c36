//! Events of Keycloak: what its admin API answers, and what its server writes into its own log.
//!
//! Source: Keycloak 26, Server Administration Guide, "Auditing user events"; admin REST API, `GET /admin/realms/{realm}/events`.

use std::borrow::Cow;

use super::super::line::LineError;
use super::super::record::{Record, Told};
use super::super::tree::{Object, Value, split};
use super::{About, Format};

/// Events of Keycloak.
#[derive(Debug)]
pub(super) struct Keycloak;

impl Format for Keycloak {
    fn about(&self) -> &'static About {
        &About {
            name: "keycloak-events",
            title: "Keycloak events: JSON of its admin API, JSON and `key=\"value\"` lines of its server log",
            source: "Keycloak 26, Server Administration Guide, \"Auditing user events\"",
            cannot: &[
                ("expires_at", "an event does not tell how long its token lives"),
                ("token_hash", "an event carries the id of its token, and no digest"),
                ("agent", "an event does not tell the program that asked"),
                ("key_id", "an event tells the method of client authentication, and not the key"),
                ("seq", "events are not numbered"),
            ],
        }
    }

    fn fits(&self, object: &Object<'_>) -> bool {
        is_event(object) || is_admin_event(object) || is_server_line(object)
    }

    fn record<'a>(&self, object: Object<'a>) -> Record<'a> {
        if is_server_line(&object) {
            return server_line(&object);
        }
        let mut record = Record::granted();
        record.told = is_admin_event(&object).then_some(Told::Aside);
        for (name, value) in object.0 {
            match (name.as_ref(), value) {
                ("details", Value::Object(details)) => {
                    for (name, value) in details.0 {
                        detail(&mut record, name, &value);
                    }
                }
                (_, value) => member(&mut record, name, &value),
            }
        }
        settle(&mut record);
        record
    }

    fn text<'a>(&self, line: &'a str) -> Option<Result<Record<'a>, LineError>> {
        let (time, rest) = stamp(line)?;
        // `LEVEL [logger] (thread) message`, with any number of blanks.
        let rest = rest.trim_start().split_once(char::is_whitespace)?.1;
        let (logger, rest) = rest.trim_start().strip_prefix('[')?.split_once(']')?;
        if logger != LOGGER {
            return Some(Err(LineError::NoEvent));
        }
        let message = rest.trim_start().strip_prefix('(').and_then(|it| it.split_once(") "));
        let mut record = message_of(message.map_or(rest, |it| it.1));
        record.format = Some(self.about());
        record.time = record.moment_in("time", &time);
        Some(if record.unreadable.contains(CUT) { Err(LineError::CutOff) } else { Ok(record) })
    }
}

/// What is unreadable where a message ends inside a value.
const CUT: &str = "message";
/// The category that events are logged under.
const LOGGER: &str = "org.keycloak.events";

fn is_event(object: &Object<'_>) -> bool {
    object.has("realmId") && object.has("type") && object.has("time")
}

fn is_admin_event(object: &Object<'_>) -> bool {
    object.has("operationType") && object.has("authDetails")
}

/// A line of the server's log where that is set to JSON.
fn is_server_line(object: &Object<'_>) -> bool {
    object.has("loggerName") && object.has("message")
}

fn server_line<'a>(object: &Object<'a>) -> Record<'a> {
    let message = object.text("message").unwrap_or_default();
    let is_event = object.get("loggerName").text().as_deref() == Some(LOGGER);
    let mut record = match (is_event, message) {
        (false, _) => Record { told: Some(Told::Aside), ..Record::granted() },
        (true, Cow::Borrowed(it)) => message_of(it),
        (true, Cow::Owned(it)) => message_of(&it).into_owned(),
    };
    record.time = record.moment_of("time", object.get("timestamp"));
    record
}

/// The time at the beginning of a line, and what stands after it: `2026-11-18 11:06:40,123 …`.
fn stamp(line: &str) -> Option<(String, &str)> {
    let (stamp, rest) = line.split_at_checked(STAMP.len())?;
    let is_stamp = stamp.bytes().zip(STAMP.bytes()).all(|(it, model)| match model {
        b'0' => it.is_ascii_digit(),
        b',' => it == b',' || it == b'.',
        b' ' => it == b' ' || it == b'T',
        other => it == other,
    });
    is_stamp.then(|| {
        let text = format!("{}Z", stamp.replace(' ', "T").replace(',', "."));
        (text, rest)
    })
}

const STAMP: &str = "0000-00-00 00:00:00,000";

/// The record of `type="CLIENT_LOGIN", realmId="…", …`, with or without quotes.
fn message_of(message: &str) -> Record<'_> {
    let mut record = Record::granted();
    let mut rest = message;
    while let Some((name, value, after)) = pair(rest) {
        rest = after;
        if value != "null" && !value.trim().is_empty() {
            let value = Value::Text(value);
            let is_member = MEMBERS.contains(&name);
            let take = if is_member { member } else { detail };
            take(&mut record, Cow::Borrowed(name), &value);
        }
    }
    if !rest.trim().is_empty() {
        record.unreadable.insert(CUT);
    }
    settle(&mut record);
    record
}

/// Members of an event; every other name in a line is a detail of it.
const MEMBERS: [&str; 9] =
    ["id", "time", "type", "realmId", "realmName", "clientId", "userId", "sessionId", "ipAddress"];

/// The first name and value, and what stands after them.
fn pair(text: &str) -> Option<(&str, Cow<'_, str>, &str)> {
    let text = text.trim_start_matches([',', ' ', '\t']);
    let (name, rest) = text.split_once('=')?;
    let is_name = |it: char| it.is_alphanumeric() || "_-.:".contains(it);
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find(", ").unwrap_or(rest.len());
        let (value, after) = rest.split_at(end);
        return Some((name, Cow::Borrowed(value), after));
    };
    let end = closing_quote(quoted)?;
    let (value, after) = quoted.split_at(end);
    let value = if value.contains('\\') {
        Cow::Owned(value.replace("\\\"", "\""))
    } else {
        Cow::Borrowed(value)
    };
    Some((name, value, after.get(1..).unwrap_or_default()))
}

/// Where a quoted value ends: at a quote that no backslash stands before.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped => return Some(at),
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}

fn member<'a>(record: &mut Record<'a>, name: Cow<'a, str>, value: &Value<'a>) {
    let Some(text) = value.text() else { return };
    match name.as_ref() {
        "id" => record.event_id = Some(text),
        "time" => record.time = record.moment_of("time", value),
        "type" => record.action = Some(text),
        "clientId" => record.client_id = Some(text),
        "userId" => record.subject = Some(text),
        "sessionId" => record.session_id = Some(text),
        "ipAddress" => record.at_address(Some(text)),
        "error" => {
            record.granted = false;
            record.fields.insert(name, text);
        }
        _ => record.fields.insert(name, text),
    }
}

fn detail<'a>(record: &mut Record<'a>, name: Cow<'a, str>, value: &Value<'a>) {
    let Some(text) = value.text() else { return };
    match name.as_ref() {
        "token_id" => record.token_id = Some(text),
        "grant_type" => record.grant = Some(text),
        "scope" => record.scopes = split(&text),
        "client_auth_method" => record.auth = Some(text),
        "audience" => record.audience = split(&text),
        "actor" => record.actor = Some(text),
        "error" => {
            record.granted = false;
            record.fields.insert(name, text);
        }
        // What a realm's own providers add to its events.
        "issued_at" | "iat" => record.issued_at = record.moment_of("issued_at", value),
        "expires_at" | "exp" => record.expires_at = record.moment_of("expires_at", value),
        "user_agent" => record.agent = Some(text),
        "kid" => record.key_id = Some(text),
        "seq" => record.numbered(&text),
        _ => record.fields.insert(name, text),
    }
}

/// What an event's type says of it.
fn settle(record: &mut Record<'_>) {
    if record.told.is_some() {
        return;
    }
    let action = record.action.as_deref().unwrap_or_default();
    let (action, is_error) = action.strip_suffix("_ERROR").map_or((action, false), |it| (it, true));
    let told = match action {
        "AUTHREQID_TO_TOKEN"
        | "CLIENT_LOGIN"
        | "CODE_TO_TOKEN"
        | "JWT_AUTHORIZATION_GRANT"
        | "OAUTH2_DEVICE_CODE_TO_TOKEN"
        | "OAUTH2_EXTENSION_GRANT"
        | "PERMISSION_TOKEN"
        | "REFRESH_TOKEN"
        | "TOKEN_EXCHANGE" => Told::Request,
        // A person signs in; only with a password at the token endpoint does that give a token.
        "LOGIN" if record.grant.is_some() || record.token_id.is_some() => Told::Request,
        "LOGOUT" | "REVOKE_GRANT" => Told::Revocation,
        "USER_INFO_REQUEST" => Told::Use,
        _ => Told::Aside,
    };
    let grant = match action {
        "CLIENT_LOGIN" => Some("client_credentials"),
        "CODE_TO_TOKEN" => Some("authorization_code"),
        "REFRESH_TOKEN" => Some("refresh_token"),
        _ => None,
    };
    record.granted &= !is_error;
    record.told = Some(told);
    record.grant = record.grant.take().or(grant.map(Cow::Borrowed));
}

/// A whole record.
#[cfg(test)]
pub(super) const SAMPLE: &str = r#"{"id":"0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01","time":1795000000123,"type":"CLIENT_LOGIN","realmId":"9c1f3f7a-0000-4000-8000-000000000001","realmName":"partners","clientId":"client-acme-prod","userId":"5b9a7a1e-0000-4000-8000-000000000002","sessionId":null,"ipAddress":"198.51.100.24","error":null,"details":{"token_id":"trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11","grant_type":"client_credentials","scope":"orders.read","client_auth_method":"client-jwt","username":"service-account-client-acme-prod"}}"#;

#[cfg(test)]
mod tests {
    use super::super::tests::{shown, with};
    use super::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn events_of_the_admin_api() {
        let kind = |name: &str| with(SAMPLE, "/type", name.into());
        let rows = [
            SAMPLE.to_owned(),
            with(&kind("CLIENT_LOGIN_ERROR"), "/error", "invalid_client_credentials".into()),
            with(&kind("REVOKE_GRANT"), "/details/grant_type", Json::Null),
            with(&kind("REFRESH_TOKEN"), "/details/grant_type", Json::Null),
            kind("INTROSPECT_TOKEN"),
            kind("LOGIN"),
            with(&kind("LOGIN"), "/details", json!({"redirect_uri": "https://a.example/"})),
            with(SAMPLE, "/time", "2026-12-31T23:59:59.999Z".into()),
            with(SAMPLE, "/time", json!(1_798_761_600_000_u64)),
            with(SAMPLE, "/time", "soon".into()),
            with(SAMPLE, "/ipAddress", "[2001:db8::1]:443".into()),
            with(SAMPLE, "/details", json!({"order_id": "o\"1\n2", "seq": 9, "exp": 1_795_000_300})),
            with(SAMPLE, "/details", Json::Null),
            json!({"time": 1_795_000_000_123_u64, "realmId": "r", "operationType": "UPDATE", "resourceType": "CLIENT",
                "resourcePath": "clients/7", "authDetails": {"clientId": "security-admin-console"}})
            .to_string(),
        ];
        let seen: Vec<String> = rows.iter().map(|it| shown(it)).collect();
        insta::assert_snapshot!(seen.join("\n"), @r#"
        keycloak-events Request time=2026-11-18T11:06:40.123Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" grant="client_credentials" action="CLIENT_LOGIN" scope=orders.read ip=198.51.100.24 realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners" username:"service-account-client-acme-prod"
        keycloak-events Request refused time=2026-11-18T11:06:40.123Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" grant="client_credentials" action="CLIENT_LOGIN_ERROR" scope=orders.read ip=198.51.100.24 username:"service-account-client-acme-prod" error:"invalid_client_credentials" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Revocation time=2026-11-18T11:06:40.123Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" action="REVOKE_GRANT" scope=orders.read ip=198.51.100.24 username:"service-account-client-acme-prod" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Request time=2026-11-18T11:06:40.123Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" grant="refresh_token" action="REFRESH_TOKEN" scope=orders.read ip=198.51.100.24 username:"service-account-client-acme-prod" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Aside time=2026-11-18T11:06:40.123Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" grant="client_credentials" action="INTROSPECT_TOKEN" scope=orders.read ip=198.51.100.24 username:"service-account-client-acme-prod" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Request time=2026-11-18T11:06:40.123Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" grant="client_credentials" action="LOGIN" scope=orders.read ip=198.51.100.24 username:"service-account-client-acme-prod" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Aside time=2026-11-18T11:06:40.123Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" subject="5b9a7a1e-0000-4000-8000-000000000002" action="LOGIN" ip=198.51.100.24 redirect_uri:"https://a.example/" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Request time=2026-12-31T23:59:59.999Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" grant="client_credentials" action="CLIENT_LOGIN" scope=orders.read ip=198.51.100.24 username:"service-account-client-acme-prod" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Request time=2027-01-01T00:00:00.000Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" grant="client_credentials" action="CLIENT_LOGIN" scope=orders.read ip=198.51.100.24 username:"service-account-client-acme-prod" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Request event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" grant="client_credentials" action="CLIENT_LOGIN" scope=orders.read ip=198.51.100.24 username:"service-account-client-acme-prod" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners" unreadable:time
        keycloak-events Request time=2026-11-18T11:06:40.123Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" token_id="trrtcc:6e2b8b7c-6d1c-4a58-9a7e-2f0f7a3d9f11" subject="5b9a7a1e-0000-4000-8000-000000000002" auth="client-jwt" grant="client_credentials" action="CLIENT_LOGIN" scope=orders.read ip=2001:db8::1 username:"service-account-client-acme-prod" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Request time=2026-11-18T11:06:40.123Z expires=2026-11-18T11:11:40.000Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" subject="5b9a7a1e-0000-4000-8000-000000000002" grant="client_credentials" action="CLIENT_LOGIN" ip=198.51.100.24 seq=9 order_id:"o\"1\n2" realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Request time=2026-11-18T11:06:40.123Z event="0f6f2a62-6f9d-4f7e-9a55-0d9c2f2f6f01" client="client-acme-prod" subject="5b9a7a1e-0000-4000-8000-000000000002" grant="client_credentials" action="CLIENT_LOGIN" ip=198.51.100.24 realmId:"9c1f3f7a-0000-4000-8000-000000000001" realmName:"partners"
        keycloak-events Aside time=2026-11-18T11:06:40.123Z authDetails:"{\"clientId\":\"security-admin-console\"}" operationType:"UPDATE" realmId:"r" resourcePath:"clients/7" resourceType:"CLIENT"
        "#);
    }

    #[test]
    fn lines_of_the_server_log() {
        let rows = [
            r#"2026-11-18 11:06:40,123 DEBUG [org.keycloak.events] (executor-thread-1) type="CLIENT_LOGIN", realmId="9c1f", realmName="partners", clientId="client-acme-prod", userId="5b9a", sessionId="null", ipAddress="198.51.100.24", token_id="trrtcc:6e2b", grant_type="client_credentials", scope="orders.read email", client_auth_method="client-jwt", username="service-account-client-acme-prod""#,
            r#"2026-12-31 23:59:59,999 WARN  [org.keycloak.events] (executor-thread-7) type="CLIENT_LOGIN_ERROR", realmId="9c1f", realmName="partners", clientId="client-acme-prod", userId="null", ipAddress="198.51.100.24", error="invalid_client_credentials", reason="said \"no\", twice", grant_type="client_credentials""#,
            // Before Keycloak 22 values had no quotes.
            r"2027-01-01 00:00:00,000 WARN  [org.keycloak.events] (executor-thread-7) type=CODE_TO_TOKEN, realmId=partners, clientId=portal, userId=u-1, ipAddress=198.51.100.24, error=null",
            r#"2026-11-18 11:06:40,123 DEBUG [org.keycloak.events] (executor-thread-1) type="CLIENT_LOGIN", clientId="cut off here"#,
            r"2026-11-18 11:06:39,000 INFO  [io.quarkus] (main) Keycloak 26.7.0 on JVM started in 5.1s.",
            r#"{"timestamp":"2026-11-18T11:06:40.123Z","sequence":1209,"loggerName":"org.keycloak.events","level":"DEBUG","message":"type=\"CLIENT_LOGIN\", realmId=\"9c1f\", clientId=\"client-acme-prod\", ipAddress=\"198.51.100.24\", token_id=\"t-1\", grant_type=\"client_credentials\"","threadName":"executor-thread-1"}"#,
            r#"{"timestamp":"2026-11-18T11:06:39Z","sequence":1,"loggerName":"io.quarkus","level":"INFO","message":"started"}"#,
        ];
        let seen: Vec<String> = rows.into_iter().map(shown).collect();
        insta::assert_snapshot!(seen.join("\n"), @r#"
        keycloak-events Request time=2026-11-18T11:06:40.123Z client="client-acme-prod" token_id="trrtcc:6e2b" subject="5b9a" auth="client-jwt" grant="client_credentials" action="CLIENT_LOGIN" scope=orders.read,email ip=198.51.100.24 realmId:"9c1f" realmName:"partners" username:"service-account-client-acme-prod"
        keycloak-events Request refused time=2026-12-31T23:59:59.999Z client="client-acme-prod" grant="client_credentials" action="CLIENT_LOGIN_ERROR" ip=198.51.100.24 realmId:"9c1f" realmName:"partners" error:"invalid_client_credentials" reason:"said \"no\", twice"
        keycloak-events Request time=2027-01-01T00:00:00.000Z client="portal" subject="u-1" grant="authorization_code" action="CODE_TO_TOKEN" ip=198.51.100.24 realmId:"partners"
        error: line ends inside a value
        error: line tells of no event
        keycloak-events Request time=2026-11-18T11:06:40.123Z client="client-acme-prod" token_id="t-1" grant="client_credentials" action="CLIENT_LOGIN" ip=198.51.100.24 realmId:"9c1f"
        keycloak-events Aside time=2026-11-18T11:06:39.000Z
        "#);
    }
}
