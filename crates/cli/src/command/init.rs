//! `init`: a commented manifest from the answers to four questions. It never asks for a secret.

use std::io::{BufRead as _, IsTerminal as _};

use countersign_model::declare::template::{Answers, Holds, PartnerKind, init};
use serde_json::json;

use super::Context;
use crate::args::InitArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Writes a manifest; never over an existing file.
pub(crate) fn run(context: Context<'_>, args: &InitArgs) -> Outcome {
    let answers = answers(context, args)?;
    let text = init(&answers).map_err(|problems| {
        let file = args.out.display().to_string();
        for problem in &problems {
            context.ui.say(problem.render(&file));
        }
        Failure::new(Exit::Usage, "these answers do not make a manifest")
    })?;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).open(&args.out);
    file.and_then(|mut it| std::io::Write::write_all(&mut it, text.as_bytes()))
        .map_err(|it| Failure::file("create", &args.out, &it))?;
    let answer = json!({ "schema": "countersign.init/1", "file": args.out.display().to_string() });
    context.show(&answer, |_| {
        vec![
            format!("written to {}", args.out.display()),
            format!("next: countersign profile show {}", args.out.display()),
        ]
    });
    Ok(Exit::Yes)
}

fn answers(context: Context<'_>, args: &InitArgs) -> Result<Answers, Failure> {
    let may_ask = !context.arguments.no_input && std::io::stdin().is_terminal();
    let ask =
        |given: &Option<String>, flag: &str, question: &str| match given {
            Some(it) => Ok(it.clone()),
            None if may_ask => question_at_terminal(context, question),
            None => Err(Failure::new(Exit::Usage, format!("`--{flag}` is needed"))
                .help(question.to_owned())),
        };
    let kinds: Vec<&str> = PartnerKind::ALL.iter().map(|it| it.word()).collect();
    let kind = ask(&args.like, "like", &format!("What kind of partner? ({})", kinds.join(", ")))?;
    let kind =
        PartnerKind::from_word(&kind).ok_or_else(|| wrong("like", &kind, &kinds.join(", ")))?;
    let things: Vec<&str> = Holds::ALL.iter().map(|it| it.word()).collect();
    let holds = if args.holds.is_empty() {
        let question = format!("What does it hold? ({}, with commas)", things.join(", "));
        ask(&None, "holds", &question)?.split(',').map(|it| it.trim().to_owned()).collect()
    } else {
        args.holds.clone()
    };
    let holds = holds
        .iter()
        .map(|it| Holds::from_word(it).ok_or_else(|| wrong("holds", it, &things.join(", "))))
        .collect::<Result<Vec<_>, _>>()?;
    let id = ask(&args.id, "id", "What is it called here? (such as acme-helpdesk)")?;
    let business = ask(&args.owner, "owner", "Who owns it here? (a person's mail address)")?;
    Ok(Answers {
        kind,
        name: args.name.clone().unwrap_or_else(|| id.clone()),
        id: id
            .parse()
            .map_err(|_| wrong("id", &id, "3 to 40 lowercase letters, digits and hyphens"))?,
        domain: ask(&args.domain, "domain", "What is the partner's domain?")?,
        technical_owner: args.technical_owner.clone().unwrap_or_else(|| business.clone()),
        business_owner: business,
        backup_owner: None,
        holds,
        revoke: args.revoke.clone(),
    })
}

fn wrong(flag: &str, given: &str, expected: &str) -> Failure {
    Failure::new(Exit::Usage, format!("`{given}` does not fit `--{flag}`"))
        .help(format!("one of: {expected}"))
}

fn question_at_terminal(context: Context<'_>, question: &str) -> Result<String, Failure> {
    context.ui.say(question);
    let mut line = String::new();
    let limited = std::io::Read::take(std::io::stdin().lock(), 4_096);
    std::io::BufReader::new(limited)
        .read_line(&mut line)
        .map_err(|it| Failure::new(Exit::Usage, "no answer").because(&it))?;
    Ok(line.trim().to_owned())
}
