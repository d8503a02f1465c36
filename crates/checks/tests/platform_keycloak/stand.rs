//! A realm of its own, a partner's client in it, and the connector to it.

use std::sync::Arc;
use std::time::Duration;

use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::keycloak::{Account, KeycloakPlatform, KeycloakSettings, Proof};
use countersign_checks::platform::{
    ClientCopy, InventoryClient, Platform as _, PlatformError, TokenRequest,
};
use countersign_real::{Keycloak, Realm};
use serde_json::{Value, json};

pub(crate) const READER: (&str, &str) = ("countersign-reader", concat!("plainly-fake-", "reads"));
pub(crate) const KILLER: (&str, &str) = ("countersign-killer", concat!("plainly-fake-", "kills"));
pub(crate) const READS: [&str; 4] = ["view-clients", "view-events", "view-realm", "view-users"];
pub(crate) const KILLS: [&str; 1] = ["manage-clients"];
pub(crate) const PARTNER: &str = "acme-helpdesk";
pub(crate) const PARTNER_SECRET: &str = concat!("plainly-fake-", "secret-of-the-partner");
pub(crate) const REDIRECT: &str = "https://partner.example.com/callback";

/// A realm, a partner's client in it, and the connector to it.
pub(crate) struct Stand {
    pub(crate) realm: Realm<'static>,
    pub(crate) settings: KeycloakSettings,
    pub(crate) platform: KeycloakPlatform,
}

pub(crate) fn account((client_id, secret): (&str, &str)) -> Account {
    Account { client_id: client_id.to_owned(), proof: Proof::Secret(secret.to_owned().into()) }
}

pub(crate) fn settings(url: &str, ca: &str) -> KeycloakSettings {
    let port = url.trim_start_matches("https://localhost:").split('/').next().unwrap();
    KeycloakSettings {
        url: url.to_owned(),
        admin_url: None,
        hosts: [].into(),
        reader: account(READER),
        killer: account(KILLER),
        resolve: [("localhost".to_owned(), ([127, 0, 0, 1], port.parse().unwrap()).into())].into(),
        ca: Some(ca.as_bytes().to_vec()),
        limit: Duration::from_secs(20),
    }
}

pub(crate) fn connector(settings: &KeycloakSettings) -> KeycloakPlatform {
    KeycloakPlatform::new(settings.clone(), Arc::new(SystemClock::start())).unwrap()
}

/// The partner's client: it acts by itself and for people.
pub(crate) fn partner() -> Value {
    json!({
        "clientId": PARTNER, "name": "Helpdesk", "secret": PARTNER_SECRET,
        "serviceAccountsEnabled": true, "standardFlowEnabled": true, "redirectUris": [REDIRECT],
        "defaultClientScopes": ["basic", "roles", "tickets:write"],
        "optionalClientScopes": ["offline_access"],
        "attributes": {
            "countersign.integration": PARTNER, "countersign.owner": "lena",
            "access.token.lifespan": "600", "client_credentials.use_refresh_token": "true",
        },
    })
}

impl Stand {
    pub(crate) async fn new(name: &str) -> Self {
        let keycloak = Keycloak::shared().await.unwrap();
        let scopes = ["tickets:read", "tickets:write"].map(|name| {
            json!({ "name": name, "protocol": "openid-connect",
                "attributes": { "include.in.token.scope": "true" } })
        });
        let more = json!({ "clientScopes": scopes, "clients": [partner()] });
        let realm = keycloak.realm(name, &more).await.unwrap();
        realm.account(READER.0, READER.1, &READS).await.unwrap();
        realm.account(KILLER.0, KILLER.1, &KILLS).await.unwrap();
        let settings = settings(&realm.issuer(), &keycloak.ca);
        Self { realm, platform: connector(&settings), settings }
    }

    pub(crate) async fn row(&self, client: &str) -> Option<InventoryClient> {
        let inventory = self.platform.inventory().await.unwrap();
        assert_eq!(inventory.unread, []);
        inventory.clients.into_iter().find(|it| it.client_id == client)
    }

    pub(crate) async fn token(&self, copy: &ClientCopy) -> Option<String> {
        let answer = self.platform.request_token(copy, &TokenRequest::default()).await.unwrap();
        let is_refusal = (400..500).contains(&answer.status);
        assert_ne!(answer.access_token.is_some(), is_refusal, "{answer:?}");
        answer.access_token
    }

    /// What the token endpoint answers to the partner itself, by this secret.
    pub(crate) async fn status_of_partner(&self, secret: &str) -> u16 {
        let place = self.platform.token_endpoint();
        let said = self.realm.talk().token(&place, (PARTNER, secret), "tickets:write").await;
        said.unwrap().status
    }
}

pub(crate) fn names<'a>(all: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    all.into_iter().map(String::as_str).collect()
}

pub(crate) fn cause(error: &PlatformError) -> String {
    error.source.to_string()
}
