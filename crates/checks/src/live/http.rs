//! One request, one answer, everything bounded. It follows no redirect and keeps no connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign_model::check::transcript::FailureKind;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
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
pub async fn exchange(
    address: SocketAddr,
    host: &str,
    tls: Arc<ClientConfig>,
    request: http::Request<Full<Bytes>>,
) -> Result<Raw, Failure> {
    match tokio::time::timeout(REQUEST_MAX, talk(address, host, tls, request)).await {
        Ok(answer) => answer,
        Err(_) => Err(failure(
            FailureKind::Timeout,
            format!("no answer within {} s", REQUEST_MAX.as_secs()),
        )),
    }
}

async fn talk(
    address: SocketAddr,
    host: &str,
    tls: Arc<ClientConfig>,
    request: http::Request<Full<Bytes>>,
) -> Result<Raw, Failure> {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|it| failure(FailureKind::Tls, it))?;
    let stream =
        TcpStream::connect(address).await.map_err(|it| failure(FailureKind::Connect, it.kind()))?;
    let stream = TlsConnector::from(tls)
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
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|it| {
        if it.is::<LengthLimitError>() {
            failure(FailureKind::TooLarge, format!("more than {BODY_BYTES_MAX} bytes"))
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
