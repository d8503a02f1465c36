//! Step 1, declare: the partner states what the integration is, holds, needs and how it can be cut.

pub mod manifest;
pub mod path;
pub mod words;

pub use manifest::Manifest;
