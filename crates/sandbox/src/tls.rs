//! One certificate authority per run, and servers that it vouches for.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use axum_server::tls_rustls::RustlsConfig;
use countersign_checks::harness::WrongName;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RevocationReason, RevokedCertParams, SerialNumber,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS12;

use crate::partner::{Fault, TlsFault};
use crate::{clock, revoked};

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
        self.issued(hosts, &KeyPair::generate()?)
    }

    /// The same with a key for RSA, of 2048 bits: what was made before TLS 1.2 may know no other.
    pub fn issue_rsa(&self, hosts: &[String]) -> Result<(String, String), TlsError> {
        self.issued(hosts, &KeyPair::generate_for(&PKCS_RSA_SHA256)?)
    }

    fn issued(&self, hosts: &[String], key: &KeyPair) -> Result<(String, String), TlsError> {
        let certificate = params(hosts.to_vec(), (-1, 89))?.signed_by(key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// The settings of a server of these hosts, with a new key.
    pub(crate) fn server(&self, hosts: &[String]) -> Result<RustlsConfig, TlsError> {
        Ok(RustlsConfig::from_config(self.made(hosts, None)?))
    }

    /// A certificate of the checker's own server, and its key, as PEM. It names the list of what was
    /// revoked.
    pub(crate) fn right(&self, host: &str) -> Result<(String, String), TlsError> {
        let key = KeyPair::generate()?;
        Ok((self.listed(host, (-1, 89), 1, &key)?, key.serialize_pem()))
    }

    /// One that is wrong in this way for the server of this host, and its key. Of TLS 1.0 nothing is
    /// wrong but the version.
    pub(crate) fn wrong(&self, name: WrongName, host: &str) -> Result<(String, String), TlsError> {
        let (host, days, number) = match name {
            WrongName::Expired => (host, (-80, -1), 2),
            WrongName::Revoked => (host, (-1, 89), REVOKED),
            WrongName::OldTls => {
                let key = old_key()?;
                return Ok((self.listed(host, (-1, 89), 4, key)?, key.serialize_pem()));
            }
            WrongName::SelfSigned => {
                let key = KeyPair::generate()?;
                let lonely = params(vec![host.to_owned()], (-1, 89))?.self_signed(&key)?;
                return Ok((lonely.pem(), key.serialize_pem()));
            }
            WrongName::WrongHost => ("elsewhere.example", (-1, 89), 5),
        };
        let key = KeyPair::generate()?;
        Ok((self.listed(host, days, number, &key)?, key.serialize_pem()))
    }

    /// A certificate with this number that names the list of what was revoked.
    fn listed(
        &self,
        host: &str,
        days: (i64, i64),
        number: u64,
        key: &KeyPair,
    ) -> Result<String, TlsError> {
        let mut params = params(vec![host.to_owned()], days)?;
        params.serial_number = Some(SerialNumber::from(number));
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![revoked::url()] }];
        Ok(params.signed_by(key, &self.issuer)?.pem())
    }

    /// The list of what it has revoked (DER; RFC 5280, section 5).
    pub(crate) fn revocations(&self) -> Result<Vec<u8>, TlsError> {
        let list = CertificateRevocationListParams {
            this_update: day(-1)?,
            next_update: day(7)?,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(REVOKED),
                revocation_time: day(-1)?,
                reason_code: Some(RevocationReason::KeyCompromise),
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.der().to_vec())
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
        let days = match flaw {
            Some(TlsFault::CertificateRanOut) => (-80, -1),
            Some(TlsFault::CertificateRunsOut) => (-80, 10),
            Some(TlsFault::CertificateRunsLong) => (-1, 399),
            _ => (-1, 89),
        };
        let params = params(names, days)?;
        let key = KeyPair::generate()?;
        let certificate = match flaw {
            Some(TlsFault::CertificateOfNobody) => params.self_signed(&key)?,
            _ => params.signed_by(&key, &self.issuer)?,
        };
        config(&certificate, &key, flaw)
    }
}

/// A certificate of a server with these names, from and until so many days from now.
fn params(names: Vec<String>, (from, until): (i64, i64)) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names)?;
    params.not_before = day(from)?;
    params.not_after = day(until)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// The key of the server that speaks TLS 1.0: RSA, whose key exchange its clients know best. Nothing is
/// ever signed with it, so that one is enough for all.
fn old_key() -> Result<&'static KeyPair, TlsError> {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key);
    }
    let made = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
    Ok(KEY.get_or_init(|| made))
}

/// This many days from now.
fn day(count: i64) -> Result<time::OffsetDateTime, time::error::ComponentRange> {
    time::OffsetDateTime::from_unix_timestamp(clock::now().seconds() + count * DAY)
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

/// The number of the certificate that was revoked.
const REVOKED: u64 = 3;
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
