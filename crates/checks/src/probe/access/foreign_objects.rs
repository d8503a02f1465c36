//! Is it kept from the objects of another customer?
//!
//! Whoever asks for an id and gets the object, whosever it is, has found the largest hole that an API can have. A
//! copy of the client asks for ten objects of another customer and, in the same places, for ten that nobody
//! has. Each has to be refused without a word of what stands in it, no object may change, and the time that a
//! refusal takes may not tell which ids exist: that is judged by medians, and looked at twice before it
//! counts.
//!
//! Source: OWASP API1:2023; NIST SP 800-53r5, AC-3 and AC-4 (CTS-SCP-04).

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Identity;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::check::Info;
use crate::platform::by_hand::{admin, api_call};
use crate::platform::{AdminAct, CopyTerms, Manner, ObjectCall, Objects};
use crate::probe::acting::{Acting, Actor, Scene, begin, is_let_in, is_success, no_actor};
use crate::probe::token::{error, number, says, status};

/// Is it kept from the objects of another customer?
pub(crate) const REFUSES_FOREIGN_OBJECTS: Acting = Acting {
    info: &Info {
        name: "refuses_foreign_objects",
        case: Some("ACC-01"),
        controls: &["CTS-SCP-04"],
        question: "Is it kept from the objects of another customer?",
        sends: "As a throw-away copy of the client: calls for an object of its own, for ten objects of another customer of the test tenant, and for ten ids that nobody has.",
        passes: "403 or 404 for ten of ten, without any of their content; no object changes; a refusal takes no longer for an id that exists than for one that does not.",
        risk: "One customer reads or changes another customer's data.",
        fix: "Ask whose an object is at every look-up, on the server, before anything of it is read; answer as if it were not there.",
        source: "OWASP API1:2023; NIST SP 800-53r5, AC-3 and AC-4.",
    },
    looks_at,
    play,
    judge,
};

/// An identity without a call that names an object reaches none.
fn looks_at(_: &Manifest, identity: &Identity) -> bool {
    identity.scopes.iter().flat_map(|it| &it.uses).any(|it| it.contains('{'))
}

fn play(mut scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let Some(actor) = begin(&mut scene, CopyTerms::default()).await else { return };
        let Some(objects) = known(&mut scene, &actor, "objects").await else { return };
        let Some(own) = objects.own.first() else { return };
        ask(&mut scene, &actor, ("control", own)).await;
        round(&mut scene, &actor, &objects, 1).await;
        // What looks slow is looked at again before anybody is blamed for it.
        if oracle(scene.talk.transcript(), 1).is_some() {
            round(&mut scene, &actor, &objects, 2).await;
        }
        if let Some(after) = known(&mut scene, &actor, "objects.after").await {
            let changed = objects.foreign.iter().zip(&after.foreign);
            let changed = changed.filter(|(was, is)| was.version != is.version).count();
            let seen = objects.foreign.iter().all(|it| it.version.is_some());
            scene.talk.fact("changed", "platform", json!({ "changed": changed, "versions": seen }));
        }
        ask(&mut scene, &actor, ("closing", own)).await;
    })
}

async fn known(scene: &mut Scene<'_>, actor: &Actor, label: &str) -> Option<Objects> {
    let objects = scene.platform.objects(&actor.copy.client_id).await;
    scene.talk.heard(label, objects, |it| {
        json!({ "own": it.own.len(), "foreign": it.foreign.len(), "missing": it.missing.len() })
    })
}

/// Asks for each foreign object and for one that nobody has, now the one first and now the other.
async fn round(scene: &mut Scene<'_>, actor: &Actor, objects: &Objects, number: u64) {
    let pairs = objects.foreign.iter().zip(&objects.missing).take(OBJECTS);
    for (place, (foreign, missing)) in pairs.enumerate() {
        let labels = [format!("foreign.{number}"), format!("missing.{number}")];
        let pair = [(labels[0].as_str(), foreign), (labels[1].as_str(), missing)];
        let order = if place % 2 == 0 { [pair[0], pair[1]] } else { [pair[1], pair[0]] };
        for one in order {
            ask(scene, actor, one).await;
        }
    }
}

async fn ask(scene: &mut Scene<'_>, actor: &Actor, (label, object): (&str, &ObjectCall)) {
    if label == "foreign.1" && scene.talk.transcript().text("repeat").is_none() {
        let copy = admin(scene.platform, AdminAct::Copy(scene.identity.client_id()));
        let call = api_call(scene.platform, &object.call, &[]);
        scene.talk.setting("repeat", format!("{copy}; then {call}"));
    }
    let answer = scene.platform.call(&actor.token, &object.call, &Manner::default()).await;
    let call = format!("{} {}", object.call.method, object.call.path);
    scene.talk.heard(label, answer, |it| {
        let leaks = object.marks.iter().any(|mark| !mark.is_empty() && it.body.contains(mark));
        json!({ "call": call, "status": it.status, "leaks": leaks, "took_ms": it.took_ms })
    });
}

fn judge(transcript: &Transcript) -> Judgement {
    decide(transcript)
        .expected("403 or 404 for 10 of 10, no data, no change, and no difference in time")
}

fn decide(transcript: &Transcript) -> Judgement {
    if let Some(it) = no_actor(transcript) {
        return it;
    }
    let objects = transcript.fact("objects");
    if let Some(why) = error(objects) {
        return Judgement::inconclusive("it is not known which objects are another customer's")
            .observed(format!(
                "{why}; the connector has to name them, with two customers in the test tenant"
            ));
    }
    let of = |label: &'static str| -> Vec<&Value> {
        transcript.facts(label).map(|it| &it.value).collect()
    };
    let (control, closing) = (transcript.fact("control"), transcript.fact("closing"));
    if !is_success(control) {
        return Judgement::inconclusive("an object of its own could not be asked for")
            .observed(status(control))
            .expected("its own objects, as control");
    }
    let foreign: Vec<&Value> = of("foreign.1").into_iter().chain(of("foreign.2")).collect();
    let first = of("foreign.1").len();
    let lines = || foreign.iter().map(|it| format!("{}: {}", call(it), status(Some(it))));
    let failing = |is: &dyn Fn(&&&Value) -> bool| -> Vec<&Value> {
        foreign.iter().filter(is).copied().collect()
    };
    let open = failing(&|it| is_success(Some(it)));
    if let Some(one) = open.first() {
        return Judgement::fail("objects of another customer answer")
            .observed(format!(
                "{} of {}, such as {} for {}",
                open.len(),
                foreign.len(),
                status(Some(one)),
                call(one)
            ))
            .details(lines());
    }
    let leaks = failing(&|it| says(Some(it), "leaks"));
    if let Some(one) = leaks.first() {
        return Judgement::fail("a refusal shows what stands in an object of another customer")
            .observed(format!("{} for {}, with words of the object", status(Some(one)), call(one)))
            .details(lines());
    }
    let changed = transcript.fact("changed");
    if let Some(count) = number(changed, "changed").filter(|it| 0 < *it) {
        return Judgement::fail("objects of another customer change behind a refusal")
            .observed(format!("{count} of {first} changed"))
            .details(lines());
    }
    let refused = failing(&|it| matches!(number(Some(it), "status"), Some(401 | 403 | 404))).len();
    if first < OBJECTS || refused < foreign.len() {
        let odd = failing(&|it| !matches!(number(Some(it), "status"), Some(401 | 403 | 404)));
        return Judgement::inconclusive("not every object of another customer was clearly refused")
            .observed(format!("{refused} of {OBJECTS} refused; {}", status(odd.first().copied())));
    }
    if !is_let_in(closing) {
        return Judgement::inconclusive("an object of its own could not be asked for afterwards")
            .observed(status(closing));
    }
    timed(transcript, changed, refused)
}

/// Whether the time tells which ids exist.
fn timed(transcript: &Transcript, changed: Option<&Value>, refused: usize) -> Judgement {
    let missing: Vec<&Value> = transcript.facts("missing.1").map(|it| &it.value).collect();
    let is_no = |it: &&&Value| matches!(number(Some(it), "status"), Some(401 | 403 | 404));
    if missing.iter().filter(is_no).count() < OBJECTS {
        return Judgement::inconclusive(
            "ids that nobody has are not refused, so times cannot be compared",
        )
        .observed(status(missing.first().copied()));
    }
    if let (Some(_), Some((foreign, nobody))) = (oracle(transcript, 1), oracle(transcript, 2)) {
        return Judgement::fail("the time of a refusal tells which ids exist").observed(format!(
            "{foreign} ms for objects of another customer, {nobody} ms for ids that nobody has (medians of the second look)"
        ));
    }
    let (foreign, nobody) = medians(transcript, 1).unwrap_or_default();
    let judgement = Judgement::pass("objects of another customer are out of its reach").observed(format!(
        "{refused} of {refused} refused without data; {foreign} ms against {nobody} ms for ids that nobody has"
    ));
    if says(changed, "versions") { judgement } else { judgement.status_only() }
}

/// Both medians, where they differ so much that no noise explains it.
fn oracle(transcript: &Transcript, round: u64) -> Option<(u64, u64)> {
    let (foreign, nobody) = medians(transcript, round)?;
    let (fast, slow) = (foreign.min(nobody), foreign.max(nobody));
    let differs = fast.max(1).saturating_mul(RATIO) < slow && FLOOR_MS <= slow - fast;
    // Nearly all of the slow ones are slower than nearly all of the fast ones.
    let times = |label: &str| times(transcript, &format!("{label}.{round}"));
    let (mut one, mut other) = (times("foreign"), times("missing"));
    if nobody < foreign {
        std::mem::swap(&mut one, &mut other);
    }
    let apart = quantile(&one, 9) < quantile(&other, 1);
    (differs && apart).then_some((foreign, nobody))
}

fn medians(transcript: &Transcript, round: u64) -> Option<(u64, u64)> {
    let of = |label: &str| quantile(&times(transcript, &format!("{label}.{round}")), 5);
    Some((of("foreign")?, of("missing")?))
}

fn times(transcript: &Transcript, label: &str) -> Vec<u64> {
    let mut times: Vec<u64> =
        transcript.facts(label).filter_map(|it| number(Some(&it.value), "took_ms")).collect();
    times.sort_unstable();
    times
}

/// The value that so many tenths lie below.
fn quantile(sorted: &[u64], tenths: usize) -> Option<u64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get(last * tenths / 10).copied()
}

fn call(fact: &Value) -> &str {
    fact.get("call").and_then(Value::as_str).unwrap_or_default()
}

/// How many objects of another customer are asked for.
const OBJECTS: usize = 10;
/// How many times longer one may take.
const RATIO: u64 = 3;
/// A smaller difference says nothing, however large the ratio is.
const FLOOR_MS: u64 = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::acting::acting;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn round(mut sample: Sample, number: u64, one: (u16, u64), missing_ms: u64) -> Sample {
        for place in 0..10 {
            let call = format!("GET /v1/users/b-{place}");
            let (status, took_ms) = if place == 7 { one } else { (404, one.1 + place % 3) };
            let foreign =
                json!({ "call": call, "status": status, "leaks": false, "took_ms": took_ms });
            let missing = json!({ "call": "GET", "status": 404, "leaks": false, "took_ms": missing_ms + place % 4 });
            sample = sample
                .fact(&format!("foreign.{number}"), foreign)
                .fact(&format!("missing.{number}"), missing);
        }
        sample
    }

    fn seen(one: (u16, u64), missing_ms: u64) -> Sample {
        let sample = acting().fact("objects", json!({ "own": 1, "foreign": 10, "missing": 10 }));
        let sample = round(sample, 1, one, missing_ms);
        sample
            .fact("changed", json!({ "changed": 0, "versions": true }))
            .fact("closing", json!({ "status": 200 }))
    }

    #[test]
    fn ten_of_ten_are_refused_and_nothing_is_told() {
        let down = json!({ "error": "it gives no way to do that" });
        let leak =
            json!({ "call": "GET /v1/users/b-3", "status": 403, "leaks": true, "took_ms": 5 });
        let slow_twice = round(seen((404, 200), 5), 2, (404, 190), 6);
        let slow_once = round(seen((404, 200), 5), 2, (404, 6), 6);
        let table = [
            ("refused", seen((404, 5), 5), Pass),
            ("one answers", seen((200, 5), 5), Fail),
            ("a refusal tells", seen((404, 5), 5).fact("foreign.1", leak), Fail),
            (
                "changed",
                seen((404, 5), 5).fact("changed", json!({"changed": 1, "versions": true})),
                Fail,
            ),
            ("slow twice", slow_twice, Fail),
            ("missing ones slow twice", round(seen((404, 5), 200), 2, (404, 5), 200), Fail),
            ("slow once", slow_once, Pass),
            ("a little slower", round(seen((404, 20), 5), 2, (404, 20), 5), Pass),
            ("one breaks", seen((500, 5), 5), Inconclusive),
            ("throttled", seen((429, 5), 5), Inconclusive),
            (
                "dead afterwards",
                seen((404, 5), 5).fact("closing", json!({"status": 401})),
                Inconclusive,
            ),
            ("objects unknown", acting().fact("objects", down.clone()), Inconclusive),
            (
                "own one refused",
                acting().fact("objects", json!({})).fact("control", json!({"status": 404})),
                Inconclusive,
            ),
            ("cut off", acting().fact("objects", json!({})), Inconclusive),
            ("platform down", sample().fact("copy", down), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&REFUSES_FOREIGN_OBJECTS, &table);
        let judgement = judged(&REFUSES_FOREIGN_OBJECTS, &table[1].1);
        insta::assert_snapshot!(judgement.observed, @"1 of 10, such as HTTP 200 for GET /v1/users/b-7");
        let judgement = judged(&REFUSES_FOREIGN_OBJECTS, &table[4].1);
        insta::assert_snapshot!(judgement.observed, @"190 ms for objects of another customer, 7 ms for ids that nobody has (medians of the second look)");
        let judgement = judged(&REFUSES_FOREIGN_OBJECTS, &table[0].1);
        insta::assert_snapshot!(judgement.observed, @"10 of 10 refused without data; 5 ms against 6 ms for ids that nobody has");
    }
}
