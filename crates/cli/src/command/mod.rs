//! One file per command.

mod certify;
mod check;
mod demo;
mod diff;
mod doctor;
mod drill;
mod evidence;
mod explain;
mod gate;
mod import;
mod init;
mod integration;
mod key;
mod log;
mod log_check;
mod log_entries;
mod manifest;
mod next;
mod profile;
pub(crate) mod review;
mod sandbox;
mod server;
mod status;
mod submit;
pub(crate) mod sweeps;
mod verify;
mod waiver;
mod withdraw;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::args::{Arguments, Command, EvidenceVerb, KeyVerb, LogVerb, ProfileVerb, ServerVerb};
use crate::client::{Client, Sent};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::ui::Ui;

/// What every command may need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// What was sent, for whoever interrupts.
    pub sent: &'a Sent,
    /// Where output goes.
    pub ui: Ui,
    /// The flags that mean the same everywhere.
    pub arguments: &'a Arguments,
}

impl Context<'_> {
    /// The server, or why there is none.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let arguments = self.arguments;
        let base = arguments.server.as_deref().ok_or_else(|| {
            Failure::new(Exit::Who, "no server is named")
                .help("--server http://127.0.0.1:7340 --token-file FILE, or COUNTERSIGN_SERVER and COUNTERSIGN_TOKEN_FILE")
        })?;
        self.client_at(base)
    }

    /// Whoever answers at an address, with the token that is named.
    pub(crate) fn client_at(&self, base: &str) -> Result<Client, Failure> {
        let path = self.arguments.token_file.as_deref().ok_or_else(|| {
            Failure::new(Exit::Who, "no token is named").help("--token-file FILE")
        })?;
        let token = read_text(path)?.trim().to_owned();
        let client = Client::new(base, token, Duration::from_secs(self.arguments.timeout))?;
        Ok(client.noting(self.sent.clone()))
    }

    /// Prints the answer as JSON, or as `human` writes it.
    pub(crate) fn show(&self, value: &Value, human: impl FnOnce(&Value) -> Vec<String>) {
        if self.ui.json {
            self.ui.document(value);
        } else {
            for line in human(value) {
                self.ui.line(line);
            }
        }
    }
}

/// Runs the command.
pub(crate) async fn run(mut arguments: Arguments, ui: Ui, sent: Sent) -> Outcome {
    let command = arguments.command.take();
    let context = Context { sent: &sent, ui, arguments: &arguments };
    match command {
        None => Ok(next::run(context)),
        Some(Command::Check(it)) => check::run(context, &it).await,
        Some(Command::Init(it)) => init::run(context, &it),
        Some(Command::Profile { verb: ProfileVerb::List }) => Ok(profile::list_all(context)),
        Some(Command::Profile { verb: ProfileVerb::Show(it) }) => profile::show(context, &it.path),
        Some(Command::Submit(it)) => submit::run(context, &it.path).await,
        Some(Command::Review(it)) => review::run(context, &it).await,
        Some(Command::Certify(it)) => certify::run(context, &it).await,
        Some(Command::Status(it)) => status::run(context, &it).await,
        Some(Command::Explain(it)) => explain::run(context, &it.target).await,
        Some(Command::Diff(it)) => diff::run(context, &it.target).await,
        Some(Command::Suspend(it)) => withdraw::suspend(context, &it).await,
        Some(Command::Resume(it)) => withdraw::resume(context, &it.target).await,
        Some(Command::Revoke(it)) => withdraw::revoke(context, &it).await,
        Some(Command::Drill(it)) => drill::run(context, &it).await,
        Some(Command::Doctor) => doctor::run(context).await,
        Some(Command::Waiver { verb }) => waiver::run(context, &verb).await,
        Some(Command::Verify(it)) => verify::run(context, &it),
        Some(Command::Evidence { verb: EvidenceVerb::Export { target, out, keys_out } }) => {
            evidence::export(context, &target, &out, keys_out.as_deref()).await
        }
        Some(Command::Evidence { verb: EvidenceVerb::Show { evidence } }) => {
            evidence::show(context, &evidence).await
        }
        Some(Command::Key { verb: KeyVerb::List { folder } }) => {
            key::list_all(context, &folder).await
        }
        Some(Command::Key { verb: KeyVerb::Create { name, out, passphrase_file } }) => {
            key::create(context, &name, &out, passphrase_file.as_deref())
        }
        Some(Command::Log { verb: LogVerb::Check(it) }) => log_check::run(context, &it),
        Some(Command::Log { verb: LogVerb::Verify { folder, vkey, since } }) => {
            log::verify(context, &folder, &vkey, since.as_deref())
        }
        Some(Command::Log { verb: LogVerb::Prove { entry, vkey, out } }) => {
            log_entries::prove(context, &entry, vkey.as_deref(), out.as_deref()).await
        }
        Some(Command::Log { verb: LogVerb::Show { entry } }) => {
            log_entries::show(context, &entry).await
        }
        Some(Command::Log { verb: LogVerb::Tail { n } }) => log_entries::tail(context, n).await,
        Some(Command::Integration { verb }) => integration::run(context, &verb).await,
        Some(Command::Gate { verb }) => gate::run(context, &verb).await,
        Some(Command::Demo) => demo::run(context).await,
        Some(Command::Log { verb: LogVerb::Export { out } }) => log::export(context, &out).await,
        Some(Command::Sandbox { verb }) => sandbox::run(context, &verb).await,
        Some(Command::Server { verb: ServerVerb::Run(it) }) => server::run(context, &it).await,
    }
}

/// What an exit means, in words.
#[cfg(test)]
pub(crate) fn explain_exit(exit: Exit) -> &'static str {
    explain::exit_means(exit)
}

/// A check that came to its end, in one line.
pub(crate) fn judged_line(judged: &Value) -> String {
    check::judged_line(judged)
}

/// The largest file that a command reads.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Reads a text file, bounded.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let length = std::fs::metadata(path).map_err(|it| Failure::file("read", path, &it))?.len();
    if FILE_BYTES_MAX < length {
        return Err(Failure::new(
            Exit::Usage,
            format!("`{}` is larger than 64 MiB", path.display()),
        ));
    }
    std::fs::read_to_string(path).map_err(|it| Failure::file("read", path, &it))
}

/// A member of a JSON object as text, empty when it is missing.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A member of a JSON object as whole number, 0 when it is missing.
pub(crate) fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// A member of a JSON object as list, empty when it is missing.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member of a JSON object as list of texts, joined.
pub(crate) fn joined(value: &Value, name: &str) -> String {
    let texts: Vec<&str> = list(value, name).iter().filter_map(Value::as_str).collect();
    texts.join(", ")
}
