//! A program of somebody else's that runs for as long as this value lives.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::{Done, RealError};

/// How long a server may take until it listens.
const START_MAX: Duration = Duration::from_mins(1);
/// How many lines are kept of one that does not.
const LINES_MAX: usize = 50;

/// A running program.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts it, and waits for the line that `ready` recognises.
    pub(crate) fn start<T: Send + 'static>(
        mut command: Command,
        install: &str,
        ready: impl Fn(&str) -> Option<T> + Send + 'static,
    ) -> Done<(Self, T)> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command
            .spawn()
            .map_err(|it| RealError::new(format!("`{program}` is missing ({it}): {install}")))?;
        let lines = child.stdout.take().map(BufReader::new);
        let lines = lines.ok_or_else(|| RealError::new("its output cannot be read"))?;
        let process = Self(child);
        let (sender, receiver) = mpsc::channel();
        // What it says later is read and dropped, so that it never waits for a reader.
        std::thread::spawn(move || {
            let mut said = Vec::new();
            for line in lines.lines().map_while(Result::ok) {
                if let Some(found) = ready(&line) {
                    let _nobody_waits = sender.send(Ok(found));
                } else if said.len() < LINES_MAX {
                    said.push(line);
                }
            }
            let _nobody_waits = sender.send(Err(said.join("\n")));
        });
        match receiver.recv_timeout(START_MAX) {
            Ok(Ok(found)) => Ok((process, found)),
            Ok(Err(said)) => Err(RealError::new(format!("`{program}` ended at once: {said}"))),
            Err(_) => {
                Err(RealError::new(format!("`{program}` does not listen after {START_MAX:?}")))
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_before = self.0.kill();
        let _reaped = self.0.wait();
    }
}
