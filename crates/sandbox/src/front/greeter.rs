//! Looks at the first message of each connection, and answers it in the place of the real server
//! where the faults of the moment have it.

use std::io;
use std::time::Duration;

use axum_server::accept::Accept;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::hello::{answer, read};
use crate::partner::{Fault, Faults};

/// Looks at the first message of each connection.
#[derive(Debug, Clone)]
pub(crate) struct Greeter {
    faults: Faults,
}

impl Greeter {
    /// With the faults of the moment.
    pub(crate) fn new(faults: Faults) -> Self {
        Self { faults }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Greeter {
    type Stream = TcpStream;
    type Service = S;
    type Future = BoxFuture<'static, io::Result<(TcpStream, S)>>;

    fn accept(&self, mut stream: TcpStream, service: S) -> Self::Future {
        let faults = self.faults.all().into_iter().filter_map(|it| match it {
            Fault::Tls(it) => Some(it),
            _ => None,
        });
        let faults: Vec<_> = faults.collect();
        Box::pin(async move {
            if faults.is_empty() {
                return Ok((stream, service));
            }
            let looking = tokio::time::timeout(HELLO_MAX, peek(&stream));
            let hello = looking.await.unwrap_or_else(|_| Ok(Vec::new()))?;
            let Some(answer) = read(&hello).and_then(|it| answer(&faults, &it)) else {
                return Ok((stream, service));
            };
            // Read first: closing with something unread would take the answer back.
            let mut taken = vec![0; hello.len()];
            stream.read_exact(&mut taken).await?;
            stream.write_all(&answer).await?;
            stream.shutdown().await?;
            Err(io::Error::other("answered by hand"))
        })
    }
}

/// The first record, as far as it comes, without taking it.
async fn peek(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; HELLO_BYTES_MAX];
    loop {
        let count = stream.peek(&mut bytes).await?;
        let whole = match bytes.get(..count) {
            Some([_, _, _, high, low, ..]) => 5 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => HELLO_BYTES_MAX,
        };
        if count == 0 || whole.min(HELLO_BYTES_MAX) <= count {
            bytes.truncate(count);
            return Ok(bytes);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

const HELLO_BYTES_MAX: usize = 8 * 1024;
const HELLO_MAX: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(2);
