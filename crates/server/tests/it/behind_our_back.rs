//! What an administrator changes at the platform without telling us: each is noticed, named with who
//! did it, and denied at the gate before anybody noticed.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::{ClientCopy, Platform as _, TokenRequest};
use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::manifests::{Version, manifest, text};
use countersign_sandbox::registration::{self, ClientRegistration};
use countersign_sandbox::{Kind, Partner, registration::Extras};
use countersign_seal::Digest;
use serde_json::{Value, json};

use crate::town::{Town, unproven};

/// An administrator of the production platform, who has a token of her own.
struct Dana {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Dana {
    fn of(town: &Town) -> Self {
        let tenant = town.sandbox.tenant(Lane::Certified);
        Self {
            http: town.sandbox.net().client(None).unwrap(),
            url: tenant.url().to_owned(),
            token: tenant.administrator_token("dana").unwrap(),
        }
    }

    async fn puts(&self, client: &ClientRegistration) {
        let url = format!("{}/admin/clients/{}", self.url, client.client_id);
        let sent = self.http.put(url).bearer_auth(&self.token).json(client).send().await.unwrap();
        assert_eq!(sent.status(), 204);
    }

    async fn enables(&self, client: &str) {
        let url = format!("{}/admin/clients/{client}/enable", self.url);
        let sent = self.http.post(url).bearer_auth(&self.token).send().await.unwrap();
        assert_eq!(sent.status(), 204);
    }

    /// What the token endpoint says to a secret.
    async fn tries(&self, client: &str, secret: &str) -> Value {
        let url = format!("{}/oauth/token", self.url);
        let form = [("grant_type", "client_credentials")];
        let sent = self.http.post(url).basic_auth(client, Some(secret)).form(&form).send();
        sent.await.unwrap().json().await.unwrap()
    }
}

async fn certified(kind: Kind) -> Town {
    let town = Town::start().await;
    town.submit(&text(kind, Version::Right)).await;
    let tried = town.sandbox.partner(kind).business(Lane::Trial, 20).await;
    assert_eq!(tried.tokens.admitted, 20, "{tried:?}");
    town.sandbox.keep_busy();
    town.certify(kind).await;
    town.sandbox.rest();
    town
}

/// Waits until the differences are these, by trigger and what differs.
async fn drifts(town: &Town, kind: Kind, wanted: &[(&str, &str)]) -> Value {
    let mut last = Value::Null;
    for _ in 0..200 {
        last = town.get("paul", &format!("/v1/integrations/{}", kind.slug())).await;
        let found = last["drifts"].as_array().unwrap();
        let is = |(it, wanted): (&Value, &(&str, &str))| {
            let place = it["place"].as_str().unwrap();
            it["trigger"] == wanted.0 && place.ends_with(wanted.1) && it["by"] == "dana"
        };
        if found.len() == wanted.len() && found.iter().zip(wanted).all(is) {
            return last;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("never {wanted:?}: {last:#}");
}

/// Waits until a request for an ordinary token is answered so.
async fn answers(partner: &Partner, expected: &Result<(), String>) {
    let mut last = Err(String::new());
    for _ in 0..200 {
        last = partner.attempt(Lane::Certified, "groups:read", "client_credentials").await;
        if last == *expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("never {expected:?}: {last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn seven_changes_of_a_certified_client_are_named_with_their_actor() {
    let kind = Kind::Shiftly;
    let town = certified(kind).await;
    let dana = Dana::of(&town);
    let right = registration::clients(&manifest(kind).unwrap()).remove(0);
    let extras = |change: fn(&mut Extras)| {
        let mut extras = right.extras.clone();
        change(&mut extras);
        ClientRegistration { extras, ..right.clone() }
    };
    let platform = town.sandbox.connector(Lane::Certified, Arc::new(SystemClock::start())).unwrap();
    // Any key will do; that of a copy is one.
    let made = platform.copy_client(&right.client_id).await.unwrap();
    let mut scope = right.clone();
    scope.scopes.insert("users:read.basic".to_owned());
    let mut redirect = right.clone();
    redirect.redirects.insert("cb:new".to_owned(), "https://evil.example/cb".to_owned());
    let with_key = ClientRegistration { keys: vec![made.public().to_jwk()], ..right.clone() };
    let life = right.token_ttl_seconds * 12;
    let longer = ClientRegistration { token_ttl_seconds: life, ..right.clone() };
    let changes = [
        ("scope-added", ": scope", scope),
        ("scope-added", ": role", extras(|it| it.roles = ["tenant-admin".to_owned()].into())),
        ("endpoint-changed", ": redirect", redirect),
        ("key-changed", ": key", with_key),
        ("key-changed", ": credential", extras(|it| it.secrets = [Digest::of(b"second")].into())),
        ("owner-changed", ": owner", extras(|it| it.owner = None)),
        ("limit-raised", ": token lifetime", longer),
    ];
    let platform = town.sandbox.connector(Lane::Certified, Arc::new(SystemClock::start())).unwrap();
    let partner = town.sandbox.partner(kind);
    for (trigger, place, changed) in changes {
        dana.puts(&changed).await;
        // The gate does not wait for the next look.
        match place {
            ": scope" => {
                let tried =
                    partner.attempt(Lane::Certified, "users:read.basic", "client_credentials");
                assert_eq!(tried.await, Err("outside-scope".to_owned()));
            }
            ": redirect" => {
                let client = &right.client_id;
                let answer = platform.authorize(client, "https://evil.example/cb").await.unwrap();
                assert!(!answer.is_admitted() && answer.reason.is_some(), "{answer:?}");
            }
            ": key" => {
                let copy = ClientCopy { client_id: right.client_id.clone(), ..made.clone() };
                let asked = platform.request_token(&copy, &TokenRequest::default()).await.unwrap();
                assert_eq!(asked.reason.as_deref(), Some("outside-credential"), "{asked:?}");
            }
            ": credential" => {
                let answer = dana.tries(&right.client_id, "second").await;
                assert_eq!(answer["error_description"], "outside-credential", "{answer}");
            }
            ": token lifetime" => {
                let work = partner.business(Lane::Certified, 1).await;
                assert_eq!(work.tokens.admitted, 0, "{work:?}");
            }
            _ => {}
        }
        let shown = drifts(&town, kind, &[(trigger, place)]).await;
        // A role shows in no call: the gate is told. Who still proves itself as certified goes on.
        let standing = match place {
            ": role" => Some(Err("drifted".to_owned())),
            ": key" | ": credential" | ": scope" => Some(Ok(())),
            _ => None,
        };
        if let Some(expected) = standing {
            answers(partner, &expected).await;
        }
        assert_eq!(shown["state"], "due", "{shown:#}");
        assert!(shown["drifts"][0]["at"].is_string(), "{shown:#}");
        let diff = town.get("paul", &format!("/v1/integrations/{}/diff", kind.slug())).await;
        assert_eq!(diff["drifts"][0]["by"], "dana", "{diff:#}");
        dana.puts(&right).await;
        drifts(&town, kind, &[]).await;
    }
    let work = partner.business(Lane::Certified, 1).await;
    assert_eq!(work.tokens.admitted, 1, "{work:?}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_longer_life_suspends_payroll_and_a_client_that_is_enabled_again_is_named() {
    let kind = Kind::Payrun;
    let town = certified(kind).await;
    let dana = Dana::of(&town);
    let mut longer = registration::clients(&manifest(kind).unwrap()).remove(0);
    longer.token_ttl_seconds *= 12;
    dana.puts(&longer).await;
    let shown = town.state(kind, "suspended").await;
    let reason = shown["withdrawal"]["reason"].as_str().unwrap();
    assert!(reason.contains("limit-raised") && reason.contains("by dana"), "{reason}");
    // Once the paths are proven cut, somebody opens one again at the platform.
    for turn in 0.. {
        let id = shown["withdrawal"]["revocation"].as_str().unwrap();
        let body = json!({});
        let (_, receipt) = town.post("rita", &format!("/v1/revocations/{id}/retry"), body).await;
        if unproven(&receipt) == BTreeSet::new() && receipt["paths"].is_array() {
            break;
        }
        assert!(turn < 100, "{receipt:#}");
    }
    dana.enables(&longer.client_id).await;
    let place = format!("{}: state", longer.client_id);
    drifts(&town, kind, &[("client-enabled", &place), ("limit-raised", ": token lifetime")]).await;
    let work = town.sandbox.partner(kind).business(Lane::Certified, 1).await;
    assert_eq!(work.tokens.admitted, 0, "the gate still denies: {work:?}");
    town.stop().await;
}
