//! Looks below HTTP: how a host of the manifest greets, and what it serves without TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::check::transcript::FailureKind;
use countersign_model::time::Timestamp;
use rustls::RootCertStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Client;
use crate::live::ask::Received;
use crate::live::certificate::Shown;
use crate::live::entropy;
use crate::live::handshake::{Offer, handshake};
use crate::live::heard::Heard;
use crate::live::hello::Hello;
use crate::live::plain;
use crate::live::wire::{ANSWER_BYTES_MAX, Said, read};

/// How long the answer to a hello may take, from the first packet on.
const HELLO_MAX: Duration = Duration::from_secs(3);
/// The port of HTTP without TLS.
const PLAIN: u16 = 80;

/// Where a host is, once: every look at it goes to this same address.
///
/// [`Client::locate`] is its only source, so that nothing is looked at that the guard has not let pass.
#[derive(Debug, Clone)]
pub struct Located {
    host: String,
    address: SocketAddr,
    roots: Arc<RootCertStore>,
}

/// How a host greeted, and what certificates it showed.
pub type Looked = (Heard, Option<Shown>);

impl Client {
    /// Where this host of the manifest is, if it may be looked at.
    pub async fn locate(&self, host: &str, port: u16, now: Timestamp) -> Result<Located, Heard> {
        let refused = |it| Heard::failed(FailureKind::AddressRefused, it);
        self.may_reach(host, false, now).map_err(refused)?;
        let address = self.resolver.resolve(host, port).await;
        let address = address.map_err(|it| Heard::failed(it.kind, it.detail))?;
        let is_mapped = self.resolver.is_mapped(host);
        let roots = Arc::clone(if is_mapped { &self.mapped_roots } else { &self.public_roots });
        Ok(Located { host: host.to_owned(), address, roots })
    }

    /// Greets a host with this hello, and hangs up after its answer.
    pub async fn hello(&self, located: &Located, hello: &Hello, now: Timestamp) -> Heard {
        if let Err(it) = self.may_reach(&located.host, hello.hostile, now) {
            return Heard::failed(FailureKind::AddressRefused, it);
        }
        let Some(random) = entropy::random::<32>() else {
            return Heard::failed(FailureKind::Protocol, "this machine gives no randomness");
        };
        let _turn = self.lanes.turn(&located.host).await;
        let bytes = hello.bytes(&located.host, random);
        let greeting = greet(located.address, &bytes);
        tokio::time::timeout(HELLO_MAX, greeting).await.unwrap_or_else(|_| {
            Heard::failed(FailureKind::Timeout, format!("no answer within {HELLO_MAX:?}"))
        })
    }

    /// Does a whole handshake with a host, and hangs up.
    pub async fn handshake(&self, located: &Located, offer: Offer, now: Timestamp) -> Looked {
        if let Err(it) = self.may_reach(&located.host, false, now) {
            return (Heard::failed(FailureKind::AddressRefused, it), None);
        }
        let _turn = self.lanes.turn(&located.host).await;
        handshake(located.address, &located.host, &located.roots, offer).await
    }

    /// Asks for a path of a host on port 80, without TLS. Nothing of ours is in the request.
    pub async fn plain(&self, host: &str, path: &str, now: Timestamp) -> Received {
        if let Err(it) = self.may_reach(host, false, now) {
            return Received::failed(FailureKind::AddressRefused, it);
        }
        if !self.resolver.knows(host, PLAIN) {
            let detail = format!("`talk.resolve` names no `{host}:{PLAIN}`");
            return Received::failed(FailureKind::AddressRefused, detail);
        }
        let _turn = self.lanes.turn(host).await;
        match self.resolver.resolve(host, PLAIN).await {
            Ok(address) => plain::ask(address, host, path).await,
            Err(it) => Received::failed(it.kind, it.detail),
        }
    }
}

async fn greet(address: SocketAddr, hello: &[u8]) -> Heard {
    let mut stream = match TcpStream::connect(address).await {
        Ok(it) => it,
        Err(it) => return Heard::failed(FailureKind::Connect, it.kind().to_string()),
    };
    if stream.write_all(hello).await.is_err() {
        return Heard::Closed;
    }
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return Heard::Closed,
            Ok(it) => it,
        };
        seen.extend(piece.iter().take(count));
        match read(&seen) {
            Said::Alert(description) => return Heard::Alert { description },
            Said::Hello(it) => return Heard::Hello(it),
            Said::Unreadable => return Heard::Unreadable,
            Said::Incomplete if ANSWER_BYTES_MAX < seen.len() => return Heard::Unreadable,
            Said::Incomplete => {}
        }
    }
}
