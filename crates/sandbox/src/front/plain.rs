//! Port 80 of a partner: nobody listens there, or whoever comes is sent to HTTPS.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::StartError;
use crate::partner::{Fault, Faults, TlsFault};

/// A port that is held, so that nobody else gets it.
#[derive(Debug)]
pub(crate) enum PlainPort {
    /// Nobody listens: whoever connects is refused.
    Closed(TcpSocket),
    /// Whoever comes is sent to HTTPS.
    Open(TcpListener),
}

impl PlainPort {
    /// A port where nobody listens.
    pub(crate) fn closed() -> Result<Self, StartError> {
        let socket = TcpSocket::new_v4().map_err(StartError::Listen)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).map_err(StartError::Listen)?;
        Ok(Self::Closed(socket))
    }

    /// A port that sends everybody to HTTPS.
    pub(crate) fn open() -> Result<Self, StartError> {
        crate::serve::listener().map(Self::Open)
    }

    /// Where it is.
    pub(crate) fn address(&self) -> Result<SocketAddr, StartError> {
        let address = match self {
            Self::Closed(it) => it.local_addr(),
            Self::Open(it) => it.local_addr(),
        };
        address.map_err(StartError::Listen)
    }
}

/// Port 80 at work. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Plain {
    task: Option<JoinHandle<()>>,
    _held: Option<TcpSocket>,
}

impl Plain {
    /// Starts to answer, where somebody is to.
    pub(crate) fn start(port: PlainPort, faults: Faults) -> Result<Self, StartError> {
        let listener = match port {
            PlainPort::Closed(held) => return Ok(Self { task: None, _held: Some(held) }),
            PlainPort::Open(it) => it,
        };
        listener.set_nonblocking(true).map_err(StartError::Listen)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(StartError::Listen)?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let faults = faults.clone();
                tokio::spawn(async move {
                    drop(tokio::time::timeout(ANSWER_MAX, answer(stream, &faults)).await);
                });
            }
        });
        Ok(Self { task: Some(task), _held: None })
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn answer(mut stream: TcpStream, faults: &Faults) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|it| it == b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        let count = stream.read(&mut piece).await?;
        if count == 0 {
            return Ok(());
        }
        head.extend(piece.iter().take(count));
    }
    if faults.has(Fault::Down) {
        return Ok(());
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("/");
    let host = head.lines().find_map(|it| it.strip_prefix("host: ")).unwrap_or("localhost");
    let has = |it| faults.has(Fault::Tls(it));
    let text = if has(TlsFault::PlainServesData) {
        let body = "{\"keys\":[]}";
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    } else {
        let host = if has(TlsFault::PlainLeadsElsewhere) { "elsewhere.example" } else { host };
        let is_for_now = has(TlsFault::PlainLeadsForNow);
        let status = if is_for_now { "302 Found" } else { "308 Permanent Redirect" };
        format!(
            "HTTP/1.1 {status}\r\nlocation: https://{host}{path}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
    };
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

const HEAD_BYTES_MAX: usize = 16 * 1024;
const ANSWER_MAX: Duration = Duration::from_secs(3);
