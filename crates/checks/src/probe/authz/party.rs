//! One client of an authorization server, and how it proves itself.
//!
//! Source: RFC 6749, section 2.3; RFC 7523, sections 2.2 and 3.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::declare::manifest::{TestAuth, TestClient};
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::form::Form;
use super::key::ProofKey;
use crate::live::entropy;
use crate::secrets::Secrets;

/// One client of an authorization server.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    /// Its id there.
    pub(crate) client_id: String,
    /// How it proves itself.
    pub(crate) proof: Proof,
    /// Where codes may be sent.
    pub(crate) redirect: Option<String>,
    /// The grants that it may use.
    pub(crate) grants: BTreeSet<String>,
    /// What it may ask for.
    pub(crate) scopes: Vec<String>,
}

/// How a client proves itself.
#[derive(Clone)]
pub(crate) enum Proof {
    /// A shared secret in a header.
    Basic(String),
    /// A signed assertion.
    Key(ProofKey),
    /// Not at all.
    None,
    /// A shared secret in the body.
    Post(String),
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Basic(_) => "Basic",
            Self::Key(_) => "Key",
            Self::None => "None",
            Self::Post(_) => "Post",
        })
    }
}

impl Party {
    /// A test client of the manifest, with the secret that is held for it.
    pub(crate) fn declared(
        client: &TestClient,
        scopes: &[String],
        secrets: Option<&Secrets>,
    ) -> Result<Self, String> {
        let held = || {
            let name = client.auth_ref.as_deref().unwrap_or_default();
            let held = secrets.and_then(|it| it.get(name));
            held.map(str::to_owned).ok_or_else(|| format!("no secret is held as `{name}`"))
        };
        let proof = match client.auth {
            TestAuth::ClientSecretBasic => Proof::Basic(held()?),
            TestAuth::ClientSecretPost => Proof::Post(held()?),
            TestAuth::None => Proof::None,
            TestAuth::PrivateKeyJwt => {
                let key = ProofKey::from_jwk(&held()?);
                Proof::Key(key.map_err(|it| format!("the key of `{}`: {it}", client.id))?)
            }
        };
        Ok(Self {
            client_id: client.client_id.clone(),
            proof,
            redirect: client.redirect.as_ref().map(ToString::to_string),
            grants: client.grants.iter().cloned().collect(),
            scopes: scopes.to_vec(),
        })
    }

    /// Whether it proves itself with a key.
    pub(crate) fn has_key(&self) -> bool {
        matches!(self.proof, Proof::Key(_))
    }

    /// Whether it does not prove itself at all.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self.proof, Proof::None)
    }

    /// Whether it may use a grant.
    pub(crate) fn may(&self, grant: &str) -> bool {
        self.grants.contains(grant)
    }

    /// The scopes that it may ask for without a person.
    pub(crate) fn plain_scopes(&self) -> Vec<String> {
        let of_people = ["email", "offline_access", "openid", "profile"];
        let plain = self.scopes.iter().filter(|it| !of_people.contains(&it.as_str()));
        plain.cloned().collect()
    }

    /// The form, with its proof for this audience.
    pub(crate) fn prove(&self, form: Form, audience: &str, now: Timestamp) -> Option<Form> {
        Some(match &self.proof {
            Proof::Basic(secret) => form.authorized(basic(&self.client_id, secret)),
            Proof::Key(key) => {
                let claims = claims(&self.client_id, audience, now)?;
                asserted(form, &self.client_id, &key.sign(&claims)?)
            }
            Proof::None => form.with("client_id", &self.client_id),
            Proof::Post(secret) => {
                form.with("client_id", &self.client_id).with("client_secret", secret)
            }
        })
    }
}

/// A form with this assertion as proof.
pub(crate) fn asserted(form: Form, client: &str, assertion: &str) -> Form {
    form.with("client_id", client)
        .with("client_assertion_type", ASSERTION_TYPE)
        .with("client_assertion", assertion)
}

/// The header of a shared secret (RFC 6749, section 2.3.1).
pub(crate) fn basic(client: &str, secret: &str) -> String {
    let encode = |it: &str| byte_serialize(it.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(client), encode(secret))))
}

/// What a client says about itself: right in everything.
pub(crate) fn claims(client: &str, audience: &str, now: Timestamp) -> Option<Value> {
    let chance: [u8; 32] = entropy::random()?;
    let jti = Digest::of(&chance).hex();
    Some(json!({
        "iss": client, "sub": client, "aud": audience, "jti": jti,
        "iat": now.seconds(), "exp": now.seconds() + LIFE_SECONDS,
    }))
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long a right assertion lives.
const LIFE_SECONDS: i64 = 60;
