//! Reads the first message of a TLS client, as far as a server of another time has to know it.

use crate::live::fields::Reader;

/// What a client offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Offered {
    /// The name that it asks for, in lowercase.
    pub(super) name: Option<String>,
    /// Its cipher suites, in its order.
    pub(super) suites: Vec<u16>,
    /// Whether it knows secure renegotiation (RFC 5746): it may insist on it.
    pub(super) renegotiates_safely: bool,
}

/// Reads a `ClientHello` that came in one record; nothing where it is none.
pub(super) fn read(record: &[u8]) -> Option<Offered> {
    let mut reader = Reader(record);
    let kind = reader.byte()?;
    reader.number()?;
    let length = usize::from(reader.number()?);
    let mut message = Reader(reader.take(length)?);
    if kind != HANDSHAKE || message.byte()? != CLIENT_HELLO {
        return None;
    }
    message.take(3 + 2 + 32)?;
    let session = usize::from(message.byte()?);
    message.take(session)?;
    let suites = usize::from(message.number()?);
    let suites = message.take(suites)?.chunks_exact(2);
    let suites: Vec<u16> = suites.map(|it| u16::from_be_bytes([it[0], it[1]])).collect();
    let methods = usize::from(message.byte()?);
    message.take(methods)?;
    let renegotiates_safely = suites.contains(&RENEGOTIATION_SUITE);
    let mut offered = Offered { name: None, suites, renegotiates_safely };
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
            SERVER_NAME => offered.name = name(value),
            RENEGOTIATION_INFO => offered.renegotiates_safely = true,
            _ => {}
        }
    }
    Some(offered)
}

/// The host in a list of names (RFC 6066, section 3).
fn name(value: &[u8]) -> Option<String> {
    let mut reader = Reader(value);
    reader.number()?;
    if reader.byte()? != HOST_NAME {
        return None;
    }
    let length = usize::from(reader.number()?);
    let name = std::str::from_utf8(reader.take(length)?).ok()?;
    Some(name.to_ascii_lowercase())
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const HOST_NAME: u8 = 0;
const SERVER_NAME: u16 = 0;
const RENEGOTIATION_SUITE: u16 = 0x00ff;
const RENEGOTIATION_INFO: u16 = 0xff01;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::hello::{Hello, SSL30, TLS10};

    #[test]
    fn a_hello_is_read_as_it_is_written() {
        let old = Hello::new("TLS 1.0", TLS10, [0x002f, 0xc009]);
        let offered = read(&old.bytes("Old-TLS.probe.example.com", [7; 32])).unwrap();
        assert_eq!(offered.name.as_deref(), Some("old-tls.probe.example.com"));
        assert_eq!(offered.suites, [0x002f, 0xc009]);
        assert!(offered.renegotiates_safely);
        let older = read(&Hello::new("SSL 3.0", SSL30, [0x000a]).bytes("a.example", [7; 32]));
        let expected = Offered {
            name: None,
            suites: vec![0x000a, RENEGOTIATION_SUITE],
            renegotiates_safely: true,
        };
        assert_eq!(older, Some(expected));
    }

    #[test]
    fn what_breaks_off_is_none() {
        let whole = Hello::careful().bytes("probe.example.com", [7; 32]);
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "{end}");
        }
    }
}
