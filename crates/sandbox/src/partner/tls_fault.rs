//! Ways in which a partner's TLS can be wrong, and what it serves without it.

use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFault {
    /// A key share of X25519MLKEM768 ends the handshake.
    BreaksOnHybridShare,
    /// A hello that does not fit into one packet ends the connection.
    BreaksOnLongHello,
    /// Its certificate is for another host.
    CertificateOfAnotherHost,
    /// Its certificate is signed by nobody whom anybody knows.
    CertificateOfNobody,
    /// Its certificate has run out.
    CertificateRanOut,
    /// Its certificate runs out within days.
    CertificateRunsOut,
    /// Its certificate runs for more than a year.
    CertificateRunsLong,
    /// What is sent is compressed.
    CompressesTls,
    /// Browsers are not told to stay on HTTPS.
    LacksHsts,
    /// It does not know secure renegotiation.
    LacksSecureRenegotiation,
    /// Port 80 leads to HTTPS at another host.
    PlainLeadsElsewhere,
    /// Port 80 leads to HTTPS for now only.
    PlainLeadsForNow,
    /// It serves the same without TLS.
    PlainServesData,
    /// It speaks TLS 1.2 alone.
    SpeaksNoTls13,
    /// It speaks TLS 1.0 and 1.1.
    SpeaksOldTls,
    /// It speaks SSL 3.0.
    SpeaksSsl3,
    /// It takes suites that show nobody's certificate.
    TakesAnonymousSuites,
    /// It takes suites with CBC.
    TakesCbcSuites,
    /// It takes suites that encrypt nothing.
    TakesNullSuites,
    /// It takes suites with RC4.
    TakesRc4Suites,
    /// It takes suites whose key exchange is RSA.
    TakesRsaKeyExchange,
}
