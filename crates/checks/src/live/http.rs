//! One request, one answer, everything bounded. It follows no redirect and keeps no connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign_model::check::transcript::FailureKind;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// The largest body that is read.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The largest head that is read.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How many header lines are read.
const HEADERS_MAX: usize = 100;
/// How long a request may take as a whole.
pub const REQUEST_MAX: Duration = Duration::from_secs(5);

/// How far a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long it may take as a whole.
    pub time: Duration,
    /// The largest body that is read.
    pub body_bytes_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { time: REQUEST_MAX, body_bytes_max: BODY_BYTES_MAX }
    }
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub struct Way<'a> {
    /// Exactly this address.
    pub address: SocketAddr,
    /// The name that its certificate has to bear.
    pub host: &'a str,
    /// Whom to trust.
    pub tls: Arc<ClientConfig>,
    /// The address that it is sent from; any of this machine's when none.
    pub from: Option<IpAddr>,
    /// How far it goes.
    pub bounds: Bounds,
}

/// What came back.
#[derive(Debug)]
pub struct Raw {
    /// The status code.
    pub status: u16,
    /// Header names in lowercase and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug)]
pub struct Failure {
    /// Which kind.
    pub kind: FailureKind,
    /// In words; nothing of the request is in it.
    pub detail: String,
}

/// Sends one request to exactly this address.
pub async fn exchange(way: &Way<'_>, request: http::Request<Full<Bytes>>) -> Result<Raw, Failure> {
    let limit = way.bounds.time;
    match tokio::time::timeout(limit, talk(way, request)).await {
        Ok(answer) => answer,
        Err(_) => Err(failure(FailureKind::Timeout, format!("no answer within {limit:?}"))),
    }
}

async fn talk(way: &Way<'_>, request: http::Request<Full<Bytes>>) -> Result<Raw, Failure> {
    let name = way.host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|it| failure(FailureKind::Tls, it))?;
    let stream = connect(way).await.map_err(|it| failure(FailureKind::Connect, it.kind()))?;
    let stream = TlsConnector::from(Arc::clone(&way.tls))
        .connect(name, stream)
        .await
        .map_err(|it| failure(FailureKind::Tls, it))?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|it| of_hyper(&it))?;
    // It ends with this function, whatever happens here.
    let mut background = JoinSet::new();
    background.spawn(async move { drop(connection.await) });
    let response = sender.send_request(request).await.map_err(|it| of_hyper(&it))?;
    let (head, body) = response.into_parts();
    let limit = way.bounds.body_bytes_max;
    let body = Limited::new(body, limit).collect().await.map_err(|it| {
        if it.is::<LengthLimitError>() {
            failure(FailureKind::TooLarge, format!("more than {limit} bytes"))
        } else {
            failure(FailureKind::Closed, "the body broke off")
        }
    })?;
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Ok(Raw {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: body.to_bytes().to_vec(),
    })
}

async fn connect(way: &Way<'_>) -> std::io::Result<TcpStream> {
    let Some(from) = way.from else { return TcpStream::connect(way.address).await };
    let socket = if way.address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(way.address).await
}

fn of_hyper(error: &hyper::Error) -> Failure {
    if error.is_parse() && error.to_string().contains("too large") {
        failure(FailureKind::TooLarge, format!("a head of more than {HEAD_BYTES_MAX} bytes"))
    } else if error.is_parse() {
        failure(FailureKind::Protocol, error)
    } else {
        failure(FailureKind::Closed, "the connection ended before the answer")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "so that it can stand behind `map_err`")]
fn failure(kind: FailureKind, detail: impl ToString) -> Failure {
    Failure { kind, detail: detail.to_string() }
}
