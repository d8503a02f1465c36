//! One certificate authority per run, and servers that it vouches for.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use countersign_checks::harness::WrongName;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber,
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
    crl: String,
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
        let issuer = Issuer::new(params, key);
        let crl = revocations(&issuer)?;
        Ok(Self { issuer, pem, crl })
    }

    /// The list of what it has revoked (RFC 5280, section 5), for those who are to look there.
    pub fn revocations(&self) -> &str {
        &self.crl
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

    /// A certificate that is wrong in this way for the server of this host, and its key, as PEM. Of TLS
    /// 1.0 nothing is wrong but the version.
    pub(crate) fn wrong(&self, name: WrongName, host: &str) -> Result<(String, String), TlsError> {
        let flaw = match name {
            WrongName::Expired => Some(TlsFault::CertificateRanOut),
            WrongName::SelfSigned => Some(TlsFault::CertificateOfNobody),
            WrongName::WrongHost => Some(TlsFault::CertificateOfAnotherHost),
            WrongName::Revoked | WrongName::OldTls => None,
        };
        let serial = (name == WrongName::Revoked).then(|| SerialNumber::from(REVOKED));
        let (certificate, key) = self.signed(&[host.to_owned()], flaw, serial)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// The same with this flaw, where it is one of the certificate or of the versions.
    fn made(
        &self,
        hosts: &[String],
        flaw: Option<TlsFault>,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let (certificate, key) = self.signed(hosts, flaw, None)?;
        config(&certificate, &key, flaw)
    }

    fn signed(
        &self,
        hosts: &[String],
        flaw: Option<TlsFault>,
        serial: Option<SerialNumber>,
    ) -> Result<(rcgen::Certificate, KeyPair), TlsError> {
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
        params.serial_number = serial;
        let key = KeyPair::generate()?;
        let certificate = match flaw {
            Some(TlsFault::CertificateOfNobody) => params.self_signed(&key)?,
            _ => params.signed_by(&key, &self.issuer)?,
        };
        Ok((certificate, key))
    }
}

/// The list of an authority that revoked one certificate.
fn revocations(issuer: &Issuer<'_, KeyPair>) -> Result<String, TlsError> {
    let days = |count: i64| {
        time::OffsetDateTime::from_unix_timestamp(clock::now().seconds() + count * DAY)
    };
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(REVOKED),
        revocation_time: days(-1)?,
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: days(-1)?,
        next_update: days(89)?,
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(list.signed_by(issuer)?.pem()?)
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

/// The serial number of the certificate that was revoked; others are chance.
const REVOKED: u64 = 0x5ca1_ab1e;
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
