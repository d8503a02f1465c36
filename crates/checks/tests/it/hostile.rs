//! Partners that want to hurt whoever looks at them: memory and time stay bounded, and what happened
//! has a name.

use std::io::Write as _;
use std::time::{Duration, Instant};

use countersign_checks::live::ask::{Ask, Received};
use countersign_checks::live::client::Client;
use countersign_checks::live::http::BODY_BYTES_MAX;
use countersign_checks::redact::Redactor;
use countersign_model::check::transcript::FailureKind;
use countersign_seal::jwk;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::authority::{manifest, noon};
use crate::listener::{Authority, Listener, Writer};

const HOST: &str = "events.acme.example";
/// More than this is in flight in no socket's buffers.
const IN_FLIGHT_MAX: u64 = 16 * 1024 * 1024;

/// What comes back from somebody who answers like this, and the listener.
async fn met<F>(
    answer: impl Fn(Writer, String) -> F + Send + Sync + 'static,
) -> (Received, Listener)
where
    F: Future<Output = ()> + Send + 'static,
{
    let authority = Authority::new();
    let listener = Listener::start(&authority, HOST, answer).await;
    let client = Client::new(&authority.way(&[(HOST, &listener)]), &manifest()).unwrap();
    let asked = client.send(Ask::get(format!("https://{HOST}/")), noon());
    let received = tokio::time::timeout(Duration::from_secs(8), asked).await;
    (received.expect("it ends"), listener)
}

fn kind(received: &Received) -> FailureKind {
    received.failure.as_ref().expect("no answer").0
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n";

#[tokio::test]
async fn a_body_of_a_gigabyte_is_cut_off() {
    for head in ["content-length: 1000000000\r\n\r\n", "\r\n"] {
        let (received, listener) = met(move |mut writer, _| async move {
            if writer.write(HEAD).await && writer.write(head).await {
                writer.forever(&vec![b'x'; 64 * 1024], Duration::ZERO).await;
            }
        })
        .await;
        assert_eq!(kind(&received), FailureKind::TooLarge, "{head:?}");
        assert!(listener.written() < IN_FLIGHT_MAX, "{} bytes were taken", listener.written());
    }
}

#[tokio::test]
async fn chunks_without_an_end_are_cut_off() {
    let (received, _) = met(|mut writer, _| async move {
        if writer.write(HEAD).await && writer.write("transfer-encoding: chunked\r\n\r\n").await {
            let chunk = [&b"8000\r\n"[..], &vec![b'x'; 0x8000], b"\r\n"].concat();
            writer.forever(&chunk, Duration::ZERO).await;
        }
    })
    .await;
    assert_eq!(kind(&received), FailureKind::TooLarge);
}

#[tokio::test]
async fn headers_without_an_end_are_cut_off() {
    for line in [&b"x-more: of the same, and more, and more of it\r\n"[..], b"xxxxxxxxxxxxxxxx"] {
        let (received, listener) = met(move |mut writer, _| async move {
            if writer.write(HEAD).await {
                writer.forever(line, Duration::ZERO).await;
            }
        })
        .await;
        assert_eq!(kind(&received), FailureKind::TooLarge, "{:?}", received.failure);
        assert!(listener.written() < IN_FLIGHT_MAX, "{} bytes were taken", listener.written());
    }
}

#[tokio::test]
async fn who_drips_gets_five_seconds() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
    let informal = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    let started = now();
    let dripping = tokio::join!(
        met(move |writer, _| writer.forever(b"H", Duration::from_secs(1))),
        met(move |mut writer, _| async move {
            writer.write(head).await;
            writer.forever(b"x", Duration::from_secs(1)).await;
        }),
        met(move |writer, _| writer.forever(informal, Duration::from_millis(20))),
    );
    assert!(started.elapsed() < Duration::from_secs(7));
    let (head, body, informal) = (dripping.0.0, dripping.1.0, dripping.2.0);
    // An `H` is no beginning of an answer after the first.
    assert!(matches!(kind(&head), FailureKind::Protocol | FailureKind::Timeout));
    assert_eq!(kind(&body), FailureKind::Timeout);
    assert_eq!(kind(&informal), FailureKind::Timeout);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_no_way() {
    let trap = Listener::counting([127, 0, 0, 1].into(), 0).await;
    for place in [
        format!("https://127.0.0.1:{}/", trap.address.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("https://{HOST}/again"),
    ] {
        let headers = format!("location: {place}\r\n");
        let (received, listener) = met(move |writer, _| {
            let headers = headers.clone();
            async move { writer.answer(307, &headers, "").await }
        })
        .await;
        assert_eq!((received.status, listener.connections()), (307, 1), "{place}");
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn what_is_packed_stays_packed() {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..200 {
        packer.write_all(&vec![0; 1024 * 1024]).unwrap();
    }
    let bomb = packer.finish().unwrap();
    let size = bomb.len();
    assert!(size < BODY_BYTES_MAX, "a bomb is small before it goes off");
    let (received, listener) = met(move |writer, _| {
        let bomb = bomb.clone();
        async move { writer.answer(200, "content-encoding: gzip\r\n", bomb).await }
    })
    .await;
    assert_eq!((received.status, received.body.len()), (200, size));
    let asked = listener.requests().concat().to_lowercase();
    assert!(!asked.contains("accept-encoding"), "{asked}");
}

#[tokio::test]
async fn what_is_no_text_is_no_text() {
    let (received, _) =
        met(|writer, _| writer.answer(200, "x-odd: \u{fc}\u{0}\r\n", [0xff_u8, 0xfe, 0x00, 0x80]))
            .await;
    assert_eq!(kind(&received), FailureKind::Protocol, "a header with a NUL");
    let (received, _) = met(|mut writer, _| async move {
        writer
            .write(
                b"HTTP/1.1 200 OK\r\nx-odd: \xff\xfe\r\ncontent-length: 4\r\n\r\n\xff\xfe\x00\x80",
            )
            .await;
    })
    .await;
    assert_eq!(received.status, 200);
    assert_eq!(Redactor::new([0; 32], []).body(&received.body), (String::new(), false));
    let (received, _) = met(|mut writer, _| async move {
        writer.write(b"\x16\x03\x01 no HTTP at all \xff\r\n\r\n").await;
    })
    .await;
    assert_eq!(kind(&received), FailureKind::Protocol);
}

#[tokio::test]
async fn ten_thousand_keys_are_too_many() {
    let keys: Vec<_> = (0..10_000).map(|it| json!({"kty": "OKP", "kid": it.to_string()})).collect();
    let set = json!({ "keys": keys }).to_string();
    assert!(set.len() < BODY_BYTES_MAX, "small enough to be read");
    let (received, _) = met(move |writer, _| {
        let set = set.clone();
        async move { writer.answer(200, "", set).await }
    })
    .await;
    let started = now();
    assert_eq!(jwk::parse_set(&received.body), Err(jwk::JwkError::TooLarge));
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn what_is_written_down_of_the_worst_body_takes_seconds_at_most() {
    let mail = "a".repeat(64);
    let bodies = [
        "[".repeat(BODY_BYTES_MAX),
        "{\"token\":".repeat(BODY_BYTES_MAX / 9),
        "{\n".repeat(BODY_BYTES_MAX / 2),
        format!("{mail}@").repeat(BODY_BYTES_MAX / 65),
        "eyJ".repeat(BODY_BYTES_MAX / 3),
        "-----BEGIN PRIVATE KEY-----".repeat(BODY_BYTES_MAX / 27),
        "token=bearer ".repeat(BODY_BYTES_MAX / 13),
    ];
    for body in bodies {
        let started = now();
        let (text, cut) = Redactor::new([0; 32], ["a-known-secret"]).body(body.as_bytes());
        let begin: String = body.chars().take(20).collect();
        assert!(text.len() <= 16 * 1024, "{begin}");
        assert!(cut || text.len() < body.len(), "{begin}");
        assert!(started.elapsed() < Duration::from_secs(5), "{begin}: {:?}", started.elapsed());
    }
}

#[expect(clippy::disallowed_methods, reason = "a test with a stopwatch")]
fn now() -> Instant {
    Instant::now()
}
