//! TLS of the partner's hosts.

use crate::Kind::{Acme, Meridian, Northwind, Payrun, Shiftly};
use crate::matrix::Leans::Partner;
use crate::matrix::Mutant::{self, Does};
use crate::matrix::Row;
use crate::{Fault, Kind, TlsFault};

const RIGHT: &[Kind] = &[Acme, Payrun, Northwind, Shiftly, Meridian];

const fn wrong(fault: TlsFault) -> Mutant {
    Does(Meridian, Fault::Tls(fault))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        check: "refuses_old_tls",
        right: RIGHT,
        mutants: &[wrong(TlsFault::SpeaksOldTls), wrong(TlsFault::SpeaksSsl3)],
        leans: Partner,
    },
    Row {
        check: "refuses_weak_cipher_suites",
        right: RIGHT,
        mutants: &[
            wrong(TlsFault::TakesAnonymousSuites),
            wrong(TlsFault::TakesCbcSuites),
            wrong(TlsFault::TakesNullSuites),
            wrong(TlsFault::TakesRc4Suites),
            wrong(TlsFault::TakesRsaKeyExchange),
        ],
        leans: Partner,
    },
    Row {
        check: "speaks_tls_1_3",
        right: RIGHT,
        mutants: &[wrong(TlsFault::SpeaksNoTls13)],
        leans: Partner,
    },
    Row {
        check: "shows_good_certificate",
        right: RIGHT,
        mutants: &[
            wrong(TlsFault::CertificateOfAnotherHost),
            wrong(TlsFault::CertificateOfNobody),
            wrong(TlsFault::CertificateRanOut),
            wrong(TlsFault::CertificateRunsLong),
            wrong(TlsFault::CertificateRunsOut),
        ],
        leans: Partner,
    },
    Row {
        check: "serves_nothing_without_tls",
        right: RIGHT,
        mutants: &[
            wrong(TlsFault::PlainServesData),
            wrong(TlsFault::PlainLeadsElsewhere),
            wrong(TlsFault::PlainLeadsForNow),
            Does(Acme, Fault::Tls(TlsFault::LacksHsts)),
        ],
        leans: Partner,
    },
    Row {
        check: "refuses_tls_compression",
        right: RIGHT,
        mutants: &[wrong(TlsFault::CompressesTls), wrong(TlsFault::LacksSecureRenegotiation)],
        leans: Partner,
    },
    Row {
        check: "tolerates_post_quantum_offer",
        right: RIGHT,
        mutants: &[wrong(TlsFault::BreaksOnHybridShare), wrong(TlsFault::BreaksOnLongHello)],
        leans: Partner,
    },
];
