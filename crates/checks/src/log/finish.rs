//! What can be said only when every line was taken in.

use super::finding::{Among, Rule, Wrong};
use super::judge::Judge;
use super::report::{Place, Report};
use super::sequence::Numbers;
use super::tokens::Token;

impl Judge<'_> {
    /// The report, when every line was taken in.
    pub fn finish(mut self) -> Report {
        for at in 0..self.clients.len() {
            self.finish_client(at);
        }
        self.report.cut |= self.tokens.cut;
        for token in self.tokens.take_all() {
            self.orphan(&token);
        }
        self.report.timeline.settle();
        let (sent, missing) = self.canaries.finish();
        self.report.canaries = sent;
        for token in missing {
            let reason = format!("token {token}… of our own request is nowhere in the log");
            self.found(Rule::ShowsEveryCanary, Place::default(), reason);
        }
        self.report
    }

    fn finish_client(&mut self, at: usize) {
        let Some((id, client)) = self.expectation.clients().get(at) else { return };
        let mut seen = self.clients.get_mut(at).map(std::mem::take).unwrap_or_default();
        self.missing_numbers(id, &seen.numbers);
        let mut rate = seen.rate.take();
        if let (Some(rate), Some(limit)) = (rate.as_mut(), self.expectation.max_per_hour) {
            for over in rate.finish().iter().filter(|it| 0 < it.count) {
                let reason = format!("more than {limit} requests in an hour (max_per_hour)");
                let wrong = Wrong { rule: Rule::KeepsItsRate, reason: reason.into() };
                let share = &mut self.report.consistent;
                share.good = share.good.saturating_sub(over.count);
                let told = self.wrong_told(wrong, over.place, None, (Among::Requests, over.count));
                self.report.consistent.show(told);
            }
            self.report.cut |= rate.cut;
        }
        self.report.cut |= seen.numbers.cut;
        for scope in seen.unused(client.scopes.len()) {
            let scope = client.scopes.get(scope).map(String::as_str).unwrap_or_default();
            let days = super::seen::UNUSED_AFTER;
            self.report.unused.add(1, || format!("{id}: scope `{scope}` not used for {days}"));
        }
        if let Some((from, to)) = seen.silence {
            let silence = to.since(from);
            self.report.silences.push(format!("{id}: no line for {silence}, from {from} to {to}"));
        }
        // What is left is needed to find orphans.
        if let Some(place) = self.clients.get_mut(at) {
            place.first_request = seen.first_request;
        }
    }

    fn missing_numbers(&mut self, client: &str, numbers: &Numbers) {
        for (from, to) in self.marks.missing(client, numbers) {
            let reason = if from == to {
                format!("{client}: number {from} is missing")
            } else {
                format!("{client}: numbers {from} to {to} are missing")
            };
            let wrong = Wrong { rule: Rule::LosesNoNumber, reason: reason.into() };
            let count = (to - from).saturating_add(1);
            let told = self.wrong_told(wrong, Place::default(), None, (Among::Log, count));
            self.report.gaps.add(count, || told);
        }
    }

    /// A token may have been issued before the log begins; later on its request has to be there.
    pub(super) fn orphan(&mut self, token: &Token) {
        let begins = self.clients.iter().filter_map(|it| it.first_request).min();
        let Some(first) = token.first_use.filter(|_| !token.is_issued) else { return };
        let longest = self.expectation.longest_life();
        if begins.is_some_and(|it| it + longest < first.time) && !self.tokens.cut {
            let reason = "a token is used, and its request is nowhere in the log";
            self.found(Rule::WasIssued, first.place, reason.to_owned());
        }
    }
}
