//! A stage whose sandbox and server are processes, so that the server can be killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::run::Ran;

const COUNTERSIGN: &str = env!("CARGO_BIN_EXE_countersign");
const STEP: Duration = Duration::from_millis(20);

/// A stage with its two processes. Both end when it is dropped.
#[derive(Debug)]
pub(crate) struct Town {
    folder: tempfile::TempDir,
    sandbox: Child,
    server: Option<Child>,
    pub(crate) address: String,
}

/// Waits for one step: nothing is ever sent here.
pub(crate) fn pause(duration: Duration) {
    let (_sender, receiver) = mpsc::channel::<()>();
    assert!(receiver.recv_timeout(duration).is_err());
}

/// Waits until something holds, at most `seconds`.
pub(crate) fn until(what: &str, seconds: u64, mut holds: impl FnMut() -> bool) {
    for _ in 0..(seconds * 1_000 / 20) {
        if holds() {
            return;
        }
        pause(STEP);
    }
    panic!("{what} did not happen within {seconds} s");
}

/// Sends a signal by its name: `INT`, `TERM`.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Starts the command with its output in files, in no folder's or caller's settings.
fn spawn(folder: &Path, name: &str, arguments: &[&str]) -> Child {
    let file = |end: &str| File::create(folder.join(format!("{name}.{end}"))).unwrap();
    Command::new(COUNTERSIGN)
        .args(arguments)
        .current_dir(folder)
        .env_remove("COUNTERSIGN_SERVER")
        .env_remove("COUNTERSIGN_TOKEN_FILE")
        .stdin(Stdio::null())
        .stdout(file("out"))
        .stderr(file("err"))
        .spawn()
        .unwrap()
}

impl Town {
    /// Starts both, with this lease.
    pub(crate) fn start(lease: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["sandbox", "run", "--folder", "stage", "--lease", lease, "--wait", "5s"];
        let sandbox = spawn(folder.path(), "sandbox", &arguments);
        let mut town = Self { folder, sandbox, server: None, address: String::new() };
        let ready = town.ready("sandbox");
        ready["server"].as_str().unwrap().clone_into(&mut town.address);
        town.start_server();
        town
    }

    /// The one line with which a process says that it is ready.
    fn ready(&self, name: &str) -> Value {
        let path = self.folder.path().join(format!("{name}.out"));
        let mut line = String::new();
        until(&format!("the {name}'s ready line"), 60, || {
            line = std::fs::read_to_string(&path).unwrap_or_default();
            line.ends_with('\n')
        });
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["ready"], true, "{ready}");
        ready
    }

    /// Starts the server, and waits until both gates hear it.
    pub(crate) fn start_server(&mut self) {
        let config = self.path("server.toml");
        let arguments = ["server", "run", "--config", config.to_str().unwrap()];
        self.server = Some(spawn(self.folder.path(), "server", &arguments));
        self.ready("server");
        until("both gates' acknowledgement", 30, || {
            let gates = self.json("paul", &["doctor"]);
            gates["ok"] == true
        });
    }

    /// Ends the server as a power cut would.
    pub(crate) fn kill_server(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Where commands are run.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Something of the stage.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("stage").join(name)
    }

    /// Begins a command of somebody's, and does not wait for it.
    pub(crate) fn begin(&self, who: &str, name: &str, arguments: &[&str]) -> Child {
        let token = self.path(&format!("tokens/{who}"));
        let signed_in = ["--server", &self.address, "--token-file", token.to_str().unwrap()];
        spawn(self.folder.path(), name, &[arguments, &signed_in].concat())
    }

    /// What a command that was begun said so far.
    pub(crate) fn said(&self, name: &str, end: &str) -> String {
        let path = self.folder.path().join(format!("{name}.{end}"));
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Runs a command as somebody.
    pub(crate) fn run(&self, who: &str, arguments: &[&str]) -> Ran {
        let token = self.path(&format!("tokens/{who}"));
        let signed_in = ["--server", &self.address, "--token-file", token.to_str().unwrap()];
        crate::run::countersign(self.folder.path(), &[arguments, &signed_in].concat())
    }

    /// Runs a command as somebody; its document.
    pub(crate) fn json(&self, who: &str, arguments: &[&str]) -> Value {
        let ran = self.run(who, &[arguments, &["--json"]].concat());
        serde_json::from_str(&ran.stdout).unwrap_or(Value::Null)
    }

    /// Runs a command that must end so.
    pub(crate) fn must(&self, exit: i32, who: &str, arguments: &[&str]) -> Value {
        let ran = self.run(who, &[arguments, &["--json"]].concat());
        assert_eq!(ran.exit, exit, "{who}: {arguments:?}: {ran:?}");
        serde_json::from_str(&ran.stdout).unwrap_or(Value::Null)
    }

    /// A command of the sandbox, whose folder is named.
    pub(crate) fn sandbox(&self, arguments: &[&str]) -> Ran {
        let folder = self.path("");
        let named = ["--folder", folder.to_str().unwrap(), "--json"];
        let all = [&["sandbox"], arguments, &named].concat();
        crate::run::countersign(self.folder.path(), &all)
    }

    /// Somebody approves with their key.
    pub(crate) fn approve(&self, exit: i32, who: &str, target: &str) {
        let (key, passphrase) =
            (self.path(&format!("keys/{who}.json")), self.path(&format!("keys/{who}.passphrase")));
        let arguments = [
            "review",
            target,
            "--decide",
            "approve",
            "-r",
            "looked at it",
            "--key",
            key.to_str().unwrap(),
            "--passphrase-file",
            passphrase.to_str().unwrap(),
        ];
        self.must(exit, who, &arguments);
    }

    /// Submits, checks and approves, up to a plan: its id and digest.
    pub(crate) fn planned(&self, target: &str) -> (String, String) {
        let manifest = self.path(&format!("manifests/{target}.toml"));
        self.must(0, "olga", &["submit", manifest.to_str().unwrap()]);
        self.checked(target);
        self.approve(8, "ada", target);
        self.approve(0, "ben", target);
        self.plan(target)
    }

    /// Checks until it passes: what only waits for time is given time.
    fn checked(&self, target: &str) {
        until(&format!("{target} passing its checks"), 120, || {
            let ran = self.run("olga", &["check", target]);
            assert!(ran.exit == 0 || ran.exit == 8, "{target}: {ran:?}");
            ran.exit == 0
        });
    }

    /// A plan's id and digest.
    pub(crate) fn plan(&self, target: &str) -> (String, String) {
        let plan = self.must(0, "olga", &["certify", target, "--plan"]);
        let text = |name: &str| plan[name].as_str().unwrap().to_owned();
        (text("plan"), text("digest"))
    }

    /// Lets a partner do some work in production: how much was admitted, and why the rest was not.
    pub(crate) fn business(&self, target: &str) -> (u64, Vec<String>) {
        let ran = self.sandbox(&["business", target, "-n", "2"]);
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        let admitted = answer["tokens"]["admitted"].as_u64().unwrap();
        let reasons = answer["tokens"]["refused"].as_object().unwrap().keys().cloned().collect();
        (admitted, reasons)
    }

    /// Every kind of entry in the log that names an integration's own id.
    pub(crate) fn kinds(&self, target: &str) -> Vec<String> {
        let one = self.must(0, "paul", &["status", target]);
        let id = one["id"].as_str().unwrap().to_owned();
        let explained = self.must(0, "paul", &["explain", &id]);
        let entries = explained["entries"].as_array().unwrap();
        entries.iter().map(|it| it["entry"]["kind"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ended = server.kill();
            let _ended = server.wait();
        }
        // Politely, so that it takes its own folders away.
        signal(&self.sandbox, "TERM");
        let _ended = self.sandbox.wait();
        if std::thread::panicking() {
            for name in ["sandbox", "server"] {
                eprintln!("--- {name}\n{}", self.said(name, "err"));
            }
        }
    }
}
