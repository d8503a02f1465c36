//! Nothing reaches a host that the manifest does not name, and nothing hostile one that is not proved.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use countersign_checks::live::ask::Ask;
use countersign_checks::live::client::{Client, TalkConfig};
use countersign_checks::live::proof::{Challenge, Proofs};
use countersign_model::check::transcript::FailureKind;
use countersign_model::declare::manifest::HostProof;
use countersign_model::declare::{Format, Manifest, parse};
use countersign_model::time::Timestamp;

use crate::listener::{Authority, Listener, name_server};

const PROVED: &str = "events.acme.example";
const UNPROVED: &str = "app.acme.example";
const STRANGER: &str = "stranger.example";
const TXT: u16 = 16;
const A: u16 = 1;

pub(crate) fn manifest() -> Manifest {
    let text = include_str!("../../../../spec/vectors/manifest/saas.toml")
        .replace("environment = \"production\"", "environment = \"sandbox\"")
        .replace("rate_per_second = 20", "rate_per_second = 1000");
    parse(&text, Format::Toml).unwrap().manifest
}

pub(crate) fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn proofs() -> Proofs {
    Proofs::new([5; 32])
}

fn challenge(host: &str, day: &str) -> Challenge {
    let at: Timestamp = day.parse().unwrap();
    proofs().issue("acme-helpdesk", host, HostProof::WellKnown, at)
}

/// What was refused by our own guard, in words.
async fn refusal(client: &Client, ask: Ask) -> Option<String> {
    let (kind, detail) = client.send(ask, noon()).await.failure?;
    assert_eq!(kind, FailureKind::AddressRefused, "{detail}");
    Some(detail)
}

/// A listener that publishes this, and says yes to everything.
async fn publishing(authority: &Authority, host: &str, text: String) -> Listener {
    Listener::start(authority, host, move |writer, request| {
        let body = if request.contains("/.well-known/") { text.clone() } else { "yes".to_owned() };
        writer.answer(200, "", body)
    })
    .await
}

#[tokio::test]
async fn nothing_hostile_goes_to_a_host_before_it_is_proved() {
    let authority = Authority::new();
    let proved = publishing(&authority, PROVED, challenge(PROVED, "2026-11-01T00:00:00Z").text);
    let proved = proved.await;
    // The proof of another host is none, though one partner may publish both in one file.
    let other = publishing(&authority, UNPROVED, challenge(PROVED, "2026-11-01T00:00:00Z").text);
    let other = other.await;
    let stranger = publishing(&authority, STRANGER, String::new()).await;
    let listeners = [(PROVED, &proved), (UNPROVED, &other), (STRANGER, &stranger)];
    let way = TalkConfig { proofs: Some(proofs()), ..authority.way(&listeners) };
    let client = Client::new(&way, &manifest()).unwrap();
    let hostile = |host: &str| Ask::new("POST", format!("https://{host}/id")).json("{}").hostile();

    // Nobody was asked yet, and an address of an operator's own proves nothing.
    for host in [PROVED, UNPROVED] {
        let text = refusal(&client, hostile(host)).await.unwrap();
        assert!(text.contains("has not proved that it controls"), "{text}");
    }
    assert_eq!((proved.connections(), other.connections()), (0, 0));

    let (asked, open) = client.prove(noon()).await;
    assert_eq!(asked, 3, "three hosts of the partner's");
    let open: Vec<&str> = open.iter().map(|it| it.challenge.host.as_str()).collect();
    assert_eq!(open, ["acme.example", UNPROVED]);

    assert_eq!(client.send(hostile(PROVED), noon()).await.status, 200);
    let todo = refusal(&client, hostile(UNPROVED)).await.unwrap();
    let wanted = challenge(UNPROVED, "2026-11-24T00:00:00Z").to_string();
    assert!(todo.ends_with(&wanted), "{todo}");
    assert_eq!(client.send(Ask::get(format!("https://{UNPROVED}/")), noon()).await.status, 200);
    for ask in [Ask::get(format!("https://{STRANGER}/")), hostile(STRANGER)] {
        let text = refusal(&client, ask).await.unwrap();
        assert!(text.contains("does not name the host"), "{text}");
    }
    assert_eq!(stranger.connections(), 0);
    let posted = |it: &Listener| it.requests().iter().filter(|it| it.starts_with("POST")).count();
    assert_eq!((posted(&proved), posted(&other)), (1, 0));
}

#[tokio::test]
async fn a_proof_that_is_old_or_moved_or_redirected_is_none() {
    let authority = Authority::new();
    let old = publishing(&authority, PROVED, challenge(PROVED, "2026-08-01T00:00:00Z").text).await;
    let elsewhere =
        publishing(&authority, STRANGER, challenge(UNPROVED, "2026-11-24T00:00:00Z").text);
    let elsewhere = elsewhere.await;
    let moved = Listener::start(&authority, UNPROVED, |writer, _| {
        writer.answer(302, "location: https://stranger.example/.well-known/countersign/x\r\n", "")
    });
    let moved = moved.await;
    let listeners = [(PROVED, &old), (UNPROVED, &moved), (STRANGER, &elsewhere)];
    let way = TalkConfig { proofs: Some(proofs()), ..authority.way(&listeners) };
    let client = Client::new(&way, &manifest()).unwrap();
    let (_, open) = client.prove(noon()).await;
    let seen = |host: &str| {
        let found = open.iter().find(|it| it.challenge.host == host);
        found.map(|it| it.observed.clone()).unwrap_or_default()
    };
    assert_eq!(seen(PROVED), "the token that is published there ended on 2026-10-30T00:00:00.000Z");
    assert_eq!(seen(UNPROVED), "HTTP 302");
    assert_eq!(elsewhere.connections(), 0, "a redirect is not followed");
}

#[tokio::test]
async fn a_txt_record_proves_a_host_where_the_manifest_says_so() {
    let mut manifest = manifest();
    manifest.rules_of_engagement.as_mut().unwrap().proof = HostProof::Dns;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let server = name_server(move |name, kind| {
        heard.lock().unwrap().push(name.to_owned());
        let text = challenge(PROVED, "2026-11-24T00:00:00Z").text;
        let mut data = vec![u8::try_from(text.len()).unwrap()];
        data.extend(text.as_bytes());
        let is_ours = name == "_countersign-challenge.events.acme.example" && kind == TXT;
        if is_ours { vec![vec![3, b'o', b'l', b'd'], data] } else { Vec::new() }
    });
    let way =
        TalkConfig { dns: Some(server.await), proofs: Some(proofs()), ..TalkConfig::default() };
    let client = Client::new(&way, &manifest).unwrap();
    let (count, open) = client.prove(noon()).await;
    let open: Vec<&str> = open.iter().map(|it| it.challenge.host.as_str()).collect();
    assert_eq!((count, open), (3, vec!["acme.example", UNPROVED]));
    assert!(asked.lock().unwrap().iter().all(|it| it.starts_with("_countersign-challenge.")));
}

#[tokio::test]
async fn a_name_that_moves_to_a_private_address_is_not_followed_there() {
    let here = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    let private = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
    let first = Listener::counting(here, 0).await;
    let port = first.address.port();
    let second = Listener::counting(private, port).await;
    let asked = AtomicUsize::new(0);
    let server = name_server(move |_, kind| {
        if kind != A {
            return Vec::new();
        }
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => vec![vec![127, 0, 0, 2]],
            1 => vec![vec![127, 0, 0, 3]],
            _ => vec![vec![127, 0, 0, 2], vec![127, 0, 0, 3]],
        }
    });
    let way = TalkConfig {
        dns: Some(server.await),
        allow_networks: vec!["127.0.0.2/32".parse().unwrap()],
        ..TalkConfig::default()
    };
    let client = Client::new(&way, &manifest()).unwrap();
    let ask = Ask::get(format!("https://{PROVED}:{port}/"));
    let kinds = [FailureKind::Tls, FailureKind::AddressRefused, FailureKind::AddressRefused];
    for (row, expected) in kinds.into_iter().enumerate() {
        let (kind, detail) = client.send(ask.clone(), noon()).await.failure.unwrap();
        assert_eq!(kind, expected, "{row}: {detail}");
    }
    assert_eq!((first.connections(), second.connections()), (1, 0));
}

#[tokio::test]
async fn a_host_that_asks_for_patience_gets_it_and_a_hostile_request_is_sent_once() {
    let authority = Authority::new();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let busy = Listener::start(&authority, PROVED, move |writer, _| {
        let is_busy = counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        let (status, headers) = if is_busy { (429, "retry-after: 0\r\n") } else { (200, "") };
        writer.answer(status, headers, "")
    });
    let busy = busy.await;
    let way =
        TalkConfig { proved: [PROVED.to_owned()].into(), ..authority.way(&[(PROVED, &busy)]) };
    let client = Client::new(&way, &manifest()).unwrap();
    let ask = Ask::get(format!("https://{PROVED}/"));
    assert_eq!(client.send(ask.clone(), noon()).await.status, 200);
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    assert_eq!(client.send(ask.hostile(), noon()).await.status, 429);
    assert_eq!(tries.load(Ordering::SeqCst), 3);
}
