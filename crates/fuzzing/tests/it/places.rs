//! Where the seeds and the targets of libFuzzer stand.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use countersign_fuzzing::TARGETS;

/// The largest seed: what is to be said is said in less.
const SEED_BYTES_MAX: usize = 4 * 1024;

/// A few are enough; evidence is read by many judges.
const SEEDS_MAX: usize = 30;

/// A file or folder of the repository.
pub(crate) fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The seeds of a target by name, in order.
pub(crate) fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fs::read_dir(at(&format!("fuzz/seeds/{target}"))).into_iter().flatten();
    let read = folder.map(|it| {
        let it = it.unwrap();
        (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap())
    });
    let mut seeds: Vec<_> = read.collect();
    seeds.sort();
    seeds
}

#[test]
fn every_target_of_libfuzzer_is_driven_here() {
    let text = fs::read_to_string(at("fuzz/Cargo.toml")).unwrap();
    let package: toml::Table = text.parse().unwrap();
    let programs = package["bin"].as_array().unwrap().iter();
    let there: BTreeSet<&str> = programs.map(|it| it["name"].as_str().unwrap()).collect();
    let here: BTreeSet<&str> = TARGETS.iter().map(|it| it.name).collect();
    assert_eq!(there, here, "fuzz/Cargo.toml and TARGETS name the same");
    assert_eq!(here.len(), TARGETS.len(), "each is named once");
    for name in here {
        let text = fs::read_to_string(at(&format!("fuzz/targets/{name}.rs"))).unwrap();
        let call = format!("countersign_fuzzing::{name}(bytes)");
        assert!(text.contains(&call), "fuzz/targets/{name}.rs calls {call}");
    }
}

#[test]
fn every_target_has_a_few_small_seeds() {
    let folders = fs::read_dir(at("fuzz/seeds")).unwrap();
    let there: BTreeSet<String> =
        folders.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    let here: BTreeSet<String> = TARGETS.iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(there, here, "fuzz/seeds/ has a folder for each target");
    for target in TARGETS {
        let seeds = seeds(target.name);
        assert!((2..=SEEDS_MAX).contains(&seeds.len()), "{}: {} seeds", target.name, seeds.len());
        for (name, bytes) in seeds {
            let limit = bytes.len() <= SEED_BYTES_MAX;
            assert!(limit, "{}/{name} has {} bytes", target.name, bytes.len());
        }
    }
}

#[test]
fn whoever_contributes_is_told_how_to_fuzz_for_longer() {
    let text = fs::read_to_string(at("CONTRIBUTING.md")).unwrap();
    for word in ["cargo +nightly fuzz run", "fuzz/seeds/", "TARGETS"] {
        assert!(text.contains(word), "CONTRIBUTING.md says `{word}`");
    }
}
