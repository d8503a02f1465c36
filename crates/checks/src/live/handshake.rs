//! A whole handshake with a modern library, which keeps what certificates were shown.
//!
//! Whatever certificate comes is kept and judged later. Nothing is ever sent over such a session.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_model::check::transcript::FailureKind;
use rustls::client::Resumption;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::certificate::{self, Shown};
use super::heard::{Heard, Session};

/// How long a handshake may take, from the first packet on.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(4);

/// What is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// TLS 1.2 and 1.3, as careful clients do.
    Careful,
    /// TLS 1.3 only, with a key share of X25519MLKEM768 first, as browsers do.
    Hybrid,
    /// TLS 1.3 only, with key shares that every server of 1.3 knows.
    Tls13,
}

impl Offer {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Careful => "TLS 1.3 and 1.2 with modern suites",
            Self::Hybrid => "TLS 1.3 with a key share of X25519MLKEM768",
            Self::Tls13 => "TLS 1.3 only",
        }
    }

    fn versions(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Careful => vec![&TLS13, &TLS12],
            Self::Hybrid | Self::Tls13 => vec![&TLS13],
        }
    }

    fn groups(self) -> Vec<&'static dyn SupportedKxGroup> {
        let classical = [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
        match self {
            Self::Hybrid => [&[kx_group::X25519MLKEM768][..], &classical].concat(),
            Self::Careful | Self::Tls13 => classical.to_vec(),
        }
    }
}

/// Does one handshake, says how it ended and what certificates were shown, and hangs up.
pub async fn handshake(
    address: SocketAddr,
    host: &str,
    roots: &Arc<RootCertStore>,
    offer: Offer,
) -> (Heard, Option<Shown>) {
    let keeper = match Keeper::new(roots, offer) {
        Ok(it) => Arc::new(it),
        Err(it) => return (Heard::failed(FailureKind::Tls, it.to_string()), None),
    };
    let doing = shake(address, host, Arc::clone(&keeper), offer);
    let heard = tokio::time::timeout(HANDSHAKE_MAX, doing).await.unwrap_or_else(|_| {
        Heard::failed(FailureKind::Timeout, format!("no answer within {HANDSHAKE_MAX:?}"))
    });
    let shown = keeper.shown.lock().unwrap_or_else(PoisonError::into_inner).take();
    (heard, shown)
}

async fn shake(address: SocketAddr, host: &str, keeper: Arc<Keeper>, offer: Offer) -> Heard {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = match ServerName::try_from(name) {
        Ok(it) => it,
        Err(it) => return Heard::failed(FailureKind::Tls, it.to_string()),
    };
    let config = match config(keeper, offer) {
        Ok(it) => it,
        Err(it) => return Heard::failed(FailureKind::Tls, it.to_string()),
    };
    let stream = match TcpStream::connect(address).await {
        Ok(it) => it,
        Err(it) => return Heard::failed(FailureKind::Connect, it.kind().to_string()),
    };
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        Ok(stream) => finished(stream.get_ref().1),
        Err(it) => broken(&it),
    }
}

fn config(keeper: Arc<Keeper>, offer: Offer) -> Result<ClientConfig, Error> {
    let provider = Arc::clone(&keeper.provider);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&offer.versions())?
        .dangerous()
        .with_custom_certificate_verifier(keeper)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn finished(connection: &rustls::ClientConnection) -> Heard {
    let version = connection.protocol_version().and_then(|it| it.as_str());
    let suite = connection.negotiated_cipher_suite().and_then(|it| it.suite().as_str());
    let group = connection.negotiated_key_exchange_group().and_then(|it| it.name().as_str());
    Heard::Finished(Session {
        version: version.unwrap_or("unknown").to_owned(),
        suite: suite.unwrap_or("unknown").to_owned(),
        group: group.unwrap_or("unknown").to_owned(),
    })
}

fn broken(error: &std::io::Error) -> Heard {
    match error.get_ref().and_then(|it| it.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(it)) => Heard::Alert { description: u8::from(*it) },
        Some(Error::InvalidMessage(_)) => Heard::Unreadable,
        Some(it) => Heard::Broken { detail: it.to_string() },
        None => Heard::Closed,
    }
}

/// Keeps what is shown, and trusts everybody: nothing is sent over the session.
#[derive(Debug)]
struct Keeper {
    provider: Arc<CryptoProvider>,
    inner: Arc<WebPkiServerVerifier>,
    shown: Mutex<Option<Shown>>,
}

impl Keeper {
    fn new(roots: &Arc<RootCertStore>, offer: Offer) -> Result<Self, Error> {
        let provider = CryptoProvider { kx_groups: offer.groups(), ..default_provider() };
        let provider = Arc::new(provider);
        let inner =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider));
        let inner = inner.build().map_err(|it| Error::General(it.to_string()))?;
        Ok(Self { provider, inner, shown: Mutex::new(None) })
    }
}

impl ServerCertVerifier for Keeper {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let problem = self.inner.verify_server_cert(own, others, name, ocsp, now).err();
        let all = std::iter::once(own).chain(others).map(AsRef::as_ref);
        let shown =
            Shown { problem: problem.map(|it| it.to_string()), chain: certificate::chain(all) };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
