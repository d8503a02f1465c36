//! Every question and every kill of the connector, with its effect seen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::sandbox::{SandboxPlatform, SandboxSettings};
use countersign_checks::platform::{
    Answer, ClientChange, ClientCopy, Platform as _, PlatformError, PlatformFault, Presence,
    SubscriptionChange, TokenRequest,
};
use countersign_model::declare::path::PathKind;
use countersign_model::declare::words::Slug;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::{Period, Timestamp};
use countersign_sandbox::{Fault, Kind, World, manifests};
use serde_json::{Value, json};

use crate::helper::{connector, until, world};

const CLIENT: &str = "acme-helpdesk";
const TICKETS: &str = "/v1/tickets";

fn acme() -> Slug {
    CLIENT.parse().unwrap()
}

fn ages_ago() -> Timestamp {
    Timestamp::from_seconds(0)
}

async fn token(platform: &SandboxPlatform, copy: &ClientCopy) -> String {
    let answer = platform.request_token(copy, &TokenRequest::default()).await.unwrap();
    answer.access_token.unwrap()
}

async fn error_of(platform: &SandboxPlatform, copy: &ClientCopy) -> Option<String> {
    platform.request_token(copy, &TokenRequest::default()).await.unwrap().error
}

async fn post(platform: &SandboxPlatform, token: &str) -> Answer {
    platform.use_token(token, "POST", TICKETS, None).await.unwrap()
}

fn refused(status: u16, reason: &str) -> Answer {
    Answer { status, reason: Some(reason.to_owned()) }
}

fn lines(log: &[u8]) -> Vec<Value> {
    let lines = log.split(|it| *it == b'\n').filter(|it| !it.is_empty());
    lines.map(|it| serde_json::from_slice(it).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reads_what_is_granted_and_subscribed() {
    let (world, _) = world();
    let platform = connector(&world);
    assert_eq!(platform.issuer(), "https://test.id.example.com");
    assert_eq!(platform.token_endpoint(), "https://test.id.example.com/oauth/token");
    let manifest = manifests::manifest(Kind::Acme).unwrap();
    let held = platform.granted(&manifest).await.unwrap();
    let granted = &held.granted[CLIENT];
    let scopes: Vec<&str> = granted.scopes.iter().map(String::as_str).collect();
    assert_eq!(scopes, ["tickets:write", "users:read.basic"]);
    assert!(granted.enabled && granted.auth == "private_key_jwt");
    assert_eq!(granted.token_ttl_seconds, 600);
    assert_eq!(held.undeclared, BTreeSet::new());
    assert_eq!(held.active_subscriptions().into_keys().collect::<Vec<_>>(), ["sub:user.lifecycle"]);

    let copy = platform.copy_client(CLIENT).await.unwrap();
    world.set_faults(Kind::Acme, [Fault::OverBroadScope]).await.unwrap();
    let again = platform.granted(&manifest).await.unwrap();
    assert!(again.granted[CLIENT].scopes.contains(manifests::OVER_BROAD_SCOPE));
    assert_eq!(again.undeclared, BTreeSet::new(), "{} is ours", copy.client_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_acts_until_it_is_disabled_emptied_or_deleted() {
    let (world, door) = world();
    let platform = connector(&world);
    let copy = platform.copy_client(CLIENT).await.unwrap();
    let first = token(&platform, &copy).await;
    assert_eq!(post(&platform, &first).await, Answer { status: 201, reason: None });
    assert!(platform.introspect(&first).await.unwrap());

    door.shut();
    let shut = platform.request_token(&copy, &TokenRequest::default()).await.unwrap();
    assert_eq!((shut.access_token, shut.reason.as_deref()), (None, Some("suspended")));
    assert_eq!(post(&platform, &first).await, refused(403, "suspended"));
    assert!(!platform.introspect(&first).await.unwrap());
    door.open();

    platform.client(&copy.client_id, ClientChange::Disable).await.unwrap();
    assert_eq!(error_of(&platform, &copy).await.as_deref(), Some("invalid_client"));
    assert_eq!(post(&platform, &first).await, refused(401, "invalid-token"));
    platform.client(&copy.client_id, ClientChange::Enable).await.unwrap();
    assert_eq!(error_of(&platform, &copy).await, None);
    assert!(platform.introspect(&first).await.unwrap());

    platform.client(&copy.client_id, ClientChange::RevokeTokens).await.unwrap();
    assert!(!platform.introspect(&first).await.unwrap());
    let second = token(&platform, &copy).await;
    assert!(platform.introspect(&second).await.unwrap());

    platform.client(&copy.client_id, ClientChange::Delete).await.unwrap();
    assert_eq!(error_of(&platform, &copy).await.as_deref(), Some("invalid_client"));
    assert!(!platform.introspect(&second).await.unwrap());
    let gone = platform.client(&copy.client_id, ClientChange::Delete).await.unwrap_err();
    assert!(matches!(gone.source, PlatformFault::Refused { status: 404, .. }), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_recorded_as_it_was_made_and_a_second_network_raises_the_alarm() {
    let (world, _) = world();
    let platform = connector(&world);
    let copy = platform.copy_client(CLIENT).await.unwrap();
    let here: IpAddr = "127.0.0.2".parse().unwrap();
    let there: IpAddr = "127.0.0.3".parse().unwrap();
    let request = TokenRequest {
        scope: Some("tickets:write".to_owned()),
        fields: [("actor".to_owned(), "robin".to_owned()), ("seq".to_owned(), "7".to_owned())]
            .into(),
        from: Some(here),
        ..TokenRequest::default()
    };
    let answer = platform.request_token(&copy, &request).await.unwrap();
    assert_eq!((answer.scope.as_deref(), answer.expires_in), (Some("tickets:write"), Some(600)));
    let token = answer.access_token.unwrap();
    let minted = lines(&platform.token_log(&copy.client_id, ages_ago()).await.unwrap());
    let shown = json!([minted[0]["actor"], minted[0]["seq"], minted[0]["ip"], minted[0]["result"]]);
    assert_eq!(shown, json!(["robin", 7, "127.0.0.2", "granted"]));

    let undeclared = TokenRequest { scope: Some("tenants:delete".to_owned()), ..request };
    let refusal = platform.request_token(&copy, &undeclared).await.unwrap();
    assert_eq!((refusal.status, refusal.error.as_deref()), (400, Some("invalid_scope")));

    let use_from = |from| platform.use_token(&token, "POST", TICKETS, Some(from));
    assert!(use_from(here).await.unwrap().is_admitted());
    assert_eq!(platform.alerts(&acme()).await.unwrap(), []);
    assert!(use_from(there).await.unwrap().is_admitted());
    let alerts = platform.alerts(&acme()).await.unwrap();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].client_id, copy.client_id);
    let used = lines(&platform.access_log(&copy.client_id, ages_ago()).await.unwrap());
    let from: Vec<&str> = used.iter().filter_map(|it| it["ip"].as_str()).collect();
    assert_eq!(from, ["127.0.0.2", "127.0.0.3"]);
    let tomorrow = alerts[0].at + Period::from_seconds(86_400);
    assert!(platform.access_log(&copy.client_id, tomorrow).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_counts_once() {
    let (world, _) = world();
    let platform = connector(&world);
    let copy = platform.copy_client(CLIENT).await.unwrap();
    let first = platform.request_token(&copy, &TokenRequest::default()).await.unwrap();
    let again = TokenRequest {
        grant: Some("refresh_token".to_owned()),
        refresh_token: first.refresh_token,
        ..TokenRequest::default()
    };
    let refreshed = platform.request_token(&copy, &again).await.unwrap();
    assert!(refreshed.access_token.is_some() && refreshed.refresh_token.is_some());
    let twice = platform.request_token(&copy, &again).await.unwrap();
    assert_eq!(twice.error.as_deref(), Some("invalid_grant"));
    assert!(!platform.introspect(&refreshed.access_token.unwrap()).await.unwrap());
}

async fn delivered(platform: &SandboxPlatform, id: &str) -> Option<String> {
    let all = platform.deliveries(&acme(), ages_ago()).await.unwrap();
    all.into_iter().find(|it| it.id == id).map(|it| it.result)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_subscription_delivers_nothing() {
    let (world, _) = world();
    let platform = connector(&world);
    let data = json!({"user": {"id": "u-1"}});
    let emit = || platform.emit("user.locked", &data);
    let change = |it| {
        let platform = Arc::clone(&platform);
        async move { platform.subscription(&acme(), "sub:user.lifecycle", it).await.unwrap() }
    };
    let before = emit().await.unwrap();
    let result = until("delivery", || delivered(&platform, &before)).await;
    assert_eq!(result, "delivered");

    change(SubscriptionChange::Disable).await;
    let while_off = emit().await.unwrap();
    let manifest = manifests::manifest(Kind::Acme).unwrap();
    let held = platform.granted(&manifest).await.unwrap();
    assert_eq!(held.active_subscriptions(), BTreeMap::new());
    change(SubscriptionChange::Enable).await;
    let after = emit().await.unwrap();
    until("delivery", || delivered(&platform, &after)).await;
    assert_eq!(delivered(&platform, &while_off).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_queue_is_empty() {
    let (world, _) = world();
    let platform = connector(&world);
    world.set_faults(Kind::Acme, [Fault::Down]).await.unwrap();
    let lost = platform.emit("user.locked", &json!({})).await.unwrap();
    assert_eq!(until("attempt", || delivered(&platform, &lost)).await, "failed");
    let manifest = manifests::manifest(Kind::Acme).unwrap();
    let queued = || async { platform.granted(&manifest).await.unwrap().subscriptions[0].queued };
    until("queue", || async { (0 < queued().await).then_some(()) }).await;
    let id = "sub:user.lifecycle";
    platform.subscription(&acme(), id, SubscriptionChange::Purge).await.unwrap();
    assert_eq!(queued().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_test_tenant_is_the_one_that_its_events_verify_with() {
    let (world, _) = world();
    let key = connector(&world).signing_key(&acme()).await.unwrap();
    assert_eq!(key.public(), world.tenant(Lane::Trial).event_key());
    let production = world.connector(Lane::Certified, Arc::new(SystemClock::start())).unwrap();
    let refused = production.signing_key(&acme()).await.unwrap_err();
    assert!(matches!(refused.source, PlatformFault::Refused { status: 403, .. }), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_knock_tells_a_shut_gate_from_a_missing_key_or_redirect() {
    let (world, door) = world();
    let platform = connector(&world);
    let (hook, callback) = ("hook:ticket-events", "cb:oauth");
    let knock = |kind, subject: &'static str| {
        let platform = Arc::clone(&platform);
        async move { platform.knock(&acme(), kind, subject).await.unwrap() }
    };
    let open = refused(401, "no-credential");
    assert_eq!(knock(PathKind::CallIn, hook).await, open);
    assert_eq!(knock(PathKind::CallIn, callback).await, open);
    assert_eq!(knock(PathKind::AssertionIn, "fed:acme").await, open);

    platform.webhook_key(&acme(), hook, Presence::Remove).await.unwrap();
    assert_eq!(knock(PathKind::CallIn, hook).await, refused(401, "no-key"));
    platform.webhook_key(&acme(), hook, Presence::Restore).await.unwrap();
    assert_eq!(knock(PathKind::CallIn, hook).await, open);

    platform.redirects(CLIENT, Presence::Remove).await.unwrap();
    assert_eq!(knock(PathKind::CallIn, callback).await, refused(422, "unknown-redirect"));
    platform.redirects(CLIENT, Presence::Restore).await.unwrap();
    assert_eq!(knock(PathKind::CallIn, callback).await, open);

    door.shut();
    for (kind, subject) in [
        (PathKind::CallIn, hook),
        (PathKind::CallIn, callback),
        (PathKind::AssertionIn, "fed:acme"),
        (PathKind::TokenUse, CLIENT),
    ] {
        assert_eq!(knock(kind, subject).await, refused(403, "suspended"), "{subject}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_while_the_gate_is_open() {
    let (world, door) = world();
    let platform = connector(&world);
    let payrun: Slug = "payrun-hr".parse().unwrap();
    let causes = BTreeMap::from([("account-disable".to_owned(), 3)]);
    let run = || platform.run_job(&payrun, "job:nightly-reconcile", &causes);
    assert!(run().await.unwrap().is_admitted());
    door.shut();
    assert_eq!(run().await.unwrap(), refused(403, "suspended"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_partner_pushed_is_read_back() {
    let (world, _) = world();
    let platform = connector(&world);
    assert!(platform.pushed_log(&acme()).await.unwrap().is_empty());
    world.partner(Kind::Acme).business(Lane::Trial, 2).await;
    assert!(!lines(&platform.pushed_log(&acme()).await.unwrap()).is_empty());
    // What we send with the key of a copy is not the partner's.
    let copy = platform.copy_webhook(&acme(), "hook:ticket-events").await.unwrap();
    assert!(platform.call_webhook(&acme(), &copy).await.unwrap().is_admitted());
    platform.webhook_key(&acme(), &copy.id, Presence::Remove).await.unwrap();
    assert!(!platform.call_webhook(&acme(), &copy).await.unwrap().is_admitted());
    let received = platform.received(&acme(), ages_ago()).await.unwrap();
    let seen: Vec<_> = received.iter().map(|it| (it.webhook.as_deref(), &*it.result)).collect();
    assert_eq!(seen, [(Some("hook:ticket-events"), "verified")]);
}

fn settings(world: &World) -> SandboxSettings {
    SandboxSettings { limit: Duration::from_millis(500), ..world.connector_settings(Lane::Trial) }
}

async fn fault(settings: SandboxSettings) -> PlatformFault {
    let platform = SandboxPlatform::new(settings, Arc::new(SystemClock::start())).unwrap();
    let error: PlatformError = platform.alerts(&acme()).await.unwrap_err();
    assert_eq!(error.to_string(), "platform could not read the alerts about acme-helpdesk");
    error.source
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused_and_one_that_reads_cannot_kill() {
    let (world, _) = world();
    let wrong = SandboxSettings { reader: "wrong".to_owned(), ..settings(&world) };
    assert!(matches!(fault(wrong).await, PlatformFault::Refused { status: 401, .. }));
    let right = settings(&world);
    let reads = SandboxSettings { killer: right.reader.clone(), ..right };
    let platform = SandboxPlatform::new(reads, Arc::new(SystemClock::start())).unwrap();
    let refused = platform.client(CLIENT, ClientChange::Disable).await.unwrap_err().source;
    assert_eq!(refused.to_string(), "it answered 403 (`only-reads`)");
}

/// A partner's server stands in for a platform that is broken in each of its ways.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_platform_is_an_error_with_its_cause() {
    let (world, _) = world();
    let broken = SandboxSettings { issuer: "https://acme.example".to_owned(), ..settings(&world) };
    let table = [
        (Fault::Down, "it cannot be reached: no connection"),
        (Fault::AllErrors, "it answered 500"),
        (Fault::AllSuccess, "its answer cannot be read"),
        (Fault::ClosesHalfWay, "it cannot be reached: connection closed half-way"),
        (Fault::Hangs, "it did not answer within 1 s"),
    ];
    for (how, expected) in table {
        world.set_faults(Kind::Acme, [how]).await.unwrap();
        let begins = || async {
            let words = fault(broken.clone()).await.to_string();
            words.starts_with(expected).then_some(())
        };
        until(expected, begins).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_stopped_or_is_silent_or_not_the_right_one_cannot_be_reached() {
    let (running, _) = world();
    let settings = settings(&running);
    let strangers = World::start().unwrap();
    let other = strangers.net().ca_pem.clone().into_bytes();
    let not_trusted = SandboxSettings { ca: Some(other), ..settings.clone() };
    assert!(matches!(fault(not_trusted).await, PlatformFault::Connection(_)));

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = "test.id.example.com".to_owned();
    let resolve = BTreeMap::from([(host, silent.local_addr().unwrap())]);
    let unanswered = SandboxSettings { resolve, ..settings.clone() };
    assert!(matches!(fault(unanswered).await, PlatformFault::Timeout { .. }));

    drop(running);
    let stopped = || async {
        matches!(fault(settings.clone()).await, PlatformFault::Connection(_)).then_some(())
    };
    until("the end of the platform", stopped).await;
}
