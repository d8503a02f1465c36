//! A pack of the live world: real transcripts, judged again without the partner.

use countersign_model::require::Catalogue;
use countersign_sandbox::Kind;
use countersign_sandbox::manifests::{Version, text};
use countersign_server::pack::{Judges, Pins, Word, verify};

use crate::town::Town;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_live_world_saw_is_judged_the_same_without_it() {
    let town = Town::start().await;
    town.submit(&text(Kind::Payrun, Version::Right)).await;
    town.sandbox.keep_busy();
    town.certify(Kind::Payrun).await;
    town.sandbox.rest();
    let slug = Kind::Payrun.slug();
    let pack = town.get("paul", &format!("/v1/packs/{slug}")).await;
    let keys = serde_json::from_value(town.get("paul", "/v1/keys").await).unwrap();
    let pins = Pins::all(&keys).unwrap();
    let now = countersign_server::clock::Clock::System.now();
    town.stop().await;

    let report = verify(pack.to_string().as_bytes(), &pins, now, Judges::of_this_build());
    let known = |it: &&str| countersign_checks::registry::find(it).is_some();
    let every_check_exists = Catalogue::embedded().checks().iter().all(known);
    let odd: Vec<_> =
        report.lines.iter().filter(|it| !matches!(it.word, Word::Holds | Word::OwnWord)).collect();
    if every_check_exists {
        assert!(odd.is_empty(), "{odd:#?}");
    } else {
        // What stands in for a check that does not exist yet cannot be judged again, and is named.
        let [line] = odd.as_slice() else { panic!("{odd:#?}") };
        assert_eq!((line.check, line.word), ("judgements", Word::NotChecked), "{odd:#?}");
    }

    // One lie in one transcript of the real world, beside a right signature of the server.
    let mut other = pack.clone();
    let list = other["evidence"].as_array_mut().unwrap();
    let is_seen = |it: &&mut serde_json::Value| {
        it["transcript"]["entries"].as_array().is_some_and(|it| !it.is_empty())
    };
    let one = list.iter_mut().find(is_seen).unwrap();
    one["transcript"]["entries"].as_array_mut().unwrap().clear();
    let report = verify(other.to_string().as_bytes(), &pins, now, Judges::of_this_build());
    assert!(report.fails_anywhere());
}
