//! Which act is told by which line: pure, so that whoever judges again finds the same.

use countersign_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How far the platform's clock may be from ours.
const APART_MS_MAX: u64 = 5_000;

/// The record that tells of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Book {
    /// Of what administrators changed.
    Changes,
    /// Of token requests.
    Requests,
    /// Of token uses.
    Uses,
}

impl Book {
    pub(super) const ALL: [Self; 3] = [Self::Requests, Self::Uses, Self::Changes];

    /// The label of its fact.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Requests => "requests",
            Self::Uses => "uses",
        }
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Changes => "the record of changes",
            Self::Requests => "the record of token requests",
            Self::Uses => "the record of token uses",
        }
    }
}

/// Something that was done, and has to be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) book: Book,
    /// Whether it was granted.
    pub(super) granted: bool,
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
}

/// One line of a record about the copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) time: Timestamp,
    pub(super) granted: bool,
    /// What it says was done.
    #[serde(default)]
    pub(super) action: String,
    /// Whether it names who did it.
    pub(super) named: bool,
}

/// The line of each act, by its place; none where there is none that names who it was. Each line tells
/// one act: the pairs that lie closest in time come first, so that a line that is missing is missed
/// where it should be.
pub(super) fn pair(acts: &[&Found], lines: &[Line]) -> Vec<Option<usize>> {
    let mut pairs: Vec<(u64, usize, usize)> = Vec::new();
    for (place, act) in acts.iter().enumerate() {
        for (number, line) in lines.iter().enumerate() {
            let apart = apart(act, line.time);
            if line.named && line.granted == act.granted && apart <= APART_MS_MAX {
                pairs.push((apart, place, number));
            }
        }
    }
    pairs.sort_unstable();
    let mut told = vec![None; acts.len()];
    let mut taken = vec![false; lines.len()];
    for (_, place, number) in pairs {
        if let (Some(slot @ None), Some(it @ false)) = (told.get_mut(place), taken.get_mut(number))
        {
            *slot = Some(number);
            *it = true;
        }
    }
    told
}

/// How far a line is from an act, in milliseconds.
fn apart(act: &Found, time: Timestamp) -> u64 {
    if time < act.began {
        act.began.since(time).millis()
    } else if act.ended < time {
        time.since(act.ended).millis()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(name: &str, granted: bool, began: i64, ended: i64) -> Found {
        let at = Timestamp::from_millis;
        Found {
            name: name.to_owned(),
            book: Book::Requests,
            granted,
            began: at(began),
            ended: at(ended),
        }
    }

    fn line(ms: i64, granted: bool) -> Line {
        Line { time: Timestamp::from_millis(ms), granted, action: String::new(), named: true }
    }

    #[test]
    fn the_act_without_a_line_is_the_one_that_is_missed() {
        let acts = [act("one", true, 0, 10), act("two", true, 20, 30), act("no", false, 40, 50)];
        let acts: Vec<&Found> = acts.iter().collect();
        let table = [
            (vec![line(5, true), line(25, true), line(45, false)], "0 1 2"),
            (vec![line(25, true), line(45, false)], "- 0 1"),
            (vec![line(5, true), line(45, false)], "0 - 1"),
            (vec![line(5, true), line(25, true), line(45, true)], "0 1 -"),
            (vec![Line { named: false, ..line(5, true) }, line(45, false)], "- - 1"),
            (vec![line(9_000, true)], "- - -"),
            (vec![], "- - -"),
        ];
        for (lines, expected) in table {
            let told = pair(&acts, &lines).into_iter();
            let told = told.map(|it| it.map_or("-".to_owned(), |it| it.to_string()));
            assert_eq!(told.collect::<Vec<_>>().join(" "), expected, "{lines:?}");
        }
    }
}
