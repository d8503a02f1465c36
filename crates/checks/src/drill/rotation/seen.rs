//! What a watched rotation came to, read back from its transcript.

use std::collections::BTreeSet;

use countersign_model::check::{Judgement, Transcript};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::keys::PublishedKey;
use super::requests::Requests;
use crate::drill::demanded;

/// What a watched rotation came to.
#[derive(Debug)]
pub(crate) struct Seen {
    /// How soon after the start a key was published that nobody had seen before.
    pub(crate) new_after_ms: Option<u64>,
    /// The names of the keys that were in use before.
    pub(crate) old: BTreeSet<String>,
    /// How soon after the start none of them was published any more.
    pub(crate) gone_after_ms: Option<u64>,
    /// Whether a new key goes by the name of an old one.
    pub(crate) reuses_name: bool,
    /// The client's own token requests.
    pub(crate) requests: Requests,
}

impl Seen {
    /// Reads a transcript; what keeps a rotation from being judged is a judgement itself.
    pub(crate) fn of(transcript: &Transcript) -> Result<Self, Box<Judgement>> {
        if let Some(section) = transcript.fact(demanded::MISSING) {
            let section = section.get("section").and_then(Value::as_str).unwrap_or_default();
            return Err(Judgement::fail("the profile asks for a rotation, and none is declared")
                .observed(format!("no {section}"))
                .expected("a rotation by a call, for at least one identity")
                .into());
        }
        for (label, sentence) in STOPS {
            if let Some(error) = transcript.fact(label).and_then(|it| it.get("error")) {
                let error = error.as_str().unwrap_or_default();
                return Err(Judgement::inconclusive(sentence).observed(error).into());
            }
        }
        let Some(rotate) = transcript.exchange("rotate") else {
            return Err(Judgement::inconclusive("no rotation was started").into());
        };
        if !rotate.answer.is_success() {
            let sentence = match rotate.answer.status() {
                Some(401 | 403) => "the partner does not let us rotate: it refuses our token",
                _ => "the call that starts the rotation did not go through",
            };
            return Err(Judgement::inconclusive(sentence)
                .observed(rotate.answer.words())
                .expected("HTTP 2xx")
                .into());
        }
        let read = (
            published(transcript.fact("keys-before")),
            fact::<Requests>(transcript, "requests-before"),
        );
        let (Some(before), Some(earlier)) = read else { return Err(unread().into()) };
        let (Some(after), Some(requests)) =
            (published(transcript.fact("keys-after")), fact::<Requests>(transcript, "requests"))
        else {
            return Err(unread().into());
        };
        let old = in_use(&before, &earlier, rotate.answer.json().as_ref());
        Ok(Self::compare(transcript, (before, after), old, requests))
    }

    fn compare(
        transcript: &Transcript,
        (before, after): (Look, Look),
        old: BTreeSet<String>,
        requests: Requests,
    ) -> Self {
        let known: BTreeSet<&str> = before.keys.iter().map(|it| it.key.as_str()).collect();
        let old_keys: BTreeSet<&str> = before
            .keys
            .iter()
            .filter(|it| old.contains(&it.kid))
            .map(|it| it.key.as_str())
            .collect();
        let mut looks: Vec<Look> =
            transcript.facts("keys").filter_map(|it| published(Some(&it.value))).collect();
        looks.push(after);
        let is_new = |it: &PublishedKey| !known.contains(it.key.as_str());
        // What was published for a moment and is gone again is no new key.
        let stays = looks.last().is_some_and(|it| it.keys.iter().any(is_new));
        let appeared = looks.iter().find(|it| it.keys.iter().any(is_new));
        let has_old = |it: &Look| it.keys.iter().any(|it| old_keys.contains(it.key.as_str()));
        let gone_from = looks.iter().rposition(has_old).map_or(0, |it| it + 1);
        let last = looks.last();
        let reuses_name =
            last.is_some_and(|it| it.keys.iter().any(|it| is_new(it) && old.contains(&it.kid)));
        Self {
            new_after_ms: appeared.filter(|_| stays).map(|it| it.after_ms),
            gone_after_ms: looks.get(gone_from).map(|it| it.after_ms),
            reuses_name,
            old,
            requests,
        }
    }

    /// Token requests that were granted with the old key after the finish.
    pub(crate) fn old_granted_after(&self) -> u64 {
        self.requests.by_key.iter().filter(|it| self.old.contains(it.0)).map(|it| it.1.after).sum()
    }

    /// Token requests that were granted with another key than the old one, since the start and
    /// after the finish.
    pub(crate) fn new_granted(&self) -> (u64, u64) {
        let others = self.requests.by_key.iter();
        let others = others.filter(|it| !it.0.is_empty() && !self.old.contains(it.0));
        others.fold((0, 0), |sum, (_, it)| (sum.0 + it.during + it.after, sum.1 + it.after))
    }
}

/// The keys at one moment.
#[derive(Debug)]
struct Look {
    after_ms: u64,
    keys: Vec<PublishedKey>,
}

/// What stops a rotation from being seen, and how that is called.
const STOPS: [(&str, &str); 6] = [
    ("stopped", "the rotation cannot be rehearsed"),
    ("platform", "the platform could not be asked"),
    ("keys-before", "the published keys cannot be read"),
    ("requests-before", "the platform's log of token requests cannot be read"),
    ("keys-after", "the published keys cannot be read after the rotation"),
    ("requests", "the platform's log of token requests cannot be read after the rotation"),
];

fn unread() -> Judgement {
    Judgement::inconclusive("the rotation was not watched to its end")
}

fn published(fact: Option<&Value>) -> Option<Look> {
    let after_ms = fact?.get("after_ms")?.as_u64()?;
    let keys = serde_json::from_value(fact?.get("keys")?.clone()).ok()?;
    Some(Look { after_ms, keys })
}

fn fact<T: DeserializeOwned>(transcript: &Transcript, label: &str) -> Option<T> {
    serde_json::from_value(transcript.fact(label)?.clone()).ok()
}

/// The keys that were in use before: those that signed requests, else the one that the partner calls
/// the previous one, else the only one.
fn in_use(before: &Look, earlier: &Requests, said: Option<&Value>) -> BTreeSet<String> {
    let names: BTreeSet<&str> = before.keys.iter().map(|it| it.kid.as_str()).collect();
    let signed =
        earlier.by_key.iter().filter(|it| 0 < it.1.before && names.contains(it.0.as_str()));
    let signed: BTreeSet<String> = signed.map(|it| it.0.clone()).collect();
    if !signed.is_empty() {
        return signed;
    }
    let previous = said.and_then(|it| it.get("previous")?.as_str());
    let previous = previous.filter(|it| names.contains(it)).map(str::to_owned);
    let only = || before.keys.first().filter(|_| before.keys.len() == 1).map(|it| it.kid.clone());
    previous.or_else(only).into_iter().collect()
}
