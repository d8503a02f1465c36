//! A client as Keycloak's administration shows it, and what that grants.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::certify::baseline::Granted;
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use serde::Deserialize;
use serde_json::Value;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::service::ServiceAccount;
use super::settings::Lifespans;
use crate::platform::{ClientKind, CredentialKind, InventoryClient, InventoryCredential};

/// The attributes of a client that are ours: whose it is, who answers for it, and what it is a copy of.
pub(super) const INTEGRATION: &str = "countersign.integration";
pub(super) const OWNER: &str = "countersign.owner";
pub(super) const COPY_OF: &str = "countersign.copy_of";

/// The mappers with which a copy is marked.
pub(super) const MARKS: [&str; 2] = ["countersign copy", "countersign reader"];

/// Clients that every realm comes with.
const BUILT_IN: [&str; 6] = [
    "account",
    "account-console",
    "admin-cli",
    "broker",
    "realm-management",
    "security-admin-console",
];
/// Scopes that every realm comes with, that no token names and that grant nothing by themselves.
const SILENT: [&str; 7] = [
    "AuthnContextClassRef",
    "acr",
    "basic",
    "role_list",
    "roles",
    "service_account",
    "web-origins",
];
/// What stands for a life without an end: a hundred years.
pub(super) const ENDLESS_SECONDS: u64 = 100 * 365 * 24 * 3600;

/// Whether a scope grants something.
pub(super) fn tells(scope: &str) -> bool {
    !SILENT.contains(&scope)
}

/// A client. It holds secrets, and shows none.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "so does Keycloak write it")]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) client_id: String,
    name: Option<String>,
    pub(super) enabled: bool,
    client_authenticator_type: Option<String>,
    secret: Option<String>,
    pub(super) redirect_uris: BTreeSet<String>,
    bearer_only: bool,
    public_client: bool,
    standard_flow_enabled: bool,
    implicit_flow_enabled: bool,
    direct_access_grants_enabled: bool,
    pub(super) service_accounts_enabled: bool,
    protocol: Option<String>,
    attributes: BTreeMap<String, Option<String>>,
    default_client_scopes: BTreeSet<String>,
    optional_client_scopes: BTreeSet<String>,
    protocol_mappers: Vec<Mapper>,
}

/// Something that a client writes into its tokens.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mapper {
    name: String,
    protocol_mapper: String,
    config: BTreeMap<String, Option<String>>,
}

/// How a client proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Certificate,
    Federated,
    Key,
    Nothing,
    Other,
    Secret,
    /// An assertion that is signed with the secret (OpenID Connect Core, section 9).
    SecretKey,
}

impl Client {
    /// An attribute that is not empty.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_deref().filter(|it| !it.is_empty())
    }

    fn is_on(&self, name: &str) -> bool {
        self.attribute(name) == Some("true")
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attribute(name)?.parse().ok()
    }

    fn moment(&self, name: &str) -> Option<Timestamp> {
        self.number(name).filter(|it| *it != 0).map(Timestamp::from_seconds)
    }

    pub(super) fn integration(&self) -> Option<&str> {
        self.attribute(INTEGRATION)
    }

    pub(super) fn copy_of(&self) -> Option<&str> {
        self.attribute(COPY_OF)
    }

    pub(super) fn way(&self) -> Way {
        if self.public_client || self.bearer_only {
            return Way::Nothing;
        }
        match self.client_authenticator_type.as_deref() {
            None | Some("client-secret") => Way::Secret,
            Some("client-jwt") => Way::Key,
            Some("client-secret-jwt") => Way::SecretKey,
            Some("client-x509") => Way::Certificate,
            Some("federated-jwt") => Way::Federated,
            Some(_) => Way::Other,
        }
    }

    /// As manifests write it. Where a secret is shown, Keycloak takes it in a header and in a form.
    fn auth(&self) -> String {
        match self.way() {
            Way::Certificate => "tls_client_auth",
            Way::Federated => "federated",
            Way::Key => "private_key_jwt",
            Way::Nothing => "none",
            Way::Other => self.client_authenticator_type.as_deref().unwrap_or_default(),
            Way::Secret => "client_secret_basic",
            Way::SecretKey => "client_secret_jwt",
        }
        .to_owned()
    }

    pub(super) fn kind(&self) -> ClientKind {
        if self.bearer_only {
            ClientKind::BearerOnly
        } else if self.public_client {
            ClientKind::Public
        } else if self.service_accounts_enabled {
            ClientKind::ServiceAccount
        } else {
            ClientKind::Confidential
        }
    }

    /// The public keys that are written down at the client itself.
    pub(super) fn keys(&self) -> Vec<Value> {
        if self.way() != Way::Key || !self.is_on("use.jwks.string") {
            return Vec::new();
        }
        let set = self.attribute("jwks.string").and_then(|it| serde_json::from_str(it).ok());
        let set: Value = set.unwrap_or_default();
        set["keys"].as_array().cloned().unwrap_or_default()
    }

    /// The shared secrets that it can prove itself with.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let is_shown = matches!(self.way(), Way::Secret | Way::SecretKey);
        let rotated = self.attribute("client.secret.rotated");
        let both = self.secret.as_deref().into_iter().chain(rotated);
        both.filter(move |it| is_shown && !it.is_empty())
    }

    pub(super) fn credentials(&self) -> Vec<InventoryCredential> {
        let one = |id: String, kind| InventoryCredential { id, kind, created: None, expires: None };
        match self.way() {
            Way::Secret | Way::SecretKey => self.secret_credentials(),
            Way::Certificate => {
                let subject = self.attribute("x509.subjectdn").unwrap_or("any");
                vec![one(format!("subject {subject}"), CredentialKind::Certificate)]
            }
            Way::Key if self.is_on("use.jwks.url") => {
                let place = self.attribute("jwks.url").unwrap_or("nowhere");
                vec![one(place.to_owned(), CredentialKind::JwksUri)]
            }
            Way::Key if self.is_on("use.jwks.string") => {
                let keys = self.keys();
                keys.iter().map(|it| one(key_id(it), CredentialKind::Key)).collect()
            }
            Way::Key => self.certificate().into_iter().collect(),
            Way::Federated => {
                let issuer = self.attribute("jwt.credential.issuer").unwrap_or("any issuer");
                let subject = self.attribute("jwt.credential.sub").unwrap_or("any subject");
                vec![one(format!("{subject} of {issuer}"), CredentialKind::Key)]
            }
            Way::Nothing | Way::Other => Vec::new(),
        }
    }

    fn secret_credentials(&self) -> Vec<InventoryCredential> {
        let mut all = vec![InventoryCredential {
            id: "secret".to_owned(),
            kind: CredentialKind::Secret,
            created: self.moment("client.secret.creation.time"),
            expires: self.moment("client.secret.expiration.time"),
        }];
        if self.attribute("client.secret.rotated").is_some() {
            all.push(InventoryCredential {
                id: "rotated-secret".to_owned(),
                kind: CredentialKind::Secret,
                created: self.moment("client.secret.rotated.creation.time"),
                expires: self.moment("client.secret.rotated.expiration.time"),
            });
        }
        all
    }

    /// The certificate or bare key that was uploaded.
    fn certificate(&self) -> Option<InventoryCredential> {
        let named = self.attribute("jwt.credential.certificate");
        let text = named.or_else(|| self.attribute("jwt.credential.public.key"))?;
        let bytes =
            STANDARD.decode(text.split_whitespace().collect::<String>()).unwrap_or_default();
        let validity = X509Certificate::from_der(&bytes).ok().map(|(_, it)| it.validity().clone());
        let moment = |it: i64| Timestamp::from_seconds(it);
        Some(InventoryCredential {
            id: format!("sha256:{}", Digest::of(&bytes).hex()),
            kind: if named.is_some() { CredentialKind::Certificate } else { CredentialKind::Key },
            created: validity.as_ref().map(|it| moment(it.not_before.timestamp())),
            expires: validity.as_ref().map(|it| moment(it.not_after.timestamp())),
        })
    }

    fn scopes(&self) -> BTreeSet<String> {
        let all = self.default_client_scopes.iter().chain(&self.optional_client_scopes);
        all.filter(|it| tells(it)).cloned().collect()
    }

    /// Whether a person can sign in for it.
    fn is_for_people(&self) -> bool {
        self.standard_flow_enabled
            || self.implicit_flow_enabled
            || self.direct_access_grants_enabled
    }

    fn token_ttl(&self, lives: &Lifespans) -> u64 {
        let own = self.number("access.token.lifespan").filter(|it| *it != 0);
        let plain = own.unwrap_or(lives.access_token_lifespan);
        let implicit = lives.access_token_lifespan_for_implicit_flow;
        if self.implicit_flow_enabled { plain.max(implicit) } else { plain }
    }

    /// The longest life of a refresh family. Offline tokens outlive the session that they come from.
    fn refresh_ttl(&self, lives: &Lifespans) -> u64 {
        let by_people =
            self.is_for_people() && self.attribute("use.refresh.tokens") != Some("false");
        let by_itself =
            self.service_accounts_enabled && self.is_on("client_credentials.use_refresh_token");
        if !by_people && !by_itself {
            return 0;
        }
        let set = |it: u64| Some(it).filter(|it| *it != 0);
        let own = self.number("client.session.max.lifespan").and_then(set);
        let session = lives.sso_session_max_lifespan;
        let client = own.or(set(lives.client_session_max_lifespan));
        let online = client.map_or(session, |it| it.min(session));
        if !self.scopes().contains("offline_access") {
            return online;
        }
        let own = self.number("client.offline.session.max.lifespan").and_then(set);
        let realm = lives.offline_session_max_lifespan_enabled;
        let offline = if realm { lives.offline_session_max_lifespan } else { ENDLESS_SECONDS };
        own.map_or(offline, |it| it.min(offline)).max(online)
    }

    /// Powers that no scope tells of: grants of their own, and what its mappers write into tokens.
    fn powers(&self) -> BTreeSet<String> {
        let mut powers: BTreeSet<String> = [
            ("grant:implicit", self.implicit_flow_enabled),
            ("grant:password", self.direct_access_grants_enabled),
            ("grant:device", self.is_on("oauth2.device.authorization.grant.enabled")),
            ("grant:ciba", self.is_on("oidc.ciba.grant.enabled")),
            ("grant:token-exchange", self.is_on("standard.token.exchange.enabled")),
            ("grant:jwt-authorization", self.is_on("oauth2.jwt.authorization.grant.enabled")),
        ]
        .into_iter()
        .filter(|(_, is_on)| *is_on)
        .map(|(name, _)| name.to_owned())
        .collect();
        // What a copy is marked with is no power of its original.
        let is_mark = |it: &&Mapper| self.copy_of().is_some() && MARKS.contains(&it.name.as_str());
        for it in self.protocol_mappers.iter().filter(|it| !is_mark(it)) {
            let config =
                |name: &str| it.config.get(name).and_then(Option::as_deref).unwrap_or_default();
            match it.protocol_mapper.as_str() {
                "oidc-hardcoded-role-mapper" => {
                    powers.insert(config("role").to_owned());
                }
                "oidc-hardcoded-claim-mapper" => {
                    let (name, value) = (config("claim.name"), config("claim.value"));
                    powers.insert(format!("claim:{name}={value}"));
                }
                "oidc-audience-mapper" => {
                    for name in ["included.client.audience", "included.custom.audience"] {
                        powers.insert(format!("audience:{}", config(name)));
                    }
                    powers.remove("audience:");
                }
                _ => {}
            }
        }
        powers
    }

    pub(super) fn granted(&self, lives: &Lifespans, account: Option<&ServiceAccount>) -> Granted {
        let credentials = self.credentials();
        let keys = credentials.iter().filter(|it| it.kind == CredentialKind::Key);
        let mut roles = self.powers();
        roles.extend(account.into_iter().flat_map(|it| it.roles.iter().cloned()));
        Granted {
            enabled: self.enabled,
            auth: self.auth(),
            scopes: self.scopes(),
            keys: keys.map(|it| it.id.clone()).collect(),
            redirect_uris: self.redirect_uris.clone(),
            token_ttl_seconds: self.token_ttl(lives),
            refresh_ttl_seconds: self.refresh_ttl(lives),
            roles: Some(roles),
            credentials: Some(credentials.into_iter().map(|it| it.id).collect()),
            owner: Some(self.attribute(OWNER).unwrap_or_default().to_owned()),
        }
    }

    pub(super) fn row(
        &self,
        lives: &Lifespans,
        account: Option<&ServiceAccount>,
        last_used: Option<Timestamp>,
    ) -> InventoryClient {
        let granted = self.granted(lives, account);
        let is_shown = |it: &&String| !it.is_empty() && !it.starts_with("${");
        InventoryClient {
            client_id: self.client_id.clone(),
            name: self.name.as_ref().filter(is_shown).cloned(),
            integration: self.integration().map(str::to_owned),
            owner: self.attribute(OWNER).map(str::to_owned),
            kind: self.kind(),
            built_in: BUILT_IN.contains(&self.client_id.as_str()) || self.is_on("realm_client"),
            copy_of: self.copy_of().map(str::to_owned),
            roles: granted.roles.iter().flatten().cloned().collect(),
            credentials: self.credentials(),
            created: account.and_then(|it| it.created),
            last_used,
            granted,
        }
    }
}

/// What tells a key from others: its `kid`, else the digest of its canonical form.
fn key_id(key: &Value) -> String {
    let kid = key.get("kid").and_then(Value::as_str).map(str::to_owned);
    kid.unwrap_or_else(|| format!("sha256:{}", Digest::of(key.to_string().as_bytes()).hex()))
}
