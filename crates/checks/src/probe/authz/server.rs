//! The server itself: its metadata, and the call that shows whether a token works.
//!
//! Source: RFC 8414, section 3; OpenID Connect Discovery 1.0, section 4.

use serde_json::{Value, json};
use url::Url;

use crate::live::ask::Ask;
use crate::talk::Talk;

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The partner's, which we trust.
    Partner,
    /// Our own platform's test tenant.
    Platform,
}

/// An authorization server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Whose it is.
    pub(crate) side: Side,
    /// Its issuer.
    pub(crate) issuer: String,
    /// What it publishes about itself.
    pub(crate) metadata: Value,
    /// A call that accepts its tokens.
    pub(crate) resource: Option<Resource>,
    /// Whom an assertion is for.
    pub(crate) audience: String,
}

/// A call that accepts tokens.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// `GET`, `POST` …
    pub(crate) method: String,
    /// The whole address.
    pub(crate) url: String,
}

impl Resource {
    /// The call with a token.
    pub(crate) fn ask(&self, token: &str) -> Ask {
        let ask = Ask::new(&self.method, &self.url).bearer(Some(token));
        match self.method.as_str() {
            "PATCH" | "POST" | "PUT" => ask.json("{}"),
            _ => ask,
        }
    }

    /// The command to repeat it by hand.
    pub(crate) fn by_hand(&self) -> String {
        format!("curl -i -X {} '{}' -H \"authorization: Bearer $TOKEN\"", self.method, self.url)
    }
}

impl Server {
    /// An address of its metadata: `token_endpoint`.
    pub(crate) fn endpoint(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).and_then(Value::as_str).filter(|it| it.starts_with("https://"))
    }

    /// Where tokens are asked for.
    pub(crate) fn token_endpoint(&self) -> &str {
        self.endpoint("token_endpoint").unwrap_or_default()
    }

    /// The words of a list in its metadata.
    pub(crate) fn words(&self, name: &str) -> Vec<&str> {
        let items = self.metadata.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).take(WORDS_MAX).collect()
    }
}

/// Reads what an issuer publishes about itself. It counts only where it names that issuer.
pub(crate) async fn discover(talk: &mut Talk, issuer: &str) -> Option<Value> {
    let mut last = "it publishes no metadata".to_owned();
    for address in addresses(issuer) {
        let answer = talk.send("metadata", Ask::get(address)).await;
        match read(issuer, answer.is_success().then(|| answer.json()).flatten()) {
            Ok(it) => return Some(it),
            Err(error) => last = format!("{error} ({})", answer.words()),
        }
    }
    talk.fact("setup", "server", json!({ "error": format!("{issuer}: {last}") }));
    None
}

/// Takes metadata that name this issuer and a token endpoint.
pub(crate) fn read(issuer: &str, answer: Option<Value>) -> Result<Value, String> {
    let metadata = answer.filter(Value::is_object).ok_or("it publishes no metadata")?;
    let named = metadata.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if named != issuer {
        return Err("its metadata names another issuer".to_owned());
    }
    let endpoint = metadata.get("token_endpoint").and_then(Value::as_str).unwrap_or_default();
    if !endpoint.starts_with("https://") {
        return Err("its metadata names no token endpoint".to_owned());
    }
    Ok(metadata)
}

/// Where metadata may stand: the well-known part goes before the path (RFC 8414), or behind it (OpenID).
pub(crate) fn addresses(issuer: &str) -> Vec<String> {
    let Ok(url) = Url::parse(issuer) else { return Vec::new() };
    let path = url.path().trim_end_matches('/');
    let origin = url.origin().ascii_serialization();
    let mut all = vec![
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}{path}/.well-known/openid-configuration"),
    ];
    if !path.is_empty() {
        all.push(format!("{origin}/.well-known/openid-configuration{path}"));
    }
    all
}

const WORDS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_found_where_the_standards_put_it() {
        assert_eq!(
            addresses("https://id.example.com"),
            [
                "https://id.example.com/.well-known/oauth-authorization-server",
                "https://id.example.com/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            addresses("https://id.example.com/tenant/"),
            [
                "https://id.example.com/.well-known/oauth-authorization-server/tenant",
                "https://id.example.com/tenant/.well-known/openid-configuration",
                "https://id.example.com/.well-known/openid-configuration/tenant",
            ]
        );
        assert_eq!(addresses("no address"), Vec::<String>::new());
    }

    #[test]
    fn metadata_of_another_issuer_is_none() {
        let issuer = "https://id.example.com";
        let right = json!({"issuer": issuer, "token_endpoint": "https://id.example.com/t"});
        assert!(read(issuer, Some(right.clone())).is_ok());
        assert!(read("https://id.example.com/a", Some(right)).is_err());
        assert!(read(issuer, Some(json!({"issuer": issuer}))).is_err());
        assert!(read(issuer, Some(json!([]))).is_err());
        assert!(read(issuer, None).is_err());
    }
}
