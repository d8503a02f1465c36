//! A published log with changed bytes never passes, and never ends the process.

use std::sync::LazyLock;

use countersign_ledger::tile::{decode_entries, decode_hashes};
use countersign_ledger::verify::verify;
use countersign_ledger::{
    Checkpoint, Log, LogProof, Memory, Note, ReadTiles, Resource, StoreError, TileStore as _,
    VerifierKey,
};
use countersign_seal::SigningKey;
use proptest::prelude::*;

const ORIGIN: &str = "log.example/hostile";

type Resources = Vec<(Resource, Vec<u8>)>;

static PUBLISHED: LazyLock<(Resources, String, String)> = LazyLock::new(|| {
    let key = SigningKey::from_seed([3; 32]);
    let mut log = Log::open(Memory::new(), ORIGIN).unwrap();
    let entries: Vec<String> = (0..700).map(|number| format!("entry {number}")).collect();
    log.append(&entries[..300]).unwrap();
    let earlier = log.checkpoint(&key).unwrap();
    log.append(&entries[300..]).unwrap();
    log.checkpoint(&key).unwrap();
    let proof = log.proof_file(299).unwrap().to_string();
    // Partial tiles of the earlier checkpoint are of no use any more, so nobody looks at them.
    let unused = |it: &Resource| {
        let path = it.to_string();
        path.ends_with("001.p/44") || path == "tile/1/000.p/1"
    };
    let kept = log.store().resources().into_iter().filter(|(it, _)| !unused(it)).collect();
    (kept, earlier, proof)
});

fn vkey() -> VerifierKey {
    VerifierKey::log(ORIGIN, SigningKey::from_seed([3; 32]).public()).unwrap()
}

fn passes(resources: &[(Resource, Vec<u8>)], earlier: Option<&str>) -> bool {
    let memory = Memory::new();
    memory.put(resources).unwrap();
    verify(&memory, &vkey(), earlier, |_, _| {}).is_ok()
}

#[test]
fn the_unchanged_log_passes() {
    let (resources, earlier, proof) = &*PUBLISHED;
    assert!(passes(resources, None) && passes(resources, Some(earlier)));
    assert_eq!(resources.len(), 8, "checkpoint, 3 bundles, 4 tiles");
    let proof: LogProof = proof.parse().unwrap();
    assert_eq!(proof.verify(b"entry 299", &vkey()).unwrap().size, 700);
    assert!(proof.verify(b"entry 298", &vkey()).is_err());
}

#[test]
fn the_error_names_the_entry_and_the_tile() {
    let (resources, earlier, _) = &*PUBLISHED;
    let message = |path: &str, offset: usize| {
        let memory = Memory::new();
        let mut changed = resources.clone();
        let (_, bytes) = changed.iter_mut().find(|(it, _)| it.to_string() == path).unwrap();
        bytes[offset] ^= 1;
        memory.put(&changed).unwrap();
        verify(&memory, &vkey(), None, |_, _| {}).unwrap_err().to_string()
    };
    insta::assert_snapshot!(message("tile/entries/001", 2), @"entry 256 in `tile/entries/001` is not the one in `tile/0/001`");
    insta::assert_snapshot!(message("tile/0/002.p/188", 40), @"entry 513 in `tile/entries/002.p/188` is not the one in `tile/0/002.p/188`");
    insta::assert_snapshot!(message("tile/1/000.p/2", 40), @"hash 1 in `tile/1/000.p/2` is not that of the tile below it");
    insta::assert_snapshot!(message("checkpoint", 5), @"checkpoint is not accepted");
    let mut log = Log::open(Memory::new(), ORIGIN).unwrap();
    log.append(&vec!["other"; 301]).unwrap();
    log.checkpoint(&SigningKey::from_seed([3; 32])).unwrap();
    let error = verify(log.store(), &vkey(), Some(earlier), |_, _| {}).unwrap_err();
    insta::assert_snapshot!(error, @"first 300 entries are not the ones of the earlier checkpoint");
}

/// Promises tiles for ever, as a hostile server would.
struct Endless(String);

impl ReadTiles for Endless {
    fn read(&self, resource: &Resource) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(Some(match resource {
            Resource::Checkpoint => self.0.clone().into_bytes(),
            other => vec![0; other.bytes_max()],
        }))
    }
}

#[test]
fn a_log_of_invented_size_ends_at_its_first_tile() {
    let key = SigningKey::from_seed([3; 32]);
    for size in [1, 256, u64::MAX] {
        let root = countersign_ledger::tree::empty_root();
        let extensions = Vec::new();
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root, extensions };
        let note = checkpoint.sign(&key).unwrap().to_string();
        assert!(verify(&Endless(note), &vkey(), None, |_, _| {}).is_err(), "size {size}");
    }
}

proptest! {
    #[test]
    fn a_changed_file_never_passes(
        which: prop::sample::Index,
        at: prop::sample::Index,
        bit in 0_u8..8,
        kind in 0_u8..4,
        other: prop::sample::Index,
    ) {
        let mut resources = PUBLISHED.0.clone();
        let number = which.index(resources.len());
        let another = resources[other.index(resources.len())].1.clone();
        let bytes = &mut resources[number].1;
        let place = at.index(bytes.len());
        match kind {
            0 => bytes[place] ^= 1 << bit,
            1 => bytes.truncate(place),
            2 => bytes.insert(place, bit.wrapping_mul(37).wrapping_add(1)),
            _ => *bytes = another,
        }
        let changed = resources[number].1 != PUBLISHED.0[number].1;
        prop_assert_eq!(passes(&resources, None), !changed);
    }

    #[test]
    fn a_missing_file_never_passes(which: prop::sample::Index) {
        let mut resources = PUBLISHED.0.clone();
        resources.remove(which.index(resources.len()));
        prop_assert!(!passes(&resources, None));
    }

    #[test]
    fn a_changed_proof_never_passes(at: prop::sample::Index, byte in 1_u8..128) {
        let mut bytes = PUBLISHED.2.clone().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] ^= byte;
        let accepted = String::from_utf8(bytes).ok().and_then(|text| text.parse::<LogProof>().ok())
            .is_some_and(|proof| proof.verify(b"entry 299", &vkey()).is_ok());
        prop_assert!(!accepted);
    }

    #[test]
    fn parsers_answer_whatever_the_bytes(bytes: Vec<u8>, text in "(?s).{0,200}", lines in "[ -~\n—]{0,200}") {
        drop((decode_hashes(&bytes), decode_entries(&bytes)));
        for text in [text, lines, String::from_utf8_lossy(&bytes).into_owned()] {
            if let Ok(note) = Note::parse(&text) {
                prop_assert_eq!(note.to_string(), text.clone());
            }
            drop(text.parse::<Checkpoint>());
            drop(text.parse::<LogProof>());
            drop(text.parse::<VerifierKey>());
            if let Ok(resource) = text.parse::<Resource>() {
                prop_assert_eq!(resource.to_string(), text);
            }
        }
    }
}
