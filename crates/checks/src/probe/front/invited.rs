//! Requests to the registration of clients.
//!
//! Source: RFC 7591; RFC 7592.

use serde_json::{Value, json};

use super::flow::secrets;
use crate::live::ask::{Ask, Received};
use crate::probe::authz::Visit;

/// The metadata of a client with everything right.
pub(super) fn right(redirect: &str) -> Value {
    json!({
        "client_name": "Countersign probe",
        "redirect_uris": [redirect],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    })
}

/// Sends metadata, and takes out of what is written down what the answer gives.
pub(super) async fn send(
    visit: &mut Visit<'_>,
    label: &str,
    (method, url): (&str, &str),
    (token, metadata): (Option<&str>, Option<&Value>),
) -> Received {
    if let Some(it) = token {
        visit.talk.hide(it);
    }
    let plain = Ask::new(method, url).header("accept", "application/json");
    let plain = match metadata {
        Some(it) => plain.json(it.to_string()),
        None => plain,
    };
    let by_hand = match token {
        Some(_) => format!("{} -H \"authorization: Bearer $TOKEN\"", plain.curl()),
        None => plain.curl(),
    };
    visit.talk.setting(&super::flow::repeat(label), by_hand);
    let ask = plain.bearer(token);
    let ask = if label.starts_with("wrong.") { ask.hostile() } else { ask };
    visit.talk.send_hiding(label, ask, secrets).await
}

/// A client that registered itself.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// Its id.
    pub(super) client_id: String,
    /// Where its registration is looked after, and with what; a server may not offer it.
    pub(super) own: Option<(String, String)>,
}

/// The client in an answer.
pub(super) fn made(answer: &Received) -> Option<Made> {
    let value = answer.json().filter(|_| answer.is_success())?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let own = text("registration_client_uri").zip(text("registration_access_token"));
    let own = own.filter(|it| it.0.starts_with("https://") && !it.1.is_empty());
    Some(Made { client_id: text("client_id").filter(|it| !it.is_empty())?, own })
}

/// Takes a client away again, where that is offered.
pub(super) async fn remove(visit: &mut Visit<'_>, label: &str, made: &Made) {
    if let Some((url, token)) = &made.own {
        send(visit, label, ("DELETE", url), (Some(token), None)).await;
    }
}
