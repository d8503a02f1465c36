//! Reads the first thing that a server says in TLS. Total and bounded: foreign bytes.

use serde::{Deserialize, Serialize};

use super::fields::Reader;
use super::hello::{HANDSHAKE, RENEGOTIATION_INFO};

/// How much of an answer is read at most.
pub const ANSWER_BYTES_MAX: usize = 20 * 1024;
/// The longest `ServerHello` that makes sense.
const HELLO_BYTES_MAX: usize = 8 * 1024;
/// How many extensions are told.
const EXTENSIONS_MAX: usize = 32;

/// What the bytes so far say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// An alert that ends it.
    Alert(u8),
    /// It answers the hello.
    Hello(ServerHello),
    /// Not enough to tell.
    Incomplete,
    /// No TLS.
    Unreadable,
}

/// What a server chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerHello {
    /// The version: 0x0303 is TLS 1.2.
    pub version: u16,
    /// The cipher suite.
    pub suite: u16,
    /// The compression; 0 is none.
    pub compression: u8,
    /// Whether it shows secure renegotiation (RFC 5746).
    pub renegotiation_info: bool,
    /// The extensions, by number.
    pub extensions: Vec<u16>,
}

/// Reads what has come so far.
pub fn read(mut bytes: &[u8]) -> Said {
    let mut handshake: Vec<u8> = Vec::new();
    loop {
        let (kind, payload, rest) = match record(bytes) {
            Ok(Some(it)) => it,
            Ok(None) => return Said::Incomplete,
            Err(NotTls) => return Said::Unreadable,
        };
        bytes = rest;
        match (kind, payload) {
            (ALERT, [level, description, ..]) if !is_remark(*level, *description) => {
                return Said::Alert(*description);
            }
            // A remark: the answer comes behind it.
            (ALERT, [_, _, ..]) => {}
            (HANDSHAKE, payload) => handshake.extend(payload),
            _ => return Said::Unreadable,
        }
        match message(&handshake) {
            Ok(Some(hello)) => return Said::Hello(hello),
            Ok(None) => {}
            Err(NotTls) => return Said::Unreadable,
        }
    }
}

struct NotTls;

/// The first record: its kind, what is in it, and what comes behind.
#[expect(clippy::type_complexity, reason = "read at one place")]
fn record(bytes: &[u8]) -> Result<Option<(u8, &[u8], &[u8])>, NotTls> {
    let [kind, head @ ..] = bytes else { return Ok(None) };
    if !(CHANGE_CIPHER_SPEC..=HEARTBEAT).contains(kind) {
        return Err(NotTls);
    }
    match head {
        [major, ..] if *major != 3 => Err(NotTls),
        [_, _, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length == 0 || RECORD_BYTES_MAX < length {
                return Err(NotTls);
            }
            Ok(rest.split_at_checked(length).map(|(payload, rest)| (*kind, payload, rest)))
        }
        _ => Ok(None),
    }
}

/// The first handshake message, which has to be a `ServerHello`.
fn message(bytes: &[u8]) -> Result<Option<ServerHello>, NotTls> {
    let [kind, high, middle, low, rest @ ..] = bytes else { return Ok(None) };
    let length = u32::from_be_bytes([0, *high, *middle, *low]);
    let length = usize::try_from(length).map_err(|_| NotTls)?;
    if *kind != SERVER_HELLO || HELLO_BYTES_MAX < length {
        return Err(NotTls);
    }
    match rest.split_at_checked(length) {
        Some((body, _)) => server_hello(body).map(Some).ok_or(NotTls),
        None => Ok(None),
    }
}

fn server_hello(bytes: &[u8]) -> Option<ServerHello> {
    let mut reader = Reader(bytes);
    let mut version = reader.number()?;
    reader.take(32)?;
    let session = usize::from(reader.byte()?);
    reader.take(session)?;
    let (suite, compression) = (reader.number()?, reader.byte()?);
    let mut extensions = Vec::new();
    let mut renegotiation_info = false;
    if !reader.0.is_empty() {
        let length = usize::from(reader.number()?);
        let mut inner = Reader(reader.take(length)?);
        while !inner.0.is_empty() {
            let id = inner.number()?;
            let length = usize::from(inner.number()?);
            let value = inner.take(length)?;
            match (id, value) {
                (SUPPORTED_VERSIONS, [high, low]) => version = u16::from_be_bytes([*high, *low]),
                (RENEGOTIATION_INFO, _) => renegotiation_info = true,
                _ => {}
            }
            if extensions.len() < EXTENSIONS_MAX {
                extensions.push(id);
            }
        }
    }
    Some(ServerHello { version, suite, compression, renegotiation_info, extensions })
}

/// Warnings that end nothing: `unrecognized_name` and `no_renegotiation`.
fn is_remark(level: u8, description: u8) -> bool {
    level == WARNING && [112, 100].contains(&description)
}

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HEARTBEAT: u8 = 24;
const WARNING: u8 = 1;
const SERVER_HELLO: u8 = 2;
const SUPPORTED_VERSIONS: u16 = 43;
const RECORD_BYTES_MAX: usize = (1 << 14) + 2048;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello(version: u16, extensions: &[u8]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([9; 32]);
        body.extend([0, 0xc0, 0x2f, 1]);
        if !extensions.is_empty() {
            body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
            body.extend(extensions);
        }
        let mut message = vec![2, 0, 0, u8::try_from(body.len()).unwrap()];
        message.extend(body);
        message
    }

    fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 3, 3];
        bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn the_first_word_of_a_server_is_understood() {
        let answered = |version, renegotiation_info, extensions: &[u16]| {
            let extensions = extensions.to_vec();
            let (suite, compression) = (0xc02f, 1);
            Said::Hello(ServerHello { version, suite, compression, renegotiation_info, extensions })
        };
        let plain = hello(0x0301, &[]);
        let secure = hello(0x0303, &[0xff, 1, 0, 1, 0]);
        let newest = hello(0x0303, &[0, 43, 0, 2, 3, 4]);
        let halves = [record(22, &plain[..7]), record(22, &plain[7..])].concat();
        let remark = [record(21, &[1, 112]), record(22, &plain)].concat();
        let rest = [record(22, &plain), b"whatever".to_vec()].concat();
        let mut short = hello(0x0303, &[0xff, 1, 0, 9, 0]);
        let table = [
            ("nothing yet", Vec::new(), Said::Incomplete),
            ("fatal alert", record(21, &[2, 70]), Said::Alert(70)),
            ("warning that ends it", record(21, &[1, 40]), Said::Alert(40)),
            ("remark alone", record(21, &[1, 112]), Said::Incomplete),
            ("remark, then an answer", remark, answered(0x0301, false, &[])),
            ("old", record(22, &plain), answered(0x0301, false, &[])),
            ("in two records", halves, answered(0x0301, false, &[])),
            ("more behind it", rest, answered(0x0301, false, &[])),
            ("secure renegotiation", record(22, &secure), answered(0x0303, true, &[0xff01])),
            ("1.3", record(22, &newest), answered(0x0304, false, &[43])),
            ("extension too long", record(22, &short), Said::Unreadable),
            ("another message", record(22, &[11, 0, 0, 1, 0]), Said::Unreadable),
            ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), Said::Unreadable),
            ("empty record", record(22, &[]), Said::Unreadable),
        ];
        for (row, bytes, said) in table {
            assert_eq!(read(&bytes), said, "{row}");
        }
        short.truncate(20);
        assert_eq!(read(&record(22, &short)), Said::Incomplete);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _said = read(&bytes);
        }

        #[test]
        fn less_of_an_answer_is_never_another_answer(cut in 0_usize..60) {
            let whole = record(22, &hello(0x0303, &[0xff, 1, 0, 1, 0]));
            let part = read(&whole[..cut.min(whole.len() - 1)]);
            prop_assert_eq!(part, Said::Incomplete);
        }
    }
}
