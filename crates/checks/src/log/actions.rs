//! Is everything that was done with its tokens in its own log, and tied to a token that was issued?
//!
//! A log of tokens says who came in; only a log of actions says what they did. Each call that the platform let through has to
//! join a token in its record, and a line of the partner's with the same token, action and resource. Lines that are lost
//! with their whole token are another check's finding.
//!
//! Source: NIST SP 800-53r5, AU-6(3), AU-12(1), AU-10; policy: the profile's join rate.

use std::collections::{HashMap, HashSet};

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Timestamp;
use serde_json::json;

use super::attributable::manifest_with;
use super::join::{records, told};
use super::observe::{Line, Need, Observed, found_fact, observe};
use super::record::{Record, Told};
use super::report::Share;
use super::rules::Expectation;
use super::tokens::{Key, key};
use super::verdict::{bound, counted, judge_shares};
use crate::check::{Check, Info, Stage};
use crate::granted::clients;
use crate::talk::Talk;

/// Is everything that was done with its tokens in its own log, and tied to a token that was issued?
#[derive(Debug, Clone, Copy)]
pub struct RecordsEveryActionOfTheAccount;

#[async_trait::async_trait]
impl Check for RecordsEveryActionOfTheAccount {
    fn info(&self) -> &'static Info {
        &Info {
            name: "records_every_action_of_the_account",
            case: None,
            controls: &["CTS-LOG-02"],
            question: "Is everything that was done with its tokens in its own log, and tied to a token that was issued?",
            sends: "The partner is asked for its published keys, to see that it is there. The test tenant's logs of token requests and of token uses and the partner's own log are read, over the declared observation.",
            passes: "The observation is long enough, and the share of all calls that the profile asks for is tied to a token that was issued, and has a line with the same token, action and resource in the partner's own log. Without calls nothing passes.",
            risk: "We see that something happened, and cannot say who did it or why.",
            fix: "Write a line for every call, with the id of the token that it used, whatever came of it.",
            source: "NIST SP 800-53r5, AU-6(3), AU-10, AU-12(1); policy.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Afterwards
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        manifest_with(clients(manifest).next().is_some())
    }

    async fn talk(&self, _subject: &str, manifest: &Manifest, talk: &mut Talk) {
        talk.figure("CTS-LOG-02.join_rate");
        let now = talk.now();
        let Some(observed) = observe(talk, manifest, Need::Both).await else { return };
        let Ok(expectation) = Expectation::compile(manifest) else {
            talk.fact(
                "declared",
                "manifest",
                json!({ "error": "the declared use cannot be read" }),
            );
            return;
        };
        let report = observed.platform_report(&expectation);
        let joined = issued(&observed);
        let fact = json!({
            "joined": super::observe::share_fact(&joined), "cut": report.cut,
            "unreadable": found_fact(&report.unreadable),
        });
        talk.fact("platform", "log", fact);
        let fact = match (&observed.own, observed.own_report(&expectation)) {
            (Ok(own), Some(report)) => {
                let fields = &manifest.logging.fields;
                let told = Detail::of(fields);
                let recorded =
                    Recorded::of(&observed, own, (told, now - manifest.logging.max_delay));
                json!({
                    "recorded": super::observe::share_fact(&recorded.share),
                    "unknown_tokens": recorded.unknown, "late": recorded.late,
                    "unreadable": found_fact(&report.unreadable),
                })
            }
            (own, _) => json!({ "error": own.as_ref().err() }),
        };
        talk.fact("own", "log", fact);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let bound = bound(transcript, "CTS-LOG-02.join_rate");
        let expected = format!("{bound} of all calls tied to their token, and in its own log");
        let demands = [
            ("platform", "joined", "calls tied to a token that was issued"),
            ("own", "recorded", "calls in it"),
        ];
        let failed = |label: &str, missing| {
            let calls = counted(missing, "call is", "calls are");
            match label {
                "own" => format!("{calls} missing in its own log"),
                _ => format!("{calls} tied to no token that was issued"),
            }
        };
        let seen = match judge_shares(transcript, &bound, &demands, failed) {
            Err(judgement) => return judgement.expected(expected),
            Ok(it) => it,
        };
        let number = |label: &str, pointer: &str| {
            transcript.fact(label).and_then(|it| it.pointer(pointer)?.as_u64()).unwrap_or_default()
        };
        if number("platform", "/joined/all") == 0 || number("own", "/recorded/all") == 0 {
            return Judgement::inconclusive("there is no call whose line could be looked for")
                .observed(format!(
                    "{} calls in the platform's log, {} of them with a token that its own log knows",
                    number("platform", "/joined/all"),
                    number("own", "/recorded/all"),
                ))
                .expected(expected);
        }
        Judgement::pass("everything that was done is in its own log")
            .observed(seen)
            .expected(expected)
    }
}

/// How much a line of the partner's own log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// What was done, and with what.
    Action,
    /// The token alone.
    Token,
}

impl Detail {
    fn of(fields: &[String]) -> Self {
        let tells = |it: &String| ["action", "method", "path", "resource"].contains(&it.as_str());
        if fields.iter().any(tells) { Self::Action } else { Self::Token }
    }
}

/// Calls with a token that the platform wrote down.
fn issued(observed: &Observed) -> Share {
    let issued: HashSet<Key> = records(&observed.tokens).filter_map(key).collect();
    let mut share = Share::default();
    for record in calls(observed) {
        let known = key(record).is_some_and(|it| issued.contains(&it));
        share.count((!known).then(|| named(record)));
    }
    share
}

/// Calls with a token that the partner's log knows.
#[derive(Debug, Default)]
struct Recorded {
    share: Share,
    /// Calls with a token that it does not know at all.
    unknown: u64,
    late: u64,
}

impl Recorded {
    fn of(observed: &Observed, own: &[Line], (detail, due): (Detail, Timestamp)) -> Self {
        let mut recorded = Self::default();
        let mut book = book(own);
        let mut known: Vec<(&Record<'_>, bool)> = Vec::new();
        for record in calls(observed) {
            match key(record).and_then(|it| book.get_mut(&it)) {
                None => recorded.unknown += 1,
                Some(_) if detail == Detail::Token => known.push((record, true)),
                Some(lines) => known.push((record, takes(lines, record))),
            }
        }
        known.sort_by_key(|it| it.0.time);
        let last = known.iter().rposition(|it| it.1);
        for (index, (record, is_there)) in known.iter().enumerate() {
            let is_tail = last.is_none_or(|it| it < index);
            if !is_there && is_tail && record.time.is_some_and(|it| due < it) {
                recorded.late += 1;
            } else {
                recorded.share.count((!is_there).then(|| named(record)));
            }
        }
        recorded
    }
}

/// Action and resource of each line of the partner's, by token.
type Book<'a> = HashMap<Key, Vec<(&'a str, &'a str)>>;

fn book(own: &[Line]) -> Book<'_> {
    let mut book: Book<'_> = HashMap::new();
    for record in records(own) {
        let Some(key) = key(record) else { continue };
        let lines = book.entry(key).or_default();
        if record.told() == Told::Use {
            lines.push((
                record.action.as_deref().unwrap_or_default(),
                record.resource.as_deref().unwrap_or_default(),
            ));
        }
    }
    book
}

/// Takes the line of this call away: the same method and path, else one whose words are the partner's own.
fn takes(lines: &mut Vec<(&str, &str)>, call: &Record<'_>) -> bool {
    let method = call.action.as_deref().unwrap_or_default();
    let path = call.resource.as_deref().unwrap_or_default();
    let bare = |it: &str| it.split(['?', '#']).next().unwrap_or_default().to_owned();
    let same =
        lines.iter().position(|it| it.0.eq_ignore_ascii_case(method) && bare(it.1) == bare(path));
    let is_own_word = |it: &str| !METHODS.iter().any(|method| method.eq_ignore_ascii_case(it));
    let own = || lines.iter().position(|it| is_own_word(it.0));
    same.or_else(own).map(|it| lines.swap_remove(it)).is_some()
}

fn calls(observed: &Observed) -> impl Iterator<Item = &Record<'_>> {
    records(&observed.access).filter(|it| it.granted && !observed.is_before(it))
}

fn named(record: &Record<'_>) -> String {
    let call = format!(
        "{} {}",
        record.action.as_deref().unwrap_or_default(),
        record.resource.as_deref().unwrap_or_default()
    );
    let call: String = call.chars().filter(|it| !it.is_control()).take(120).collect();
    format!("{}: {call}", told(record.client_id.as_deref().unwrap_or_default(), record))
}

const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::observe::parsed;
    use crate::log::tests::{down, short, undeclared, window};
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::Value;

    fn share(good: u64, all: u64) -> Value {
        json!({"good": good, "all": all, "failing": ["a: token t-1…: GET /v1/users/7"]})
    }

    fn with(joined: u64, recorded: u64) -> Sample {
        let none = json!({"count": 0, "first": []});
        window()
            .setting("CTS-LOG-02.join_rate", "99.5%")
            .fact("platform", json!({"joined": share(joined, 200), "unreadable": none}))
            .fact("own", json!({"recorded": share(recorded, 200), "unreadable": none}))
    }

    #[test]
    fn every_call_is_written_down() {
        let empty = json!({"recorded": share(0, 0), "unreadable": {"count": 0, "first": []}});
        let table = [
            ("right", with(200, 200), Pass),
            ("inside the rate", with(199, 200), Pass),
            ("tied to no token", with(190, 200), Fail),
            ("not written down", with(200, 100), Fail),
            ("own log away", with(200, 200).fact("own", down()), Inconclusive),
            ("own log knows no token", with(200, 200).fact("own", empty), Inconclusive),
            ("too few", with(200, 200).fact("window", short(3)), Inconclusive),
            ("none at all", with(200, 200).fact("window", undeclared(0)), Inconclusive),
            ("platform down", with(200, 200).fact("window", down()), Inconclusive),
            ("cut off", window(), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&RecordsEveryActionOfTheAccount, &table);
        let judgement = judged(&RecordsEveryActionOfTheAccount, &table[3].1);
        insta::assert_snapshot!(judgement.sentence, @"100 calls are missing in its own log");
        insta::assert_snapshot!(judgement.observed, @"the own log: 100 of 200 calls in it (50.0 %)");
        insta::assert_snapshot!(judged(&RecordsEveryActionOfTheAccount, &table[5].1).observed, @"200 calls in the platform's log, 0 of them with a token that its own log knows");
    }

    #[test]
    fn a_line_is_joined_by_its_call_or_by_a_word_of_its_own() {
        let call = |text: &str| parsed(text.as_bytes()).remove(0).record.unwrap();
        let get = call(r#"{"method":"GET","path":"/v1/users/7"}"#);
        let mut lines = vec![("GET", "/v1/users/7?fields=name"), ("POST", "/v1/tickets")];
        assert!(takes(&mut lines, &get), "whatever the query");
        assert!(!takes(&mut lines, &get), "each line joins once, and another call none");
        let mut words = vec![("user.read", "7")];
        assert!(takes(&mut words, &get) && !takes(&mut words, &get));
    }
}
