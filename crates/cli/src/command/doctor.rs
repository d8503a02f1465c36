//! `doctor`: can the work be done from here? One line for each question, with the next command.

use serde_json::{Value, json};

use super::{Context, number, read_text, text};
use crate::clock;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::page::beside;

/// How far the clock here may differ from the server's.
const SKEW_MAX_MS: i64 = 2_000;

/// What one question came to.
struct Line {
    question: &'static str,
    passed: bool,
    said: String,
    next: &'static str,
    exit: Exit,
}

/// Asks everything that can be asked.
pub(crate) async fn run(context: Context<'_>) -> Outcome {
    let lines = ask(context).await;
    let failed = lines.iter().filter(|it| !it.passed).count();
    let document = json!({
        "schema": "countersign.doctor/1", "ok": failed == 0,
        "questions": lines.iter().map(|it| json!({
            "question": it.question, "passed": it.passed, "said": it.said,
        })).collect::<Vec<_>>(),
    });
    context.show(&document, |_| {
        let mut shown = Vec::new();
        for it in &lines {
            let word = if it.passed { "PASSED" } else { "FAILED" };
            shown.extend(beside(&format!("{word}  {:<24}", it.question), &it.said));
            if !it.passed && !it.next.is_empty() {
                shown.push(format!("        next: {}", it.next));
            }
        }
        shown.push(format!("{} of {} passed", lines.len() - failed, lines.len()));
        shown
    });
    let first = lines.iter().find(|it| !it.passed).map(|it| it.exit);
    Ok(first.unwrap_or(Exit::Yes))
}

/// The questions in the order in which each rests on those before.
async fn ask(context: Context<'_>) -> Vec<Line> {
    let mut lines = vec![checks(), token_file(context)];
    let client = match context.client() {
        Ok(client) => client,
        Err(failure) => {
            lines.push(Line {
                question: "server named",
                passed: false,
                said: failure.message,
                next: "--server URL --token-file FILE",
                exit: failure.exit,
            });
            return lines;
        }
    };
    let asked = clock::now();
    match client.health().await {
        Err(failure) => {
            lines.push(Line {
                question: "server reachable",
                passed: false,
                said: failure.message,
                next: "countersign server run --config server.toml",
                exit: Exit::Unreachable,
            });
            return lines;
        }
        Ok((health, date)) => {
            let took = clock::now().millis() - asked.millis();
            let size = number(&health, "log_size");
            lines.push(Line {
                question: "server reachable",
                passed: health["ok"] == true,
                said: format!("{took} ms, {size} entries in its log"),
                next: "",
                exit: Exit::Unreachable,
            });
            lines.extend(date.map(|it| clocks(it, asked.millis())));
        }
    }
    match client.get("/v1/gates").await {
        Err(failure) => {
            let said = failure.message;
            let next = "ask for a token, and name its file: --token-file FILE";
            lines.push(Line {
                question: "token known",
                passed: false,
                said,
                next,
                exit: failure.exit,
            });
        }
        Ok(gates) => {
            let said = "the server knows the token, and it may read".to_owned();
            lines.push(Line {
                question: "token known",
                passed: true,
                said,
                next: "",
                exit: Exit::Yes,
            });
            lines.push(gate_line(&gates));
        }
    }
    lines
}

fn checks() -> Line {
    let checks = countersign_checks::registry::CHECKS.len();
    Line {
        question: "checks built in",
        passed: 0 < checks,
        said: format!("{checks} checks, version {}", env!("CARGO_PKG_VERSION")),
        next: "",
        exit: Exit::Broken,
    }
}

/// A token that everybody on the machine can read is not one person's.
fn token_file(context: Context<'_>) -> Line {
    let question = "token file";
    let failed = |said: String, next| Line { question, passed: false, said, next, exit: Exit::Who };
    let Some(path) = context.arguments.token_file.as_deref() else {
        return failed("no token is named".to_owned(), "--token-file FILE");
    };
    if let Err(failure) = read_text(path) {
        return failed(failure.message, "--token-file FILE");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map_or(0, |it| it.permissions().mode() & 0o077);
        if mode != 0 {
            return failed("others on this machine can read it".to_owned(), "chmod 600 FILE");
        }
    }
    let said = "readable by you alone".to_owned();
    Line { question, passed: true, said, next: "", exit: Exit::Yes }
}

fn clocks(server_ms: i64, here_ms: i64) -> Line {
    // The server's header has whole seconds.
    let apart = (server_ms - here_ms).abs().saturating_sub(1_000).max(0);
    Line {
        question: "clocks agree",
        passed: apart < SKEW_MAX_MS,
        said: format!("{apart} ms apart, less than {SKEW_MAX_MS} are tolerated"),
        next: "set the clock of this machine",
        exit: Exit::No,
    }
}

fn gate_line(gates: &Value) -> Line {
    let all = gates.as_array().map_or(&[][..], Vec::as_slice);
    let behind: Vec<&str> =
        all.iter().filter(|it| it["current"] != true).map(|it| text(it, "gate")).collect();
    let current = all.len() - behind.len();
    let behind_words =
        if behind.is_empty() { String::new() } else { format!("; behind: {}", behind.join(", ")) };
    Line {
        question: "gates up to date",
        passed: behind.is_empty() && !all.is_empty(),
        said: format!("{current} of {} answer from what is published{behind_words}", all.len()),
        next: "look at the gate's own log; until it hears the server it grows stale and denies",
        exit: Exit::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_is_behind_fails_and_none_is_no_gate() {
        let table = [
            (json!([{ "gate": "a", "current": true }]), true),
            (json!([{ "gate": "a", "current": true }, { "gate": "b", "current": false }]), false),
            (json!([]), false),
        ];
        for (gates, passed) in table {
            assert_eq!(gate_line(&gates).passed, passed, "{gates}");
        }
    }

    #[test]
    fn clocks_may_differ_by_the_grain_of_a_header() {
        let table = [(0, true), (2_900, true), (-2_900, true), (3_100, false), (-90_000, false)];
        for (apart, passed) in table {
            assert_eq!(clocks(1_000_000 + apart, 1_000_000).passed, passed, "{apart}");
        }
    }
}
