//! Each server starts, registers a client, and gives that client a token.
#![cfg(test)]

use countersign_real::{Glewlwyd, OidcProvider, Talk};
use serde_json::{Value, json};

async fn token(ca: &str, place: &str, client: &Value, scope: &str) -> Value {
    let word = |name: &str| client[name].as_str().unwrap().to_owned();
    let pair = (word("client_id"), word("client_secret"));
    let said = Talk::new(ca).unwrap().token(place, (&pair.0, &pair.1), scope).await.unwrap();
    said.yes().unwrap()
}

#[tokio::test]
async fn oidc_provider_gives_a_registered_client_a_token() {
    let server = OidcProvider::start(&[]).unwrap();
    let wanted = json!({
        "redirect_uris": [], "response_types": [], "grant_types": ["client_credentials"],
    });
    let client = server.register(&wanted).await.unwrap();
    let place = format!("{}/token", server.issuer);
    let said = token(&server.ca, &place, &client, "").await;
    assert_eq!(said["token_type"], "Bearer", "{said}");
}

#[tokio::test]
async fn glewlwyd_gives_a_registered_client_a_token() {
    let server = Glewlwyd::start().await.unwrap();
    let wanted = json!({
        "client_name": "a client", "redirect_uris": ["https://client.example.com/back"],
        "grant_types": ["client_credentials"], "scope": "tickets:read",
        "token_endpoint_auth_method": "client_secret_basic",
    });
    let client = server.register(&wanted).await.unwrap();
    let place = format!("{}/token", server.issuer);
    let said = token(&server.ca, &place, &client, "tickets:read").await;
    assert_eq!(said["token_type"], "bearer", "{said}");
}
