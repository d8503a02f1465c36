//! What a certificate says of itself. Foreign bytes: whatever cannot be read is left empty.

use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use serde::{Deserialize, Serialize};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::SubjectPublicKeyInfo;

/// How many certificates of a chain are read.
const CHAIN_MAX: usize = 10;
/// How many names of a certificate are told.
const NAMES_MAX: usize = 20;
/// How much of a name is told.
const NAME_BYTES_MAX: usize = 200;

/// The certificates that a server showed, and whether they are worth something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Why it is not trusted for this host; none where it is.
    pub problem: Option<String>,
    /// The server's own first, then those that are to lead to an authority.
    pub chain: Vec<Certificate>,
}

/// What one certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// The hosts that it is for.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What kind of key: `RSA`, `P-256`, `Ed25519`; an object identifier where that is unknown.
    pub key: String,
    /// How long the key is; 0 where that is unknown.
    pub key_bits: u32,
    /// With which digest it was signed: `SHA-256`, or the name of a scheme that has its own.
    pub digest: String,
    /// Whether it signed itself: then its signature proves nothing, and nobody relies on it.
    pub is_root: bool,
}

/// Reads a chain, as it was shown.
pub fn chain<'a>(certificates: impl Iterator<Item = &'a [u8]>) -> Vec<Certificate> {
    certificates.take(CHAIN_MAX).filter_map(read).collect()
}

/// Reads one certificate (DER).
pub fn read(bytes: &[u8]) -> Option<Certificate> {
    let (_, parsed) = X509Certificate::from_der(bytes).ok()?;
    let (key, key_bits) = key(parsed.public_key());
    let moment = |it: x509_parser::time::ASN1Time| Timestamp::from_seconds(it.timestamp());
    Some(Certificate {
        sha256: Digest::of(bytes).hex(),
        names: names(&parsed),
        issuer: cut(&parsed.issuer().to_string()),
        from: moment(parsed.validity().not_before),
        until: moment(parsed.validity().not_after),
        key,
        key_bits,
        digest: digest(&parsed),
        is_root: parsed.issuer().as_raw() == parsed.subject().as_raw(),
    })
}

fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = parsed.subject_alternative_name() else { return Vec::new() };
    let names = extension.value.general_names.iter().filter_map(|it| match it {
        GeneralName::DNSName(name) => Some(cut(name)),
        GeneralName::IPAddress(bytes) => Some(address(bytes)),
        _ => None,
    });
    names.take(NAMES_MAX).collect()
}

fn address(bytes: &[u8]) -> String {
    if let Ok(it) = <[u8; 4]>::try_from(bytes) {
        return std::net::Ipv4Addr::from(it).to_string();
    }
    match <[u8; 16]>::try_from(bytes) {
        Ok(it) => std::net::Ipv6Addr::from(it).to_string(),
        Err(_) => "not an address".to_owned(),
    }
}

/// The kind of a key and its length in bits.
fn key(info: &SubjectPublicKeyInfo<'_>) -> (String, u32) {
    let scheme = info.algorithm.algorithm.to_id_string();
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => ("RSA".to_owned(), bits(key.modulus)),
        Ok(PublicKey::EC(_)) => {
            let curve = info.algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok());
            curve.map_or(("EC".to_owned(), 0), |it| curve_of(&it.to_id_string()))
        }
        _ => match scheme.as_str() {
            "1.3.101.112" => ("Ed25519".to_owned(), 256),
            "1.3.101.113" => ("Ed448".to_owned(), 456),
            _ => (scheme, 0),
        },
    }
}

fn curve_of(oid: &str) -> (String, u32) {
    let (name, bits) = match oid {
        "1.2.840.10045.3.1.1" => ("P-192", 192),
        "1.3.132.0.33" => ("P-224", 224),
        "1.2.840.10045.3.1.7" => ("P-256", 256),
        "1.3.132.0.34" => ("P-384", 384),
        "1.3.132.0.35" => ("P-521", 521),
        other => (other, 0),
    };
    (name.to_owned(), bits)
}

/// How long a number is, without the zeros before it.
fn bits(number: &[u8]) -> u32 {
    let start = number.iter().position(|it| *it != 0).unwrap_or(number.len());
    let number = number.get(start..).unwrap_or_default();
    let all = u32::try_from(number.len()).unwrap_or(u32::MAX).saturating_mul(8);
    all.saturating_sub(number.first().map_or(0, |it| it.leading_zeros()))
}

fn digest(parsed: &X509Certificate<'_>) -> String {
    let of_pss;
    let own = parsed.signature_algorithm.algorithm.to_id_string();
    let oid = match SignatureAlgorithm::try_from(&parsed.signature_algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(it)) => {
            of_pss = it.hash_algorithm_oid().to_id_string();
            of_pss.as_str()
        }
        _ => own.as_str(),
    };
    let name = match oid {
        "1.2.840.113549.1.1.2" => "MD2",
        "1.2.840.113549.1.1.4" => "MD5",
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" | "1.3.14.3.2.26" => {
            "SHA-1"
        }
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => "SHA-224",
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" | "2.16.840.1.101.3.4.2.1" => "SHA-256",
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.2.2" => "SHA-384",
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.2.3" => "SHA-512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        other => other,
    };
    name.to_owned()
}

fn cut(text: &str) -> String {
    let end = (0..=NAME_BYTES_MAX.min(text.len())).rev().find(|it| text.is_char_boundary(*it));
    text[..end.unwrap_or_default()].to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_as_long_as_its_first_one() {
        for (number, expected) in
            [(&[][..], 0), (&[0][..], 0), (&[0, 0x80, 0][..], 16), (&[1, 0][..], 9)]
        {
            assert_eq!(bits(number), expected, "{number:?}");
        }
        assert_eq!(cut(&"é".repeat(150)).len(), NAME_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _read = read(&bytes);
        }
    }
}
