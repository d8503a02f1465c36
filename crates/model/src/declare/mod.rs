//! Step 1, declare: the partner states what the integration is, holds, needs and how it can be cut.

mod channel;
mod identity;
mod issuer;
pub mod manifest;
pub mod path;
mod resource;
mod terms;
pub mod words;

pub mod parse;
mod read;
pub mod schema;
pub mod secret_like;
mod sections;
mod shape;
pub mod spans;
pub mod validate;

pub mod code;
pub mod diagnostic;

pub mod digest;
pub mod hours;
pub mod request;
pub mod schedule;

pub mod adoption;
mod answers;
pub mod diff;
pub mod draft;
pub mod edit;
pub mod template;

pub use diagnostic::Diagnostic;
pub use diff::ManifestChange;
pub use manifest::Manifest;
pub use parse::{Format, Parsed, parse, read};
