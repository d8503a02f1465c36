//! What the sandbox holds, reconciled until nothing is left over.

use countersign_model::declare::draft::MARK;
use countersign_model::declare::{Format, read};
use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::manifests::{Version, manifest, text};
use countersign_sandbox::{Kind, registration};
use countersign_seal::Digest;
use serde_json::{Value, json};

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
    let import = async |adopted: Value| {
        let body = json!({ "platform": "test", "adopted": adopted });
        let (status, answer) = town.post("paul", "/v1/imports", body).await;
        assert_eq!(status, 200, "{answer}");
        let counts = answer["counts"].as_object().unwrap();
        let sum: u64 = counts.values().filter_map(Value::as_u64).sum();
        assert_eq!(Some(sum), answer["found"].as_u64(), "{counts:?}");
        answer
    };
    let before = import(json!({})).await;
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
    let others: serde_json::Map<String, Value> = before["clients"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["client_id"].as_str().filter(|it| *it != "acme-helpdesk"))
        .map(|it| (it.to_owned(), "2999-01-01T00:00:00Z".into()))
        .collect();
    let after = import(Value::Object(others.clone())).await;
    assert_eq!(class(&after, "acme-helpdesk"), "declared");
    assert_eq!(after["counts"]["grandfathered"], others.len());
    assert_eq!(after["unexplained"], 0, "{after:#}");

    // A second secret, then a declared client that is gone.
    let mut client = registration::clients(&manifest(Kind::Acme).unwrap()).remove(0);
    client.extras.secrets = [Digest::of(b"second")].into();
    tenant.register_client(client).unwrap();
    let stray = import(Value::Object(others.clone())).await;
    assert_eq!(stray["undeclared_credentials"][0]["client_id"], "acme-helpdesk");
    assert_eq!(stray["unexplained"], 1, "{stray:#}");
    tenant.remove_client("acme-helpdesk");
    let gone = import(Value::Object(others)).await;
    assert_eq!(gone["phantoms"], json!({ "acme-helpdesk": "acme-helpdesk" }));
    assert_eq!(gone["unexplained"], 1, "{gone:#}");
    let (status, _) = town.post("paul", "/v1/imports", json!({ "platform": "moon" })).await;
    assert_eq!(status, 400);
    town.stop().await;
}
