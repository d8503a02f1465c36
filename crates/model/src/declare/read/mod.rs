//! From text to a tree of values with their places, the same for TOML and JSON.

pub(super) mod json;
pub(super) mod node;
pub(super) mod toml;
