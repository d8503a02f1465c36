use countersign_model::event::{Event, What};
use countersign_model::time::Timestamp;
use countersign_seal::{Digest, canonical_json};

use super::*;

fn entry(gate: &str) -> (Event, Vec<u8>) {
    let what = What::GateEnrolled { gate: gate.to_owned() };
    let event = Event::new(Timestamp::from_seconds(5), None, what);
    let bytes = canonical_json(&event).unwrap();
    (event, bytes)
}

async fn put(store: &Store, expected: u64, gate: &str) -> Result<u64, StoreError> {
    let blobs = [gate.as_bytes().to_vec()];
    let entries = [entry(gate)];
    let tiles = [(format!("tile/{gate}"), vec![1])];
    let root = Digest::of(gate.as_bytes());
    let sealed = [(gate.to_owned(), vec![2])];
    let addition = Addition {
        blobs: &blobs,
        entries: &entries,
        tiles: &tiles,
        root,
        sealed: &sealed,
        forgotten: &[],
    };
    store.append(expected, addition).await
}

#[tokio::test]
async fn what_was_appended_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = Store::open(&path).await.unwrap();
    assert_eq!(put(&store, 0, "one").await.unwrap(), 1);
    assert_eq!(put(&store, 1, "two").await.unwrap(), 2);
    store.put_checkpoint(2, "note").await.unwrap();
    store.close().await;
    let store = Store::open(&path).await.unwrap();
    let kept = store.kept().await.unwrap();
    assert_eq!((kept.size, kept.root), (2, Some(Digest::of(b"two"))));
    assert_eq!(kept.checkpoint.as_deref(), Some("note"));
    assert_eq!(store.events().await.unwrap(), vec![entry("one").0, entry("two").0]);
    assert_eq!(store.blob(Digest::of(b"one")).await.unwrap(), Some(b"one".to_vec()));
    assert_eq!(store.blob(Digest::of(b"three")).await.unwrap(), None);
}

#[tokio::test]
async fn two_writers_never_both_go_on_from_the_same_size() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
    put(&store, 0, "one").await.unwrap();
    let refused = put(&store, 0, "two").await.unwrap_err();
    assert!(matches!(refused, StoreError::Moved { size: 1, expected: 0 }), "{refused}");
    assert_eq!(store.kept().await.unwrap().size, 1);
}

#[tokio::test]
async fn a_failed_write_took_effect_whole_or_not_at_all() {
    let table = [
        (Step::Append, Moment::Before, 1, Some("one")),
        (Step::Append, Moment::After, 2, Some("one")),
        (Step::Checkpoint, Moment::Before, 2, Some("one")),
        (Step::Checkpoint, Moment::After, 2, Some("two")),
    ];
    for (step, moment, size, checkpoint) in table {
        let row = format!("{step:?} {moment:?}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let store = Store::open(&path).await.unwrap();
        put(&store, 0, "one").await.unwrap();
        store.put_checkpoint(1, "one").await.unwrap();
        store.inject(Fault { step, moment });
        let appended = put(&store, 1, "two").await;
        assert_eq!(appended.is_err(), step == Step::Append, "{row}");
        if step == Step::Checkpoint {
            assert!(store.put_checkpoint(2, "two").await.is_err(), "{row}");
        }
        store.close().await;
        let store = Store::open(&path).await.unwrap();
        let kept = store.kept().await.unwrap();
        assert_eq!(kept.size, size, "{row}");
        assert_eq!(kept.checkpoint.as_deref(), checkpoint, "{row}");
        assert_eq!(kept.tiles.len() as u64, size, "{row}: tiles come with their entries");
        let blob = store.blob(Digest::of(b"two")).await.unwrap();
        assert_eq!(blob.is_some(), size == 2, "{row}: blobs come with their entries");
        let sealed = store.sealed().await.unwrap();
        assert_eq!(sealed.contains("two"), size == 2, "{row}: so does what is sealed");
        // What failed can be done again from what is there.
        assert_eq!(put(&store, size, "three").await.unwrap(), size + 1, "{row}");
    }
}

#[tokio::test]
async fn what_is_sealed_is_kept_until_it_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = Store::open(&path).await.unwrap();
    put(&store, 0, "one").await.unwrap();
    put(&store, 1, "two").await.unwrap();
    store.close().await;
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.sealed_bytes("one").await.unwrap(), Some(vec![2]));
    store.forget(&["one".to_owned(), "nobody".to_owned()]).await.unwrap();
    assert_eq!(store.sealed_bytes("one").await.unwrap(), None);
    // Together with an entry, or not at all.
    let forget = |store: Store| async move {
        let addition = Addition {
            blobs: &[],
            entries: &[entry("three")],
            tiles: &[],
            root: Digest::of(b"r"),
            sealed: &[],
            forgotten: &["two".to_owned()],
        };
        let done = store.append(2, addition).await;
        (store, done)
    };
    store.inject(Fault { step: Step::Append, moment: Moment::Before });
    let (store, failed) = forget(store).await;
    assert!(failed.is_err());
    assert_eq!(store.sealed().await.unwrap().len(), 1);
    let (store, done) = forget(store).await;
    assert_eq!(done.unwrap(), 3);
    assert!(store.sealed().await.unwrap().is_empty());
}

#[tokio::test]
async fn views_can_be_dropped_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
    let entry = submitted();
    let addition = Addition {
        blobs: &[],
        entries: &[entry],
        tiles: &[],
        root: Digest::of(b"r"),
        sealed: &[],
        forgotten: &[],
    };
    store.append(0, addition).await.unwrap();
    let before = store.integrations().await.unwrap();
    assert_eq!(before[0].slug, "acme-helpdesk");
    store.rebuild_views().await.unwrap();
    assert_eq!(store.integrations().await.unwrap(), before);
}

fn submitted() -> (Event, Vec<u8>) {
    use countersign_model::declare::manifest::Environment;
    use countersign_model::id::{IntegrationId, PersonId};
    use countersign_model::require::tier::Tier;
    let at = Timestamp::from_seconds(5);
    let what = What::Submitted {
        integration: IntegrationId::new(at, [1; 10]),
        slug: "acme-helpdesk".parse().unwrap(),
        manifest: Digest::of(b"m"),
        blob: Digest::of(b"m"),
        environment: Environment::Sandbox,
        profile: "saas-vendor@1".parse().unwrap(),
        tier: Tier::Elevated,
        triggers: Vec::new(),
    };
    let event = Event::new(at, Some(PersonId::new(at, [2; 10])), what);
    let bytes = canonical_json(&event).unwrap();
    (event, bytes)
}
