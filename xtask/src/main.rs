//! Runs the rules of this workspace.
fn main() {}
