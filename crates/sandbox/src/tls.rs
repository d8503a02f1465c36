//! One certificate authority per run, and servers that it vouches for.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS12;

use crate::clock;
use crate::partner::{Fault, TlsFault};

/// A certificate authority that lives as long as this value.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Authority(..)")
    }
}

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate could not be made.
    #[error("a certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// A date lies outside of what can be written.
    #[error("a certificate cannot run then")]
    Date(#[from] time::error::ComponentRange),
    /// The settings do not fit together.
    #[error("TLS could not be configured")]
    Config(#[from] rustls::Error),
}

impl Authority {
    /// A new authority with a new key.
    pub fn new() -> Result<Self, TlsError> {
        install_provider();
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name.push(DnType::CommonName, "Sandbox authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// Its certificate, for those who are to trust it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The settings of a server of these hosts, with a new key, as rustls has them.
    pub fn config(&self, hosts: &[String]) -> Result<Arc<ServerConfig>, TlsError> {
        Ok(self.server(hosts)?.get_inner())
    }

    /// A certificate for these hosts and its new private key, as PEM.
    pub fn issue(&self, hosts: &[String]) -> Result<(String, String), TlsError> {
        let mut params = CertificateParams::new(hosts.to_vec())?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// The settings of a server of these hosts, with a new key.
    pub(crate) fn server(&self, hosts: &[String]) -> Result<RustlsConfig, TlsError> {
        Ok(RustlsConfig::from_config(self.made(hosts, None)?))
    }

    /// The settings of a server whose certificate has expired.
    pub(crate) fn expired(&self, host: &str) -> Result<Arc<ServerConfig>, TlsError> {
        self.made(&[host.to_owned()], Some(TlsFault::CertificateRanOut))
    }

    /// The settings of a server that nobody vouches for.
    pub(crate) fn self_signed(host: &str) -> Result<Arc<ServerConfig>, TlsError> {
        let params = CertificateParams::new(vec![host.to_owned()])?;
        let key = KeyPair::generate()?;
        config(&params.self_signed(&key)?, &key, None)
    }

    /// The same with this flaw, where it is one of the certificate or of the versions.
    fn made(
        &self,
        hosts: &[String],
        flaw: Option<TlsFault>,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let mut names = match flaw {
            Some(TlsFault::CertificateOfAnotherHost) => vec!["elsewhere.example".to_owned()],
            _ => hosts.to_vec(),
        };
        names.push("127.0.0.1".to_owned());
        let mut params = CertificateParams::new(names)?;
        let (from, until) = match flaw {
            Some(TlsFault::CertificateRanOut) => (-80, -1),
            Some(TlsFault::CertificateRunsOut) => (-80, 10),
            Some(TlsFault::CertificateRunsLong) => (-1, 399),
            _ => (-1, 89),
        };
        let days = |count: i64| {
            time::OffsetDateTime::from_unix_timestamp(clock::now().seconds() + count * DAY)
        };
        params.not_before = days(from)?;
        params.not_after = days(until)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = match flaw {
            Some(TlsFault::CertificateOfNobody) => params.self_signed(&key)?,
            _ => params.signed_by(&key, &self.issuer)?,
        };
        config(&certificate, &key, flaw)
    }
}

/// What a server presents when it is right, and with each flaw.
#[derive(Debug)]
pub(crate) struct Flawed {
    right: Arc<ServerConfig>,
    wrong: Vec<(TlsFault, Arc<ServerConfig>)>,
}

impl Flawed {
    /// For these hosts.
    pub(crate) fn new(
        authority: &Authority,
        hosts: &[String],
        right: Arc<ServerConfig>,
    ) -> Result<Self, TlsError> {
        let wrong = FLAWS.iter().map(|it| Ok((*it, authority.made(hosts, Some(*it))?)));
        Ok(Self { right, wrong: wrong.collect::<Result<_, TlsError>>()? })
    }

    /// What is presented with these faults.
    pub(crate) fn of(&self, faults: &BTreeSet<Fault>) -> Arc<ServerConfig> {
        let found = self.wrong.iter().find(|it| faults.contains(&Fault::Tls(it.0)));
        Arc::clone(found.map_or(&self.right, |it| &it.1))
    }
}

fn config(
    certificate: &rcgen::Certificate,
    key: &KeyPair,
    flaw: Option<TlsFault>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let versions = match flaw {
        Some(TlsFault::SpeaksNoTls13) => vec![&TLS12],
        _ => rustls::ALL_VERSIONS.to_vec(),
    };
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&versions)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Chooses the one provider of cryptography for clients that take the default; a second call does nothing.
pub(crate) fn install_provider() {
    // Refused only when somebody installed one before, which is as good.
    let _installed_before = default_provider().install_default();
}

const DAY: i64 = 24 * 60 * 60;
/// The flaws of what a server presents.
const FLAWS: [TlsFault; 6] = [
    TlsFault::CertificateOfAnotherHost,
    TlsFault::CertificateOfNobody,
    TlsFault::CertificateRanOut,
    TlsFault::CertificateRunsLong,
    TlsFault::CertificateRunsOut,
    TlsFault::SpeaksNoTls13,
];
