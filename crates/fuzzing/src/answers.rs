//! What partners publish, answer and send below and beside HTTP: proofs of their hosts, TLS, signed messages.

use countersign_checks::fuzz::lines_joined;
use countersign_checks::live::proof::{PROOF_AGE_MAX, Proofs};
use countersign_checks::live::wire::Said;
use countersign_checks::live::{certificate as x509, plain as port_80, wire};
use countersign_model::declare::manifest::HostProof;
use countersign_model::time::Timestamp;
use countersign_seal::SigningKey;
use countersign_seal::scheme::{Arrived, SCHEMES, Shared, Verifier, Window};

/// A file or TXT records with proofs of a host: only what we issued proves anything.
pub fn proof(bytes: &[u8]) {
    let proofs = Proofs::new([1; 32]);
    let published = String::from_utf8_lossy(bytes);
    let (integration, host) = ("acme", "events.acme.example");
    let now = Timestamp::from_seconds(1_795_489_511);
    if let Ok(until) = proofs.verify(integration, host, &published, now) {
        let issued = proofs.issue(integration, host, HostProof::Dns, until - PROOF_AGE_MAX);
        let is_there = published.to_lowercase().contains(&issued.text);
        assert!(is_there, "what proves a host was issued for it");
    }
}

/// A signed message in every scheme: header lines, an empty line, the body.
pub fn webhook(bytes: &[u8]) {
    let (head, body) = match bytes.windows(2).position(|it| it == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let headers = head.lines().filter_map(|it| it.split_once(": "));
    let headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let url = "https://in.example/hook?a=b";
    let arrived = Arrived { method: "POST", url, headers: &headers, body };
    let window = Window { now_seconds: 1_700_000_000, tolerance_seconds: 300 };
    let public = Verifier::Public(SigningKey::from_seed([5; 32]).public());
    let shared = Shared::from_bytes(&[5; 32]).map(Verifier::Shared);
    let keys: Vec<Verifier> = shared.into_iter().chain([public]).collect();
    // A body that is a token may stand on several lines, so that it is not taken for a live one.
    let joined = lines_joined(body);
    for scheme in SCHEMES {
        let _verified = scheme.verify(&arrived, &keys, window);
        let _joined = scheme.verify(&Arrived { body: joined.as_bytes(), ..arrived }, &keys, window);
        assert!(scheme.verify(&arrived, &[], window).is_err(), "nobody can have signed it");
        let _secret = scheme.secret(&head);
        let _payload = scheme.payload(arrived.body);
    }
}

/// The first thing that a server says in TLS: what less of it says, more of it says too.
pub fn server_hello(bytes: &[u8]) {
    let said = wire::read(bytes);
    for cut in [bytes.len() / 3, bytes.len() / 2, bytes.len().saturating_sub(1)] {
        let before = wire::read(bytes.get(..cut).unwrap_or_default());
        assert!(before == Said::Incomplete || before == said, "what was said stays said");
    }
}

/// A certificate, as a server shows it.
pub fn certificate(bytes: &[u8]) {
    let read = x509::read(bytes);
    assert_eq!(x509::chain([bytes].into_iter()), x509::chain([bytes].into_iter()), "the same");
    if let Some(certificate) = read {
        let told = serde_json::to_vec(&certificate).unwrap_or_default();
        assert!(told.len() <= 16 * 1024 + 8 * bytes.len(), "what is kept of it is bounded");
    }
}

/// What port 80 answers.
pub fn plain(bytes: &[u8]) {
    let received = port_80::read(bytes);
    assert!(received.body.len() <= bytes.len(), "nothing is made up");
}
