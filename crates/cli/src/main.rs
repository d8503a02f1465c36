//! The `countersign` command.

mod args;
mod client;
mod clock;
mod command;
mod demo;
mod exit;
mod failure;
mod log_copy;
mod page;
mod signal;
mod stage;
mod ui;

use std::process::ExitCode;

use clap::Parser as _;
use serde_json::json;

use crate::args::{Arguments, Command};
use crate::client::Sent;
use crate::exit::Exit;
use crate::ui::Ui;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(it) => it,
        Err(error) => {
            let _ignored = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Yes.into() };
        }
    };
    let ui = Ui::new(&arguments);
    let _ignored = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(it) => it,
        Err(error) => {
            ui.failure(&failure::Failure::new(Exit::Broken, "could not start").because(&error));
            return Exit::Broken.into();
        }
    };
    let forgiven = arguments.exit_zero_on.clone();
    let service = arguments.command.as_ref().is_some_and(Command::is_service);
    let sent = Sent::default();
    let outcome = runtime.block_on(async {
        if service {
            return command::run(arguments, ui, sent).await;
        }
        tokio::select! {
            it = command::run(arguments, ui, sent.clone()) => it,
            _ = tokio::signal::ctrl_c() => Ok(interrupted(ui, &sent)),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    let exit = outcome.unwrap_or_else(|failure| {
        ui.failure(&failure);
        failure.exit
    });
    if forgiven.contains(&exit) { Exit::Yes.into() } else { exit.into() }
}

/// Says what was done before Ctrl-C: what a server was told, it carries on.
fn interrupted(ui: Ui, sent: &Sent) -> Exit {
    let (lines, judged) = (sent.lines(), sent.all_judged());
    if ui.json && !judged.is_empty() {
        ui.document(&json!({
            "schema": "countersign.interrupted/1", "interrupted": true, "judged": judged,
            "exit": Exit::Interrupted.code(),
        }));
    } else if !judged.is_empty() {
        for it in &judged {
            ui.line(command::judged_line(it));
        }
        ui.line(format!("interrupted: {} checks were judged, the run is not ended", judged.len()));
    }
    if lines.is_empty() {
        ui.say("interrupted; nothing was changed at a server");
    } else {
        ui.say("interrupted; this was sent, and what arrived is carried on:");
        for line in lines {
            ui.say(format!("  {line}"));
        }
        ui.say("  countersign status says how far it came");
    }
    Exit::Interrupted
}
