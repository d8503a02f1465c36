//! An identity server and the services behind it, as one platform: tokens of the one tenant, used at
//! the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use countersign_checks::drill::load::Load;
use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::joined::Joined;
use countersign_checks::platform::{Answer, ClientChange, Platform as _, TokenRequest};
use countersign_checks::run::{Limits, RunInput, look};
use countersign_checks::secrets::Secrets;
use countersign_model::check::Verdict;
use countersign_model::declare::{Format, parse};
use countersign_model::enforce::snapshot::Lane;
use countersign_model::enforce::{Call, Reason};
use countersign_model::time::Timestamp;
use countersign_sandbox::{IdentityServer, Kind, World, manifests};

const CLIENT: &str = "acme-helpdesk";

fn lines(log: &[u8]) -> usize {
    log.split(|it| *it == b'\n').filter(|it| !it.is_empty()).count()
}

/// The production tenant issues tokens, the test tenant takes them.
fn joined(world: &World) -> Joined {
    let open = |_: &Call| Reason::Admitted;
    for lane in [Lane::Certified, Lane::Trial] {
        world.put_gate(lane, Arc::new(open));
    }
    let issuer = world.tenant(Lane::Certified);
    world.tenant(Lane::Trial).take_tokens_of(IdentityServer {
        issuer: issuer.url().to_owned(),
        token_endpoint: issuer.token_endpoint(),
        introspection_endpoint: format!("{}/oauth/introspect", issuer.url()),
        authorization: format!("Bearer {}", issuer.reader_token()),
    });
    let connector = |lane| world.connector(lane, Arc::new(SystemClock::start())).unwrap();
    Joined::new(connector(Lane::Certified), connector(Lane::Trial))
}

#[tokio::test(flavor = "multi_thread")]
async fn services_take_the_tokens_of_their_identity_server_and_no_others() {
    let world = World::start().unwrap();
    let platform = joined(&world);
    let own = world.connector(Lane::Trial, Arc::new(SystemClock::start())).unwrap();
    let post =
        async |token: &str| platform.use_token(token, "POST", "/v1/tickets", None).await.unwrap();
    let copy = platform.copy_client(CLIENT).await.unwrap();
    let token = platform.request_token(&copy, &TokenRequest::default()).await.unwrap();
    let token = token.access_token.unwrap();
    assert_eq!(post(&token).await.status, 201);
    let used = platform.access_log(&copy.client_id, Timestamp::from_seconds(0)).await.unwrap();
    assert_eq!(lines(&used), 1, "the services saw the use");
    let minted = platform.token_log(&copy.client_id, Timestamp::from_seconds(0)).await.unwrap();
    assert_eq!(lines(&minted), 1, "the issuer saw the request");

    // A token that the services' own tenant issued is nobody's here.
    let stranger = own.copy_client(CLIENT).await.unwrap();
    let other = own.request_token(&stranger, &TokenRequest::default()).await.unwrap();
    let invalid = Answer { status: 401, reason: Some("invalid-token".to_owned()) };
    assert_eq!(post(&other.access_token.unwrap()).await, invalid);

    platform.client(&copy.client_id, ClientChange::Disable).await.unwrap();
    assert_eq!(post(&token).await, invalid, "what ends there, ends here");
    platform.client(&copy.client_id, ClientChange::Delete).await.unwrap();
    assert_eq!(post(&token).await, invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_come_from_the_identity_server_and_subscriptions_from_the_services() {
    let world = World::start().unwrap();
    let platform = joined(&world);
    let manifest = manifests::manifest(Kind::Acme).unwrap();
    world.tenant(Lane::Trial).remove_client(CLIENT);
    world.tenant(Lane::Certified).remove_subscription(CLIENT, "sub:user.lifecycle");
    let held = platform.granted(&manifest).await.unwrap();
    assert!(held.granted.contains_key(CLIENT));
    assert_eq!(
        held.active_subscriptions().into_keys().collect::<Vec<_>>(),
        ["sub:user.lifecycle"],
        "those of the services alone"
    );
    assert_eq!(platform.issuer(), "https://id.example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn drills_ask_each_of_the_two_for_its_own() {
    let world = World::start().unwrap();
    let platform = Arc::new(joined(&world));
    let parsed =
        parse(&manifests::text(Kind::Payrun, manifests::Version::Right), Format::Toml).unwrap();
    let checks = ["serves_every_call_while_a_key_is_changed", "writes_down_every_act"];
    let only: BTreeSet<String> = checks.map(str::to_owned).into();
    let evidence = look(RunInput {
        manifest: &parsed.manifest,
        manifest_digest: parsed.digest,
        only: Some(&only),
        settings: Load { per_second: 50, seconds: 2 }.settings().into(),
        talk: TalkConfig::default(),
        platform: Some(platform),
        harness: None,
        production: None,
        sources: BTreeMap::new(),
        secrets: Secrets::default(),
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: Arc::new(SystemClock::start()),
        salt: [7; 32],
        collector: "test".to_owned(),
        limits: Limits::default(),
        keeper: None,
    });
    let evidence = evidence.await.unwrap();
    let told = |check: &str| {
        let found = evidence.iter().find(|it| it.transcript.check == check).unwrap();
        assert_eq!(found.judgement.verdict, Verdict::Pass, "{:?}", found.judgement);
        found.judgement.observed.clone()
    };
    let load = told(checks[0]);
    assert_eq!(load, "100 times at 50/s: 100 tokens, 100 calls, 0 failed, nobody else acted");
    assert!(told(checks[1]).starts_with("12 of 12 acts found"), "{}", told(checks[1]));
}
