//! How often a sender comes to receivers that are gone, busy or broken.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;
use serde_json::{Map, Value, json};

use super::judge::{not_begun, not_right};
use super::visit::{Calls, control, delivered};
use super::wrong::taken;
use crate::harness::{Booth, Harness, Reply, Seen};
use crate::live::clock::Clock;
use crate::talk::Talk;

/// How long the busy receiver asks to be left alone.
const RETRY_AFTER_MS: u64 = 1_000;
/// How much earlier a clock may find that to be over.
const GRACE_MS: u64 = 50;
/// How many retry intervals are listened to, and within which bounds.
const INTERVALS: u64 = 12;
const LISTEN_MS_MIN: u64 = 2_500;
const LISTEN_MS_MAX: u64 = 10 * 60 * 1_000;
/// How many tries tell whether pauses grow.
const GAPS_MIN: usize = 5;

/// When somebody came, on a stopwatch.
type Diary = Arc<Mutex<Vec<u64>>>;

/// A receiver that answers badly and writes down when somebody came.
struct Receiver {
    name: &'static str,
    booth: Booth,
    diary: Diary,
}

impl Receiver {
    fn open(
        harness: &Harness,
        clock: &Arc<dyn Clock>,
        stem: &str,
        (name, status): (&'static str, u16),
    ) -> Self {
        let diary = Diary::default();
        let (own, clock) = (Arc::clone(&diary), Arc::clone(clock));
        let booth = harness.open(&format!("{stem}-{name}"), move |_: &Seen| {
            own.lock().unwrap_or_else(PoisonError::into_inner).push(clock.monotonic_ms());
            let reply = Reply::status(status);
            if status == 429 { reply.header("retry-after", "1") } else { reply }
        });
        Self { name, booth, diary }
    }

    /// The pauses between one delivery and the next.
    fn times(&self) -> Value {
        let diary = self.diary.lock().unwrap_or_else(PoisonError::into_inner);
        let first = diary.first().copied().unwrap_or(0);
        diary.iter().map(|it| it.saturating_sub(first)).collect::<Vec<_>>().into()
    }
}

/// Talks with the sender of a webhook.
pub(super) async fn watch(subject: &str, manifest: &Manifest, talk: &mut Talk) {
    let Some(mut calls) = Calls::of(subject, manifest, talk) else { return };
    let listen = calls.retry_ms().saturating_mul(INTERVALS).clamp(LISTEN_MS_MIN, LISTEN_MS_MAX);
    talk.setting("listen_ms", listen);
    talk.setting("retry_ms", calls.retry_ms());
    let (Some(harness), Some(means)) = (talk.harness(), talk.means()) else { return };
    let Some(stem) = talk.fresh_name("hk-") else { return };
    let right = harness.open(&stem, taken);
    if !control(&mut calls, talk, &right).await {
        return calls.end(talk).await;
    }
    let kinds = [("gone", 410), ("busy", 429), ("failing", 503)];
    let receivers = kinds.map(|it| Receiver::open(&harness, &means.clock, &stem, it));
    for it in &receivers {
        talk.setting(&format!("repeat.{}", it.name), calls.by_hand(it.booth.url()));
        calls.register(talk, &format!("register.{}", it.name), it.booth.url(), true).await;
    }
    let before = right.seen().len();
    calls.trigger(talk, "trigger").await;
    talk.pause("listen", Period::from_millis(listen)).await;
    note(talk, "arrivals", &receivers);
    let seen = delivered(&calls, &right, before).await;
    let before = right.seen().len();
    calls.trigger(talk, "trigger.again").await;
    let again = delivered(&calls, &right, before).await;
    talk.pause("again", Period::from_millis(calls.retry_ms().min(LISTEN_MS_MAX))).await;
    note(talk, "arrivals", &receivers[..1]);
    talk.fact("closing", "harness", json!({ "seen": seen && again }));
    calls.end(talk).await;
}

fn note(talk: &mut Talk, label: &str, receivers: &[Receiver]) {
    let mut all = Map::new();
    for it in receivers {
        all.insert(it.name.to_owned(), it.times());
    }
    talk.fact(label, "harness", Value::Object(all));
}

/// Judges a talk.
pub(super) fn judge(transcript: &Transcript) -> Judgement {
    let expected = "410 ends the deliveries; after 429 and 503 each pause is longer than the one before, and as long as `retry-after` asks";
    let judgement = judged(transcript);
    let judgement = match transcript.text("place") {
        Some(place) => judgement.at(place),
        None => judgement,
    };
    if judgement.expected.is_empty() { judgement.expected(expected) } else { judgement }
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(judgement) = not_begun(transcript).or_else(|| not_right(transcript, "control")) {
        return judgement;
    }
    let (gone, busy, failing) =
        (times(transcript, "gone"), times(transcript, "busy"), times(transcript, "failing"));
    let fail = |name: &str, sentence: &str, seen: String| {
        let judgement = Judgement::fail(sentence).observed(seen);
        match transcript.text(&format!("repeat.{name}")) {
            Some(repeat) => judgement.repeat(repeat),
            None => judgement,
        }
    };
    if 1 < gone.len() {
        let seen = format!("{} deliveries after 410", gone.len() - 1);
        return fail("gone", "a receiver that is gone is tried again", seen);
    }
    let soonest = gaps(&busy).into_iter().min();
    if let Some(gap) = soonest.filter(|it| it + GRACE_MS < RETRY_AFTER_MS) {
        let seen = format!("the next delivery {gap} ms after 429 with `retry-after: 1`");
        return fail("busy", "a busy receiver is not left alone as long as it asks", seen);
    }
    let pauses = gaps(&failing);
    let grows = grows(&pauses);
    let shown = pauses.iter().map(|it| format!("{it} ms")).collect::<Vec<_>>().join(", ");
    if GAPS_MIN <= pauses.len() && !grows {
        let seen = format!("pauses of {shown} after 503");
        return fail("failing", "the pauses between deliveries do not grow", seen);
    }
    for (name, seen) in [("gone", &gone), ("busy", &busy), ("failing", &failing)] {
        if seen.is_empty() {
            let register = transcript.exchange(&format!("register.{name}").clone()).is_some();
            let what = if register { "no delivery came" } else { "nothing was registered" };
            return Judgement::inconclusive("a receiver was not delivered to")
                .observed(format!("{what} for `{name}`"));
        }
    }
    let (waited, wanted) =
        (transcript.waited_ms("listen"), transcript.number("listen_ms").unwrap_or(0));
    if waited < wanted {
        return Judgement::inconclusive("nobody listened long enough")
            .observed(format!("{waited} ms"))
            .expected(format!("{wanted} ms"));
    }
    if 2 < pauses.len() && !grows {
        return Judgement::inconclusive("too few deliveries to see whether the pauses grow")
            .observed(format!("pauses of {shown} in {waited} ms"));
    }
    if let Some(judgement) = not_right(transcript, "closing") {
        return judgement;
    }
    let seen = if shown.is_empty() { "no second delivery".to_owned() } else { shown };
    Judgement::pass("deliveries end, or come later and later, where they are refused")
        .observed(format!("after 503: {seen}; listened for {waited} ms"))
        .details(["whether chance is in the pauses is not judged: too few were seen".to_owned()])
}

/// Whether later pauses are clearly longer than earlier ones.
fn grows(pauses: &[u64]) -> bool {
    let (early, late) = pauses.split_at(pauses.len() / 2);
    let mean = |it: &[u64]| it.iter().sum::<u64>() / (it.len() as u64).max(1);
    5 * mean(early) <= 4 * mean(late)
}

fn gaps(times: &[u64]) -> Vec<u64> {
    times.windows(2).map(|it| it[1].saturating_sub(it[0])).collect()
}

/// The longest list of moments that was written down for a receiver.
fn times(transcript: &Transcript, name: &str) -> Vec<u64> {
    let lists = transcript.facts("arrivals").filter_map(|it| it.value.get(name)?.as_array());
    let longest = lists.max_by_key(|it| it.len());
    longest.into_iter().flatten().filter_map(Value::as_u64).collect()
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, sample};

    fn seen(gone: &[u64], busy: &[u64], failing: &[u64]) -> Sample {
        sample()
            .setting("listen_ms", 2_500)
            .fact("control", json!({"seen": true}))
            .waited("listen", 2_500)
            .fact("arrivals", json!({"gone": gone, "busy": busy, "failing": failing}))
            .fact("closing", json!({"seen": true}))
    }

    #[test]
    fn pauses_have_to_grow() {
        let (busy, right) = ([0, 1_010], [0, 150, 460, 1_090, 2_300]);
        let even = [0, 150, 300, 450, 600, 750, 900];
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("right", seen(&[0], &busy, &right), Pass),
            ("tries once", seen(&[0], &[0], &[0]), Pass),
            ("keeps the gone", seen(&[0, 150], &busy, &right), Fail),
            ("too early", seen(&[0], &[0, 150], &right), Fail),
            ("evenly", seen(&[0], &busy, &even), Fail),
            ("a few, evenly", seen(&[0], &busy, &even[..4]), Inconclusive),
            ("nobody came", seen(&[], &busy, &right), Inconclusive),
            ("down", sample().fact("control", json!({"seen": false})), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        for (row, sample, verdict) in table {
            assert_eq!(judge(sample.transcript()).verdict, verdict, "{row}");
        }
    }
}
