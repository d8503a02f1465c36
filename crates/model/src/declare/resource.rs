//! What the partner lets tokens of ours in for: its resource servers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{HttpsUrl, PathId, ScopeName};
use crate::time::Period;

/// An API of the partner's that accepts tokens of ours.
///
/// In a test the checker plays the issuer: the resource server trusts
/// `https://PROBE-HOST/issuer-INTEGRATION` and reads its keys there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Its name in this manifest: `api:acme-orders`.
    pub id: PathId,
    /// A harmless call that needs a token: `GET https://api.acme.example/orders`.
    pub call: String,
    /// Whom its tokens have to be for: the claim `aud`.
    pub audience: String,
    /// The audience of another resource of the same issuer, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// What a token for the call has to be allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<ScopeName>,
    /// What the header of its tokens says that they are.
    #[serde(default)]
    pub token_type: TokenType,
    /// What its tokens are signed with.
    #[serde(default)]
    pub alg: TokenAlg,
    /// With `alg = "HS256"`: the name under which the server holds the shared secret; never the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<String>,
    /// How long it keeps the issuer's keys before it reads them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_max_age: Option<Period>,
    /// The same call at its twin for production, which trusts `https://PROBE-HOST/issuer-INTEGRATION.production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production_call: Option<String>,
    /// Ways to revoke the trust in these tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_by: Vec<String>,
}

/// What the header of an access token says that it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TokenType {
    /// An access token as RFC 9068 has it.
    #[default]
    #[serde(rename = "at+jwt")]
    AtJwt,
    /// Any token.
    #[serde(rename = "jwt")]
    Jwt,
}

impl TokenType {
    /// As the header names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::AtJwt => "at+jwt",
            Self::Jwt => "JWT",
        }
    }
}

/// What a token is signed with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TokenAlg {
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA over P-256.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// A secret that issuer and resource server share.
    #[serde(rename = "HS256")]
    Hs256,
    /// RSA, PKCS #1 v1.5.
    #[serde(rename = "RS256")]
    Rs256,
}

impl TokenAlg {
    /// As a header names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
        }
    }
}

impl Resource {
    /// The addresses that it names.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let production = self.production_call.as_deref().map(|it| ("production_call", it));
        [("call", self.call.as_str())].into_iter().chain(production)
    }

    /// The hosts that it names, as far as they can be read.
    pub fn hosts(&self) -> Vec<String> {
        let calls = self.addresses().filter_map(|(_, it)| it.split_once(' '));
        let urls = calls.filter_map(|(_, it)| it.trim().parse::<HttpsUrl>().ok());
        urls.map(|it| it.host()).collect()
    }
}
