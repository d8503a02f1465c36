//! Requests to a platform as a person repeats them: lines for a shell, with placeholders for what is secret.

use serde_json::Value;

use super::{ApiCall, Platform};
use crate::live::ask::Ask;

/// What an administrator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminAct<'a> {
    /// Reads what is held for an integration.
    ListClients(&'a str),
    /// Makes a throw-away copy of a client.
    Copy(&'a str),
    /// Disables a client.
    Disable(&'a str),
    /// Deletes a client.
    Delete(&'a str),
    /// Reads the uses that are written down of a client.
    AccessLog(&'a str),
}

/// A token request as a client that proves itself with a key (RFC 7523).
pub(crate) fn token_request(platform: &dyn Platform, client: &str) -> String {
    let endpoint = platform.token_endpoint();
    format!(
        "curl -i -X POST '{endpoint}' --data-urlencode 'grant_type=client_credentials' --data-urlencode 'client_id={client}' --data-urlencode 'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer' --data-urlencode \"client_assertion=$ASSERTION\"  # $ASSERTION: a JWT signed with the client's key, with iss and sub `{client}`, aud `{endpoint}`, exp in 60 s and a new jti"
    )
}

/// A call at the platform's API with a token of a client.
pub(crate) fn api_call(
    platform: &dyn Platform,
    call: &ApiCall,
    headers: &[(&str, &str)],
) -> String {
    let mut ask = Ask::new(&call.method, format!("{}{}", platform.issuer(), call.path));
    for (name, value) in headers {
        ask = ask.header(name, *value);
    }
    if let Some(body) = &call.body {
        ask = ask.json(body.to_string());
    }
    let curl = ask.curl();
    format!(
        "{curl} -H \"authorization: Bearer $TOKEN\"  # $TOKEN: an access token of a copy of the client"
    )
}

/// What an administrator sends; in words where the connector does not say.
pub(crate) fn admin(platform: &dyn Platform, act: AdminAct<'_>) -> String {
    platform.by_hand(act).unwrap_or_else(|| {
        let issuer = platform.issuer();
        match act {
            AdminAct::ListClients(it) => format!("list the clients of {it} at {issuer}"),
            AdminAct::Copy(it) => format!("copy the client {it} at {issuer}"),
            AdminAct::Disable(it) => format!("disable the client {it} at {issuer}"),
            AdminAct::Delete(it) => format!("delete the client {it} at {issuer}"),
            AdminAct::AccessLog(it) => format!("read the uses of {it} at {issuer}"),
        }
    })
}

/// A call without a body.
pub(crate) fn call(method: &str, path: &str) -> ApiCall {
    ApiCall {
        name: format!("{method} {path}"),
        method: method.to_owned(),
        path: path.to_owned(),
        body: None,
    }
}

/// A call with a body.
pub(crate) fn call_with(name: &str, method: &str, path: String, body: Value) -> ApiCall {
    ApiCall { name: name.to_owned(), method: method.to_owned(), path, body: Some(body) }
}
