//! Step 1, declare: the partner states what the integration is, holds, needs and how it can be cut.

pub mod manifest;
pub mod path;
pub mod words;

pub mod parse;
mod read;
pub mod schema;
mod sections;
mod shape;
pub mod secret_like;
pub mod spans;
pub mod validate;

pub mod code;
pub mod diagnostic;

pub mod digest;
pub mod hours;
pub mod request;
pub mod schedule;

pub mod diff;
pub mod edit;
pub mod template;

pub use diagnostic::Diagnostic;
pub use diff::ManifestChange;
pub use manifest::Manifest;
pub use parse::{Format, Parsed, parse, read};
