//! `sandbox`: a platform and four partners on this machine, and what they are told to do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::{Fault, Kind};
use serde_json::{Value, json};

use super::{Context, list, number, server, text};
use crate::args::{BusinessArgs, MoreArgs, SandboxArgs, SandboxVerb, SetArgs, Switch};
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::signal::Ended;
use crate::stage::control::{self, Control};
use crate::stage::{self, Options, Running, StageError};

/// Runs one of them.
pub(crate) async fn run(context: Context<'_>, verb: &SandboxVerb) -> Outcome {
    match verb {
        SandboxVerb::Run(args) => start(context, args).await,
        SandboxVerb::Set(args) => set(context, args).await,
        SandboxVerb::Business(args) => business(context, args).await,
        SandboxVerb::Grant(args) => grant(context, args).await,
        SandboxVerb::Attempt(args) => attempt(context, args).await,
        SandboxVerb::Busy { switch, stage } => {
            let body = json!({ "on": *switch == Switch::On });
            let answer = client(context, &stage.folder)?.post("/busy", &body).await?;
            let word = if *switch == Switch::On { "at work" } else { "at rest" };
            context.show(&answer, |_| vec![format!("the observed partners are {word}")]);
            Ok(Exit::Yes)
        }
        SandboxVerb::Prove { target, file, text, stage } => {
            let body = json!({ "integration": target, "file": file, "text": text });
            let answer = client(context, &stage.folder)?.post("/proofs", &body).await?;
            context.show(&answer, |_| {
                vec![format!("{target} publishes /.well-known/countersign/{file}")]
            });
            Ok(Exit::Yes)
        }
        SandboxVerb::List(stage) => {
            let answer = client(context, &stage.folder)?.get("/").await?;
            context.show(&answer, table);
            Ok(Exit::Yes)
        }
    }
}

fn failed(error: &StageError) -> Failure {
    Failure::new(Exit::Broken, "the stage cannot be had").because(error)
}

/// Starts everything, says that it is ready, and ends it when told to.
async fn start(context: Context<'_>, args: &SandboxArgs) -> Outcome {
    server::trace(args.log);
    let mut ended = Ended::listen()?;
    let options = Options { lease: args.lease, wait: args.wait };
    let folder = &args.stage.folder;
    let running = if args.with_server {
        stage::start(folder, options).await
    } else {
        stage::start_without_server(folder, options)
    };
    let running = running.map_err(|it| failed(&it))?;
    running.sandbox.busy(!args.idle);
    let sandbox = Arc::clone(&running.sandbox);
    let control = Control::open(&running.stage, sandbox).await.map_err(|it| failed(&it))?;
    ready(context, &running, &control);
    ended.wait().await;
    context.ui.say("ending");
    control.close().await;
    let stage = running.shutdown().await.map_err(|it| failed(&it))?;
    if stage.is_new && !args.keep {
        stage.remove().map_err(|it| failed(&it))?;
    }
    Ok(Exit::Yes)
}

/// One line for programs, a few for people.
fn ready(context: Context<'_>, running: &Running, control: &Control) {
    let stage = &running.stage;
    let people: Vec<Value> = stage
        .people
        .iter()
        .map(|it| {
            json!({
                "name": it.name, "roles": it.roles.iter().map(|it| format!("{it:?}").to_lowercase()).collect::<Vec<_>>(),
                "token_file": it.token_file, "key": it.key.as_ref().map(|it| &it.file),
                "passphrase_file": it.key.as_ref().map(|it| &it.passphrase_file),
            })
        })
        .collect();
    let line = json!({
        "schema": "countersign.ready/1", "ready": true, "folder": stage.folder,
        "config": stage.config_file, "server": stage.server(), "people": people,
        "control": format!("http://{}", control.address),
        "integrations": Kind::ALL.map(Kind::slug),
    });
    context.ui.line(line.to_string());
    let folder = stage.folder.display();
    context.ui.say("platform, four partners and two gates run   Ctrl-C ends them\n");
    if running.server.is_none() {
        context.ui.say(format!("  server   countersign server run --config {folder}/server.toml"));
    }
    context.ui.say(format!("  sign in  export COUNTERSIGN_SERVER={}", stage.server()));
    context.ui.say(format!("           export COUNTERSIGN_TOKEN_FILE={folder}/tokens/olga"));
    context.ui.say(format!("  begin    countersign submit {folder}/manifests/acme-helpdesk.toml"));
}

/// The control port of the sandbox in a folder.
fn client(context: Context<'_>, folder: &Path) -> Result<Client, Failure> {
    let (base, token) = control::reach(folder).map_err(|it| {
        Failure::new(Exit::Unreachable, format!("no sandbox runs in `{}`", folder.display()))
            .because(&it)
            .help("countersign sandbox run --folder DIR")
    })?;
    Client::new(&base, token, Duration::from_secs(context.arguments.timeout))
}

/// The faults that the words mean.
fn faults(target: &str, words: &[String]) -> Result<Vec<Fault>, Failure> {
    let usage = |it: String| Failure::new(Exit::Usage, it);
    let kind = control::kind(target).map_err(usage)?;
    match words {
        [one] if one == "right" => Ok(Vec::new()),
        [one] if one == "wrong" => Ok(kind.wrong().to_vec()),
        _ => words.iter().map(|it| control::fault(it).map_err(usage)).collect(),
    }
}

async fn set(context: Context<'_>, args: &SetArgs) -> Outcome {
    let faults = faults(&args.target, &args.words)?;
    let body = json!({ "integration": args.target, "faults": faults });
    let answer = client(context, &args.stage.folder)?.post("/faults", &body).await?;
    context.show(&answer, |it| {
        let faults = super::joined(it, "faults");
        let words = if faults.is_empty() { "no fault".to_owned() } else { faults };
        vec![format!("{}  {words}", args.target)]
    });
    Ok(Exit::Yes)
}

async fn business(context: Context<'_>, args: &BusinessArgs) -> Outcome {
    control::kind(&args.target).map_err(|it| Failure::new(Exit::Usage, it))?;
    let body = json!({ "integration": args.target, "lane": Lane::from(args.lane), "n": args.n });
    let answer = client(context, &args.stage.folder)?.post("/business", &body).await?;
    context.show(&answer, |it| {
        ["tokens", "calls"].iter().map(|name| counted(name, &it[*name])).collect()
    });
    let reasons = ["tokens", "calls"]
        .iter()
        .flat_map(|it| answer[*it]["refused"].as_object().into_iter().flat_map(|it| it.keys()));
    let reasons: Vec<&String> = reasons.collect();
    Ok(match reasons.as_slice() {
        [] => Exit::Yes,
        all if all.iter().all(|it| *it == "unreachable") => Exit::Unreachable,
        _ => Exit::No,
    })
}

async fn more(context: Context<'_>, args: &MoreArgs, path: &str) -> Result<Value, Failure> {
    control::kind(&args.target).map_err(|it| Failure::new(Exit::Usage, it))?;
    let body = json!({ "integration": args.target, "lane": Lane::from(args.lane) });
    client(context, &args.stage.folder)?.post(path, &body).await
}

async fn grant(context: Context<'_>, args: &MoreArgs) -> Outcome {
    let answer = more(context, args, "/grants").await?;
    context.show(&answer, |_| {
        vec![format!("{}  the platform grants what its changed manifest asks for", args.target)]
    });
    Ok(Exit::Yes)
}

async fn attempt(context: Context<'_>, args: &MoreArgs) -> Outcome {
    let answer = more(context, args, "/attempts").await?;
    let refused = answer["refused"].as_str();
    context.show(&answer, |_| {
        vec![match refused {
            Some(reason) => format!("{}  refused: {reason}", args.target),
            None => format!("{}  went through", args.target),
        }]
    });
    Ok(if refused.is_some() { Exit::No } else { Exit::Yes })
}

fn counted(name: &str, counted: &Value) -> String {
    let refused = counted["refused"].as_object().into_iter().flatten();
    let refused: Vec<String> = refused.map(|(reason, n)| format!("{n} {reason}")).collect();
    let refused = if refused.is_empty() { "none".to_owned() } else { refused.join(", ") };
    format!("{name:<8}{:>5} admitted   refused: {refused}", number(counted, "admitted"))
}

fn table(answer: &Value) -> Vec<String> {
    let mut lines = vec![format!("{:<22}{}", "PARTNER", "FAULTS")];
    for it in list(answer, "partners") {
        let faults = super::joined(it, "faults");
        let faults = if faults.is_empty() { "none".to_owned() } else { faults };
        lines.push(format!("{:<22}{faults}", text(it, "integration")));
    }
    lines.push(format!("{:<22}{:<12}{:>7}  HEARD ITS SERVER", "GATE", "LANE", "EPOCH"));
    for it in list(answer, "gates") {
        let heard = it["age_ms"].as_u64().map_or("never".to_owned(), |it| format!("{it} ms ago"));
        lines.push(format!(
            "{:<22}{:<12}{:>7}  {heard}",
            text(it, "gate"),
            text(it, "lane"),
            number(it, "epoch")
        ));
    }
    lines
}
