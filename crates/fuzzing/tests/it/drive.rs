//! Runs every target: no panic, and no input that takes long.

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use countersign_fuzzing::{TARGETS, Target};

use crate::mutate::Mutator;
use crate::places::seeds;

/// How many mutations of each seed are tried.
const MUTATIONS: usize = 500;
/// How long one input may take; it has a few KiB, and machines are slow at times.
const INPUT_MAX: Duration = Duration::from_secs(3);

/// What a target did not stand, and how to see it again.
fn problem(target: &Target, input: &[u8]) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how long it really takes is the question")]
    let now = Instant::now;
    let begin = now();
    let outcome = catch_unwind(|| (target.run)(input));
    let what = match outcome {
        Err(_) => "panicked".to_owned(),
        Ok(()) if INPUT_MAX < now() - begin => format!("took {:?}", now() - begin),
        Ok(()) => return None,
    };
    Some(format!("`{}` {what} with b\"{}\"", target.name, input.escape_ascii()))
}

#[test]
fn every_target_stands_its_seeds_and_mutations_of_them() {
    let mut problems = Vec::new();
    for target in TARGETS {
        let seeds = seeds(target.name);
        for (index, (name, seed)) in seeds.iter().enumerate() {
            let (_, other) = &seeds[(index + 1) % seeds.len()];
            let mut mutator = Mutator::new(&format!("{}/{name}", target.name));
            let mutations = (0..MUTATIONS).map(|_| mutator.mutate(seed, other));
            let inputs = std::iter::once(seed.clone()).chain(mutations);
            problems.extend(inputs.filter_map(|it| problem(target, &it)).take(1));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
