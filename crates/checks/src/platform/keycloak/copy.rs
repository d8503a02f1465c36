//! A throw-away copy of a client: the same grants, a key of its own, and a mark in its tokens.

use countersign_seal::Digest;
use serde_json::{Map, Value, json};

use super::KeycloakPlatform;
use super::client::{COPY_OF, Client, MARKS};
use super::fault::{Role, unknown, unreadable};
use super::service::Book;
use crate::live::entropy;
use crate::platform::{ClientCopy, CopyTerms, PlatformFault, Seed};

/// The claim that tells whoever is asked that it is a copy.
const CLAIM: &str = "countersign_copy_of";
/// Attributes that open the original, or that would make the copy read the original's keys.
const NOT_COPIED: [&str; 7] = [
    "client.secret.",
    "jwks.",
    "jwt.credential.",
    "realm_client",
    "use.jwks.",
    "x509.",
    "countersign.redirects",
];

type Done<T> = Result<T, PlatformFault>;

impl KeycloakPlatform {
    pub(super) async fn copied(&self, client: &str, terms: &CopyTerms) -> Done<ClientCopy> {
        if terms.tokens_per_hour.is_some() {
            let why = "Keycloak limits no client to a number of tokens: limit them in front of its token endpoint";
            return Err(PlatformFault::Lacking(why.to_owned()));
        }
        let query = [("clientId", client)];
        let found: Vec<Value> = self.wire.read(&["clients"], &query, Role::ViewClients).await?;
        let original = found.into_iter().find(|it| it["clientId"] == client).ok_or_else(unknown)?;
        let known: Client =
            serde_json::from_value(original.clone()).map_err(|it| unreadable(it.to_string()))?;
        let account = self.account_of(&Book::default(), &known).await?;
        let no_chance = || PlatformFault::Settings("this machine gives no randomness".to_owned());
        let seed: [u8; 32] = entropy::random().ok_or_else(no_chance)?;
        let chance: [u8; 16] = entropy::random().ok_or_else(no_chance)?;
        let id = format!("{client}.copy-{}", &Digest::of(&chance).hex()[..12]);
        let copy = ClientCopy::new(id, Seed::new(seed));
        let mut body = registration(&original, &copy, client, terms);
        let mut mappers = mappers(&original);
        mappers.push(mapper(
            MARKS[0],
            "oidc-hardcoded-claim-mapper",
            &json!({
                "claim.name": CLAIM, "claim.value": client, "jsonType.label": "String",
                "access.token.claim": "true", "introspection.token.claim": "true",
            }),
        ));
        // Keycloak tells of a token only to those whom it is meant for.
        mappers.push(mapper(
            MARKS[1],
            "oidc-audience-mapper",
            &json!({
                "included.client.audience": self.reader_id(),
                "access.token.claim": "true", "introspection.token.claim": "true",
            }),
        ));
        // The copy has an account of its own, to which nobody gave roles: its tokens name them all the same.
        for role in
            account.into_iter().flat_map(|it| it.roles).filter(|it| !it.starts_with("group:"))
        {
            let name = format!("countersign role {role}");
            mappers.push(mapper(&name, "oidc-hardcoded-role-mapper", &json!({ "role": role })));
        }
        body["protocolMappers"] = json!(mappers);
        self.wire.administer(("POST", &["clients"]), &[], Some(&body), Role::ManageClients).await?;
        Ok(copy)
    }
}

fn mapper(name: &str, kind: &str, config: &Value) -> Value {
    json!({ "name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config })
}

/// The mappers of the original, without their ids.
fn mappers(original: &Value) -> Vec<Value> {
    let mut mappers = original["protocolMappers"].as_array().cloned().unwrap_or_default();
    for it in &mut mappers {
        if let Some(it) = it.as_object_mut() {
            it.remove("id");
        }
    }
    mappers
}

fn registration(original: &Value, copy: &ClientCopy, client: &str, terms: &CopyTerms) -> Value {
    let mut body = original.clone();
    if let Some(body) = body.as_object_mut() {
        for name in [
            "id",
            "secret",
            "access",
            "registrationAccessToken",
            "notBefore",
            "registeredNodes",
            "authorizationServicesEnabled",
        ] {
            body.remove(name);
        }
    }
    let mut attributes: Map<String, Value> =
        original["attributes"].as_object().cloned().unwrap_or_default();
    attributes.retain(|name, _| !NOT_COPIED.iter().any(|it| name.starts_with(it)));
    attributes.insert(COPY_OF.to_owned(), json!(client));
    attributes.insert("use.jwks.string".to_owned(), json!("true"));
    let keys = json!({ "keys": [copy.public().to_jwk()] });
    attributes.insert("jwks.string".to_owned(), json!(keys.to_string()));
    attributes.remove("token.endpoint.auth.signing.alg");
    if let Some(seconds) = terms.token_life_seconds {
        attributes.insert("access.token.lifespan".to_owned(), json!(seconds.to_string()));
    }
    body["attributes"] = Value::Object(attributes);
    body["clientId"] = json!(copy.client_id);
    body["name"] = json!(format!("Copy of {client} for a drill"));
    body["clientAuthenticatorType"] = json!("client-jwt");
    body["publicClient"] = json!(false);
    body["enabled"] = json!(true);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_nothing_that_opens_its_original() {
        let original = json!({
            "id": "7", "clientId": "acme", "secret": "plainly-fake", "enabled": false,
            "clientAuthenticatorType": "client-secret", "redirectUris": ["https://a.example/cb"],
            "defaultClientScopes": ["basic", "tickets:read"],
            "attributes": {
                "client.secret.rotated": "plainly-fake", "jwks.url": "https://a.example/keys",
                "use.jwks.url": "true", "access.token.lifespan": "600", "countersign.integration": "acme",
            },
            "protocolMappers": [{ "id": "8", "name": "tenant", "config": {} }],
        });
        let copy = ClientCopy::new("acme.copy-1".to_owned(), Seed::new([7; 32]));
        let terms = CopyTerms { token_life_seconds: Some(5), ..CopyTerms::default() };
        let made = registration(&original, &copy, "acme", &terms);
        let attributes: Vec<&String> = made["attributes"].as_object().unwrap().keys().collect();
        assert_eq!(
            attributes,
            [
                "access.token.lifespan",
                "countersign.copy_of",
                "countersign.integration",
                "jwks.string",
                "use.jwks.string"
            ]
        );
        assert_eq!(made["attributes"]["access.token.lifespan"], "5");
        assert!(!made.to_string().contains("plainly-fake") && made.get("id").is_none());
        assert_eq!(
            (&made["enabled"], &made["clientAuthenticatorType"]),
            (&json!(true), &json!("client-jwt"))
        );
        assert_eq!(made["defaultClientScopes"], original["defaultClientScopes"]);
        assert!(mappers(&original)[0].get("id").is_none());
    }
}
