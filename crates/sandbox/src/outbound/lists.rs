//! Lists of what was revoked: a certificate names the address of the one that it would stand on.
//!
//! Verification must not wait for the network. A list that is not there yet is written down as wanted,
//! and the certificate is refused; whoever reads the list tries again. What cannot be read keeps the
//! certificate refused.
//!
//! Source: RFC 5280, sections 4.2.1.13 and 5.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;

type List = CertificateRevocationListDer<'static>;

/// The lists that were read, and those that have to be.
#[derive(Debug)]
pub(super) struct Lists {
    client: reqwest::Client,
    known: Mutex<BTreeMap<String, List>>,
    wanted: Mutex<BTreeSet<String>>,
}

impl Lists {
    /// None yet; this client reads them.
    pub(super) fn new(client: reqwest::Client) -> Self {
        Self { client, known: Mutex::default(), wanted: Mutex::default() }
    }

    fn get(&self, url: &str) -> Option<List> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned()
    }

    fn want(&self, url: String) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.len() < LISTS_MAX {
            wanted.insert(url);
        }
    }

    /// Reads what is wanted; says whether anything was read.
    pub(super) async fn fetch(&self) -> bool {
        let wanted = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *wanted)
        };
        let mut any = false;
        for url in wanted {
            let Some(list) = self.read(&url).await else { continue };
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if LISTS_MAX <= known.len() {
                known.clear();
            }
            known.insert(url, list);
            any = true;
        }
        any
    }

    /// One list. Whether its authority signed it is seen when it is used.
    async fn read(&self, url: &str) -> Option<List> {
        let mut answer = self.client.get(url).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.ok()? {
            bytes.extend(piece);
            if LIST_BYTES_MAX < bytes.len() {
                return None;
            }
        }
        Some(List::from(bytes))
    }
}

/// Verifies as usual; what names a list has to be known there, and not to stand on it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) usual: Arc<WebPkiServerVerifier>,
    pub(super) roots: Arc<RootCertStore>,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) lists: Arc<Lists>,
}

impl ServerCertVerifier for Listed {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(url) = address_of_list(certificate) else {
            return self.usual.verify_server_cert(certificate, between, name, stapled, now);
        };
        let Some(list) = self.lists.get(&url) else {
            self.lists.want(url);
            return Err(CertificateError::UnknownRevocationStatus.into());
        };
        let (roots, provider) = (Arc::clone(&self.roots), Arc::clone(&self.provider));
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .with_crls([list])
            .only_check_end_entity_revocation()
            .enforce_revocation_expiration()
            .build()
            .map_err(|it| Error::General(it.to_string()))?;
        let verified = verifier.verify_server_cert(certificate, between, name, stapled, now);
        if let Err(Error::InvalidCertificate(CertificateError::ExpiredRevocationListContext {
            ..
        })) = &verified
        {
            self.lists.want(url);
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// The first address over HTTP at which a certificate's list is published.
fn address_of_list(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let points = certificate.extensions().iter().find_map(|it| match it.parsed_extension() {
        ParsedExtension::CRLDistributionPoints(points) => Some(points),
        _ => None,
    })?;
    points.iter().find_map(|point| match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => names.iter().find_map(|it| match it {
            GeneralName::URI(url) if url.starts_with("http://") => Some((*url).to_owned()),
            _ => None,
        }),
        _ => None,
    })
}

const LISTS_MAX: usize = 100;
const LIST_BYTES_MAX: usize = 1024 * 1024;
