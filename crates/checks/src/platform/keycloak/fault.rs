//! What Keycloak's refusals mean, and what to do about them.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::account::Who;
use crate::live::http::Raw;
use crate::platform::PlatformFault;

/// How much of a foreign word is kept.
const WORD_CHARS_MAX: usize = 100;

/// What an account has to be allowed, by the roles of `realm-management`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    ManageClients,
    ViewClients,
    ViewEvents,
    ViewRealm,
    ViewUsers,
}

impl Role {
    pub(super) fn who(self) -> Who {
        match self {
            Self::ManageClients => Who::Killer,
            Self::ViewClients | Self::ViewEvents | Self::ViewRealm | Self::ViewUsers => Who::Reader,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::ManageClients => "manage-clients",
            Self::ViewClients => "view-clients",
            Self::ViewEvents => "view-events",
            Self::ViewRealm => "view-realm",
            Self::ViewUsers => "view-users",
        }
    }
}

pub(super) fn unreadable(why: impl Into<String>) -> PlatformFault {
    PlatformFault::Unreadable(why.into())
}

pub(super) fn word(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(WORD_CHARS_MAX).collect()
}

/// The code of a refusal; nothing when there is none.
pub(super) fn code(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = ["error", "errorMessage", "code"].into_iter().find_map(|it| value.get(it)?.as_str());
    code.map(word).unwrap_or_default()
}

pub(super) fn refused(raw: &Raw) -> PlatformFault {
    PlatformFault::Refused { status: raw.status, code: code(&raw.body) }
}

/// What was not found, as its administration would say it.
pub(super) fn unknown() -> PlatformFault {
    PlatformFault::Refused { status: 404, code: "unknown".to_owned() }
}

/// Refuses an answer that asks for fewer requests, with the time that it names (RFC 9110, section 10.2.3).
pub(super) fn not_busy(raw: Raw) -> Result<Raw, PlatformFault> {
    if raw.status != 429 {
        return Ok(raw);
    }
    let after = raw.headers.iter().find(|(name, _)| name == "retry-after");
    Err(PlatformFault::Busy { seconds: after.and_then(|(_, it)| it.trim().parse().ok()) })
}

/// The JSON of an answer that says yes.
pub(super) fn parsed<T: DeserializeOwned>(raw: &Raw) -> Result<T, PlatformFault> {
    serde_json::from_slice(&raw.body).map_err(|it| unreadable(it.to_string()))
}

/// What the token endpoint answered to one of our accounts.
pub(super) fn account(
    raw: &Raw,
    who: Who,
    client: &str,
    realm: &str,
) -> Result<Value, PlatformFault> {
    match raw.status {
        200..=299 => parsed(raw),
        400 | 401 => Err(PlatformFault::Settings(format!(
            "the account that {} (`{client}`) is refused: `{}`; its secret or key was changed or has \
             ended, or it is disabled: put the present one into its file, and look at the client in \
             the realm",
            who.verb(),
            code(&raw.body)
        ))),
        404 => Err(no_realm(realm)),
        _ => Err(refused(raw)),
    }
}

fn no_realm(realm: &str) -> PlatformFault {
    PlatformFault::Settings(format!(
        "there is no realm at `{realm}`: look whether the end of `url` is the realm's name"
    ))
}

/// Whether its administration did what was asked.
pub(super) fn administration(
    raw: &Raw,
    role: Role,
    client: &str,
    realm: &str,
) -> Result<(), PlatformFault> {
    let verb = role.who().verb();
    match raw.status {
        200..=299 => Ok(()),
        401 => Err(PlatformFault::Settings(format!(
            "the account that {verb} (`{client}`) got a token that the administration refuses; look \
             whether `admin_url` leads to the same server"
        ))),
        403 => Err(PlatformFault::Settings(format!(
            "the account that {verb} (`{client}`) may not do that: give its service account the role \
             `{}` of the client `realm-management`",
            role.word()
        ))),
        404 if code(&raw.body).starts_with("Realm not found") => Err(no_realm(realm)),
        _ => Err(refused(raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(status: u16, body: &str) -> Raw {
        Raw { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let realm = "https://id.example.com/realms/partners";
        let account = |status, body| {
            account(&raw(status, body), Who::Reader, "reader", realm).unwrap_err().to_string()
        };
        let admin = |status, body| {
            let role = Role::ManageClients;
            administration(&raw(status, body), role, "killer", realm).unwrap_err().to_string()
        };
        let said = [
            account(401, r#"{"error":"unauthorized_client"}"#),
            account(404, r#"{"error":"Realm does not exist"}"#),
            account(503, ""),
            admin(401, r#"{"error":"HTTP 401 Unauthorized"}"#),
            admin(403, r#"{"error":"HTTP 403 Forbidden"}"#),
            admin(404, r#"{"error":"Realm not found."}"#),
            admin(404, r#"{"error":"Could not find client"}"#),
            admin(409, r#"{"errorMessage":"Client x already exists"}"#),
            admin(500, "<html>"),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        its connector is not set up: the account that reads (`reader`) is refused: `unauthorized_client`; its secret or key was changed or has ended, or it is disabled: put the present one into its file, and look at the client in the realm
        its connector is not set up: there is no realm at `https://id.example.com/realms/partners`: look whether the end of `url` is the realm's name
        it answered 503 (``)
        its connector is not set up: the account that kills (`killer`) got a token that the administration refuses; look whether `admin_url` leads to the same server
        its connector is not set up: the account that kills (`killer`) may not do that: give its service account the role `manage-clients` of the client `realm-management`
        its connector is not set up: there is no realm at `https://id.example.com/realms/partners`: look whether the end of `url` is the realm's name
        it answered 404 (`Could not find client`)
        it answered 409 (`Client x already exists`)
        it answered 500 (``)
        ");
    }

    #[test]
    fn a_server_that_is_busy_says_for_how_long_or_not() {
        let with = |status: u16, after: &str| Raw {
            headers: vec![("retry-after".to_owned(), after.to_owned())],
            ..raw(status, "")
        };
        let said = |raw| match not_busy(raw) {
            Err(PlatformFault::Busy { seconds }) => format!("{seconds:?}"),
            other => other.map(|it| it.status.to_string()).unwrap(),
        };
        assert_eq!(said(with(429, " 3 ")), "Some(3)");
        assert_eq!(said(with(429, "Wed, 21 Oct 2026 07:28:00 GMT")), "None");
        assert_eq!(said(raw(429, "")), "None");
        assert_eq!(said(with(200, "3")), "200");
    }
}
