//! `drill`: withdrawal, rotation and offboarding, rehearsed with a stopwatch.

use std::time::Duration;

use serde_json::{Value, json};

use super::check::watch;
use super::{Context, list, number, text};
use crate::args::{DrillArgs, Mode};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{beside, seconds, table};

/// How much longer than its window a drill is waited for: it looks at the gates again at its end.
const AFTER: Duration = Duration::from_mins(2);

/// Has the server rehearse, or say what it would do.
pub(crate) async fn run(context: Context<'_>, args: &DrillArgs) -> Outcome {
    let client = context.client()?;
    let target = &args.target;
    let only: Vec<&str> = args.only.iter().map(|it| it.word()).collect();
    let load = args.load.map(|it| json!({ "per_second": it, "seconds": args.load_for }));
    let body = json!({
        "integration": target, "mode": args.mode.word(), "only": only, "window": args.window,
        "load": load,
    });
    if args.mode == Mode::Shadow {
        let answer = client.post("/v1/drills", &body).await?;
        context.show(&answer, shadow);
        return Ok(Exit::Yes);
    }
    context.ui.working(&format!("the server rehearses with {target}"));
    let limit = args.window.std() + AFTER;
    let answer = tokio::select! {
        it = client.post_patiently("/v1/drills", &body, limit) => it?,
        never = watch::follow(context, &client, target) => match never {},
    };
    let code = number(&answer, "exit");
    let exit = Exit::ALL.into_iter().find(|it| u64::from(it.code()) == code);
    let exit = exit.ok_or_else(|| {
        Failure::new(Exit::Broken, "the server's answer is not understood: no such exit")
    })?;
    context.show(&answer, live);
    Ok(exit)
}

/// Whom a drill is announced to, each once.
fn told(answer: &Value, name: &str) -> String {
    let each: Vec<&str> = list(answer, name).iter().map(|it| text(it, "who")).collect();
    each.join(", ")
}

fn shadow(answer: &Value) -> Vec<String> {
    let target = text(answer, "target");
    let mut lines = vec![format!("{} · shadow drill · nothing is touched", text(answer, "name"))];
    lines.extend(beside("  would be announced to  ", &told(answer, "announces")));
    let mut part = "";
    for step in list(answer, "steps") {
        if text(step, "part") != part {
            part = text(step, "part");
            lines.extend([String::new(), part.to_owned()]);
        }
        lines.push(format!("  {}", text(step, "path")));
        for (name, word) in [("does", "does"), ("at", "at"), ("call", "call"), ("undone", "undone")]
        {
            lines.extend(beside(&format!("    {word:<7} "), text(step, name)));
        }
    }
    lines.push(String::new());
    let refused = text(answer, "refused");
    if !refused.is_empty() {
        lines.extend(beside("  not now: ", refused));
    }
    lines.push(format!("next: countersign drill {target} --mode live"));
    lines
}

fn live(answer: &Value) -> Vec<String> {
    let target = text(answer, "target");
    let id = text(answer, "drill");
    let mut lines = beside(
        "",
        &format!(
            "{} · live drill · announced to {}",
            text(answer, "name"),
            told(answer, "announced")
        ),
    );
    lines.extend([format!("  {id}"), String::new()]);
    let rows: Vec<Vec<String>> = list(answer, "rows").iter().map(row).collect();
    lines.extend(table(&["  PATH", "SUBJECT", "TARGET", "NOW", "LAST 5"], &rows));
    // Of a path that refused in time its time says it all.
    let is_told = |it: &&Value| it["met"] != true || text(it, "part") != "kill-switch";
    for it in list(answer, "rows").iter().filter(is_told) {
        let head = format!("  {} {}: ", text(it, "path"), text(it, "subject"));
        lines.extend(beside(&head, text(it, "seen")));
    }
    lines.push(String::new());
    lines.extend(restored(&answer["restored"]));
    lines.extend(targets(answer));
    lines.push(match text(answer, "outcome") {
        "met" => format!("  next: countersign status {target}"),
        _ => format!("  next: countersign drill {target} --mode live, when that is mended"),
    });
    lines
}

fn row(it: &Value) -> Vec<String> {
    let mark = match it["met"].as_bool() {
        Some(true) => "✔",
        Some(false) => "✘",
        None => "▲",
    };
    let time = |value: &Value| value.as_u64().map_or_else(|| "-".to_owned(), seconds);
    let last: Vec<String> = list(it, "last_ms").iter().map(&time).collect();
    let last = if last.is_empty() { "-".to_owned() } else { last.join(", ") };
    let now = match (it["now_ms"].as_u64(), it["met"].as_bool()) {
        (Some(ms), _) => seconds(ms),
        (None, Some(true)) => "met".to_owned(),
        (None, Some(false)) => "missed".to_owned(),
        (None, None) => "not seen".to_owned(),
    };
    vec![
        format!("{mark} {}", text(it, "path")),
        text(it, "subject").to_owned(),
        time(&it["target_ms"]),
        now,
        last,
    ]
}

fn restored(restored: &Value) -> Vec<String> {
    if restored["withdrawn"] == true {
        let text = "trust was really withdrawn meanwhile: that stands, and nothing comes back";
        return vec![format!("  {text}")];
    }
    if !restored.is_object() {
        return Vec::new();
    }
    let (open, all) = (number(restored, "open"), number(restored, "of"));
    let denied = seconds(number(restored, "denied_ms"));
    let after = seconds(number(restored, "ms"));
    vec![format!(
        "  denied for {denied}, restored after {after}, let through again on {open} of {all} paths"
    )]
}

fn targets(answer: &Value) -> Vec<String> {
    let rows = list(answer, "rows");
    let count = |met: Value| rows.iter().filter(|it| it["met"] == met).count();
    let (missed, unseen) = (count(json!(false)), count(Value::Null));
    let mut parts = vec![format!("  {} of {} targets met", count(json!(true)), rows.len())];
    parts.extend((0 < missed).then(|| format!("{missed} missed")));
    parts.extend((0 < unseen).then(|| format!("{unseen} not seen")));
    vec![parts.join(", ")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_drill_shows_targets_times_and_the_runs_before() {
        let row = |path: &str, subject: &str, met: Value, now: Value| {
            json!({
                "part": "kill-switch", "path": path, "subject": subject, "target_ms": 5_000,
                "now_ms": now, "met": met, "seen": "HTTP 200 after 5 s", "last_ms": [2_100, null],
            })
        };
        let answer = json!({
            "name": "PayRun HR feed", "target": "payrun-hr", "drill": "drl_1", "outcome": "missed",
            "announced": [{ "who": "grace@example.com" }, { "who": "tel:+31-20-5550-0199" }],
            "rows": [
                row("token-mint", "sa:payrun-scim", json!(true), json!(2_200)),
                row("token-use", "sa:payrun-scim", json!(false), json!(5_010)),
                row("automation", "job:nightly", Value::Null, Value::Null),
                {
                    "part": "rotate", "path": "load", "subject": "sa:payrun-scim", "met": true,
                    "seen": "1000 times at 50/s: 1000 tokens, 1000 calls, 0 failed", "last_ms": [],
                },
            ],
            "restored": { "ms": 61_000, "denied_ms": 2_900, "open": 3, "of": 3, "withdrawn": false },
        });
        insta::assert_snapshot!(live(&answer).join("\n"), @r"
        PayRun HR feed · live drill · announced to grace@example.com, tel:+31-20-5550-0199
          drl_1

          PATH        SUBJECT         TARGET  NOW       LAST 5
        ✔ token-mint  sa:payrun-scim  5.00 s  2.20 s    2.10 s, -
        ✘ token-use   sa:payrun-scim  5.00 s  5.01 s    2.10 s, -
        ▲ automation  job:nightly     5.00 s  not seen  2.10 s, -
        ✔ load        sa:payrun-scim  -       met       -
          token-use sa:payrun-scim: HTTP 200 after 5 s
          automation job:nightly: HTTP 200 after 5 s
          load sa:payrun-scim: 1000 times at 50/s: 1000 tokens, 1000 calls, 0 failed

          denied for 2.90 s, restored after 61.00 s, let through again on 3 of 3 paths
          2 of 4 targets met, 1 missed, 1 not seen
          next: countersign drill payrun-hr --mode live, when that is mended
        ");
    }

    #[test]
    fn a_drill_in_shadow_says_all_of_it() {
        let answer = json!({
            "name": "PayRun HR feed", "target": "payrun-hr",
            "announces": [{ "who": "grace@example.com" }], "refused": "outside of the hours",
            "steps": [{
                "part": "rotate", "path": "sa:payrun-scim", "does": "have the partner rotate",
                "at": "payrun.example", "call": "POST https://payrun.example/rotate",
                "undone": "nothing to undo",
            }],
        });
        insta::assert_snapshot!(shadow(&answer).join("\n"), @r"
        PayRun HR feed · shadow drill · nothing is touched
          would be announced to  grace@example.com

        rotate
          sa:payrun-scim
            does    have the partner rotate
            at      payrun.example
            call    POST https://payrun.example/rotate
            undone  nothing to undo

          not now: outside of the hours
        next: countersign drill payrun-hr --mode live
        ");
    }
}
