//! Authorization servers of the partner's whose tokens we trust, as a manifest declares them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{HttpsUrl, PathId, ScopeName};

/// An authorization server of the partner's whose tokens we trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationServer {
    /// Its name in this manifest: `as:acme`.
    pub id: PathId,
    /// Its issuer, exactly as its tokens name it. Its metadata is found from there (RFC 8414).
    pub issuer: HttpsUrl,
    /// A call that accepts its tokens: `GET https://…`. It shows whether a token still works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Whether clients register themselves there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<bool>,
    /// The name under which our server holds an initial access token; never the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_ref: Option<String>,
    /// Every scope that its clients may ask for on our behalf.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<ScopeName>,
    /// The person that a check may sign in as, where the server has people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<TestLogin>,
    /// Ways to revoke our trust in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_by: Vec<String>,
    /// Clients that exist there for checks alone: two of them, so that one can try what is the other's.
    #[serde(rename = "client", default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<TestClient>,
}

/// A client that exists for checks alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestClient {
    /// Its name in this manifest: `client:first`.
    pub id: PathId,
    /// Its id at the server.
    pub client_id: String,
    /// How it proves itself there.
    pub auth: TestAuth,
    /// The name under which our server holds its secret, or its private JSON Web Key; never the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_ref: Option<String>,
    /// Where codes may be sent. Nothing is ever sent there by a check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<HttpsUrl>,
    /// The grants that it may use: `client_credentials`, `authorization_code`, `refresh_token`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
}

/// How a test client proves itself.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TestAuth {
    /// A shared secret in a header.
    ClientSecretBasic,
    /// A shared secret in the body.
    ClientSecretPost,
    /// Not at all: a public client.
    None,
    /// A signed assertion (RFC 7523).
    PrivateKeyJwt,
}

/// The person that a check may sign in as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestLogin {
    /// The name under which our server holds the user name.
    pub user_ref: String,
    /// The name under which our server holds the password.
    pub password_ref: String,
}
