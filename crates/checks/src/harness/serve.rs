//! Connections: TLS by the name that is asked for, then one request after the other.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::LazyConfigAcceptor;

use super::booth::{Knock, Reply, Seen};
use super::names::How;
use super::old_tls::{self, Reaction};
use super::{Certificates, Inner, STEP_MAX, hello};
use crate::live::entropy;

/// What is shown by name, and the harness' own host.
pub(super) type Shown = (Certificates, String);

pub(super) async fn serve(listener: TcpListener, shown: Shown, inner: Arc<Inner>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let shown = Arc::new(shown);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, peer)) = listener.accept().await else {
            // Too many open files pass; a loop that spins does not help.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (shown, inner) = (Arc::clone(&shown), Arc::clone(&inner));
        connections.spawn(async move {
            let talk = connection(stream, peer, &shown, &inner);
            let _over_time = tokio::time::timeout(CONNECTION_MAX, talk).await;
            drop(place);
        });
    }
}

async fn connection(
    mut stream: TcpStream,
    peer: SocketAddr,
    (certificates, host): &Shown,
    inner: &Arc<Inner>,
) {
    let first = tokio::time::timeout(STEP_MAX, record(&mut stream)).await;
    let Ok(Ok(first)) = first else { return };
    if first.first() != Some(&HANDSHAKE) {
        return clear(first, stream, inner).await;
    }
    let offered = hello::read(&first);
    let name = offered.as_ref().and_then(|it| it.name.clone());
    let shown = certificates.shown(name.as_deref(), host);
    let knock = Knock { name, peer, session: false, request: false, old_tls: None };
    match (shown.map(|it| &it.how), &offered) {
        (Some(How::OldTls(chain, key)), Some(offered)) => {
            let answer =
                old_tls::answer(offered, chain, *key, entropy::random().unwrap_or([0; 32]));
            let reaction = old(stream, &answer).await;
            let session = reaction == Reaction::WentOn;
            inner.knocked(Knock { session, old_tls: Some(reaction), ..knock });
        }
        (Some(How::Modern(config)), _) => {
            let (read, write) = stream.into_split();
            let stream = tokio::io::join(std::io::Cursor::new(first).chain(read), write);
            modern(stream, Arc::clone(config), knock, inner).await;
        }
        (Some(How::OldTls(..)) | None, _) => inner.knocked(knock),
    }
}

/// The first record of a TLS client, or the first byte of somebody who speaks something else.
async fn record(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut first = vec![0; 1];
    stream.read_exact(&mut first).await?;
    if first[0] != HANDSHAKE {
        return Ok(first);
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    first.extend(head);
    let length = usize::from(u16::from_be_bytes([head[2], head[3]])).min(RECORD_BYTES_MAX);
    first.resize(5 + length, 0);
    stream.read_exact(&mut first[5..]).await?;
    Ok(first)
}

/// Answers in TLS 1.0, and sees what becomes of it.
async fn old(mut stream: TcpStream, answer: &[u8]) -> Reaction {
    let talk = async {
        stream.write_all(answer).await?;
        loop {
            let mut head = [0; 5];
            stream.read_exact(&mut head).await?;
            let length = usize::from(u16::from_be_bytes([head[3], head[4]])).min(RECORD_BYTES_MAX);
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await?;
            if let Some(reaction) = old_tls::reaction(head[0], &body) {
                return Ok::<_, std::io::Error>(reaction);
            }
        }
    };
    let reaction = match tokio::time::timeout(STEP_MAX, talk).await {
        Ok(Ok(reaction)) => reaction,
        Ok(Err(_)) => Reaction::Refused(None),
        Err(_) => Reaction::Unclear,
    };
    // Whoever went on hears that this is the end; whoever is gone does not.
    if let Err(error) = stream.write_all(&old_tls::farewell()).await {
        tracing::debug!(%error, "a connection in TLS 1.0 ended");
    }
    reaction
}

async fn modern<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    config: Arc<ServerConfig>,
    mut knock: Knock,
    inner: &Arc<Inner>,
) {
    let begun = LazyConfigAcceptor::new(Acceptor::default(), stream);
    let Ok(Ok(begun)) = tokio::time::timeout(STEP_MAX, begun).await else { return };
    let Ok(Ok(stream)) = tokio::time::timeout(STEP_MAX, begun.into_stream(config)).await else {
        inner.knocked(knock);
        return;
    };
    knock.session = true;
    let peer = knock.peer;
    let asked = Arc::new(AtomicBool::new(false));
    let service = {
        let asked = Arc::clone(&asked);
        service_fn(move |request| {
            asked.store(true, Ordering::Relaxed);
            answer(request, peer, Arc::clone(inner))
        })
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(STEP_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the harness ended");
    }
    knock.request = asked.load(Ordering::Relaxed);
    inner.knocked(knock);
}

/// Somebody speaks without TLS: what is asked for is written down.
async fn clear(mut head: Vec<u8>, mut stream: TcpStream, inner: &Inner) {
    let mut buffer = [0; 1_024];
    while head.len() < CLEAR_BYTES_MAX && !head.contains(&b'\n') {
        let read = tokio::time::timeout(STEP_MAX, stream.read(&mut buffer)).await;
        let Ok(Ok(count @ 1..)) = read else { break };
        head.extend_from_slice(&buffer[..count]);
    }
    inner.clear(&head);
    let said = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
    if let Err(error) = said {
        tracing::debug!(%error, "a connection without TLS ended");
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    inner: Arc<Inner>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = tokio::time::timeout(STEP_MAX, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let Ok(Ok(body)) = body else { return Ok(response(Reply::status(413))) };
    let Some((stand, path)) = inner.find(head.uri.path()) else {
        return Ok(response(Reply::status(404)));
    };
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let seen = Seen {
        method: head.method.as_str().to_owned(),
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: body.to_bytes().to_vec(),
        peer,
    };
    let reply = stand.serve(seen);
    inner.heard.notify_waiters();
    Ok(response(reply))
}

fn response(reply: Reply) -> hyper::Response<Full<Bytes>> {
    let mut builder = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(name.as_str(), value.as_str());
    }
    let body = Full::new(Bytes::from(reply.body));
    builder.body(body).unwrap_or_else(|_| {
        let mut broken = hyper::Response::new(Full::default());
        *broken.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}

const CONNECTIONS_MAX: usize = 256;
const CONNECTION_MAX: Duration = Duration::from_mins(1);
const HEADERS_MAX: usize = 100;
const HEAD_BYTES_MAX: usize = 64 * 1024;
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long one record of TLS is at most (RFC 8446, section 5.2).
const RECORD_BYTES_MAX: usize = 16 * 1024 + 256;
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 22;
/// How much is read of a request without TLS.
const CLEAR_BYTES_MAX: usize = 4 * 1024;
