//! Cosignatures: a witness saw this checkpoint, at this time, and it was consistent.
//!
//! Source: c2sp.org/tlog-cosignature, "Ed25519 signatures".

use countersign_seal::SigningKey;

use crate::note::{Note, NoteError, NoteSignature, VerifierKey};

/// The cosignature of the witness `name` over a checkpoint's note.
///
/// The caller has made sure that the checkpoint is consistent with the last one it cosigned.
pub fn cosign(
    checkpoint: &Note,
    name: &str,
    key: &SigningKey,
    now_seconds: u64,
) -> Result<NoteSignature, NoteError> {
    let verifier = VerifierKey::witness(name, key.public())?;
    let signature = key.sign(&message(checkpoint.text(), now_seconds));
    Ok(NoteSignature {
        name: name.to_owned(),
        key_id: verifier.key_id(),
        bytes: [now_seconds.to_be_bytes().as_slice(), &signature].concat(),
    })
}

/// The bytes that a witness signs.
pub(crate) fn message(text: &str, time_seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time_seconds}\n{text}").into_bytes()
}

/// Time and bare signature.
pub(crate) fn split(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*time), signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_signs_the_text_with_its_time() {
        let (log, witness) = (SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32]));
        let known = [
            VerifierKey::log("log.example", log.public()).unwrap(),
            VerifierKey::witness("w.example", witness.public()).unwrap(),
        ];
        let mut note = Note::sign("log.example\n0\n\n", "log.example", &log).unwrap();
        let line = cosign(&note, "w.example", &witness, 1_700_000_000).unwrap();
        assert_eq!(NoteSignature::parse(&line.to_string()), Some(line.clone()));
        note.attach(line.clone()).unwrap();
        let signers = note.verify(&known).unwrap();
        assert_eq!(signers.len(), 2);
        assert_eq!(signers[1].signed_at_seconds, Some(1_700_000_000));
        assert_eq!(known[1].to_string().parse(), Ok(known[1].clone()));

        let mut later = line;
        later.bytes[7] ^= 1;
        let mut changed = Note::sign("log.example\n0\n\n", "log.example", &log).unwrap();
        changed.attach(later).unwrap();
        let error = NoteError::BadSignature { name: "w.example".to_owned() };
        assert_eq!(changed.verify(&known), Err(error));
        assert_eq!(split(&[0; 7]), None);
    }
}
