//! A program of somebody else's that runs for as long as this value lives.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
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
pub(crate) struct Process {
    child: Child,
    /// Whether it ends by itself when nobody holds its input any more.
    is_watched: bool,
}

impl Process {
    /// Starts it, and waits for the line that `ready` recognises.
    pub(crate) fn start<T: Send + 'static>(
        command: Command,
        install: &str,
        ready: impl Fn(&str) -> Option<T> + Send + 'static,
    ) -> Done<(Self, T)> {
        Self::start_as(command, install, ready, false)
    }

    /// The same for a shell that ends its program when nobody holds its input any more: a test program
    /// that is killed leaves nothing behind then.
    pub(crate) fn start_watched<T: Send + 'static>(
        command: Command,
        install: &str,
        ready: impl Fn(&str) -> Option<T> + Send + 'static,
    ) -> Done<(Self, T)> {
        Self::start_as(command, install, ready, true)
    }

    fn start_as<T: Send + 'static>(
        mut command: Command,
        install: &str,
        ready: impl Fn(&str) -> Option<T> + Send + 'static,
        is_watched: bool,
    ) -> Done<(Self, T)> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command
            .spawn()
            .map_err(|it| RealError::new(format!("`{program}` is missing ({it}): {install}")))?;
        let lines = child.stdout.take().map(BufReader::new);
        let lines = lines.ok_or_else(|| RealError::new("its output cannot be read"))?;
        let process = Self { child, is_watched };
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

/// A port of loopback that nobody listens at.
pub(crate) fn free_port() -> Done<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(RealError::new)?;
    Ok(listener.local_addr().map_err(RealError::new)?.port())
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if !self.is_watched {
            let _ended_before = self.child.kill();
        }
        let _reaped = self.child.wait();
    }
}
