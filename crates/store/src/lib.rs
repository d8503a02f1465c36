//! What must survive: events, blobs and views, in one SQLite file.
//!
//! Events are the truth. Blobs, entries and tiles are written in one transaction, the checkpoint
//! in a later one, so that a published checkpoint never speaks of what is not there.

mod fault;
mod sealed;
mod sqlite;
mod view;

#[cfg(test)]
mod tests;

pub use fault::{Fault, Moment, Step};
pub use sqlite::{Addition, Kept, Store, StoreError};
pub use view::IntegrationView;
