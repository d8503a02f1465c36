//! Faults to switch on in tests: a write that fails before or after it took effect.

/// A write that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Blobs, entries and tiles.
    Append,
    /// The checkpoint.
    Checkpoint,
}

/// When a write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It failed, but it took effect.
    After,
    /// It failed and took no effect.
    Before,
}

/// One write that fails once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Which write.
    pub step: Step,
    /// When.
    pub moment: Moment,
}
