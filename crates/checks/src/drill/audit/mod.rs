//! Is everything that is done with a client, and to it, in the platform's own records?
//!
//! After an incident these records are all that is left. So a throw-away copy of each client does ten or
//! more different things, and has them done to it: a token granted, one refused for a wrong key, one
//! refused for its scope, a call, a call that is refused, tokens revoked, a key replaced, a token with
//! the new key, the client disabled, refused while disabled, enabled, deleted. Then the records of token
//! requests, of token uses and of changes are read until every one of them is found, with the name of
//! whoever did it. The one that is not found is named.
//!
//! What a platform gives no way to cause is left out and said; with fewer than ten nothing is concluded.
//! A line that is not there yet is waited for, as long as `[logging] max_delay` and no longer than 10 s:
//! where a later line of the same record is there, the record has gone past it.
//!
//! Source: NIST SP 800-53r5, AU-2, AU-3 and AU-12; NIST SP 800-92, section 5; CTS-LOG-02.

mod acts;
mod find;

use std::collections::BTreeMap;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

use super::seconds;
use crate::check::{Check, Info, Stage};
use crate::granted::{identity, token_clients};
use crate::log::record::{Record, Told};
use crate::platform::{Platform, PlatformError};
use crate::talk::Talk;
use acts::Actor;
use find::{Book, Found, Line, pair};

/// With fewer different acts nothing is concluded.
const ACTS_MIN: usize = 10;
/// How often the records are read.
const READ_EVERY: Period = Period::from_millis(300);
/// How long they are waited for at most.
const WAIT_MAX: Period = Period::from_seconds(10);
/// How many lines of a record are written down.
const LINES_MAX: usize = 100;

/// Is everything that is done with a client, and to it, in the platform's own records?
#[derive(Debug, Clone, Copy)]
pub struct WritesDownEveryAct;

#[async_trait::async_trait]
impl Check for WritesDownEveryAct {
    fn info(&self) -> &'static Info {
        &Info {
            name: "writes_down_every_act",
            case: None,
            controls: &["CTS-LOG-02"],
            question: "Is everything that is done with a client, and to it, in the platform's own records?",
            sends: "A throw-away copy of the client gets a token, is refused one for a wrong key and one for a wrong scope, calls the API with and without the right to, has its tokens revoked and its key replaced, gets a token with the new key, is disabled, refused, enabled and deleted. Then the platform's records are read until all of it is there.",
            passes: "Ten or more different acts could be caused, and each has a line of its own that names who did it, within `[logging] max_delay`.",
            risk: "After an incident nobody can say what was done, and by whom.",
            fix: "Record refused requests as well as granted ones, and every change that administrators make, with client, actor and time.",
            source: "NIST SP 800-53r5, AU-2, AU-3, AU-12; NIST SP 800-92, section 5.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Drill
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        token_clients(manifest).map(|(_, it)| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        talk.setting("max_delay_ms", manifest.logging.max_delay.millis());
        let Some((_, identity)) = identity(manifest, subject) else { return };
        let Some(platform) = talk.platform() else { return };
        let copy = talk.copy_client(platform.as_ref(), identity.client_id()).await;
        let Some(copy) = copy else { return };
        let (client, since) = (copy.client_id.clone(), talk.now());
        let actor = Actor { platform: platform.as_ref(), identity, copy };
        actor.act(talk).await;
        let acts = acts(talk.transcript());
        let done = talk.stopwatch_ms();
        let limit = manifest.logging.max_delay.min(WAIT_MAX).millis();
        loop {
            let read = read(platform.as_ref(), &client, since).await;
            let waited_ms = talk.stopwatch_ms().saturating_sub(done);
            let books = read.iter().map(|(book, it)| (*book, it.as_deref().unwrap_or_default()));
            let is_whole = missing(&acts, &books.collect()).is_empty();
            if is_whole || limit <= waited_ms {
                for (book, lines) in read {
                    talk.heard(
                        book.label(),
                        lines,
                        |it| json!({ "lines": it, "waited_ms": waited_ms }),
                    );
                }
                return;
            }
            talk.pause("records", READ_EVERY).await;
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let all = acts(transcript);
        let details = all.iter().map(|it| it.name.clone());
        decide(transcript, &all)
            .details(details.collect::<Vec<_>>())
            .expected("each of ten different acts found, with who did it")
            .at("logging")
            .repeat("do each of the acts with a copy of the client, and look for each in the platform's records")
    }
}

/// What the platform wrote down about a copy.
async fn read(
    platform: &dyn Platform,
    client: &str,
    since: Timestamp,
) -> Vec<(Book, Result<Vec<Line>, PlatformError>)> {
    let tokens = platform.token_log(client, since).await;
    let uses = platform.access_log(client, since).await;
    let changes = platform.admin_log(since).await;
    let changes = changes.map(|it| {
        let mine = it.into_iter().filter(|it| it.client_id.as_deref() == Some(client));
        let line = mine.map(|it| Line {
            time: it.time,
            granted: true,
            named: !it.actor.is_empty(),
            action: it.action,
        });
        line.take(LINES_MAX).collect()
    });
    vec![
        (Book::Requests, tokens.map(|it| lines(&it, client, Told::Request))),
        (Book::Uses, uses.map(|it| lines(&it, client, Told::Use))),
        (Book::Changes, changes),
    ]
}

fn lines(log: &[u8], client: &str, told: Told) -> Vec<Line> {
    let filled = log.split(|it| *it == b'\n').map(<[u8]>::trim_ascii).filter(|it| !it.is_empty());
    let records = filled.filter_map(|it| Record::parse(it).ok());
    let mine = records.filter(|it| (it.told() == Told::Use) == (told == Told::Use));
    let line = mine.filter_map(|it| {
        Some(Line {
            time: it.time?,
            granted: it.granted,
            named: it.client_id.as_deref() == Some(client),
            action: it.action.unwrap_or_default().chars().take(80).collect(),
        })
    });
    line.take(LINES_MAX).collect()
}

/// The acts that were caused as they should be.
fn acts(transcript: &Transcript) -> Vec<Found> {
    let caused = transcript.facts("act").filter(|it| it.value["caused"] == true);
    caused.filter_map(|it| serde_json::from_value(it.value.clone()).ok()).collect()
}

/// The acts that no line tells of.
fn missing<'a>(acts: &'a [Found], books: &BTreeMap<Book, &[Line]>) -> Vec<&'a Found> {
    let mut missing = Vec::new();
    for book in Book::ALL {
        let mine: Vec<&Found> = acts.iter().filter(|it| it.book == book).collect();
        let lines = books.get(&book).copied().unwrap_or_default();
        let told = pair(&mine, lines);
        missing.extend(mine.iter().zip(told).filter(|it| it.1.is_none()).map(|it| *it.0));
    }
    missing
}

fn decide(transcript: &Transcript, acts: &[Found]) -> Judgement {
    for (label, sentence) in [
        ("platform", "the platform could not be asked"),
        ("copy", "no copy of the client could be made"),
    ] {
        if let Some(error) = transcript.fact(label).and_then(|it| it.get("error")?.as_str()) {
            return Judgement::inconclusive(sentence).observed(error);
        }
    }
    if acts.len() < ACTS_MIN {
        return Judgement::inconclusive(format!(
            "only {} of {ACTS_MIN} different acts could be caused",
            acts.len()
        ))
        .observed(not_caused(transcript));
    }
    let mut read: BTreeMap<Book, Vec<Line>> = BTreeMap::new();
    for book in Book::ALL.into_iter().filter(|book| acts.iter().any(|it| it.book == *book)) {
        let fact = transcript.fact(book.label());
        if let Some(error) = fact.and_then(|it| it.get("error")?.as_str()) {
            return Judgement::inconclusive(format!("{} cannot be read", book.words()))
                .observed(error);
        }
        let lines = fact.and_then(|it| serde_json::from_value(it.get("lines")?.clone()).ok());
        let Some(lines) = lines else {
            return Judgement::inconclusive(format!("{} was not read", book.words()));
        };
        read.insert(book, lines);
    }
    let books: BTreeMap<Book, &[Line]> = read.iter().map(|it| (*it.0, it.1.as_slice())).collect();
    let missing = missing(acts, &books);
    let found = format!("{} of {} acts found", acts.len() - missing.len(), acts.len());
    if missing.is_empty() {
        let waited = waited(transcript);
        return Judgement::pass("everything that was done is in the platform's records")
            .observed(format!("{found} after {}", seconds(waited)));
    }
    let names: Vec<&str> = missing.iter().map(|it| it.name.as_str()).collect();
    let observed = format!("{found}; not found: {}", names.join(", "));
    let is_over = transcript.number("max_delay_ms").is_some_and(|it| it <= waited(transcript));
    let is_passed = |it: &&&Found| {
        let lines = books.get(&it.book).copied().unwrap_or_default();
        lines.iter().any(|line| it.ended < line.time)
    };
    if is_over || missing.iter().any(|it| is_passed(&it)) {
        return Judgement::fail("something that was done is not in the platform's records")
            .observed(observed);
    }
    Judgement::inconclusive("the platform's records may still be on their way").observed(observed)
}

/// How long the records were waited for, in milliseconds.
fn waited(transcript: &Transcript) -> u64 {
    let each = Book::ALL.into_iter().filter_map(|it| transcript.fact(it.label()));
    each.filter_map(|it| it.get("waited_ms")?.as_u64()).max().unwrap_or_default()
}

/// How long it took until every act was found; none where one was not.
pub(crate) fn found_after(transcript: &Transcript) -> Option<u64> {
    Book::ALL
        .into_iter()
        .any(|it| transcript.fact(it.label()).is_some())
        .then(|| waited(transcript))
}

fn not_caused(transcript: &Transcript) -> String {
    let text = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
    let other = transcript.facts("act").map(|it| &it.value).filter(|it| it["caused"] != true);
    let each = other.map(|it| format!("{}: {}", text(it, "name"), text(it, "seen")));
    each.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judged, judges, sample};

    fn act(number: i64) -> Value {
        let at = Timestamp::from_millis;
        let book = [Book::Requests, Book::Changes][usize::try_from(number % 2).unwrap()];
        let (began, ended) = (at(number * 100), at(number * 100 + 50));
        let name = format!("act {number}");
        let mut value = json!(Found { name, book, granted: true, began, ended });
        value["caused"] = true.into();
        value
    }

    /// So many acts, and a line for each but some.
    fn sample_of(acts: i64, without: &[i64]) -> Sample {
        let mut sample = sample().setting("max_delay_ms", 300_000);
        for number in 0..acts {
            sample = sample.fact("act", act(number));
        }
        for (label, odd) in [("requests", 0), ("changes", 1)] {
            let told = (0..acts).filter(|it| it % 2 == odd && !without.contains(it));
            let line = |it: i64| Line {
                time: Timestamp::from_millis(it * 100 + 20),
                granted: true,
                action: String::new(),
                named: true,
            };
            let lines: Vec<Line> = told.map(line).collect();
            sample = sample.fact(label, json!({ "lines": lines, "waited_ms": 400 }));
        }
        sample
    }

    #[test]
    fn each_of_ten_acts_has_a_line_of_its_own() {
        let unread = sample_of(10, &[]).fact("act", {
            let mut value = act(10);
            value["book"] = json!(Book::Uses);
            value
        });
        judges(
            &WritesDownEveryAct,
            &[
                ("all of them", sample_of(10, &[]), Pass),
                ("one is missing", sample_of(11, &[4]), Fail),
                ("the last is missing, and may still come", sample_of(10, &[8]), Inconclusive),
                (
                    "the last is missing, and the time is over",
                    sample_of(10, &[8]).setting("max_delay_ms", 400),
                    Fail,
                ),
                ("too few", sample_of(9, &[]), Inconclusive),
                ("a record cannot be read", unread, Inconclusive),
                ("nothing at all", sample(), Inconclusive),
            ],
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let told = |it: Sample| judged(&WritesDownEveryAct, &it).observed;
        insta::assert_snapshot!(told(sample_of(10, &[])), @"10 of 10 acts found after 0.40 s");
        insta::assert_snapshot!(told(sample_of(12, &[4, 7])), @"10 of 12 acts found; not found: act 4, act 7");
    }
}
