//! One look at port 80: is anything served without TLS?
//!
//! What comes back is read by a few simple rules and never more than a little of it. A client that
//! speaks HTTP over plain connections exists nowhere else, so that nothing else can be sent that way.

use std::net::SocketAddr;
use std::time::Duration;

use countersign_model::check::transcript::FailureKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::ask::Received;

/// How long the connection may take; what filters packets answers nothing at all.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long the answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// How much of an answer is read.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How many header lines are read.
const HEADERS_MAX: usize = 100;

/// Asks for this path without TLS, and says what came back.
pub async fn ask(address: SocketAddr, host: &str, path: &str) -> Received {
    let connecting = tokio::time::timeout(CONNECT_MAX, TcpStream::connect(address)).await;
    let mut stream = match connecting {
        Ok(Ok(it)) => it,
        Ok(Err(it)) => return Received::failed(FailureKind::Connect, it.kind().to_string()),
        Err(_) => return Received::failed(FailureKind::Connect, "nobody answers on this port"),
    };
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: {AGENT}\r\naccept: */*\r\nconnection: close\r\n\r\n"
    );
    let asking = async {
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bounded = (&mut stream).take(limit);
        // Somebody who answers and then breaks the connection has answered.
        let end = bounded.read_to_end(&mut bytes).await;
        if bytes.is_empty() { end.map(|_| bytes) } else { Ok(bytes) }
    };
    match tokio::time::timeout(ANSWER_MAX, asking).await {
        Ok(Ok(bytes)) => read(&bytes),
        Ok(Err(_)) => closed(),
        Err(_) => {
            Received::failed(FailureKind::Timeout, format!("no answer within {ANSWER_MAX:?}"))
        }
    }
}

/// Reads an answer of HTTP/1.x. Total: whatever is no such answer is told as such.
pub fn read(bytes: &[u8]) -> Received {
    if bytes.is_empty() {
        return closed();
    }
    let other = || Received::failed(FailureKind::Protocol, "not an answer of HTTP/1.x");
    let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else { return other() };
    let (head, body) = bytes.split_at(end);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first.strip_prefix("HTTP/1.").and_then(|it| it.split(' ').nth(1)?.parse().ok());
    let Some(status) = status.filter(|it| (100..600).contains(it)) else { return other() };
    let headers = lines.filter_map(|it| {
        let (name, value) = it.split_once(':')?;
        Some((name.trim().to_lowercase(), value.trim().to_owned()))
    });
    let body = body.get(4..).unwrap_or_default().to_vec();
    let headers = headers.take(HEADERS_MAX).collect();
    Received { status, headers, body, failure: None, took_ms: 0 }
}

fn closed() -> Received {
    Received::failed(FailureKind::Closed, "closed without an answer")
}

const AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_answer_is_read_or_told_as_none() {
        let moved = b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://a.example/\r\n\r\n";
        let read_back = read(moved);
        assert_eq!(read_back.status, 308);
        assert_eq!(read_back.headers, [("location".to_owned(), "https://a.example/".to_owned())]);
        assert!(read_back.body.is_empty());
        let served = read(b"HTTP/1.0 200 OK\r\n\r\nhello");
        assert_eq!((served.status, served.body), (200, b"hello".to_vec()));
        let kind = |bytes: &[u8]| read(bytes).failure.map(|it| it.0);
        assert_eq!(kind(b""), Some(FailureKind::Closed));
        for other in
            [&b"SSH-2.0-x\r\n\r\n"[..], b"HTTP/1.1 9", b"HTTP/1.1 999 \r\n\r\n", b"\x15\x03"]
        {
            assert_eq!(kind(other), Some(FailureKind::Protocol), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _read = read(&bytes);
        }
    }
}
