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
use rustls::server::Acceptor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::LazyConfigAcceptor;

use super::booth::{Knock, Reply, Seen};
use super::{Certificates, Inner, STEP_MAX};

pub(super) async fn serve(listener: TcpListener, certificates: Certificates, inner: Arc<Inner>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, peer)) = listener.accept().await else {
            // Too many open files pass; a loop that spins does not help.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (certificates, inner) = (Arc::clone(&certificates), Arc::clone(&inner));
        connections.spawn(async move {
            let talk = connection(stream, peer, &certificates, &inner);
            let _over_time = tokio::time::timeout(CONNECTION_MAX, talk).await;
            drop(place);
        });
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    certificates: &Certificates,
    inner: &Arc<Inner>,
) {
    let mut first = [0];
    let peeked = tokio::time::timeout(STEP_MAX, stream.peek(&mut first)).await;
    if !matches!(peeked, Ok(Ok(1))) {
        return;
    }
    if first[0] != HANDSHAKE {
        return clear(stream, inner).await;
    }
    let begun = LazyConfigAcceptor::new(Acceptor::default(), stream);
    let Ok(Ok(begun)) = tokio::time::timeout(STEP_MAX, begun).await else { return };
    let name = begun.client_hello().server_name().map(str::to_lowercase);
    let mut knock = Knock { name: name.clone(), peer, session: false, request: false };
    let Some(config) = certificates(name.as_deref()) else {
        inner.knocked(knock);
        return;
    };
    let Ok(Ok(stream)) = tokio::time::timeout(STEP_MAX, begun.into_stream(config)).await else {
        inner.knocked(knock);
        return;
    };
    knock.session = true;
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
async fn clear(mut stream: TcpStream, inner: &Inner) {
    let mut head = Vec::new();
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
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 22;
/// How much is read of a request without TLS.
const CLEAR_BYTES_MAX: usize = 4 * 1024;
