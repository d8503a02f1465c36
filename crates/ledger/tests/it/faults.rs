//! Every write fails, before, half-way and after it took effect; then the process starts again.

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_ledger::verify::verify;
use countersign_ledger::{
    Head, HeadError, HeadStore, Log, Memory, ReadTiles, Resource, StoreError, TileStore,
    VerifierKey,
};
use countersign_seal::SigningKey;

const ORIGIN: &str = "log.example/faults";
/// How many entries are there after each step.
const STEPS: [usize; 8] = [1, 2, 255, 256, 257, 600, 600, 1030];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Before,
    HalfWay,
    After,
}

/// Fails the write with this number, in one way.
struct Faulty {
    memory: Rc<Memory>,
    fails: Option<(usize, Fault)>,
    writes: AtomicUsize,
}

impl Faulty {
    fn new(memory: &Rc<Memory>, fails: Option<(usize, Fault)>) -> Self {
        Self { memory: Rc::clone(memory), fails, writes: AtomicUsize::new(0) }
    }

    fn fault(&self) -> Option<Fault> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        self.fails.filter(|(fails, _)| *fails == number).map(|(_, fault)| fault)
    }
}

fn failure() -> StoreError {
    StoreError { action: "put", name: "fault".to_owned(), source: "power cut".into() }
}

impl ReadTiles for Faulty {
    fn read(&self, resource: &Resource) -> Result<Option<Vec<u8>>, StoreError> {
        self.memory.read(resource)
    }
}

impl TileStore for Faulty {
    fn put(&self, resources: &[(Resource, Vec<u8>)]) -> Result<(), StoreError> {
        let fault = self.fault();
        let written = match fault {
            None | Some(Fault::After) => resources.len(),
            Some(Fault::HalfWay) => resources.len() / 2,
            Some(Fault::Before) => 0,
        };
        self.memory.put(&resources[..written])?;
        fault.map_or(Ok(()), |_| Err(failure()))
    }

    fn prune(&self, full: &Resource) -> Result<(), StoreError> {
        match self.fault() {
            None => self.memory.prune(full),
            Some(_) => Err(failure()),
        }
    }
}

impl HeadStore for Faulty {
    fn head(&self) -> Result<Head, StoreError> {
        self.memory.head()
    }

    fn replace_head(&self, seen: &Head, next: &Head) -> Result<(), HeadError> {
        match self.fault() {
            Some(Fault::Before | Fault::HalfWay) => Err(failure().into()),
            Some(Fault::After) => {
                self.memory.replace_head(seen, next)?;
                Err(failure().into())
            }
            None => self.memory.replace_head(seen, next),
        }
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed([42; 32])
}

fn entry(number: usize) -> Vec<u8> {
    format!("{{\"entry\":{number}}}").into_bytes()
}

/// One step: append what is missing, publish, and note what was published.
fn step(log: &mut Log<Faulty>, until: usize, published: &mut Vec<String>) -> bool {
    let from = usize::try_from(log.size().unwrap()).unwrap();
    let missing: Vec<Vec<u8>> = (from..until).map(entry).collect();
    if log.append(&missing).is_err() {
        return false;
    }
    match log.checkpoint(&key()) {
        Ok(note) => {
            published.push(note);
            true
        }
        Err(_) => false,
    }
}

fn check_published(memory: &Memory, published: &[String], row: &str) {
    let vkey = VerifierKey::log(ORIGIN, key().public()).unwrap();
    if memory.read(&Resource::Checkpoint).unwrap().is_none() {
        assert!(published.is_empty(), "{row}: a published checkpoint is gone");
        return;
    }
    let mut next = 0;
    let verified = verify(memory, &vkey, published.last().map(String::as_str), |index, bytes| {
        assert_eq!(bytes, entry(usize::try_from(index).unwrap()), "{row}: entry {index}");
        next = index + 1;
    });
    let verified = verified.unwrap_or_else(|error| panic!("{row}: {error:?}"));
    assert_eq!(verified.checkpoint.size, next, "{row}");
}

fn run(fails: Option<(usize, Fault)>) -> (Rc<Memory>, usize) {
    let row = format!("{fails:?}");
    let memory = Rc::new(Memory::new());
    let mut log = Log::open(Faulty::new(&memory, fails), ORIGIN).unwrap();
    let mut published = Vec::new();
    let mut writes = 0;
    for until in STEPS {
        let mut tries = 0;
        while !step(&mut log, until, &mut published) {
            tries += 1;
            assert!(tries < 2, "{row}: fails again without a fault");
            check_published(&memory, &published, &row);
            // Half of the rows go on in the same process, half in a new one.
            if fails.is_some_and(|(number, _)| number % 2 == 0) {
                writes += log.store_writes();
                log = Log::open(Faulty::new(&memory, None), ORIGIN).unwrap();
            }
        }
        check_published(&memory, &published, &row);
    }
    writes += log.store_writes();
    (memory, writes)
}

trait Writes {
    fn store_writes(&self) -> usize;
}

impl Writes for Log<Faulty> {
    fn store_writes(&self) -> usize {
        self.store().writes.load(Ordering::Relaxed)
    }
}

#[test]
fn nothing_in_a_published_checkpoint_is_lost_whichever_write_fails() {
    let (whole, writes) = run(None);
    assert!(20 < writes, "the table has rows: {writes}");
    for number in 0..writes {
        for fault in [Fault::Before, Fault::HalfWay, Fault::After] {
            let (mended, _) = run(Some((number, fault)));
            for (resource, bytes) in whole.resources() {
                let found = mended.read(&resource).unwrap();
                assert_eq!(found, Some(bytes), "write {number} {fault:?}: `{resource}`");
            }
            assert_eq!(mended.head().unwrap(), whole.head().unwrap());
        }
    }
}

#[test]
fn a_second_writer_does_not_fork_the_log() {
    let memory = Rc::new(Memory::new());
    let mut first = Log::open(Faulty::new(&memory, None), ORIGIN).unwrap();
    let mut second = Log::open(Faulty::new(&memory, None), ORIGIN).unwrap();
    first.append(&[entry(0)]).unwrap();
    assert!(second.append(&[entry(1)]).is_err());
    assert_eq!(second.size().unwrap(), 1, "it sees what the first one wrote");
}

#[test]
fn a_store_that_went_back_in_time_publishes_nothing() {
    let memory = Rc::new(Memory::new());
    let mut log = Log::open(Faulty::new(&memory, None), ORIGIN).unwrap();
    log.append(&[entry(0), entry(1)]).unwrap();
    let note = log.checkpoint(&key()).unwrap();
    let restored = Rc::new(Memory::new());
    let mut log = Log::open(Faulty::new(&restored, None), ORIGIN).unwrap();
    log.append(&[entry(0)]).unwrap();
    restored.put(&[(Resource::Checkpoint, note.into_bytes())]).unwrap();
    assert!(log.checkpoint(&key()).is_err(), "fewer entries than were published");
    log.append(&[entry(9)]).unwrap();
    assert!(log.checkpoint(&key()).is_err(), "other entries than were published");
}
