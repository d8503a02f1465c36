//! The first message of TLS, written by hand: no library offers any more what must be refused.

/// SSL 3.0 (RFC 6101).
pub const SSL30: u16 = 0x0300;
/// TLS 1.0 (RFC 2246).
pub const TLS10: u16 = 0x0301;
/// TLS 1.1 (RFC 4346).
pub const TLS11: u16 = 0x0302;
/// TLS 1.2 (RFC 5246).
pub const TLS12: u16 = 0x0303;
/// TLS 1.3 (RFC 8446).
pub const TLS13: u16 = 0x0304;
/// DEFLATE (RFC 3749).
pub const DEFLATE: u8 = 1;

/// A `ClientHello` of TLS 1.2 or older.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// What it offers, for people: `TLS 1.0 only`.
    pub offers: String,
    /// The newest version that it offers.
    pub version: u16,
    /// The cipher suites that it offers.
    pub suites: Vec<u16>,
    /// Whether it offers compression beside none.
    compresses: bool,
    /// Whether the partner has to have agreed to it.
    pub hostile: bool,
}

impl Hello {
    /// A hello of this version with these suites.
    pub fn new(offers: impl Into<String>, version: u16, suites: impl Into<Vec<u16>>) -> Self {
        let suites = suites.into();
        Self { offers: offers.into(), version, suites, compresses: false, hostile: false }
    }

    /// What a careful client of TLS 1.2 offers.
    pub fn careful() -> Self {
        Self::new("TLS 1.2 with modern suites", TLS12, MODERN)
    }

    /// With an offer to compress.
    pub fn compressing(mut self) -> Self {
        self.compresses = true;
        self
    }

    /// As something that the partner has to have agreed to.
    pub fn hostile(mut self) -> Self {
        self.hostile = true;
        self
    }

    /// As it is written on the wire, in one record. `host` is named where the version can.
    pub fn bytes(&self, host: &str, random: [u8; 32]) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend(random);
        body.push(0);
        let mut suites: Vec<u8> = self.suites.iter().flat_map(|it| it.to_be_bytes()).collect();
        if self.version <= SSL30 {
            // It has no extensions; this suite says the same (RFC 5746, section 3.3).
            suites.extend(RENEGOTIATION_SUITE.to_be_bytes());
        }
        body.extend(with_length(&suites));
        let methods: &[u8] = if self.compresses { &[DEFLATE, 0] } else { &[0] };
        body.push(u8::try_from(methods.len()).unwrap_or(u8::MAX));
        body.extend(methods);
        if SSL30 < self.version {
            body.extend(with_length(&self.extensions(host)));
        }
        let mut message = vec![CLIENT_HELLO, 0];
        message.extend(with_length(&body));
        let mut record = vec![HANDSHAKE];
        record.extend(self.version.min(TLS10).to_be_bytes());
        record.extend(with_length(&message));
        record
    }

    fn extensions(&self, host: &str) -> Vec<u8> {
        let mut all = Vec::new();
        let mut add = |id: u16, value: &[u8]| {
            all.extend(id.to_be_bytes());
            all.extend(with_length(value));
        };
        if host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[') {
            let mut name = vec![0];
            name.extend(with_length(host.as_bytes()));
            add(SERVER_NAME, &with_length(&name));
        }
        let list = |items: &[u16]| {
            with_length(&items.iter().flat_map(|it| it.to_be_bytes()).collect::<Vec<u8>>())
        };
        add(SUPPORTED_GROUPS, &list(&GROUPS));
        add(POINT_FORMATS, &[1, 0]);
        if TLS12 <= self.version {
            add(SIGNATURE_ALGORITHMS, &list(&SIGNATURES));
        }
        add(ALPN, &with_length(b"\x08http/1.1"));
        add(EXTENDED_MASTER_SECRET, &[]);
        add(RENEGOTIATION_INFO, &[0]);
        all
    }
}

/// The bytes behind their number, in two bytes.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let mut all = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    all.extend(bytes);
    all
}

/// The kind of a record that carries a handshake.
pub(crate) const HANDSHAKE: u8 = 22;
/// The extension that shows secure renegotiation (RFC 5746).
pub(crate) const RENEGOTIATION_INFO: u16 = 0xff01;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const EXTENDED_MASTER_SECRET: u16 = 23;
const RENEGOTIATION_SUITE: u16 = 0x00ff;

/// ECDHE and DHE with AES-GCM or ChaCha20-Poly1305.
const MODERN: [u16; 9] = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xccaa];
/// X25519, P-256, P-384, P-521, ffdhe2048.
const GROUPS: [u16; 5] = [29, 23, 24, 25, 256];
/// ECDSA, Ed25519, RSA-PSS and RSA, with SHA-256 and longer; and what old servers sign with.
const SIGNATURES: [u16; 13] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201,
    0x0402,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_one_record_with_lengths_that_fit() {
        for hello in [
            Hello::careful(),
            Hello::careful().compressing(),
            Hello::new("old", SSL30, [0x000a]),
            Hello::new("old", TLS10, [0x002f]),
        ] {
            let bytes = hello.bytes("acme.example", [7; 32]);
            let record = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            let message = usize::from(u16::from_be_bytes([bytes[7], bytes[8]]));
            assert_eq!((bytes[0], bytes.len()), (HANDSHAKE, 5 + record));
            assert_eq!((bytes[5], record), (CLIENT_HELLO, 4 + message));
            let named = bytes.windows(12).any(|it| it == b"acme.example");
            assert_eq!(named, SSL30 < hello.version, "{}", hello.offers);
        }
    }

    #[test]
    fn an_old_hello_reads_as_the_standard_has_it() {
        let hello = Hello::new("SSL 3.0 only", SSL30, [0x000a, 0x0005]).compressing();
        let shown = format!("{:02x?}", hello.bytes("acme.example", [0; 32]));
        let shown = shown.replace([',', ' ', '[', ']'], "");
        insta::assert_snapshot!(shown, @"16030000320100002e03000000000000000000000000000000000000000000000000000000000000000000000006000a000500ff020100");
    }
}
