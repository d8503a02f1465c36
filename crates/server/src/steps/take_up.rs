//! What a crash or a failing platform left unfinished is taken up again: paths that are not proven,
//! credentials that two people had destroyed, cuts that have to be given back.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::id::{IntegrationId, RevocationId};
use countersign_model::registry::Record;
use countersign_model::revoke::PathState;
use countersign_model::time::{Period, Timestamp};
use futures_util::{StreamExt as _, stream};

use super::after::{carry_out, give_back, is_to_destroy};
use super::revoke;
use crate::app::App;

/// The first pause after something failed.
const PAUSE_MIN: Period = Period::from_seconds(1);
/// The longest pause: it never gives up, since what is not proven may still admit.
const PAUSE_MAX: Period = Period::from_seconds(60);
/// How many pieces are tried at the same time.
const AT_ONCE_MAX: usize = 8;

/// When each piece of unfinished work is tried next.
#[derive(Debug)]
pub struct Agenda {
    next: BTreeMap<String, (Timestamp, Period)>,
    pauses: (Period, Period),
}

impl Default for Agenda {
    fn default() -> Self {
        Self::with_pauses(PAUSE_MIN, PAUSE_MAX)
    }
}

impl Agenda {
    /// With a first pause, and a longest one.
    pub(super) fn with_pauses(first: Period, longest: Period) -> Self {
        Self { next: BTreeMap::new(), pauses: (first, longest) }
    }

    pub(super) fn is_due(&self, work: &str, now: Timestamp) -> bool {
        self.next.get(work).is_none_or(|it| it.0 <= now)
    }

    /// Notes that something was tried; the next pause is twice as long.
    pub(super) fn tried(&mut self, work: &str, now: Timestamp) {
        let (first, longest) = self.pauses;
        let pause = self
            .next
            .get(work)
            .map_or(first, |it| Period::from_seconds(it.1.seconds() * 2).min(longest));
        self.next.insert(work.to_owned(), (now + pause, pause));
    }

    pub(super) fn keep(&mut self, is_open: impl Fn(&str) -> bool) {
        self.next.retain(|name, _| is_open(name));
    }
}

/// One piece of unfinished work.
#[derive(Debug)]
struct Piece {
    name: String,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Destroy(RevocationId),
    Prove(RevocationId),
    Restore(IntegrationId),
}

impl Piece {
    async fn take_up(self, app: &App) -> String {
        let done = match &self.work {
            Work::Prove(it) => revoke::retry(app, it).await.map(drop),
            Work::Destroy(it) => carry_out(app, it).await.map(drop),
            Work::Restore(it) => give_back(app, it.as_str()).await.map(drop),
        };
        if let Err(error) = done {
            tracing::warn!(work = self.name, %error, "it stays unfinished");
        }
        self.name
    }
}

/// What is unfinished about one integration, each under its own name.
fn unfinished(record: &Record, now: Timestamp) -> Vec<Piece> {
    let mut open = Vec::new();
    let mut add = |word: &str, id: &str, work| {
        open.push(Piece { name: format!("{word} {id}"), work });
    };
    if let Some(it) = &record.withdrawal {
        let unproven = it.receipts.values().any(|it| it.state != PathState::Proven);
        if it.is_active(now) && unproven && !it.destroyed {
            add("prove", it.id.as_str(), Work::Prove(it.id.clone()));
        }
        if is_to_destroy(it) {
            add("destroy", it.id.as_str(), Work::Destroy(it.id.clone()));
        }
    }
    if record.gives_back(now) {
        add("restore", record.id.as_str(), Work::Restore(record.id.clone()));
    }
    open
}

/// Takes up everything that is unfinished and whose turn has come; how many pieces it tried.
pub async fn look(app: &App, agenda: &mut Agenda) -> usize {
    let published = app.book.published();
    let now = app.clock.now();
    let mut names = BTreeSet::new();
    let mut due = Vec::new();
    for record in published.registry.integrations.values() {
        // Whoever withdrew it may still wait for its proofs.
        let in_hand = record.withdrawal.as_ref().is_some_and(|it| app.busy.is_at(it.id.as_str()));
        for piece in unfinished(record, now) {
            names.insert(piece.name.clone());
            if !in_hand && agenda.is_due(&piece.name, now) {
                due.push(piece.take_up(app));
            }
        }
    }
    agenda.keep(|it| names.contains(it));
    let tried: Vec<String> = stream::iter(due).buffer_unordered(AT_ONCE_MAX).collect().await;
    let now = app.clock.now();
    for name in &tried {
        agenda.tried(name, now);
    }
    tried.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_no_further() {
        let mut agenda = Agenda::default();
        let mut now = Timestamp::from_seconds(0);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            agenda.tried("prove", now);
            let (next, pause) = agenda.next["prove"];
            assert!(!agenda.is_due("prove", now) && agenda.is_due("prove", next));
            pauses.push(pause.seconds());
            now = next;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        agenda.keep(|_| false);
        assert!(agenda.is_due("prove", Timestamp::from_seconds(0)));
    }
}
