//! Reads what a client offers, and writes what a server of another time would answer.

use crate::partner::TlsFault;

/// What a client offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Offered {
    version: u16,
    suites: Vec<u16>,
    compresses: bool,
    shares_hybrid: bool,
    bytes: usize,
}

/// Reads a `ClientHello` that came in one record; nothing where it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Offered> {
    let mut reader = Reader(bytes);
    let kind = reader.byte()?;
    reader.number()?;
    let length = usize::from(reader.number()?);
    let mut message = Reader(reader.take(length)?);
    if kind != HANDSHAKE || message.byte()? != CLIENT_HELLO {
        return None;
    }
    message.take(3)?;
    let mut offered =
        Offered { version: message.number()?, bytes: 5 + length, ..Offered::default() };
    message.take(32)?;
    let session = usize::from(message.byte()?);
    message.take(session)?;
    let suites = usize::from(message.number()?);
    offered.suites = numbers(message.take(suites)?);
    let methods = usize::from(message.byte()?);
    offered.compresses = message.take(methods)?.contains(&DEFLATE);
    if message.0.is_empty() {
        return Some(offered);
    }
    let extensions = usize::from(message.number()?);
    let mut extensions = Reader(message.take(extensions)?);
    while !extensions.0.is_empty() {
        let id = extensions.number()?;
        let length = usize::from(extensions.number()?);
        let value = extensions.take(length)?;
        match id {
            SUPPORTED_VERSIONS => {
                let newest = numbers(value.get(1..)?).into_iter().filter(|it| *it <= TLS13).max();
                offered.version = newest.unwrap_or(offered.version);
            }
            KEY_SHARE => offered.shares_hybrid = shares(value.get(2..)?).contains(&HYBRID),
            _ => {}
        }
    }
    Some(offered)
}

/// What these faults answer; nothing where the real server may.
pub(super) fn answer(faults: &[TlsFault], offered: &Offered) -> Option<Vec<u8>> {
    faults.iter().find_map(|it| one(*it, offered))
}

fn one(fault: TlsFault, offered: &Offered) -> Option<Vec<u8>> {
    let version = offered.version;
    let first = offered.suites.first().copied()?;
    let is_modern = offered.suites.iter().any(|it| MODERN.contains(it));
    let taken = |suite: u16| {
        let is_offered = version == TLS12 && !is_modern && offered.suites.contains(&suite);
        is_offered.then(|| server_hello(TLS12, suite, 0, true))
    };
    match fault {
        TlsFault::SpeaksSsl3 if version == SSL30 => Some(server_hello(version, first, 0, false)),
        TlsFault::SpeaksOldTls if SSL30 < version && version < TLS12 => {
            Some(server_hello(version, first, 0, true))
        }
        TlsFault::TakesAnonymousSuites => taken(0x00a6),
        TlsFault::TakesCbcSuites => taken(0xc023),
        TlsFault::TakesNullSuites => taken(0x003b),
        TlsFault::TakesRc4Suites => taken(0xc007),
        TlsFault::TakesRsaKeyExchange => taken(0x009c),
        TlsFault::CompressesTls if version == TLS12 && offered.compresses => {
            Some(server_hello(version, first, DEFLATE, true))
        }
        TlsFault::LacksSecureRenegotiation if version == TLS12 && is_modern => {
            Some(server_hello(version, first, 0, false))
        }
        TlsFault::BreaksOnHybridShare if offered.shares_hybrid => {
            Some(vec![ALERT, 3, 3, 0, 2, 2, ILLEGAL_PARAMETER])
        }
        TlsFault::BreaksOnLongHello if PACKET_BYTES < offered.bytes => Some(Vec::new()),
        _ => None,
    }
}

fn server_hello(version: u16, suite: u16, compression: u8, is_secure: bool) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([0x5a; 32]);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(compression);
    if is_secure {
        body.extend([0, 5, 0xff, 1, 0, 1, 0]);
    }
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    let mut record = vec![HANDSHAKE];
    record.extend(version.to_be_bytes());
    record.extend([0, length + 4, SERVER_HELLO, 0, 0, length]);
    record.extend(body);
    record
}

/// The groups of key shares.
fn shares(bytes: &[u8]) -> Vec<u16> {
    let (mut reader, mut groups) = (Reader(bytes), Vec::new());
    while let (Some(group), Some(length)) = (reader.number(), reader.number()) {
        groups.push(group);
        if reader.take(usize::from(length)).is_none() {
            break;
        }
    }
    groups
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|it| u16::from_be_bytes([it[0], it[1]])).collect()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }
}

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const ILLEGAL_PARAMETER: u8 = 47;
const SSL30: u16 = 0x0300;
const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;
const DEFLATE: u8 = 1;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;
const HYBRID: u16 = 0x11ec;
/// What fits into one packet of Ethernet behind its headers.
const PACKET_BYTES: usize = 1_400;
/// Suites that only careful clients offer.
const MODERN: [u16; 6] = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca8, 0xcca9];
