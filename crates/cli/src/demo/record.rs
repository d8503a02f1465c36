//! The record is verified offline, from a copy of what the server publishes.

use countersign_ledger::VerifierKey;
use countersign_ledger::directory::PublishedDirectory;
use countersign_ledger::verify::verify;
use countersign_server::pack::{Judges, Word, verify as verify_pack};

use super::cast::Cast;
use super::chapter::Chapter;
use super::story::Story;
use crate::clock;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log_copy;

/// Whether the pack of an integration verifies, with nothing but itself and the pinned keys.
pub(super) async fn pack(story: &Story, chapter: &mut Chapter) -> Result<bool, Failure> {
    let path = format!("/v1/packs/{}", story.slug());
    let bytes = story.cast.client("paul")?.bytes(&path).await?;
    let report = verify_pack(&bytes, &story.pins, clock::now(), Judges::of_this_build());
    for line in report.lines.iter().filter(|it| it.word != Word::Holds) {
        chapter.say("certify", format!("✘ {}: {}", line.check, line.text));
    }
    let (held, all) =
        (report.lines.iter().filter(|it| it.word == Word::Holds).count(), report.lines.len());
    chapter.say("certify", format!("its evidence, offline: {held} of {all} questions hold"));
    Ok(0 < all && held == all)
}

/// Copies the published log and verifies every entry of it; how many there are.
///
/// The key is the one that the server was started with, not one that it names.
pub(super) async fn log(cast: &Cast, key: &VerifierKey) -> Result<u64, Failure> {
    let broken = |what: &str, error: &dyn std::error::Error| {
        Failure::new(Exit::Integrity, what.to_owned()).because(error)
    };
    let folder = tempfile::tempdir().map_err(|it| broken("no folder for a copy", &it))?;
    let size = log_copy::copy(cast.client("paul")?, folder.path()).await?;
    let published = PublishedDirectory::new(folder.path());
    let mut seen = 0;
    let verified = verify(&published, key, None, |_, _| seen += 1);
    let verified = verified.map_err(|it| broken("the log does not verify", &it))?;
    if verified.checkpoint.size == size && seen == size {
        Ok(size)
    } else {
        Err(Failure::new(Exit::Integrity, "the log does not hold what it claims"))
    }
}
