//! The checker's own server: partners reach it by name, and each booth knows what was asked there.

use std::time::Duration;

use countersign_checks::harness::{Reply, Seen};
use countersign_sandbox::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_reaches_a_booth_and_what_it_asks_is_written_down() {
    let world = World::start().unwrap();
    let harness = world.harness().unwrap();
    let booth = harness.open("b1", |seen: &Seen| match seen.path.as_str() {
        "/token" => Reply::json(&serde_json::json!({"grant": seen.field("grant_type")})),
        "/.well-known/oauth-authorization-server" => Reply::status(204),
        _ => Reply::status(404),
    });
    let client = world.net().client(None).unwrap();
    let form = [("grant_type", "code")];
    let url = format!("{}/token?a=b", booth.url());
    let answer = client.post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), r#"{"grant":"code"}"#);
    let known = format!("{}/.well-known/oauth-authorization-server/b1", harness.url());
    assert_eq!(client.get(&known).send().await.unwrap().status(), 204);
    let limit = Duration::from_secs(5);
    assert!(booth.wait(limit, |seen| seen.len() == 2).await);
    let seen = booth.seen();
    assert_eq!(seen[0].asked("a").as_deref(), Some("b"));
    assert!(!booth.wait(Duration::from_millis(10), |seen| 2 < seen.len()).await);
    assert!(harness.knocks(harness.host()).iter().all(|it| it.session));
    drop(booth);
    assert_eq!(client.get(&known).send().await.unwrap().status(), 404, "a closed booth");
    assert_eq!(harness.url(), world.harness().unwrap().url(), "it is started once");
}
