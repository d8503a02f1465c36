//! The reference of all commands, `docs/cli.md`, from what `--help` says.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::exit::Exit;

/// The whole reference.
fn reference(mut command: Command) -> String {
    command.build();
    let mut text = String::from(HEAD);
    for exit in Exit::ALL {
        let found = crate::command::explain_exit(exit);
        let _infallible = writeln!(text, "| {} | {} | {found} |", exit.code(), exit.word());
    }
    text.push_str("\n## Flags of every command\n\n");
    for it in command.get_arguments().filter(|it| it.is_global_set()) {
        option(&mut text, it);
    }
    text.push_str("\n## Commands\n");
    for it in command.get_subcommands().filter(|it| it.get_name() != "help") {
        describe(&mut text, "countersign", it);
    }
    text
}

fn describe(text: &mut String, above: &str, command: &Command) {
    let name = format!("{above} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let verbs: Vec<&Command> =
        command.get_subcommands().filter(|it| it.get_name() != "help").collect();
    if verbs.is_empty() {
        let _infallible = write!(text, "\n### `{name}`\n\n{about}\n");
        let own = command.get_arguments().filter(|it| !it.is_global_set() && !it.is_hide_set());
        let own: Vec<&Arg> = own.filter(|it| it.get_id() != "help").collect();
        if !own.is_empty() {
            text.push('\n');
        }
        for it in own {
            option(text, it);
        }
    }
    for it in verbs {
        describe(text, &name, it);
    }
}

fn option(text: &mut String, argument: &Arg) {
    if argument.is_hide_set() {
        return;
    }
    let value = argument.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
    let value = value.unwrap_or_default();
    let takes = argument.get_action().takes_values();
    let short = argument.get_short().map(|it| format!("-{it}, ")).unwrap_or_default();
    let spelled = match argument.get_long() {
        Some(long) if takes => format!("{short}--{long} <{value}>"),
        Some(long) => format!("{short}--{long}"),
        None if argument.is_required_set() => format!("<{value}>"),
        None => format!("[{value}]"),
    };
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let _infallible = write!(text, "- `{spelled}`: {help}");
    let default: Vec<String> = argument
        .get_default_values()
        .iter()
        .filter(|_| takes)
        .map(|it| format!("`{}`", it.to_string_lossy()))
        .collect();
    if !default.is_empty() {
        let _infallible = write!(text, "; default {}", default.join(", "));
    }
    if let Some(name) = argument.get_env() {
        let _infallible = write!(text, "; else from `{}`", name.to_string_lossy());
    }
    text.push('\n');
}

const HEAD: &str = "\
# Commands

Data goes to stdout, words to stderr. `--json` prints one document. Each command that changes something prints how to undo it.

## Exits

| Code | Word | Meaning |
|-|-|-|
";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_reference_says_what_help_says() {
        let text = reference(crate::args::Arguments::command());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let kept = std::fs::read_to_string(root.join("docs/cli.md")).unwrap_or_default();
        if kept != text {
            std::fs::write(root.join("target/cli.md"), &text).unwrap();
            panic!("docs/cli.md is not what `--help` says: cp target/cli.md docs/cli.md");
        }
    }

    #[test]
    fn every_command_begins_with_an_example() {
        fn walk(command: &Command) {
            for it in command.get_subcommands().filter(|it| it.get_name() != "help") {
                let about = it.get_about().map(ToString::to_string).unwrap_or_default();
                let verbs = it.get_subcommands().filter(|it| it.get_name() != "help").count();
                if verbs == 0 {
                    assert!(about.contains("`countersign "), "{}: {about}", it.get_name());
                }
                walk(it);
            }
        }
        let mut command = crate::args::Arguments::command();
        command.build();
        walk(&command);
    }
}
