//! Status lists: two bits for each certificate, compressed, so that many share one document.
//!
//! Source: Token Status List (draft-ietf-oauth-status-list), sections 4 and 7.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};

use crate::encoding::{base64url_decode, base64url_encode};

/// How many bits an entry takes.
pub const BITS: u8 = 2;

/// What a status list says about one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// 0x00: it holds.
    Valid,
    /// 0x01: it ended for good.
    Invalid,
    /// 0x02: it does not hold at the moment.
    Suspended,
}

/// The statuses of many certificates, packed from the least significant bit of each byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    bytes: Vec<u8>,
}

/// The claim `status_list` of a status list token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// How many bits an entry takes.
    pub bits: u8,
    /// The list: base64url of the zlib stream.
    pub lst: String,
}

impl StatusList {
    /// A list with room for at least `entries`, all valid.
    pub fn new(entries: usize) -> Result<Self, StatusListError> {
        let length = entries.div_ceil(PER_BYTE);
        if LIST_BYTES_MAX < length {
            return Err(StatusListError::TooLarge);
        }
        Ok(Self { bytes: vec![0; length] })
    }

    /// How many entries there are, the unused ones at the end included.
    pub fn entries(&self) -> usize {
        self.bytes.len() * PER_BYTE
    }

    /// The status at `index`.
    pub fn get(&self, index: usize) -> Result<Status, StatusListError> {
        let byte = self.bytes.get(index / PER_BYTE).ok_or(StatusListError::OutOfRange { index })?;
        match (byte >> shift(index)) & 0b11 {
            0 => Ok(Status::Valid),
            1 => Ok(Status::Invalid),
            2 => Ok(Status::Suspended),
            _ => Err(StatusListError::UnknownStatus { index }),
        }
    }

    /// Sets the status at `index`.
    pub fn set(&mut self, index: usize, status: Status) -> Result<(), StatusListError> {
        let byte =
            self.bytes.get_mut(index / PER_BYTE).ok_or(StatusListError::OutOfRange { index })?;
        let value: u8 = match status {
            Status::Valid => 0,
            Status::Invalid => 1,
            Status::Suspended => 2,
        };
        *byte = (*byte & !(0b11 << shift(index))) | (value << shift(index));
        Ok(())
    }

    /// The claim `status_list` of the token that publishes this list.
    pub fn to_claim(&self) -> Result<Claim, StatusListError> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        let compressed = encoder
            .write_all(&self.bytes)
            .and_then(|()| encoder.finish())
            .map_err(|_| StatusListError::Malformed)?;
        Ok(Claim { bits: BITS, lst: base64url_encode(&compressed) })
    }

    /// Reads the claim `status_list` of a verified token.
    ///
    /// Decompression stops at 4 MiB, whatever the stream promises.
    pub fn from_claim(claim: &Claim) -> Result<Self, StatusListError> {
        if claim.bits != BITS {
            return Err(StatusListError::OtherWidth { bits: claim.bits });
        }
        if LST_TEXT_MAX < claim.lst.len() {
            return Err(StatusListError::TooLarge);
        }
        let compressed = base64url_decode(&claim.lst).ok_or(StatusListError::Malformed)?;
        let limit = LIST_BYTES_MAX as u64 + 1;
        let mut decoder = ZlibDecoder::new(compressed.as_slice()).take(limit);
        let mut bytes = Vec::new();
        decoder.read_to_end(&mut bytes).map_err(|_| StatusListError::Malformed)?;
        if LIST_BYTES_MAX < bytes.len() {
            return Err(StatusListError::TooLarge);
        }
        if decoder.into_inner().total_in() != compressed.len() as u64 {
            return Err(StatusListError::Malformed);
        }
        Ok(Self { bytes })
    }
}

/// Why a status list does not answer. No answer is never "valid".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusListError {
    /// Not base64url of a zlib stream.
    #[error("status list is malformed")]
    Malformed,
    /// A list of another width.
    #[error("status list has {bits} bits per entry, not {BITS}")]
    OtherWidth {
        /// The width that it has.
        bits: u8,
    },
    /// An index that the list does not hold.
    #[error("status list has no entry {index}")]
    OutOfRange {
        /// The index.
        index: usize,
    },
    /// Beyond the limit.
    #[error("status list is larger than {LIST_BYTES_MAX} bytes")]
    TooLarge,
    /// A value that means nothing here.
    #[error("status list's entry {index} has an unknown status")]
    UnknownStatus {
        /// The index.
        index: usize,
    },
}

const fn shift(index: usize) -> usize {
    (index % PER_BYTE) * BITS as usize
}

const PER_BYTE: usize = 4;
const LIST_BYTES_MAX: usize = 4 * 1024 * 1024;
const LST_TEXT_MAX: usize = 6 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_index_beyond_the_list_is_refused() {
        let mut list = StatusList::new(5).unwrap();
        assert_eq!(list.entries(), 8);
        assert_eq!(list.get(8), Err(StatusListError::OutOfRange { index: 8 }));
        let beyond = usize::MAX;
        assert_eq!(
            list.set(beyond, Status::Valid),
            Err(StatusListError::OutOfRange { index: beyond })
        );
        assert_eq!(StatusList::new(LIST_BYTES_MAX * 4 + 1), Err(StatusListError::TooLarge));
    }

    #[test]
    fn a_decompression_bomb_is_refused() {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        for _ in 0..64 {
            encoder.write_all(&vec![0; 1024 * 1024]).unwrap();
        }
        let lst = base64url_encode(&encoder.finish().unwrap());
        assert!(lst.len() < 100_000, "{} is small", lst.len());
        assert_eq!(StatusList::from_claim(&Claim { bits: 2, lst }), Err(StatusListError::TooLarge));
    }

    #[test]
    fn streams_that_are_cut_or_extended_are_refused() {
        let whole = base64url_decode(&StatusList::new(1000).unwrap().to_claim().unwrap().lst);
        let whole = whole.unwrap();
        let extended = [whole.as_slice(), &[0]].concat();
        for bytes in [&whole[..whole.len() - 1], &extended, b"", b"not zlib"] {
            let claim = Claim { bits: 2, lst: base64url_encode(bytes) };
            assert_eq!(StatusList::from_claim(&claim), Err(StatusListError::Malformed));
        }
    }

    proptest! {
        #[test]
        fn what_was_set_is_read_back(sets in prop::collection::vec((0_usize..300, 0_u8..3), 0..50)) {
            let mut list = StatusList::new(300).unwrap();
            let mut expected = vec![Status::Valid; 300];
            for (index, value) in sets {
                let status = [Status::Valid, Status::Invalid, Status::Suspended][usize::from(value)];
                list.set(index, status).unwrap();
                expected[index] = status;
            }
            let read = StatusList::from_claim(&list.to_claim().unwrap()).unwrap();
            for (index, status) in expected.into_iter().enumerate() {
                prop_assert_eq!(read.get(index), Ok(status));
            }
        }
    }
}
