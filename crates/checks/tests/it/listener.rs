//! Listeners that count who comes, and answer whatever a test wants, byte by byte.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_checks::live::client::TalkConfig;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The bytes of both sides, inside TLS.
pub(crate) type Stream = TlsStream<TcpStream>;

/// A certificate authority of one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn acceptor(&self, host: &str) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// The way to these listeners, and nobody else's.
    pub(crate) fn way(&self, listeners: &[(&str, &Listener)]) -> TalkConfig {
        let named = listeners.iter().map(|(host, it)| ((*host).to_owned(), it.address));
        TalkConfig {
            resolve: named.collect(),
            ca: Some(self.pem.clone().into_bytes()),
            ..TalkConfig::default()
        }
    }
}

/// A listener. What it saw is counted.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    /// Head and body of each request.
    requests: Vec<String>,
    written: u64,
}

impl Listener {
    /// Listens as this host; `answer` gets each request and the bytes to write to.
    pub(crate) async fn start<F>(
        authority: &Authority,
        host: &str,
        answer: impl Fn(Writer, String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        Self::serve(listener, authority.acceptor(host), answer)
    }

    /// Listens without a certificate, at this address: whoever comes is only counted.
    pub(crate) async fn counting(ip: IpAddr, port: u16) -> Self {
        let listener = TcpListener::bind((ip, port)).await.unwrap();
        Self::serve(listener, Authority::new().acceptor("nobody.example"), |_, _| async {})
    }

    fn serve<F>(
        listener: TcpListener,
        acceptor: TlsAcceptor,
        answer: impl Fn(Writer, String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let this = Self { address: listener.local_addr().unwrap(), seen: Arc::clone(&seen) };
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen.lock().unwrap().connections += 1;
                let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let Some(request) = read(&mut stream).await else { return };
                    seen.lock().unwrap().requests.push(request.clone());
                    answer(Writer { stream, seen }, request).await;
                });
            }
        });
        this
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// Every request that came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// How many bytes of answers could be written.
    pub(crate) fn written(&self) -> u64 {
        self.seen.lock().unwrap().written
    }
}

/// The answering side of one request.
pub(crate) struct Writer {
    stream: Stream,
    seen: Arc<Mutex<Seen>>,
}

impl Writer {
    /// Writes bytes; false when nobody reads them any more.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        let written =
            self.stream.write_all(bytes).await.is_ok() && self.stream.flush().await.is_ok();
        if written {
            self.seen.lock().unwrap().written += bytes.len() as u64;
        }
        written
    }

    /// Writes a whole answer.
    pub(crate) async fn answer(mut self, status: u16, headers: &str, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        if self.write(head).await && self.write(body).await {
            drop(self.stream.shutdown().await);
        }
    }

    /// Writes the same again and again until nobody reads it any more.
    pub(crate) async fn forever(mut self, bytes: &[u8], pause: Duration) {
        while self.write(bytes).await {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// One request: its head, and as much body as it says.
async fn read(stream: &mut Stream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
            let length: usize = length.and_then(|it| it.parse().ok()).unwrap_or(0);
            if length <= body.len() {
                return Some(text.into_owned());
            }
        }
        let n = stream.read(&mut part).await.ok()?;
        if n == 0 {
            return None;
        }
        bytes.extend_from_slice(&part[..n]);
    }
}

/// A name server that answers every question with what `records` says: type and data.
pub(crate) async fn name_server(
    records: impl Fn(&str, u16) -> Vec<Vec<u8>> + Send + 'static,
) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut question = [0; 1500];
        while let Ok((n, from)) = socket.recv_from(&mut question).await {
            let answer = reply(&question[..n], &records);
            drop(socket.send_to(&answer, from).await);
        }
    });
    address
}

/// RFC 1035, section 4: the question again, and the answers behind it.
fn reply(question: &[u8], records: &impl Fn(&str, u16) -> Vec<Vec<u8>>) -> Vec<u8> {
    let mut labels = Vec::new();
    let mut at = 12;
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    let kind = u16::from_be_bytes([question[at + 1], question[at + 2]]);
    let end = at + 5;
    let found = records(&labels.join("."), kind);
    let count = u16::try_from(found.len()).unwrap().to_be_bytes();
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, count[0], count[1], 0, 0, 0, 0]);
    answer.extend(&question[12..end]);
    for data in found {
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 0]);
        answer.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        answer.extend(data);
    }
    answer
}
