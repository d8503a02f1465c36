//! A server of 1999: it speaks TLS 1.0 alone, as far as a client has to hear to refuse it or to go on.
//!
//! No library speaks TLS 1.0 any more, and none is needed: whoever refuses the version says so when it
//! has read the `ServerHello`. Everything behind it (certificate, key exchange) is there so that
//! whoever takes the version shows that it does, by its own key exchange or by an alert about what
//! comes later. Nothing that is sent here needs a key, and nothing secret can be sent over it.
//!
//! Source: RFC 2246; RFC 4492, section 5.4; RFC 8996, section 4.

use super::hello::Offered;

/// What a client did when it was answered in TLS 1.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// It hung up, or ended it with this alert: about the version, or what is offered with it.
    Refused(Option<u8>),
    /// It did neither in time, or something that says nothing: it may have read on for a while.
    Unclear,
    /// It went on in TLS 1.0.
    WentOn,
}

/// How the certificate's key is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// For ECDSA.
    Ec,
    /// For RSA; how long it is, in bytes.
    Rsa(usize),
}

/// The whole first answer, records and all. `random` is 32 bytes of the server's.
pub(super) fn answer(
    offered: &Offered,
    chain: &[Vec<u8>],
    key: KeyKind,
    random: [u8; 32],
) -> Vec<u8> {
    let suite = choose(&offered.suites, key);
    let mut all = message(SERVER_HELLO, &server_hello(suite, offered.renegotiates_safely, random));
    let certificates: Vec<u8> = chain.iter().flat_map(|it| with_long_length(it)).collect();
    all.extend(message(CERTIFICATE, &with_long_length(&certificates)));
    if !STATIC_RSA.contains(&suite) {
        all.extend(message(SERVER_KEY_EXCHANGE, &key_exchange(key)));
    }
    all.extend(message(SERVER_HELLO_DONE, &[]));
    all.chunks(RECORD_BYTES_MAX).flat_map(|it| record(HANDSHAKE, it)).collect()
}

/// The alert with which it ends in any case.
pub(super) fn farewell() -> Vec<u8> {
    record(ALERT, &[FATAL, HANDSHAKE_FAILURE])
}

/// What a record of the client's says; none where the next one has to be waited for.
pub(super) fn reaction(kind: u8, body: &[u8]) -> Option<Reaction> {
    match (kind, body) {
        // Clients of TLS 1.3 send this beside anything else.
        (CHANGE_CIPHER_SPEC, _) => None,
        (ALERT, [_, description, ..]) if BEHIND_THE_VERSION.contains(description) => {
            Some(Reaction::WentOn)
        }
        (ALERT, [_, description, ..]) if ABOUT_THE_VERSION.contains(description) => {
            Some(Reaction::Refused(Some(*description)))
        }
        (HANDSHAKE, [CLIENT_KEY_EXCHANGE, ..]) | (APPLICATION_DATA, _) => Some(Reaction::WentOn),
        _ => Some(Reaction::Unclear),
    }
}

/// The first suite of its time that the client offers; where it offers none, one all the same.
fn choose(offered: &[u16], key: KeyKind) -> u16 {
    let known: &[u16] = match key {
        KeyKind::Ec => &ECDHE_ECDSA,
        KeyKind::Rsa(_) => &[STATIC_RSA.as_slice(), ECDHE_RSA.as_slice()].concat(),
    };
    let found = known.iter().find(|it| offered.contains(it));
    found.or(known.first()).copied().unwrap_or(STATIC_RSA[0])
}

fn server_hello(suite: u16, renegotiates_safely: bool, random: [u8; 32]) -> Vec<u8> {
    let mut body = TLS10.to_vec();
    body.extend(random);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    if renegotiates_safely {
        body.extend([0, 5, 0xff, 1, 0, 1, 0]);
    }
    body
}

/// A right point of P-256 under a signature that nobody made: whoever looks at it took the version.
fn key_exchange(key: KeyKind) -> Vec<u8> {
    let mut body = vec![NAMED_CURVE];
    body.extend(P256);
    body.push(65);
    body.push(4);
    body.extend(GENERATOR);
    let signature = match key {
        KeyKind::Ec => vec![0x30, 6, 2, 1, 1, 2, 1, 1],
        KeyKind::Rsa(bytes) => vec![0x5a; bytes],
    };
    body.extend(u16::try_from(signature.len()).unwrap_or(u16::MAX).to_be_bytes());
    body.extend(signature);
    body
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut all = vec![kind];
    all.extend(with_long_length(body));
    all
}

fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut all = vec![kind];
    all.extend(TLS10);
    all.extend(u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes());
    all.extend(body);
    all
}

/// The bytes behind their number, in three bytes.
fn with_long_length(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length[1..], bytes].concat()
}

const TLS10: [u8; 2] = [3, 1];
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const FATAL: u8 = 2;
const HANDSHAKE_FAILURE: u8 = 40;
/// Alerts about what comes behind the version: the certificate and the signature of the key exchange
/// (`bad_certificate` to `unknown_ca`, `access_denied`, `decrypt_error`).
const BEHIND_THE_VERSION: [u8; 8] = [42, 43, 44, 45, 46, 48, 49, 51];
/// Alerts of whoever does not go on: `close_notify`, `handshake_failure`, `illegal_parameter`,
/// `protocol_version`, `insufficient_security`, `user_canceled`.
const ABOUT_THE_VERSION: [u8; 6] = [0, HANDSHAKE_FAILURE, 47, 70, 71, 90];
const NAMED_CURVE: u8 = 3;
const P256: [u8; 2] = [0, 23];
/// RSA with AES-128-CBC, AES-256-CBC or 3DES, and SHA-1.
const STATIC_RSA: [u16; 3] = [0x002f, 0x0035, 0x000a];
const ECDHE_RSA: [u16; 3] = [0xc013, 0xc014, 0xc012];
const ECDHE_ECDSA: [u16; 3] = [0xc009, 0xc00a, 0xc008];
const RECORD_BYTES_MAX: usize = 16 * 1024;
/// The generator of P-256 (SEC 2, section 2.4.2).
const GENERATOR: [u8; 64] = [
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_behind_the_version_shows_that_it_was_taken() {
        let table = [
            ("protocol_version", ALERT, vec![2, 70], Some(Reaction::Refused(Some(70)))),
            ("handshake_failure", ALERT, vec![2, 40], Some(Reaction::Refused(Some(40)))),
            ("internal_error", ALERT, vec![2, 80], Some(Reaction::Unclear)),
            ("decrypt_error", ALERT, vec![2, 51], Some(Reaction::WentOn)),
            ("unknown_ca", ALERT, vec![2, 48], Some(Reaction::WentOn)),
            ("half an alert", ALERT, vec![2], Some(Reaction::Unclear)),
            ("its key exchange", HANDSHAKE, vec![16, 0, 0, 0], Some(Reaction::WentOn)),
            ("another hello", HANDSHAKE, vec![1, 0, 0, 0], Some(Reaction::Unclear)),
            ("data", APPLICATION_DATA, vec![1], Some(Reaction::WentOn)),
            ("a change of ciphers", CHANGE_CIPHER_SPEC, vec![1], None),
            ("rubbish", 99, vec![], Some(Reaction::Unclear)),
        ];
        for (row, kind, body, expected) in table {
            assert_eq!(reaction(kind, &body), expected, "{row}");
        }
    }

    #[test]
    fn it_takes_a_suite_of_its_time_that_is_offered() {
        let rsa = KeyKind::Rsa(256);
        for (offered, key, expected) in [
            (&[0xc02b, 0xc014, 0x0035][..], rsa, 0x0035),
            (&[0xc02b, 0xc014][..], rsa, 0xc014),
            (&[0x1301][..], rsa, 0x002f),
            (&[0x002f, 0xc00a][..], KeyKind::Ec, 0xc00a),
            (&[][..], KeyKind::Ec, 0xc009),
        ] {
            assert_eq!(choose(offered, key), expected, "{offered:04x?}");
        }
    }

    #[test]
    fn the_answer_is_made_of_whole_records() {
        let offered = Offered { suites: vec![0xc009], ..Offered::default() };
        let chain = [vec![7; 20_000], vec![8; 300]];
        let mut left = &*answer(&offered, &chain, KeyKind::Ec, [5; 32]);
        let mut messages = Vec::new();
        while let [kind, 3, 1, high, low, rest @ ..] = left {
            assert_eq!(*kind, HANDSHAKE);
            let (body, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            messages.extend(body);
            left = rest;
        }
        assert!(left.is_empty());
        let mut kinds = Vec::new();
        let mut left = &*messages;
        while let [kind, a, b, c, rest @ ..] = left {
            kinds.push(*kind);
            left = &rest[u32::from_be_bytes([0, *a, *b, *c]) as usize..];
        }
        assert_eq!(kinds, [SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE, SERVER_HELLO_DONE]);
    }
}
