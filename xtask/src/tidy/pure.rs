//! `model` and `seal` do no IO: no clock, no files, no sockets, no threads, no async.

use super::File;
use super::floors::Package;

const PURE: [&str; 2] = ["model", "seal"];

/// Crates that bring IO, a runtime or a clock.
const CRATES: &[&str] = &[
    "async-trait",
    "axum",
    "axum-server",
    "fs-err",
    "futures-util",
    "getrandom",
    "gix",
    "hyper",
    "hyper-util",
    "mio",
    "rand",
    "reqwest",
    "rustls",
    "socket2",
    "sqlx",
    "tempfile",
    "tokio",
    "tokio-rustls",
    "tower-http",
    "tracing-subscriber",
    "ureq",
];

/// What their sources never say. Addresses are data; sockets are not.
const WORDS: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "Timestamp::now",
    "UdpSocket",
    "UnixStream",
    "Zoned::now",
    "async fn",
    "reqwest",
    "std::env",
    "std::fs",
    "std::io::stdin",
    "std::process",
    "std::thread",
    "tokio",
];

/// Every dependency and every line that would let IO in.
pub(crate) fn problems(packages: &[Package], files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for name in PURE {
        let package = packages.iter().find(|it| it.name == format!("countersign-{name}"));
        for used in package.into_iter().flat_map(|it| &it.dependencies) {
            if CRATES.contains(&used.as_str()) {
                problems.push(format!("`{name}` is pure and may not use `{used}`"));
            }
        }
        let sources = format!("crates/{name}/src/");
        let own = |it: &&File| it.path.starts_with(&sources) && it.is_source();
        for file in files.iter().filter(own).filter(|it| !it.path.ends_with("/tests.rs")) {
            problems.extend(lines(file));
        }
    }
    problems
}

/// Looks at a source down to its tests, comments aside.
fn lines(file: &File) -> impl Iterator<Item = String> {
    let code = file.text.lines().enumerate().take_while(|(_, it)| it.trim() != "#[cfg(test)]");
    code.filter(|(_, it)| !it.trim_start().starts_with("//")).flat_map(move |(number, line)| {
        let says = WORDS.iter().filter(move |it| line.contains(**it));
        says.map(move |it| format!("{}:{}: `{it}` in a pure crate", file.path, number + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(used: &str) -> Package {
        Package { name: "countersign-model".to_owned(), dependencies: vec![used.to_owned()] }
    }

    #[test]
    fn a_dependency_that_does_io_is_named() {
        let table = [("serde", ""), ("tokio", "`model` is pure and may not use `tokio`")];
        for (used, message) in table {
            assert_eq!(problems(&[package(used)], &[]).join("; "), message, "using {used}");
        }
    }

    #[test]
    fn a_line_that_does_io_is_named_unless_it_is_a_comment_or_a_test() {
        let place = "crates/model/src/a.rs";
        let table = [
            (place, "use std::net::IpAddr;", ""),
            (place, "// no `std::fs` here", ""),
            (place, "fn a() {}\n#[cfg(test)]\nmod tests { use std::fs; }", ""),
            ("crates/model/src/a/tests.rs", "use std::fs;", ""),
            ("crates/server/src/a.rs", "use std::fs;", ""),
            (
                place,
                "fn a() {}\nuse std::fs;",
                "crates/model/src/a.rs:2: `std::fs` in a pure crate",
            ),
            (
                place,
                "SystemTime::UNIX_EPOCH",
                "crates/model/src/a.rs:1: `SystemTime` in a pure crate",
            ),
            (
                "crates/seal/src/b.rs",
                "std::thread::yield_now()",
                "crates/seal/src/b.rs:1: `std::thread` in a pure crate",
            ),
            (
                place,
                "use std::net::TcpStream;",
                "crates/model/src/a.rs:1: `TcpStream` in a pure crate",
            ),
        ];
        for (path, text, message) in table {
            let file = File { path: path.to_owned(), text: text.to_owned() };
            assert_eq!(problems(&[], &[file]).join("; "), message, "{path}: {text:?}");
        }
    }
}
