//! What the tests need beside Rust: looked for first, installed only where it is missing.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::shell::{answers, output, root, run, say};

/// One program, and the Debian packages that bring it.
struct Tool {
    /// What is called.
    program: &'static str,
    /// The argument with which it answers.
    argument: &'static str,
    /// What tests do with it.
    what_for: &'static str,
    /// What brings it.
    packages: &'static [&'static str],
}

const TOOLS: &[Tool] = &[
    Tool {
        program: "git",
        argument: "--version",
        what_for: "repositories whose history is scanned",
        packages: &["git"],
    },
    Tool {
        program: "glewlwyd",
        argument: "--version",
        what_for: "the connector to OAuth 2 servers is tried on it",
        packages: &["glewlwyd"],
    },
    Tool {
        program: "go",
        argument: "version",
        what_for: "the log is verified by code that others wrote",
        packages: &["golang-go"],
    },
    Tool {
        program: "java",
        argument: "-version",
        what_for: "the connector to Keycloak is tried on it",
        packages: &["openjdk-17-jre-headless"],
    },
    Tool {
        program: "mvn",
        argument: "--version",
        what_for: "what brings Keycloak",
        packages: &["maven"],
    },
    Tool {
        program: "node",
        argument: "--version",
        what_for: "partners that others wrote are looked at",
        packages: &["nodejs"],
    },
    Tool {
        program: "npm",
        argument: "--version",
        what_for: "the libraries of partners that others wrote",
        packages: &["npm"],
    },
    Tool {
        program: "openssl",
        argument: "version",
        what_for: "TLS is looked at, and old TLS is refused, by a library that others wrote",
        packages: &["openssl"],
    },
    Tool {
        program: "python3",
        argument: "--version",
        what_for: "signatures are verified by code that others wrote",
        packages: &["python3", "python3-venv"],
    },
    Tool {
        program: "sqlite3",
        argument: "--version",
        what_for: "the database of a private glewlwyd is made",
        packages: &["sqlite3"],
    },
];

/// The Python packages that tests call, one a line; may be absent.
const PYTHON_PACKAGES: &str = "xtask/python.txt";

/// Sets up what is missing. Doing it twice changes nothing.
pub(crate) fn set_up() -> anyhow::Result<()> {
    for tool in TOOLS {
        if !answers(tool.program, tool.argument) {
            install(tool)?;
        }
    }
    python()
}

fn install(tool: &Tool) -> anyhow::Result<()> {
    let Tool { program, argument, what_for, packages } = tool;
    let names = packages.join(" ");
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|it| it.trim() == "0");
    if !is_root || !answers("apt-get", "--version") {
        anyhow::bail!("`{program}` is missing ({what_for}); install {names} and run this again");
    }
    say(&format!("setup: INSTALLING {names} with apt-get, because `{program}` is missing"));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    apt(&["update", "--quiet"])?;
    let mut arguments = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    arguments.extend_from_slice(packages);
    apt(&arguments)?;
    anyhow::ensure!(answers(program, argument), "apt-get brought {names}, and no `{program}`");
    Ok(())
}

/// Makes the virtual environment `target/python`, with the packages of the list in it.
fn python() -> anyhow::Result<()> {
    let Ok(wanted) = std::fs::read_to_string(root().join(PYTHON_PACKAGES)) else { return Ok(()) };
    let place = root().join("target/python");
    let mark = place.join("installed.txt");
    if std::fs::read_to_string(&mark).is_ok_and(|it| it == wanted) {
        return Ok(());
    }
    say(&format!("setup: INSTALLING the Python packages of {PYTHON_PACKAGES} into target/python"));
    make(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    let pip = place.join("bin/pip");
    let list = root().join(PYTHON_PACKAGES);
    make(Command::new(pip).args(["install", "--quiet", "--requirement"]).arg(list))?;
    remember(&mark, &wanted)
}

fn make(command: &mut Command) -> anyhow::Result<()> {
    let status = run(command)?;
    anyhow::ensure!(status.success(), "`{}` ended with {status}", crate::shell::words(command));
    Ok(())
}

fn remember(mark: &Path, wanted: &str) -> anyhow::Result<()> {
    std::fs::write(mark, wanted).with_context(|| format!("could not write {}", mark.display()))
}
