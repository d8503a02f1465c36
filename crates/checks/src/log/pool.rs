//! Examines files on all processors, and judges what they come to in the order of their lines.
//!
//! One thread reads and unpacks, some examine blocks, and the caller's takes the entries in. So many blocks
//! are under way at most that memory does not depend on how large a log is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::examine::{Entry, Examiner};
use super::files::unpacked;
use super::frame::Block;
use super::judge::Judge;
use super::rules::Expectation;

/// Something that holds a log.
pub enum Input<'a> {
    /// A file.
    File(PathBuf),
    /// A stream, under this name.
    Stream(String, Box<dyn Read + Send + 'a>),
}

/// How many blocks are under way for each thread that examines.
const BLOCKS_UNDER_WAY: usize = 4;
/// How many threads examine at most.
const THREADS_MAX: usize = 16;

/// What the caller's thread gets, in its order.
enum Step {
    Source(String),
    Entries(Vec<Entry>),
    Damaged(String),
    Closed(io::Error),
}

type Numbered<T> = (u64, T);

/// How many threads examine: one for each processor.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX)
}

/// Takes in every record of every input, one input after the other.
///
/// What cannot be unpacked is counted and located; what cannot be opened is an error.
pub fn read_all(
    inputs: Vec<Input<'_>>,
    judge: &mut Judge<'_>,
    threads: usize,
) -> Result<(), (String, io::Error)> {
    let threads = threads.clamp(1, THREADS_MAX);
    let expectation = judge.expectation();
    let (free, permits) = sync_channel(threads * BLOCKS_UNDER_WAY);
    for _ in 0..threads * BLOCKS_UNDER_WAY {
        let _room_is_left = free.try_send(());
    }
    let (to_examine, blocks) = channel::<Numbered<Block>>();
    let (to_judge, steps) = channel::<Numbered<Step>>();
    let blocks = Mutex::new(blocks);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let to_judge = to_judge.clone();
            let blocks = &blocks;
            scope.spawn(move || examine(blocks, &to_judge, expectation));
        }
        scope.spawn(move || {
            let mut feed = Feed { next: 0, permits, to_examine, to_judge };
            for input in inputs {
                if !feed.input(input) {
                    return;
                }
            }
        });
        take_in(&steps, &free, judge)
    })
}

/// Takes steps in by their numbers.
fn take_in(
    steps: &Receiver<Numbered<Step>>,
    free: &SyncSender<()>,
    judge: &mut Judge<'_>,
) -> Result<(), (String, io::Error)> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    let mut name = String::new();
    for (number, step) in steps {
        early.insert(number, step);
        while let Some(step) = early.remove(&next) {
            next += 1;
            match step {
                Step::Source(it) => {
                    judge.source(&it);
                    name = it;
                }
                Step::Entries(entries) => entries.into_iter().for_each(|it| judge.entry(it)),
                Step::Damaged(why) => judge.unreadable(&why),
                // Whoever still reads finds nobody to hand it to, and ends.
                Step::Closed(error) => return Err((name, error)),
            }
            let _nobody_reads_any_more = free.try_send(());
        }
    }
    Ok(())
}

fn examine(
    blocks: &Mutex<Receiver<Numbered<Block>>>,
    to_judge: &Sender<Numbered<Step>>,
    expectation: &Expectation,
) {
    let examiner = Examiner::new(expectation);
    loop {
        let next = blocks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, block)) = next else { return };
        let mut entries = Vec::new();
        block.records(|line, record| {
            entries.extend(examiner.line(line, record));
            true
        });
        if to_judge.send((number, Step::Entries(entries))).is_err() {
            return;
        }
    }
}

/// Numbers what is read, and waits while too much of it is under way.
struct Feed {
    next: u64,
    permits: Receiver<()>,
    to_examine: Sender<Numbered<Block>>,
    to_judge: Sender<Numbered<Step>>,
}

impl Feed {
    fn input(&mut self, input: Input<'_>) -> bool {
        match input {
            Input::Stream(name, mut stream) => {
                self.tell(Step::Source(name)) && self.read(&mut stream)
            }
            Input::File(path) => {
                let named = self.tell(Step::Source(path.display().to_string()));
                match File::open(&path) {
                    Ok(mut file) => named && self.read(&mut file),
                    Err(error) => {
                        let _nobody_takes_more_in = self.tell(Step::Closed(error));
                        false
                    }
                }
            }
        }
    }

    fn read(&mut self, reader: &mut dyn Read) -> bool {
        let mut goes_on = true;
        let each = &mut |block: Block| {
            let number = self.number();
            goes_on = number.is_some_and(|it| self.to_examine.send((it, block)).is_ok());
            goes_on
        };
        if let Err(error) = unpacked(reader, 0, each) {
            goes_on = goes_on && self.tell(Step::Damaged(error.to_string()));
        }
        goes_on
    }

    fn tell(&mut self, step: Step) -> bool {
        self.number().is_some_and(|it| self.to_judge.send((it, step)).is_ok())
    }

    fn number(&mut self) -> Option<u64> {
        self.permits.recv().ok()?;
        self.next += 1;
        Some(self.next - 1)
    }
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Stream(name, _) => f.debug_tuple("Stream").field(name).finish(),
        }
    }
}
