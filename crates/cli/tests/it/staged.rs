//! A whole stage in one process of its own, and people who type commands on it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// How long a stage may take to stand, or to end: these machines can be busy.
const STAND_MAX: Duration = Duration::from_mins(1);

/// A stage. It ends when it is dropped, and takes its folder with it.
pub(crate) struct Staged {
    child: Child,
    server: String,
    folder: PathBuf,
    _place: tempfile::TempDir,
}

impl Staged {
    /// Starts platform, partners, gates and server, and waits until they stand.
    pub(crate) fn start() -> Self {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("stage");
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["sandbox", "run", "--with-server", "--idle", "--folder"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (send, receive) = mpsc::channel();
        let out = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _nobody_waits = send.send(line);
            }
        });
        let line = receive.recv_timeout(STAND_MAX).expect("the stage says that it stands");
        let ready: Value = serde_json::from_str(&line).expect("one JSON document");
        let server = ready["server"].as_str().expect("the server's address").to_owned();
        Self { child, server, folder, _place: place }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Somebody types a command.
    pub(crate) fn run(&self, who: &str, words: &[String]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(words).current_dir(&self.folder).env("NO_COLOR", "1").stdin(Stdio::null());
        command.env("COUNTERSIGN_SERVER", &self.server).env("COLUMNS", "100");
        let token = self.folder.join("tokens").join(who);
        if token.exists() {
            command.env("COUNTERSIGN_TOKEN_FILE", token);
        }
        command.output().unwrap()
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let _gone_already = Command::new("kill").args(["-TERM", &pid]).status();
        let (send, receive) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let ended = self.child.wait();
                let _nobody_waits = send.send(ended.is_ok());
            });
            if receive.recv_timeout(STAND_MAX).is_err() {
                let _gone_already = Command::new("kill").args(["-KILL", &pid]).status();
            }
        });
    }
}
