//! Mutations of a seed, the same in every run.

/// Bytes that parsers trip over.
const INTERESTING: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\n\n",
    b"\r\n",
    b" ",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"%00",
    b"%",
    b"&",
    b"'",
    b",",
    b".",
    b"..",
    b"/",
    b"//",
    b":",
    b";",
    b"=",
    b"?",
    b"@",
    b"[",
    b"[[[[[[[[",
    b"]",
    b"{",
    b"{\"a\":",
    b"}",
    b"<",
    b">",
    b"-1",
    b"0",
    b"1e999",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"0001-01-01T00:00:00Z",
    b"9999-12-31T23:59:59Z",
    b"P9999999999D",
    b"null",
    b"true",
    b"\x7f",
    b"\x80",
    b"\xff\xff\xff\xff",
    b"\xc3\x28",
    "ü".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{1f511}".as_bytes(),
    "İ".as_bytes(),
];

/// How large a mutation may become.
const BYTES_MAX: usize = 16 * 1024;

/// Makes one mutation after the other.
#[derive(Debug)]
pub(crate) struct Mutator {
    state: u64,
}

impl Mutator {
    /// The mutations of a seed follow from its name.
    pub(crate) fn new(name: &str) -> Self {
        // FNV-1a.
        let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self { state: name.bytes().fold(0xcbf2_9ce4_8422_2325, mix) }
    }

    /// One mutation of `seed`; pieces of `other` may get into it.
    pub(crate) fn mutate(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        // Mostly one step, so that what is behind the first check is reached as well.
        for _ in 0..[1, 1, 1, 2, 4, 8][self.below(6)] {
            self.step(&mut bytes, other);
            bytes.truncate(BYTES_MAX);
        }
        bytes
    }

    fn step(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len() + 1);
        let end = (at + 1 + self.length()).min(bytes.len());
        match self.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
            2 if at < end => drop(bytes.drain(at..end)),
            3 if at < end => {
                let piece = bytes[at..end].to_vec();
                for _ in 0..=self.below(4) {
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
            4 => bytes.truncate(at),
            5 if at < end => {
                let to = self.below(bytes.len());
                let piece: Vec<u8> = bytes.drain(at..end).collect();
                let to = to.min(bytes.len());
                bytes.splice(to..to, piece);
            }
            6 if !other.is_empty() => {
                let from = self.below(other.len());
                let until = (from + 1 + self.length()).min(other.len());
                bytes.splice(at..at, other[from..until].iter().copied());
            }
            _ => {
                let piece = INTERESTING[self.below(INTERESTING.len())];
                let end = if self.below(2) == 0 { at } else { end.max(at) };
                bytes.splice(at..end, piece.iter().copied());
            }
        }
    }

    /// Short ones are likely.
    fn length(&mut self) -> usize {
        let limit = 1 << self.below(9);
        self.below(limit)
    }

    fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let limit = u64::try_from(limit).unwrap();
        usize::try_from((mixed ^ (mixed >> 31)) % limit).unwrap()
    }
}

#[test]
fn mutations_differ_and_are_the_same_in_every_run() {
    let all = |name: &str| -> Vec<Vec<u8>> {
        let mut mutator = Mutator::new(name);
        (0..200).map(|_| mutator.mutate(b"{\"a\": 1}", b"other")).collect()
    };
    let first = all("a");
    assert_eq!(first, all("a"));
    assert_ne!(first, all("b"));
    let different: std::collections::BTreeSet<_> = first.iter().collect();
    assert!(100 < different.len(), "{} of 200 differ", different.len());
    let grown = (0..200).map(|it| Mutator::new(&it.to_string()).mutate(b"", b"").len());
    assert!(grown.max().unwrap() <= BYTES_MAX, "nothing becomes something, and not too much");
}
