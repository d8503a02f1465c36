//! What the sandbox holds, reconciled until nothing is left over.

use countersign_checks::platform::{Inventory, InventoryClient};
use countersign_model::declare::draft::MARK;
use countersign_model::declare::{Format, read};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::{Period, Timestamp};
use countersign_sandbox::manifests::{Version, manifest, text};
use countersign_sandbox::{Kind, registration};
use countersign_seal::Digest;
use countersign_server::clock::Clock;
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::town::Town;

fn class<'a>(answer: &'a Value, client: &str) -> &'a str {
    let all = answer["clients"].as_array().unwrap();
    let found = all.iter().find(|it| it["client_id"] == client);
    found.and_then(|it| it["class"].as_str()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sandbox_is_imported_until_nothing_is_unexplained() {
    let town = Town::start().await;
    let tenant = town.sandbox.tenant(Lane::Trial);
    let import = async |who: &str, adopted: Value| {
        let body = json!({ "platform": "test", "adopted": adopted });
        let (status, answer) = town.post(who, "/v1/imports", body).await;
        assert_eq!(status, 200, "{answer}");
        let counts = answer["counts"].as_object().unwrap();
        let sum: u64 = counts.values().filter_map(Value::as_u64).sum();
        assert_eq!(Some(sum), answer["found"].as_u64(), "{counts:?}");
        answer
    };
    let before = import("paul", json!({})).await;
    assert_eq!(class(&before, "acme-helpdesk"), "unknown");
    assert_eq!(before["unexplained"], before["found"], "nothing is declared yet");
    // Every draft can be read, and nobody could certify it as it is.
    for draft in before["drafts"].as_array().unwrap() {
        let parsed = read(draft["manifest"].as_str().unwrap(), Format::Toml).unwrap();
        let identity = &parsed.manifest.identities[0];
        assert_eq!(draft["client_id"], identity.client_id());
        assert!(parsed.manifest.integration.purpose.starts_with(MARK));
    }

    town.submit(&text(Kind::Acme, Version::Right)).await;
    let until = Clock::System.now() + Period::from_days(1);
    let others: serde_json::Map<String, Value> = before["clients"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["client_id"].as_str().filter(|it| *it != "acme-helpdesk"))
        .map(|it| (it.to_owned(), json!({ "owner": "lena", "until": until })))
        .collect();
    let after = import("olga", Value::Object(others.clone())).await;
    assert_eq!(class(&after, "acme-helpdesk"), "declared");
    assert_eq!(after["counts"]["grandfathered"], others.len());
    assert_eq!(after["unexplained"], 0, "{after:#}");

    // A second secret, then a declared client that is gone.
    let mut client = registration::clients(&manifest(Kind::Acme).unwrap()).remove(0);
    client.extras.secrets = [Digest::of(b"second")].into();
    tenant.register_client(client).unwrap();
    let stray = import("paul", json!({})).await;
    assert_eq!(stray["undeclared_credentials"][0]["client_id"], "acme-helpdesk");
    assert_eq!(stray["unexplained"], 1, "{stray:#}");
    tenant.remove_client("acme-helpdesk");
    let gone = import("paul", json!({})).await;
    assert_eq!(gone["phantoms"], json!({ "acme-helpdesk": "acme-helpdesk" }));
    assert_eq!(gone["unexplained"], 1, "{gone:#}");
    let (status, _) = town.post("paul", "/v1/imports", json!({ "platform": "moon" })).await;
    assert_eq!(status, 400);
    town.stop().await;
}

fn client(id: &str, owner: &str, last_used: Timestamp) -> InventoryClient {
    InventoryClient {
        client_id: id.to_owned(),
        owner: Some(owner.to_owned()),
        last_used: Some(last_used),
        ..InventoryClient::default()
    }
}

#[tokio::test]
async fn an_adoption_is_kept_until_its_date_and_against_the_control_from_then_on() {
    let stage = Stage::new().await;
    let clients = vec![client("old-sync", "max", stage.now()), client("new", "max", stage.now())];
    stage.fake.told.lock().unwrap().inventory = Inventory { clients, unread: Vec::new() };
    let until = stage.now() + Period::from_days(90);
    let import = async |who: &str, adopted: Value| {
        let body = json!({ "platform": "production", "adopted": adopted });
        stage.post(who, "/v1/imports", body).await
    };
    let list = json!({ "old-sync": { "owner": "lena", "until": until } });
    // Who only reads adopts nothing; nobody adopts for ever, or for nobody.
    assert_eq!(import("paul", list.clone()).await.0, 403);
    let long = stage.now() + Period::from_days(181);
    for (owner, until) in [("lena", long), (" ", until)] {
        let list = json!({ "old-sync": { "owner": owner, "until": until } });
        assert_eq!(import("olga", list).await.0, 400);
    }
    let (_, before) = import("paul", json!({})).await;
    assert_eq!(before["unexplained"], 2, "{before:#}");

    let (status, answer) = import("olga", list.clone()).await;
    assert_eq!((status, class(&answer, "old-sync")), (200, "grandfathered"), "{answer:#}");
    let size = stage.app.book.published().registry.size;
    // It stays, also after a restart, and the same list again is no news.
    let stage = stage.restart().await;
    let body = json!({ "platform": "production", "adopted": list });
    let (status, answer) = stage.post("paul", "/v1/imports", body).await;
    assert_eq!((status, class(&answer, "old-sync")), (200, "grandfathered"), "{answer:#}");
    assert_eq!(stage.app.book.published().registry.size, size);
    // A second list takes nothing away from the first.
    let body = json!({
        "platform": "production", "adopted": { "new": { "owner": "max", "until": until } },
    });
    let (_, answer) = stage.post("olga", "/v1/imports", body).await;
    assert_eq!(answer["unexplained"], 0, "{answer:#}");
    let (_, figures) = stage.get("paul", "/v1/population").await;
    let expected = json!([
        { "client_id": "new", "class": "grandfathered", "owner": "max", "until": until },
        { "client_id": "old-sync", "class": "grandfathered", "owner": "lena", "until": until },
    ]);
    assert_eq!(figures["adopted"], expected);

    stage.pass(90 * 86_400);
    let (_, figures) = stage.get("paul", "/v1/population").await;
    assert_eq!((&figures["unexplained"], &figures["counts"]["overdue"]), (&json!(2), &json!(2)));
    assert_eq!(figures["adopted"][1]["class"], "overdue");
    let (_, answer) = stage.post("paul", "/v1/imports", json!({ "platform": "production" })).await;
    let old = answer["clients"].as_array().unwrap().iter().find(|it| it["class"] == "overdue");
    let why = old.unwrap()["why"].as_str().unwrap();
    assert!(why.starts_with("CTS-GOV-02: adopted by "), "{why}");
}

#[tokio::test]
async fn five_thousand_clients_are_told_in_bounded_time() {
    let stage = Stage::new().await;
    let one = |number: u32| {
        let owner = if number.is_multiple_of(10) { "" } else { "max" };
        let mut it = client(&format!("client-{number:04}"), owner, stage.now());
        it.owner = it.owner.filter(|it| !it.is_empty());
        it.granted.scopes = ["users:read".to_owned(), "groups:read".to_owned()].into();
        it
    };
    let clients = (0..5_000).map(one).collect();
    stage.fake.told.lock().unwrap().inventory = Inventory { clients, unread: Vec::new() };
    let took = countersign_server::clock::Stopwatch::start();
    let (status, answer) = stage.post("paul", "/v1/imports", json!({ "platform": "test" })).await;
    assert_eq!(status, 200);
    assert_eq!(answer["found"], 5_000);
    assert_eq!(answer["counts"]["orphaned"], 500);
    assert_eq!(answer["drafts"].as_array().unwrap().len(), 5_000);
    let bytes = answer.to_string().len();
    assert!(bytes < 32 << 20, "{bytes} bytes: the command reads 64 MiB at most");
    assert!(took.ms() < 60_000, "{} ms", took.ms());
    let body = json!({ "platform": "test", "without_drafts": true });
    let (_, answer) = stage.post("paul", "/v1/imports", body).await;
    assert!(answer.to_string().len() < 2 << 20 && answer["found"] == 5_000);
    // Somebody who watches the status does not make the platform list everything each second.
    let before = stage.fake.told.lock().unwrap().listed;
    for _ in 0..10 {
        let (_, figures) = stage.get("paul", "/v1/population").await;
        assert_eq!(figures["found"], 5_000);
    }
    assert_eq!(stage.fake.told.lock().unwrap().listed, before + 1);
    stage.pass(5);
    stage.get("paul", "/v1/population").await;
    assert_eq!(stage.fake.told.lock().unwrap().listed, before + 2);
}
