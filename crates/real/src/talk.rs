//! Requests to a server in the name of anybody but us: its administrators, and its partners.

use std::time::Duration;

use reqwest::{Certificate, Client, Method, RequestBuilder};
use serde_json::Value;

use crate::{Done, RealError};

/// How long one request may take.
const REQUEST_MAX: Duration = Duration::from_secs(30);

/// A client that trusts one server.
#[derive(Debug, Clone)]
pub struct Talk(Client);

/// What a server answered.
#[derive(Debug)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// The first cookie that it set, as it is sent back.
    pub cookie: String,
    /// The body, where it is JSON.
    pub body: Value,
}

impl Said {
    /// The body of an answer that says yes.
    pub fn yes(self) -> Done<Value> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        Err(RealError::new(format!("it answers {}: {}", self.status, self.body)))
    }
}

impl Talk {
    /// A client that trusts this certificate (PEM).
    pub fn new(ca: &str) -> Done<Self> {
        // Another test may have been the first.
        let _was_there = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let root = Certificate::from_pem(ca.as_bytes()).map_err(RealError::new)?;
        let client = Client::builder().tls_certs_only([root]).no_proxy().timeout(REQUEST_MAX);
        // Tests share a server and no runtime: a connection would outlive the one that drives it.
        let client = client.pool_max_idle_per_host(0);
        client.build().map(Self).map_err(RealError::new)
    }

    /// A `GET`, signed by a header where one is given.
    pub async fn get(&self, url: &str, signed: &[(&str, &str)]) -> Done<Said> {
        send(self.0.get(url), signed).await
    }

    /// A `POST` of JSON.
    pub async fn post(&self, url: &str, signed: &[(&str, &str)], body: &Value) -> Done<Said> {
        send(self.0.post(url).json(body), signed).await
    }

    /// A `PUT` of JSON.
    pub async fn put(&self, url: &str, signed: &[(&str, &str)], body: &Value) -> Done<Said> {
        send(self.0.put(url).json(body), signed).await
    }

    /// Any request; a body that is null is none.
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        signed: &[(&str, &str)],
        body: &Value,
    ) -> Done<Said> {
        let method = Method::from_bytes(method.as_bytes()).map_err(RealError::new)?;
        let request = self.0.request(method, url);
        send(if body.is_null() { request } else { request.json(body) }, signed).await
    }

    /// A form, as OAuth 2 endpoints take it (RFC 6749, appendix B).
    pub async fn form(&self, url: &str, fields: &[(&str, &str)]) -> Done<Said> {
        send(self.0.post(url).form(fields), &[]).await
    }

    /// A token request with a secret (RFC 6749, section 2.3.1).
    pub async fn token(&self, url: &str, (id, secret): (&str, &str), scope: &str) -> Done<Said> {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        send(self.0.post(url).basic_auth(id, Some(secret)).form(&form), &[]).await
    }
}

async fn send(mut request: RequestBuilder, signed: &[(&str, &str)]) -> Done<Said> {
    for (name, value) in signed {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.map_err(RealError::new)?;
    let cookie = answer.headers().get("set-cookie").and_then(|it| it.to_str().ok());
    let cookie = cookie.and_then(|it| it.split(';').next()).unwrap_or_default().to_owned();
    let status = answer.status().as_u16();
    let text = answer.text().await.map_err(RealError::new)?;
    Ok(Said { status, cookie, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
}
