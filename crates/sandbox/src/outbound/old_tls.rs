//! A client that goes on in TLS 1.0 where a server speaks nothing newer.

use std::net::SocketAddr;
use std::time::Duration;

use countersign_checks::live::hello::{Hello, TLS10};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::entropy;

/// Greets a server in TLS 1.0, and answers with a key exchange where it takes that.
pub(super) async fn go_on(address: SocketAddr, host: &str) {
    let talk = tokio::time::timeout(TALK_MAX, talk(address, host));
    if let Ok(Err(error)) = talk.await {
        tracing::debug!(%error, "a server does not speak TLS 1.0");
    }
}

async fn talk(address: SocketAddr, host: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let random = entropy::random().unwrap_or([0; 32]);
    let hello = Hello::new("TLS 1.0", TLS10, SUITES);
    stream.write_all(&hello.bytes(host, random)).await?;
    let mut messages = Vec::new();
    while !is_done(&messages) {
        let mut head = [0; 5];
        stream.read_exact(&mut head).await?;
        if head[..3] != [HANDSHAKE, 3, 1] || MESSAGES_BYTES_MAX < messages.len() {
            return Ok(());
        }
        let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        stream.read_exact(&mut body).await?;
        messages.extend(body);
    }
    // A point of a curve, as far as a look from outside goes.
    let mut exchange = vec![HANDSHAKE, 3, 1, 0, 70, CLIENT_KEY_EXCHANGE, 0, 0, 66, 65, 4];
    exchange.extend([random, random].concat());
    stream.write_all(&exchange).await?;
    stream.shutdown().await
}

/// Whether the server has said everything that it says first.
fn is_done(mut messages: &[u8]) -> bool {
    while let [kind, high, middle, low, rest @ ..] = messages {
        if *kind == SERVER_HELLO_DONE {
            return true;
        }
        let length = u32::from_be_bytes([0, *high, *middle, *low]);
        let Some(rest) = rest.get(usize::try_from(length).unwrap_or(usize::MAX)..) else {
            return false;
        };
        messages = rest;
    }
    false
}

const TALK_MAX: Duration = Duration::from_secs(3);
const HANDSHAKE: u8 = 22;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const MESSAGES_BYTES_MAX: usize = 64 * 1024;
/// ECDHE and RSA with AES in CBC and SHA-1.
const SUITES: [u16; 6] = [0xc009, 0xc00a, 0xc013, 0xc014, 0x002f, 0x0035];
