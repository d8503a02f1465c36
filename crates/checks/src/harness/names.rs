//! Which certificate is shown under which name: the right one under our own, wrong ones under names below it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use countersign_model::time::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

use super::HarnessError;
use super::old_tls::KeyKind;
use crate::live::certificate::{Certificate, read};

/// What is wrong on purpose with the server under a name below ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrongName {
    /// Its certificate has expired.
    Expired,
    /// It speaks TLS 1.0 alone; its certificate is right.
    OldTls,
    /// Its certificate was revoked by whoever issued it.
    Revoked,
    /// Its certificate is vouched for by nobody.
    SelfSigned,
    /// Its certificate bears another name.
    WrongHost,
}

impl WrongName {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Expired, Self::OldTls, Self::Revoked, Self::SelfSigned, Self::WrongHost];

    /// The word before our own name: `expired` in `expired.probe.example.com`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::OldTls => "old-tls",
            Self::Revoked => "revoked",
            Self::SelfSigned => "self-signed",
            Self::WrongHost => "wrong-host",
        }
    }
}

/// What is shown under each name. Under a name that it does not know it shows its own certificate.
#[derive(Clone, Default)]
pub struct Certificates {
    own: Option<Presented>,
    wrong: BTreeMap<WrongName, Presented>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.wrong.keys()).finish()
    }
}

/// One certificate and how it is shown.
#[derive(Clone)]
pub(super) struct Presented {
    pub(super) how: How,
    says: Option<Certificate>,
}

#[derive(Clone)]
pub(super) enum How {
    Modern(Arc<ServerConfig>),
    OldTls(Arc<[Vec<u8>]>, KeyKind),
}

/// Why there is nothing under a name that a check could try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unnamed {
    /// Nothing is set up for it.
    #[error("nothing is set up for it")]
    Missing,
    /// What is set up for it is not wrong in its way.
    #[error("{0}")]
    Unfit(String),
}

impl Certificates {
    /// Shows this certificate (PEM, with those up to an authority) and its key.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, HarnessError> {
        Ok(Self { own: Some(modern(certificate, key)?), wrong: BTreeMap::new() })
    }

    /// Shows this one under a wrong name, too. TLS 1.0 needs no key: nothing of it is ever signed.
    pub fn with(
        mut self,
        name: WrongName,
        certificate: &[u8],
        key: Option<&[u8]>,
    ) -> Result<Self, HarnessError> {
        let shown = match (name, key) {
            (WrongName::OldTls, _) => old(certificate),
            (_, Some(key)) => modern(certificate, key),
            (_, None) => Err(HarnessError::Pem("key")),
        };
        let of_name = |it| HarnessError::Name { name: name.word(), source: Box::new(it) };
        self.wrong.insert(name, shown.map_err(of_name)?);
        Ok(self)
    }

    /// What is shown to whoever asks for this name, at a harness of this host.
    pub(super) fn shown(&self, asked: Option<&str>, host: &str) -> Option<&Presented> {
        let word = asked.and_then(|it| it.strip_suffix(host)?.strip_suffix('.'));
        let wrong = self.wrong.iter().find(|it| Some(it.0.word()) == word);
        wrong.map(|it| it.1).or(self.own.as_ref())
    }

    /// Whether what is shown under this name is wrong in its way, and in no other, at this moment.
    pub(super) fn fit(&self, name: WrongName, host: &str, now: Timestamp) -> Result<(), Unnamed> {
        let own = self.own.as_ref().filter(|_| name == WrongName::WrongHost);
        let shown = self.wrong.get(&name).or(own).ok_or(Unnamed::Missing)?;
        let unfit = |why: String| Err(Unnamed::Unfit(why));
        let Some(says) = &shown.says else {
            return unfit("its certificate cannot be read".to_owned());
        };
        let asked = format!("{}.{host}", name.word());
        match (covers(&says.names, &asked), name) {
            (true, WrongName::WrongHost) => {
                return unfit(format!("its certificate is for {asked}, which is right there"));
            }
            (false, WrongName::WrongHost) | (true, _) => {}
            (false, _) => return unfit(format!("its certificate is not for {asked}")),
        }
        let is_over = says.until < now;
        if name == WrongName::Expired && !is_over {
            return unfit(format!("its certificate runs until {}", says.until));
        }
        if name != WrongName::Expired && (is_over || now < says.from) {
            let (from, until) = (says.from, says.until);
            return unfit(format!("its certificate runs from {from} to {until} alone"));
        }
        if name == WrongName::SelfSigned && !says.is_root {
            return unfit(format!("its certificate is signed by {}", says.issuer));
        }
        Ok(())
    }
}

/// Whether one of the names is this host (RFC 9525, section 6.3).
fn covers(names: &[String], host: &str) -> bool {
    names.iter().any(|name| match name.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|it| it.1.eq_ignore_ascii_case(rest)),
        None => name.eq_ignore_ascii_case(host),
    })
}

fn chain(certificate: &[u8]) -> Result<Vec<CertificateDer<'static>>, HarnessError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|_| HarnessError::Pem("certificate"))?;
    if chain.is_empty() { Err(HarnessError::Pem("certificate")) } else { Ok(chain) }
}

fn modern(certificate: &[u8], key: &[u8]) -> Result<Presented, HarnessError> {
    let chain = chain(certificate)?;
    let says = chain.first().and_then(|it| read(it));
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| HarnessError::Pem("key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Presented { how: How::Modern(Arc::new(config)), says })
}

fn old(certificate: &[u8]) -> Result<Presented, HarnessError> {
    let chain = chain(certificate)?;
    let says = chain.first().and_then(|it| read(it)).ok_or(HarnessError::Pem("certificate"))?;
    let kind = match says.key.as_str() {
        "RSA" => KeyKind::Rsa(usize::try_from(says.key_bits).unwrap_or(0).div_ceil(8)),
        "P-256" | "P-384" | "P-521" => KeyKind::Ec,
        // There was no other kind of key in TLS 1.0 that anybody still has.
        _ => return Err(HarnessError::Pem("certificate")),
    };
    let chain: Vec<Vec<u8>> = chain.iter().map(|it| it.to_vec()).collect();
    Ok(Presented { how: How::OldTls(chain.into(), kind), says: Some(says) })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};

    use super::*;

    const HOST: &str = "probe.example.com";

    /// A certificate for these names from and until the first of a month of 2026, and its key.
    fn made(names: &[&str], months: [u8; 2], is_self_signed: bool) -> (String, String) {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2026, months[0], 1);
        params.not_after = date_time_ymd(2026, months[1], 1);
        let key = KeyPair::generate().unwrap();
        let certificate = if is_self_signed {
            params.self_signed(&key).unwrap()
        } else {
            let mut of_issuer = CertificateParams::new(Vec::<String>::new()).unwrap();
            of_issuer.distinguished_name.push(rcgen::DnType::CommonName, "Some authority");
            let issuer = Issuer::new(of_issuer, KeyPair::generate().unwrap());
            params.signed_by(&key, &issuer).unwrap()
        };
        (certificate.pem(), key.serialize_pem())
    }

    fn own(names: &[&str]) -> Certificates {
        let (certificate, key) = made(names, [10, 12], false);
        Certificates::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap()
    }

    #[test]
    fn a_wrong_certificate_is_wrong_in_its_own_way_alone() {
        use WrongName::{Expired, OldTls, Revoked, SelfSigned, WrongHost};
        let now: Timestamp = "2026-11-24T03:05:11Z".parse().unwrap();
        let fit = |name: WrongName, host: &str, months: [u8; 2], is_self_signed: bool| {
            let (certificate, key) = made(&[host], months, is_self_signed);
            let all = own(&[HOST]).with(name, certificate.as_bytes(), Some(key.as_bytes()));
            match all.unwrap().fit(name, HOST, now) {
                Ok(()) => "fit".to_owned(),
                Err(why) => why.to_string(),
            }
        };
        let (past, present, future) = ([9, 10], [10, 12], [12, 12]);
        let lines = [
            fit(Expired, "expired.probe.example.com", past, false),
            fit(Expired, "*.probe.example.com", past, false),
            fit(Expired, "expired.probe.example.com", present, false),
            fit(Expired, "probe.example.com", past, false),
            fit(Revoked, "revoked.probe.example.com", present, false),
            fit(Revoked, "revoked.probe.example.com", past, false),
            fit(Revoked, "revoked.probe.example.com", future, false),
            fit(SelfSigned, "self-signed.probe.example.com", present, true),
            fit(SelfSigned, "self-signed.probe.example.com", present, false),
            fit(WrongHost, "other.example.com", present, false),
            fit(WrongHost, "*.probe.example.com", present, false),
            fit(OldTls, "old-tls.probe.example.com", present, false),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        fit
        fit
        its certificate runs until 2026-12-01T00:00:00.000Z
        its certificate is not for expired.probe.example.com
        fit
        its certificate runs from 2026-09-01T00:00:00.000Z to 2026-10-01T00:00:00.000Z alone
        its certificate runs from 2026-12-01T00:00:00.000Z to 2026-12-01T00:00:00.000Z alone
        fit
        its certificate is signed by CN=Some authority
        fit
        its certificate is for wrong-host.probe.example.com, which is right there
        fit
        ");
        assert_eq!(own(&[HOST]).fit(Expired, HOST, now), Err(Unnamed::Missing));
        assert_eq!(own(&[HOST]).fit(WrongHost, HOST, now), Ok(()), "its own bears another name");
        let wild = own(&[HOST, "*.probe.example.com"]);
        assert!(matches!(wild.fit(WrongHost, HOST, now), Err(Unnamed::Unfit(_))));
    }

    #[test]
    fn each_name_shows_its_own_certificate() {
        let (certificate, _) = made(&["old-tls.probe.example.com"], [10, 12], false);
        let all = own(&[HOST]).with(WrongName::OldTls, certificate.as_bytes(), None).unwrap();
        let is_old = |asked: Option<&str>| {
            all.shown(asked, HOST).is_some_and(|it| matches!(it.how, How::OldTls(..)))
        };
        assert!(is_old(Some("old-tls.probe.example.com")));
        for other in [None, Some(HOST), Some("x.old-tls.probe.example.com"), Some("old-tls")] {
            assert!(!is_old(other), "{other:?}");
            assert!(all.shown(other, HOST).is_some(), "{other:?}");
        }
        assert!(Certificates::default().shown(Some(HOST), HOST).is_none());
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_name() {
        assert!(matches!(
            Certificates::from_pem(b"no certificate", b"no key"),
            Err(HarnessError::Pem("certificate"))
        ));
        let (certificate, _) = made(&["expired.probe.example.com"], [9, 10], false);
        let no_key = own(&[HOST]).with(WrongName::Expired, certificate.as_bytes(), None);
        assert_eq!(no_key.unwrap_err().to_string(), "the harness cannot show `expired`");
    }
}
