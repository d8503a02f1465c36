//! The append-only signed log: tree, tiles, checkpoint, proofs and their verification.
