//! A client that tries TLS 1.0 where nothing newer is spoken: a mistake. No library does that any more,
//! so that it speaks as far as it takes to be seen going on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use crate::entropy;

/// Begins a session of TLS 1.0 with the server of this address, and goes on when it is answered so.
pub(super) async fn go_on(resolve: &BTreeMap<String, SocketAddr>, url: &Url) {
    let Some(host) = url.host_str() else { return };
    let Some(address) = resolve.get(host) else { return };
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&record(&hello(host))).await?;
        answered(&mut stream).await?;
        stream.write_all(&record(&[CLIENT_KEY_EXCHANGE, 0, 0, 0])).await?;
        // Whoever is there says how it ends.
        stream.read(&mut [0; 16]).await
    };
    if let Ok(Err(error)) = tokio::time::timeout(TALK_MAX, talk).await {
        tracing::debug!(%error, "nobody speaks TLS 1.0 there");
    }
}

/// Reads until the server has said all of its part (RFC 2246, section 7.4.5).
async fn answered(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut messages = Vec::new();
    while messages.len() < ANSWER_BYTES_MAX {
        let mut head = [0; 5];
        stream.read_exact(&mut head).await?;
        if head[..3] != [HANDSHAKE, 3, 1] {
            return Err(std::io::Error::other("another version"));
        }
        let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        stream.read_exact(&mut body).await?;
        messages.extend(body);
        if messages.ends_with(&[SERVER_HELLO_DONE, 0, 0, 0]) {
            return Ok(());
        }
    }
    Err(std::io::Error::other("it never ends"))
}

/// A `ClientHello` of TLS 1.0 with the name of the server (RFC 6066, section 3).
fn hello(host: &str) -> Vec<u8> {
    let short = |it: usize| u16::try_from(it).unwrap_or(u16::MAX).to_be_bytes();
    let mut body = vec![3, 1];
    body.extend(entropy::random::<32>().unwrap_or([7; 32]));
    body.extend([0, 0, 4, 0xc0, 0x09, 0x00, 0x2f, 1, 0]);
    let name = host.as_bytes();
    let mut extensions = vec![0, 0];
    extensions.extend(short(name.len() + 5));
    extensions.extend(short(name.len() + 3));
    extensions.push(0);
    extensions.extend(short(name.len()));
    extensions.extend(name);
    body.extend(short(extensions.len()));
    body.extend(extensions);
    let mut message = vec![CLIENT_HELLO, 0];
    message.extend(short(body.len()));
    message.extend(body);
    message
}

fn record(message: &[u8]) -> Vec<u8> {
    let mut all = vec![HANDSHAKE, 3, 1];
    all.extend(u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes());
    all.extend(message);
    all
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const TALK_MAX: Duration = Duration::from_secs(2);
const ANSWER_BYTES_MAX: usize = 64 * 1024;
