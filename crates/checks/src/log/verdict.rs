//! What the judges of the log checks share.

use countersign_model::check::{Answer, Judgement, Transcript};
use countersign_model::declare::words::Share as Bound;
use countersign_model::time::Period;
use serde_json::Value;

use super::observe::ALIVE;

/// So many refusals in a row say that it cannot work now.
const REFUSED_MAX: u64 = 3;

/// A share in a fact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) good: u64,
    pub(super) all: u64,
    pub(super) failing: &'a [Value],
    /// Those whose source never tells what is asked for.
    pub(super) untold: u64,
}

impl<'a> Part<'a> {
    /// The share of this name in the fact of this label.
    pub(super) fn of(transcript: &'a Transcript, label: &str, name: &str) -> Option<Self> {
        let share = transcript.fact(label)?.get(name)?;
        let number = |member: &str| share.get(member)?.as_u64();
        let failing = share.get("failing").and_then(Value::as_array);
        Some(Self {
            good: number("good")?,
            all: number("all")?,
            failing: failing.map(Vec::as_slice).unwrap_or_default(),
            untold: number("untold").unwrap_or_default(),
        })
    }

    /// Whether at least so much is in order. Of nothing, everything is.
    pub(super) fn is_met(&self, bound: &Bound) -> bool {
        self.all == 0 || bound.met_by(self.good, self.all)
    }

    /// `398 of 400 attributable (99.5 %)`.
    pub(super) fn words(&self, what: &str) -> String {
        format!("{} of {} {what}{}", self.good, self.all, percent(self.good, self.all))
    }

    pub(super) fn details(&self) -> impl Iterator<Item = String> + use<'a> {
        self.failing.iter().filter_map(|it| it.as_str().map(str::to_owned))
    }
}

/// A share in percent, rounded down, so that nothing looks whole that is not.
fn percent(good: u64, all: u64) -> String {
    if all == 0 {
        return String::new();
    }
    let tenths = u128::from(good) * 1_000 / u128::from(all);
    format!(" ({}.{} %)", tenths / 10, tenths % 10)
}

/// The share that is asked for; everything where the manifest names none.
pub(super) fn bound(transcript: &Transcript, name: &str) -> Bound {
    let whole = || "100%".parse().ok();
    let declared = transcript.text(name).and_then(|it| it.parse().ok()).or_else(whole);
    #[expect(clippy::expect_used, reason = "`100%` is a share")]
    declared.expect("a constant share")
}

/// Why nothing can be said yet: nobody could be asked, too little was seen, or only refusals.
pub(super) fn unseen(transcript: &Transcript) -> Option<Judgement> {
    let window = transcript.fact("window");
    let error = |it: Option<&Value>| it.and_then(|it| it.get("error")?.as_str().map(str::to_owned));
    let number = |name: &str| window.and_then(|it| it.get(name)?.as_u64());
    if let Some(why) = error(transcript.fact("declared")) {
        return Some(
            Judgement::inconclusive("the declared use cannot be held against a log").observed(why),
        );
    }
    let alive = transcript.exchange(ALIVE).map(|it| &it.answer);
    let has_keys = |it: &Answer| it.json().is_some_and(|it| it.get("keys").is_some());
    if let Some(away) = alive.filter(|it| !it.is_success() || !has_keys(it)) {
        return Some(
            Judgement::inconclusive("the partner does not answer now")
                .observed(format!("{} for its published keys", away.words())),
        );
    }
    let (Some(requests), Some(wanted)) = (number("requests"), number("wanted")) else {
        let why = error(window).or_else(|| error(transcript.fact("platform")));
        return Some(
            Judgement::inconclusive("the platform's log could not be read")
                .observed(why.unwrap_or_else(|| "nothing".to_owned())),
        );
    };
    let says = |name: &str| window.and_then(|it| it.get(name)) == Some(&Value::Bool(true));
    let refused = number("refused_last").unwrap_or_default();
    if REFUSED_MAX <= refused {
        return Some(
            Judgement::inconclusive("its latest token requests are all refused")
                .observed(format!("{refused} refused since the last one that was granted")),
        );
    }
    if !says("declared") {
        return (requests == 0).then(|| {
            Judgement::inconclusive("it made no token request at the test tenant yet")
                .observed("0 requests in the platform's log")
        });
    }
    let time = |name: &str| Period::from_millis(number(name).unwrap_or_default());
    if wanted <= requests && says("long_enough") {
        return None;
    }
    let (observed, whole) = (time("observed_ms"), time("window_ms"));
    let reached = format!("{requests} of {wanted} requests, {} of {whole}", observed.min(whole));
    Some(
        Judgement::inconclusive("the observation goes on")
            .observed(reached.clone())
            .waiting(reached, "token requests of the partner at the test tenant, and time"),
    )
}

/// Lines of this log that could not be read: what they say is not known.
pub(super) fn unreadable(transcript: &Transcript, label: &str) -> Option<Judgement> {
    let found = transcript.fact(label)?.get("unreadable")?;
    let count = found.get("count")?.as_u64().filter(|it| 0 < *it)?;
    let first = found.get("first").and_then(Value::as_array).into_iter().flatten();
    let first = first.filter_map(Value::as_str).map(str::to_owned);
    Some(
        Judgement::inconclusive(format!("the {label} log has lines that cannot be read"))
            .observed(format!("{count} lines"))
            .details(first),
    )
}

/// Whether there is more than could be kept.
pub(super) fn is_cut(transcript: &Transcript, label: &str) -> bool {
    transcript.fact(label).and_then(|it| it.get("cut")) == Some(&Value::Bool(true))
}

/// One share that has to be met: the fact, the share in it, and what those in order are.
pub(super) type Demand = (&'static str, &'static str, &'static str);

/// Holds shares against what is asked for. What is wrong is told before what is not known.
pub(super) fn judge_shares(
    transcript: &Transcript,
    bound: &Bound,
    demands: &[Demand],
    failed: impl Fn(&str, u64) -> String,
) -> Result<String, Box<Judgement>> {
    if let Some(unseen) = unseen(transcript) {
        return Err(Box::new(unseen));
    }
    let parts = || demands.iter().map(|it| (*it, Part::of(transcript, it.0, it.1)));
    for ((label, _, what), part) in parts() {
        if let Some(part) = part.filter(|it| !it.is_met(bound)) {
            let failed = Judgement::fail(failed(label, part.all - part.good))
                .observed(format!("the {label} log: {}", part.words(what)))
                .details(part.details())
                .repeat(repeat(transcript));
            return Err(Box::new(failed));
        }
    }
    for ((label, _, _), part) in parts() {
        if let Some(unreadable) = unreadable(transcript, label) {
            return Err(Box::new(unreadable));
        }
        if part.is_none() || is_cut(transcript, label) {
            let why = transcript.fact(label).and_then(|it| it.get("error")?.as_str());
            let unread = Judgement::inconclusive(format!("the {label} log could not be read"))
                .observed(why.unwrap_or("not all of it"));
            return Err(Box::new(unread));
        }
    }
    for ((label, _, what), part) in parts() {
        if let Some(part) = part.filter(|it| 0 < it.untold) {
            let untold =
                Judgement::inconclusive(format!("the {label} log does not tell all of it"))
                    .observed(format!("{} lines say nothing of: {what}", part.untold))
                    .repeat(repeat(transcript));
            return Err(Box::new(untold));
        }
    }
    let seen = parts().filter_map(|((label, _, what), part)| {
        Some(format!("the {label} log: {}", part?.words(what)))
    });
    Ok(seen.collect::<Vec<_>>().join("; "))
}

/// How somebody with the log sees the same.
pub(super) fn repeat(transcript: &Transcript) -> String {
    let since = transcript.fact("window").and_then(|it| it.get("since")?.as_str());
    let since = since.map_or_else(String::new, |it| format!(" from {it} on"));
    format!("countersign log check FILE, where FILE holds the log{since}")
}

/// `1 token request`, `2 token requests`.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}
