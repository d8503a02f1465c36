//! Is every request in the log, in the platform's and in its own?
//!
//! What one side wrote down and the other did not is a loss; so is a running number that nobody has. Requests of our own that
//! look like any other are counted in the platform's log, so that silence cannot be taken for order.
//!
//! Source: NIST SP 800-53r5, AU-2, AU-5, AU-12; policy: `unexplained_gaps` and the profile's completeness.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::words::Share as Bound;
use countersign_model::time::Period;
use serde_json::{Value, json};

use super::attributable::manifest_with;
use super::canary;
use super::join::{Join, Rules};
use super::observe::{Need, Observed, found_fact, observe};
use super::report::{Found, Report};
use super::rules::Expectation;
use super::verdict::{counted, is_cut, repeat, unreadable, unseen};
use crate::check::{Check, Info, Stage};
use crate::granted::clients;
use crate::talk::Talk;

/// Is every request in the log, in the platform's and in its own?
#[derive(Debug, Clone, Copy)]
pub struct LosesNoLogLine;

/// How often the logs are read again where something is missing, and after how long.
const TRIES: u32 = 3;
const AGAIN_AFTER: Period = Period::from_millis(300);

#[async_trait::async_trait]
impl Check for LosesNoLogLine {
    fn info(&self) -> &'static Info {
        &Info {
            name: "loses_no_log_line",
            case: None,
            controls: &["CTS-LOG-01"],
            question: "Is every request in the log, in the platform's and in its own?",
            sends: "The logs of the test tenant and the partner's own log are read and compared, three times at most where a line may be on its way. Throw-away copies of the clients make requests that look like ordinary ones: for each client up to 30 in a sandbox, 300 in production.",
            passes: "Every request of ours shows in the platform's log. The share that the profile asks for is in both logs, no gap is longer than `unexplained_gaps`, every token of the partner's log is in the platform's, and no running number is missing on both sides.",
            risk: "Misuse leaves no trace.",
            fix: "Write the line before the answer, deliver it at least once, number requests, and alert on gaps.",
            source: "NIST SP 800-53r5, AU-2, AU-5, AU-12; policy.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Afterwards
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        manifest_with(clients(manifest).next().is_some())
    }

    async fn talk(&self, _subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let gaps =
            manifest.observation.as_ref().map_or(Period::default(), |it| it.unexplained_gaps);
        talk.setting("unexplained_gaps_ms", gaps.millis());
        talk.setting("max_delay_ms", manifest.logging.max_delay.millis());
        talk.figure("CTS-LOG-01.completeness");
        let Some(platform) = talk.platform() else { return };
        let mut seen = None;
        for attempt in 1..=TRIES {
            let rules = Rules {
                now: talk.now(),
                max_delay: manifest.logging.max_delay,
                numbered: manifest.logging.sequence.is_some(),
            };
            let Some(observed) = observe(talk, manifest, Need::Both).await else { return };
            let join = observed.own.as_ref().ok().map(|own| Join::of(&observed, own, rules));
            let is_whole = join.as_ref().is_none_or(Join::is_whole);
            seen = Some((observed, join));
            if is_whole || attempt == TRIES {
                break;
            }
            // Between two readings a line may have been on its way.
            talk.pause("lines on their way", AGAIN_AFTER).await;
        }
        let Some((observed, join)) = seen else { return };
        write(talk, manifest, &observed, join.as_ref());
        canary::seed(talk, platform.as_ref(), manifest, &observed).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let gaps =
            Period::from_millis(transcript.number("unexplained_gaps_ms").unwrap_or_default());
        let completeness = completeness(transcript);
        let expected =
            format!("{completeness} of all requests in both logs, and no gap longer than {gaps}");
        judge(transcript, &completeness, gaps).expected(expected)
    }
}

impl Join {
    fn is_whole(&self) -> bool {
        self.missing.count == 0 && self.unissued.count == 0 && self.nowhere.count == 0
    }
}

fn write(talk: &mut Talk, manifest: &Manifest, observed: &Observed, join: Option<&Join>) {
    let Ok(expectation) = Expectation::compile(manifest) else {
        talk.fact("declared", "manifest", json!({ "error": "the declared use cannot be read" }));
        return;
    };
    let fact = |it: &Report| json!({ "unreadable": found_fact(&it.unreadable), "cut": it.cut });
    talk.fact("platform", "log", fact(&observed.platform_report(&expectation)));
    let own = match (observed.own_report(&expectation), &observed.own) {
        (Some(report), _) => fact(&report),
        (None, own) => json!({ "error": own.as_ref().err() }),
    };
    talk.fact("own", "log", own);
    if let Some(join) = join {
        let fact = json!({
            "requests": join.requests, "found": join.found, "weak": join.weak, "late": join.late,
            "missing": found_fact(&join.missing), "longest_ms": join.longest.millis(),
            "unissued": found_fact(&join.unissued), "nowhere": found_fact(&join.nowhere),
        });
        talk.fact("join", "log", fact);
    }
}

fn judge(transcript: &Transcript, completeness: &Bound, gaps: Period) -> Judgement {
    if let Some(unseen) = unseen(transcript) {
        return unseen;
    }
    let canary = canary::total(transcript.facts("canary").map(|it| &it.value));
    if let Some((made, shown)) = canary.filter(|it| it.1 < it.0) {
        let lost = counted(made - shown, "request", "requests");
        return Judgement::fail(format!("the platform's log lost {lost} of ours"))
            .observed(format!("{shown} of {made} canaries"));
    }
    let join = transcript.fact("join");
    let number = |name: &str| join.and_then(|it| it.get(name)?.as_u64()).unwrap_or_default();
    let (requests, found, late) = (number("requests"), number("found"), number("late"));
    let longest = Period::from_millis(number("longest_ms"));
    let due = requests.saturating_sub(late);
    let seen =
        format!("{found} of {due} requests in its own log{}", canary::confidence(found, due));
    let missing = found_of(join, "missing");
    let is_short = |it: &Found| 0 < it.count && !completeness.met_by(found, due);
    let is_long = |it: &Found| 0 < it.count && (gaps == Period::default() || gaps < longest);
    if is_short(&missing) || is_long(&missing) {
        let lines = counted(missing.count, "line is", "lines are");
        return Judgement::fail(format!("{lines} missing in its own log"))
            .observed(format!("{seen}; the longest gap {longest}"))
            .details(missing.first)
            .repeat("look for the token ids below in the log that the partner delivers");
    }
    for (name, what) in [
        ("unissued", "of its tokens are not in the platform's log"),
        ("nowhere", "of its requests are in neither log"),
    ] {
        let lost = found_of(join, name);
        if 0 < lost.count {
            return Judgement::fail(format!("{} {what}", lost.count))
                .observed(seen)
                .details(lost.first)
                .repeat(repeat(transcript));
        }
    }
    if let Some(unknown) = unknown(transcript, canary.is_some()) {
        return unknown;
    }
    if due < late {
        let delay = Period::from_millis(transcript.number("max_delay_ms").unwrap_or_default());
        return Judgement::inconclusive("its own log has not arrived yet")
            .observed(format!("{found} of {requests} requests in its own log"))
            .waiting(
                format!("{found} of {requests} lines"),
                format!("its own log, {delay} at most"),
            );
    }
    let weak = number("weak");
    let weak = if weak == 0 { String::new() } else { format!(", {weak} of them joined weakly") };
    let late = if late == 0 { String::new() } else { format!("; {late} on their way") };
    let (made, shown) = canary.unwrap_or_default();
    Judgement::pass("no line is missing").observed(format!(
        "{seen}{weak}{late}; {shown} of {made} canaries in the platform's log{}",
        canary::confidence(shown, made)
    ))
}

/// What could not be looked at.
fn unknown(transcript: &Transcript, has_canary: bool) -> Option<Judgement> {
    for label in ["platform", "own"] {
        if let Some(unreadable) = unreadable(transcript, label) {
            return Some(unreadable);
        }
        let fact = transcript.fact(label);
        let error = fact.and_then(|it| it.get("error")?.as_str());
        if fact.is_none() || error.is_some() || is_cut(transcript, label) {
            return Some(
                Judgement::inconclusive(format!("the {label} log could not be read"))
                    .observed(error.unwrap_or("not all of it")),
            );
        }
    }
    if transcript.fact("join").is_none() {
        return Some(Judgement::inconclusive("the two logs were not compared").observed("nothing"));
    }
    let why = || {
        let mut facts = transcript.facts("canary");
        facts.find_map(|it| it.value.get("error")?.as_str()).unwrap_or("none was granted")
    };
    (!has_canary)
        .then(|| Judgement::inconclusive("no request of ours could be made").observed(why()))
}

fn found_of(fact: Option<&Value>, name: &str) -> Found {
    let found = fact.and_then(|it| it.get(name)).cloned();
    found.and_then(|it| serde_json::from_value(it).ok()).unwrap_or_default()
}

/// What the profile asks for; everything, where it asks for nothing.
fn completeness(transcript: &Transcript) -> Bound {
    super::verdict::bound(transcript, "CTS-LOG-01.completeness")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::{down, short, undeclared, window};
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn join(requests: u64, missing: u64, late: u64) -> Value {
        let first: Vec<String> = (0..missing).map(|it| format!("a: t-{it}")).collect();
        json!({
            "requests": requests, "found": requests - missing - late, "weak": 0, "late": late,
            "missing": {"count": missing, "first": first}, "longest_ms": 400 * missing,
            "unissued": {"count": 0, "first": []}, "nowhere": {"count": 0, "first": []},
        })
    }

    fn lost(name: &str) -> Value {
        let mut fact = join(300, 0, 0);
        fact[name] = json!({"count": 2, "first": ["a: number 7 is in neither log"]});
        fact
    }

    fn with(join: Value) -> Sample {
        let clean = json!({"unreadable": {"count": 0, "first": []}, "cut": false});
        window()
            .setting("unexplained_gaps_ms", 0)
            .setting("max_delay_ms", 120_000)
            .setting("CTS-LOG-01.completeness", "99.9%")
            .fact("platform", clean.clone())
            .fact("own", clean)
            .fact("join", join)
            .fact("canary", json!({"sent": 30, "logged": 30, "uses": 10, "uses_logged": 10}))
    }

    #[test]
    fn nothing_is_lost() {
        let right = || with(join(300, 0, 0));
        let canary =
            |logged: u64| json!({"sent": 30, "logged": logged, "uses": 0, "uses_logged": 0});
        let odd = json!({"unreadable": {"count": 1, "first": ["own log:2: not UTF-8"]}});
        let table = [
            ("right", right(), Pass),
            ("one missing", with(join(300, 1, 0)), Fail),
            (
                "one of many, and gaps are allowed",
                with(join(3_000, 1, 0)).setting("unexplained_gaps_ms", 500),
                Pass,
            ),
            ("a long gap", with(join(30_000, 2, 0)).setting("unexplained_gaps_ms", 500), Fail),
            ("platform lost one", with(lost("unissued")), Fail),
            ("nobody has one", with(lost("nowhere")), Fail),
            ("a canary is missing", right().fact("canary", canary(29)), Fail),
            ("no canary", right().fact("canary", canary(0)), Fail),
            ("canary refused", right().fact("canary", down()), Inconclusive),
            ("some late", with(join(300, 0, 3)), Pass),
            ("everything late", with(join(300, 0, 300)), Inconclusive),
            ("own log away", right().fact("own", down()), Inconclusive),
            ("own log unreadable", right().fact("own", odd), Inconclusive),
            ("too few", right().fact("window", short(3)), Inconclusive),
            ("none at all", right().fact("window", undeclared(0)), Inconclusive),
            ("platform down", right().fact("window", down()), Inconclusive),
            ("cut off", window(), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&LosesNoLogLine, &table);
        let judgement = judged(&LosesNoLogLine, &table[1].1);
        insta::assert_snapshot!(judgement.sentence, @"1 line is missing in its own log");
        insta::assert_snapshot!(judgement.observed, @"299 of 300 requests in its own log; the longest gap 400ms");
        insta::assert_snapshot!(judgement.expected, @"99.9% of all requests in both logs, and no gap longer than 0s");
        insta::assert_snapshot!(judged(&LosesNoLogLine, &table[0].1).observed, @"300 of 300 requests in its own log, a recall of more than 99.0 % at 95 % confidence; 40 of 40 canaries in the platform's log, a recall of more than 92.7 % at 95 % confidence");
        let waiting = judged(&LosesNoLogLine, &table[10].1).waiting.unwrap();
        insta::assert_snapshot!(waiting.waits_for, @"its own log, 2m at most");
    }
}
