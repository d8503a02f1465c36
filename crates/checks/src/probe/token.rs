//! What the probes share that act with a token of a throw-away copy.

use std::net::IpAddr;

use countersign_model::declare::manifest::Identity;
use countersign_model::declare::request::UsePattern;
use serde_json::{Value, json};

use crate::platform::{ClientCopy, Platform, TokenAnswer, TokenRequest};
use crate::talk::Talk;

/// One call at the platform's API: a method, and a path without parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    /// `GET`, `POST` …
    pub(crate) method: String,
    /// `/v1/users/canary-7`.
    pub(crate) path: String,
}

impl Use {
    /// Fills the parameters of `GET /v1/users/{id}` with a name that nothing has.
    pub(crate) fn of(pattern: &str, name: &str) -> Option<Self> {
        pattern.parse::<UsePattern>().ok()?;
        let (method, path) = pattern.split_once(' ')?;
        let segments = path.split('/').map(|it| if it.starts_with('{') { name } else { it });
        let path = segments.collect::<Vec<_>>().join("/");
        Some(Self { method: method.to_owned(), path })
    }

    /// The most harmless of these: one that only reads, else the first.
    pub(crate) fn mildest<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
        name: &str,
    ) -> Option<Self> {
        let mut uses: Vec<Self> =
            patterns.into_iter().filter_map(|it| Self::of(it, name)).collect();
        uses.sort_by_key(|it| it.method != "GET");
        uses.into_iter().next()
    }

    /// A call that this identity may make.
    pub(crate) fn declared(identity: &Identity, name: &str) -> Option<Self> {
        let uses = identity.scopes.iter().flat_map(|it| &it.uses);
        Self::mildest(uses.map(String::as_str), name)
    }
}

/// Asks for a token as a copy, and writes down what came of it.
pub(crate) async fn mint(
    talk: &mut Talk,
    platform: &dyn Platform,
    copy: &ClientCopy,
    (label, request): (&str, &TokenRequest),
) -> Option<TokenAnswer> {
    let answer = platform.request_token(copy, request).await;
    if let Ok(it) = &answer {
        for token in it.access_token.iter().chain(&it.refresh_token) {
            talk.hide(token);
        }
    }
    let asked = request.scope.clone();
    talk.heard(label, answer, |it| {
        json!({
            "asked": asked, "status": it.status, "granted": it.access_token.is_some(),
            "scope": it.scope, "code": it.error, "reason": it.reason,
        })
    })
}

/// Uses a token, and writes down what came of it.
pub(crate) async fn spend(
    talk: &mut Talk,
    platform: &dyn Platform,
    (token, call): (&str, &Use),
    (label, from): (&str, Option<IpAddr>),
) {
    let answer = platform.use_token(token, &call.method, &call.path, from).await;
    talk.heard(label, answer, |it| {
        json!({
            "method": call.method, "path": call.path, "from": from,
            "status": it.status, "admitted": it.is_admitted(), "reason": it.reason,
        })
    });
}

/// Whether a fact says yes to this.
pub(crate) fn says(fact: Option<&Value>, member: &str) -> bool {
    fact.and_then(|it| it.get(member)) == Some(&Value::Bool(true))
}

/// Why a fact could not be had.
pub(crate) fn error(fact: Option<&Value>) -> Option<&str> {
    fact.and_then(|it| it.get("error")).and_then(Value::as_str)
}

/// A whole number of a fact.
pub(crate) fn number(fact: Option<&Value>, member: &str) -> Option<u64> {
    fact.and_then(|it| it.get(member)).and_then(Value::as_u64)
}

/// Whether a fact shows a refusal, not a failure: a status that says no.
pub(crate) fn is_refusal(fact: Option<&Value>) -> bool {
    matches!(number(fact, "status"), Some(400 | 401 | 403))
}

/// The status in a few words.
pub(crate) fn status(fact: Option<&Value>) -> String {
    match (number(fact, "status"), error(fact)) {
        (Some(status), _) => format!("HTTP {status}"),
        (None, Some(error)) => error.to_owned(),
        (None, None) => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mildest_call_reads_and_touches_nothing_that_exists() {
        let uses = ["POST /v1/tickets", "GET /v1/users/{id}"];
        let mildest = Use::mildest(uses, "canary-1").unwrap();
        assert_eq!((mildest.method.as_str(), mildest.path.as_str()), ("GET", "/v1/users/canary-1"));
        let only = Use::mildest(["DELETE /v1/tenants/{id}"], "canary-1").unwrap();
        assert_eq!(only.path, "/v1/tenants/canary-1");
        assert_eq!(Use::mildest(["no call"], "x"), None);
        assert_eq!(Use::mildest([], "x"), None);
    }
}
