//! Signed notes: a text with the signatures under it.
//!
//! Source: c2sp.org/signed-note.

use std::fmt;
use std::str::FromStr;

use countersign_seal::{Digest, PublicKey, SigningKey};

use crate::cosignature;
use crate::encoding::{base64_decode, base64_encode};

/// A text and its signatures. Nothing in it is trusted before [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Who claims to have signed.
    pub name: String,
    /// The first four bytes of the digest of name and key.
    pub key_id: [u8; 4],
    /// What follows the key id: the signature, in a form that depends on the kind of key.
    pub bytes: Vec<u8>,
}

/// What kinds of signatures we verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// 0x01: Ed25519 over the text.
    Ed25519,
    /// 0x04: Ed25519 over the text and a time, made by a witness.
    Cosignature,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A key that verifies notes, written `name+hex(key id)+base64(kind and key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: PublicKey,
}

impl VerifierKey {
    /// The key of a log called `name`.
    pub fn log(name: &str, key: PublicKey) -> Result<Self, NoteError> {
        Self::new(name, KeyKind::Ed25519, key)
    }

    /// The key of a witness called `name`.
    pub fn witness(name: &str, key: PublicKey) -> Result<Self, NoteError> {
        Self::new(name, KeyKind::Cosignature, key)
    }

    fn new(name: &str, kind: KeyKind, key: PublicKey) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::InvalidKey);
        }
        Ok(Self { name: name.to_owned(), kind, key })
    }

    /// Its name: for a log, the origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it verifies.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The bare key.
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    /// The first four bytes of the digest of name, kind and key.
    pub fn key_id(&self) -> [u8; 4] {
        let kind = [b'\n', self.kind.byte()];
        let digest = Digest::of_parts(&[self.name.as_bytes(), &kind, self.key.as_bytes()]);
        let [a, b, c, d, ..] = *digest.as_bytes();
        [a, b, c, d]
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()], self.key.as_bytes().as_slice()].concat();
        let id = u32::from_be_bytes(self.key_id());
        write!(formatter, "{}+{id:08x}+{}", self.name, base64_encode(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let parse = || {
            let (name, rest) = text.split_once('+')?;
            let (id, key) = rest.split_once('+')?;
            let bytes = base64_decode(key)?;
            let (kind, key) = bytes.split_first()?;
            let kind = [KeyKind::Ed25519, KeyKind::Cosignature]
                .into_iter()
                .find(|it| it.byte() == *kind)?;
            let key = Self::new(name, kind, PublicKey::from_slice(key).ok()?).ok()?;
            (format!("{:08x}", u32::from_be_bytes(key.key_id())) == id).then_some(key)
        };
        parse().ok_or(NoteError::InvalidKey)
    }
}

/// A signature of a known key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Which key.
    pub key: VerifierKey,
    /// When it signed, in seconds since 1970; only witnesses say so.
    pub signed_at_seconds: Option<u64>,
}

impl Note {
    /// A note with the signature of the log called `name`.
    pub fn sign(text: &str, name: &str, key: &SigningKey) -> Result<Self, NoteError> {
        let verifier = VerifierKey::log(name, key.public())?;
        let mut note = Self { text: text.to_owned(), signatures: Vec::new() };
        if !is_text(text) || TEXT_BYTES_MAX < text.len() {
            return Err(NoteError::Malformed);
        }
        note.attach(NoteSignature {
            name: name.to_owned(),
            key_id: verifier.key_id(),
            bytes: key.sign(text.as_bytes()).to_vec(),
        })?;
        Ok(note)
    }

    /// Reads a note of at most 64 KiB and 64 signatures.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        if TEXT_BYTES_MAX < text.len() || !is_text(text) {
            return Err(NoteError::Malformed);
        }
        let split = text.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (body, lines) = (&text[..=split], &text[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let mut note = Self { text: body.to_owned(), signatures: Vec::new() };
        for line in lines.split('\n') {
            note.attach(NoteSignature::parse(line).ok_or(NoteError::Malformed)?)?;
        }
        Ok(note)
    }

    /// Adds a signature that was made elsewhere, as a witness returns it.
    pub fn attach(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if SIGNATURES_MAX <= self.signatures.len() {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// The known keys that signed, each once.
    ///
    /// Unknown signatures are ignored. A bad signature under a known name and key id is an error,
    /// and so is a note that no known key signed.
    pub fn verify(&self, known: &[VerifierKey]) -> Result<Vec<Signer>, NoteError> {
        let mut signers: Vec<Signer> = Vec::new();
        for signature in &self.signatures {
            let claims =
                |key: &&VerifierKey| key.name == signature.name && key.key_id() == signature.key_id;
            let Some(key) = known.iter().find(claims) else { continue };
            if signers.iter().any(|it| it.key == *key) {
                continue;
            }
            let signer = self.check(signature, key);
            signers.push(signer.ok_or(NoteError::BadSignature { name: key.name.clone() })?);
        }
        if signers.is_empty() { Err(NoteError::Unsigned) } else { Ok(signers) }
    }

    /// What was signed, newline included, before anybody verified it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    fn check(&self, signature: &NoteSignature, key: &VerifierKey) -> Option<Signer> {
        let signed_at_seconds = match key.kind {
            KeyKind::Ed25519 => {
                key.key.verify(self.text.as_bytes(), &signature.bytes).ok()?;
                None
            }
            KeyKind::Cosignature => {
                let (time, bytes) = cosignature::split(&signature.bytes)?;
                key.key.verify(&cosignature::message(&self.text, time), bytes).ok()?;
                Some(time)
            }
        };
        Some(Signer { key: key.clone(), signed_at_seconds })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(formatter, "{signature}"))
    }
}

impl NoteSignature {
    /// Reads one line, without its newline.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = base64_decode(encoded)?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
        let usable = is_name(name) && !bytes.is_empty();
        usable.then(|| Self { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.as_slice(), &self.bytes].concat();
        write!(formatter, "— {} {}", self.name, base64_encode(&bytes))
    }
}

/// Why a note proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A signature that a known key should have made, and did not.
    #[error("signature of `{name}` does not verify")]
    BadSignature {
        /// The name of the key.
        name: String,
    },
    /// Not the text of a verifier key.
    #[error("not a verifier key")]
    InvalidKey,
    /// Not a signed note.
    #[error("not a signed note")]
    Malformed,
    /// More signatures than anybody will look at.
    #[error("note has more than {SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// No known key signed it.
    #[error("no known key signed the note")]
    Unsigned,
}

/// Neither empty nor with a space or a plus sign, which separate names from what follows.
fn is_name(name: &str) -> bool {
    let plain = |it: char| !it.is_whitespace() && !it.is_control() && it != '+';
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(plain)
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && text.bytes().all(|byte| byte == b'\n' || 0x20 <= byte)
}

const TEXT_BYTES_MAX: usize = 64 * 1024;
const SIGNATURES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> SigningKey {
        SigningKey::from_seed([number; 32])
    }

    #[test]
    fn the_published_verifier_key_is_read() {
        // From the documentation of golang.org/x/mod/sumdb/note.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let verifier: VerifierKey = text.parse().unwrap();
        assert_eq!(verifier.to_string(), text);
        let note = "If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n\n\
            — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let note = Note::parse(note).unwrap();
        assert_eq!(note.verify(std::slice::from_ref(&verifier)).unwrap()[0].key, verifier);
    }

    #[test]
    fn a_bad_signature_of_a_known_key_is_an_error_and_unknown_ones_are_ignored() {
        let ours = VerifierKey::log("log.example", key(1).public()).unwrap();
        let known = [ours.clone()];
        let good = Note::sign("text\n", "log.example", &key(1)).unwrap();
        assert_eq!(Note::parse(&good.to_string()), Ok(good.clone()));
        let mut with_stranger = Note::sign("text\n", "stranger", &key(2)).unwrap();
        assert_eq!(with_stranger.verify(&known), Err(NoteError::Unsigned));
        with_stranger.attach(good.signatures[0].clone()).unwrap();
        with_stranger.attach(good.signatures[0].clone()).unwrap();
        assert_eq!(with_stranger.verify(&known).unwrap().len(), 1);
        let mut bad = good.clone();
        bad.signatures[0].bytes[0] ^= 1;
        let error = NoteError::BadSignature { name: "log.example".to_owned() };
        assert_eq!(bad.verify(&known), Err(error.clone()));
        with_stranger.signatures.insert(0, bad.signatures[0].clone());
        assert_eq!(with_stranger.verify(&known), Err(error));
        let changed = Note { text: "texu\n".to_owned(), ..good };
        assert!(changed.verify(&known).is_err());
    }

    #[test]
    fn texts_that_are_no_notes_are_refused() {
        let good = Note::sign("text\n", "log.example", &key(1)).unwrap().to_string();
        for text in [
            "",
            "\n",
            "text\n",
            "text\n\n",
            "text\n\n\n",
            good.trim_end(),
            &good.replace('—', "-"),
            &good.replace("log.example", "log example"),
            &good.replace("text", "te\tt"),
            &good.replace("text", "te\rt"),
            &format!("{good}\n"),
            &format!("{good}— a AAAA\n"),
            &good.replace("\n\n", "\n"),
            &"a".repeat(TEXT_BYTES_MAX + 1),
        ] {
            assert_eq!(Note::parse(text), Err(NoteError::Malformed), "{text:?}");
        }
        for text in ["", "a", "a+b", "a+00000000+AAAA", "a b+00000000+", "a+b+c+d"] {
            assert_eq!(text.parse::<VerifierKey>(), Err(NoteError::InvalidKey), "{text:?}");
        }
    }
}
