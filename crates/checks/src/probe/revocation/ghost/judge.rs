//! What the sweeps after an offboarding come to: those of a run, and one made long after.

use std::fmt::Write as _;

use countersign_model::check::{Judgement, Owed, Transcript};
use countersign_model::time::{Period, Timestamp};
use serde_json::Value;

use super::SWEEPS;
use crate::drill::tries::{OPEN, SHUT};
use crate::probe::acting::no_actor;
use crate::probe::token::error;

/// The fact that the credentials are kept for later sweeps.
pub(super) const KEPT: &str = "kept";
/// The fact that an earlier copy came back.
pub(super) const CAME_BACK: &str = "came-back";
/// The setting that names the sweep that is made long after.
pub(super) const LATER: &str = "later";
/// The attempts of a fresh copy, before a later sweep.
pub(super) const CONTROL: &str = "control";

pub(super) fn judge(transcript: &Transcript) -> Judgement {
    match transcript.text(LATER) {
        Some(name) => later(transcript, name).expected(format!(
            "a fresh copy is let in, and every kept credential refused at {name}"
        )),
        None => run(transcript).expected("every credential refused at T+0, T+24 h and T+30 d"),
    }
}

/// The attempts of a sweep.
fn tried(transcript: &Transcript, label: &str) -> Vec<Value> {
    transcript.facts(label).map(|it| it.value.clone()).collect()
}

fn came(attempt: &Value, word: &str) -> bool {
    attempt.get("came").and_then(Value::as_str) == Some(word)
}

fn text<'a>(attempt: &'a Value, name: &str) -> &'a str {
    attempt.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn words(attempt: &Value) -> String {
    format!("{}: {}", text(attempt, "path"), text(attempt, "seen"))
}

fn after(attempt: &Value) -> Period {
    Period::from_millis(attempt.get("after_ms").and_then(Value::as_u64).unwrap_or_default())
}

/// A sweep that lets something in.
fn let_in(name: &str, open: &Value) -> Judgement {
    Judgement::fail(format!("an offboarded client is let in at {name}")).observed(words(open))
}

/// A run: the first sweep, and in a sandbox all of them.
fn run(transcript: &Transcript) -> Judgement {
    if let Some(it) = no_actor(transcript) {
        return it;
    }
    let sweeps = SWEEPS.map(|it| (it.name, tried(transcript, &format!("sweep {}", it.name))));
    for (name, sweep) in &sweeps {
        if let Some(open) = sweep.iter().find(|it| came(it, OPEN)) {
            return let_in(name, open).details(sweeps.iter().flat_map(|it| it.1.iter().map(words)));
        }
    }
    let before = tried(transcript, "before");
    if let Some(odd) = before.iter().find(|it| !came(it, OPEN)) {
        return Judgement::inconclusive("the copy did not work before, so its end says nothing")
            .observed(words(odd));
    }
    if let Some(why) = transcript.facts("ended").find_map(|it| error(Some(&it.value))) {
        return Judgement::inconclusive("the platform did not end the copy").observed(why);
    }
    let mut made = Vec::new();
    for (name, sweep) in &sweeps {
        let Some(first) = sweep.first() else { continue };
        if let Some(odd) = sweep.iter().find(|it| !came(it, SHUT)) {
            let sentence = format!("not every credential was clearly refused at {name}");
            return Judgement::inconclusive(sentence).observed(words(odd));
        }
        if sweep.len() < before.len() {
            let sentence = format!("not every credential was tried again at {name}");
            let observed = format!("{} of {} tried", sweep.len(), before.len());
            return Judgement::inconclusive(sentence).observed(observed);
        }
        made.push(format!("{name}, made after {}", after(first)));
    }
    // The first sweep belongs to every run: without it the others say nothing.
    if before.is_empty() || sweeps[0].1.is_empty() {
        return Judgement::inconclusive("nothing was offboarded");
    }
    let observed = format!("{} of {} refused: {}", before.len(), before.len(), made.join("; "));
    let missing: Vec<&str> = sweeps.iter().filter(|it| it.1.is_empty()).map(|it| it.0).collect();
    if missing.is_empty() {
        return Judgement::pass("an offboarded client stays gone").observed(observed);
    }
    let reached = format!("{} of {} sweeps", made.len(), SWEEPS.len());
    let owed = owed(transcript, &missing);
    if owed.is_empty() {
        return Judgement::inconclusive("the later sweeps after an offboarding are not due yet")
            .observed(observed)
            .waiting(
                reached,
                format!(
                    "{}, with the credentials of the copy that ended, by a server that keeps them",
                    missing.join(" and ")
                ),
            );
    }
    if let Some(back) = transcript.fact(CAME_BACK) {
        let (sweep, at) = (text(back, "sweep"), text(back, "at"));
        let as_long = owed.iter().find(|it| it.what == sweep).or(owed.last());
        let waits_for = as_long.map(|it| format!("{} of this copy, at {}", it.what, it.due));
        return Judgement::inconclusive(
            "an offboarded client came back, and no later one has stayed away as long",
        )
        .observed(format!("{observed}; an earlier copy was let in at {sweep}, at {at}"))
        .waiting(reached, waits_for.unwrap_or_default())
        .owed(owed);
    }
    let mut sentence = "an offboarded client is gone, as far as that is due".to_owned();
    for it in &owed {
        let _infallible = write!(sentence, "; {} is owed at {}", it.what, it.due);
    }
    Judgement::pass(sentence).observed(observed).owed(owed)
}

/// What a server has promised to look at: every sweep that is missing, or none.
fn owed(transcript: &Transcript, missing: &[&str]) -> Vec<Owed> {
    let kept = transcript.fact(KEPT).and_then(|it| it.get("owed")).cloned().unwrap_or_default();
    let owed: Vec<Owed> = serde_json::from_value(kept).unwrap_or_default();
    let names: Vec<&str> = owed.iter().map(|it| it.what.as_str()).collect();
    if names == missing { owed } else { Vec::new() }
}

/// One sweep that is made long after.
fn later(transcript: &Transcript, name: &str) -> Judgement {
    let label = format!("sweep {name}");
    let sweep = tried(transcript, &label);
    let began = transcript.text("began").and_then(|it| it.parse::<Timestamp>().ok());
    let since = began.map(|it| format!(", of a copy that ended at {it}")).unwrap_or_default();
    if let Some(open) = sweep.iter().find(|it| came(it, OPEN)) {
        return let_in(name, open)
            .observed(format!("{}{since}", words(open)))
            .details(sweep.iter().map(words));
    }
    let control = tried(transcript, CONTROL);
    let odd = control.iter().find(|it| !came(it, OPEN));
    if control.is_empty() || odd.is_some() {
        let why = ["platform", "copy", CONTROL]
            .into_iter()
            .find_map(|label| transcript.facts(label).find_map(|it| error(Some(&it.value))));
        let seen = odd.map(words).or_else(|| why.map(str::to_owned));
        let sentence = "no fresh copy was let in, so the refusals say nothing";
        return Judgement::inconclusive(sentence).observed(seen.unwrap_or_default());
    }
    let Some(first) = transcript.facts(&label).next() else {
        return Judgement::inconclusive("nothing was tried again");
    };
    if let Some(odd) = sweep.iter().find(|it| !came(it, SHUT)) {
        let sentence = format!("not every credential was clearly refused at {name}");
        return Judgement::inconclusive(sentence).observed(words(odd));
    }
    Judgement::pass(format!("an offboarded client stays gone at {name}"))
        .observed(format!("{} of {} refused at {}{since}", sweep.len(), sweep.len(), first.at))
        .details(sweep.iter().map(words))
}
