//! What fuzzing drives: one function for each parser of foreign bytes.
//!
//! `fuzz/` runs them under libFuzzer, by hand and for long; the tests of this package run the same
//! functions on the stable toolchain with the seeds in `fuzz/seeds/` and with mutations of them.

mod answers;
mod documents;

pub use answers::{certificate, plain, proof, server_hello, webhook};
pub use countersign_checks::fuzz::{
    access_token, agent, browser, code, date, effects, harness, metadata, redact, rotation,
};
pub use documents::{
    archive, checkpoint, envelope, evidence, keys, log_line, manifest, page, rules, snapshot,
    status_list, tile_path, token,
};

/// One parser, or a few that read the same bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, here and in `fuzz/`.
    pub name: &'static str,
    /// Parses bytes; panics where something does not hold that must hold for all of them.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "access_token", run: access_token },
    Target { name: "agent", run: agent },
    Target { name: "archive", run: archive },
    Target { name: "browser", run: browser },
    Target { name: "certificate", run: certificate },
    Target { name: "checkpoint", run: checkpoint },
    Target { name: "code", run: code },
    Target { name: "date", run: date },
    Target { name: "effects", run: effects },
    Target { name: "envelope", run: envelope },
    Target { name: "evidence", run: evidence },
    Target { name: "harness", run: harness },
    Target { name: "keys", run: keys },
    Target { name: "log_line", run: log_line },
    Target { name: "manifest", run: manifest },
    Target { name: "metadata", run: metadata },
    Target { name: "page", run: page },
    Target { name: "plain", run: plain },
    Target { name: "proof", run: proof },
    Target { name: "redact", run: redact },
    Target { name: "rotation", run: rotation },
    Target { name: "rules", run: rules },
    Target { name: "server_hello", run: server_hello },
    Target { name: "snapshot", run: snapshot },
    Target { name: "status_list", run: status_list },
    Target { name: "tile_path", run: tile_path },
    Target { name: "token", run: token },
    Target { name: "webhook", run: webhook },
];
