//! The vectors that others may run, run here.

use std::path::Path;

use countersign_ledger::tree::{
    Subtrees, consistency, inclusion, leaf_hash, root_of, verify_consistency, verify_inclusion,
};
use countersign_ledger::{Checkpoint, LogProof, Note, VerifierKey};
use countersign_seal::Digest;
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/ledger").join(name);
    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
}

fn digests(value: &Value) -> Vec<Digest> {
    let texts = value.as_array().unwrap().iter();
    texts.map(|it| Digest::from_hex(it.as_str().unwrap()).unwrap()).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

struct Leaves(Vec<Digest>);

impl Subtrees for Leaves {
    type Error = ();

    fn subtree(&self, level: u32, index: u64) -> Result<Digest, ()> {
        let start = usize::try_from(index << level).unwrap();
        self.0.get(start..start + (1 << level)).map(root_of).ok_or(())
    }
}

#[test]
fn trees_and_proofs() {
    let vectors = vectors("tree.json");
    let hex = |text: &str| -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    };
    let entries = vectors["entries"].as_array().unwrap();
    let leaves: Vec<_> = entries.iter().map(|it| leaf_hash(&hex(it.as_str().unwrap()))).collect();
    let roots = digests(&vectors["roots"]);
    assert_eq!(roots.len(), leaves.len() + 1);
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(root_of(&leaves[..size]), *root, "size {size}");
    }
    let leaves = Leaves(leaves);
    let root = |size: u64| &roots[usize::try_from(size).unwrap()];
    for case in vectors["inclusion"].as_array().unwrap() {
        let (index, size) = (number(&case["index"]), number(&case["size"]));
        let proof = digests(&case["proof"]);
        assert_eq!(inclusion(&leaves, index, size), Ok(Some(proof.clone())), "{case}");
        let leaf = leaves.0[usize::try_from(index).unwrap()];
        assert!(verify_inclusion(&proof, index, leaf, size, root(size)).is_ok(), "{case}");
    }
    for case in vectors["consistency"].as_array().unwrap() {
        let (old, new) = (number(&case["old"]), number(&case["new"]));
        let proof = digests(&case["proof"]);
        assert_eq!(consistency(&leaves, old, new), Ok(Some(proof.clone())), "{case}");
        assert!(verify_consistency(&proof, old, root(old), new, root(new)).is_ok(), "{case}");
    }
}

#[test]
fn notes_and_proof_files() {
    let vectors = vectors("note.json");
    let keys = vectors["vkeys"].as_array().unwrap().iter();
    let keys: Vec<VerifierKey> = keys.map(|it| it.as_str().unwrap().parse().unwrap()).collect();
    let cases = vectors["notes"].as_array().unwrap();
    assert!(4 < cases.len());
    for case in cases {
        let note = Note::parse(case["note"].as_str().unwrap());
        let signers = note.and_then(|note| note.verify(&keys)).ok().map(|signers| signers.len());
        assert_eq!(signers.map(|it| it as u64), case["signers"].as_u64(), "{}", case["name"]);
    }
    for case in vectors["proofs"].as_array().unwrap() {
        let proof = case["proof"].as_str().unwrap().parse::<LogProof>();
        let entry = case["entry"].as_str().unwrap().as_bytes();
        let size =
            proof.and_then(|it| it.verify(entry, &keys[0])).ok().map(|it: Checkpoint| it.size);
        assert_eq!(size, case["size"].as_u64(), "{}", case["name"]);
    }
}
