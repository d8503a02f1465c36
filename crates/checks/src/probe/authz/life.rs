//! Whether a token lives, and how soon it is dead.

use countersign_model::time::Period;
use serde_json::json;

use super::party::Party;
use super::visit::Visit;
use crate::live::ask::{Ask, Received};

/// Whether a token lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It opens what it opened.
    Alive,
    /// It is refused.
    Dead,
    /// Nobody says.
    Unclear,
}

impl Life {
    /// What an answer of a resource, or of introspection, says.
    fn of(by: Option<&str>, answer: &Received) -> Self {
        let active = || answer.json()?.get("active")?.as_bool();
        Self::read(by, answer.status, active)
    }

    /// The same, of what was written down.
    pub(crate) fn read(by: Option<&str>, status: u16, active: impl Fn() -> Option<bool>) -> Self {
        let success = (200..300).contains(&status);
        match by {
            Some("introspection") if !success => Self::Unclear,
            Some("introspection") => match active() {
                Some(true) => Self::Alive,
                Some(false) => Self::Dead,
                None => Self::Unclear,
            },
            _ if success => Self::Alive,
            _ if matches!(status, 401 | 403) => Self::Dead,
            _ => Self::Unclear,
        }
    }
}

impl Visit<'_> {
    /// How soon a token that was revoked has to be refused: the profile's figure, or what is declared
    /// where that is shorter.
    pub(crate) fn limit(&mut self) -> Period {
        let profile = self.talk.figure("CTS-TOK-04.max_seconds").map(Period::from_seconds);
        let limit = profile.map_or(self.deny_within, |it| it.min(self.deny_within));
        self.talk.setting("limit_ms", limit.millis());
        limit
    }

    /// The request that shows whether a token lives: a call that accepts it, else introspection.
    fn life(&mut self, party: &Party, token: &str) -> Option<(Ask, String)> {
        if let Some(it) = &self.server.resource {
            self.talk.setting("life_by", "resource");
            return Some((it.ask(token), it.by_hand()));
        }
        let endpoint = self.endpoint("introspection_endpoint")?;
        self.talk.setting("life_by", "introspection");
        let form = self.proved(party, &endpoint, &[("token", token)])?;
        Some((form.ask(), form.by_hand()))
    }

    /// Looks whether a token lives.
    pub(crate) async fn look(&mut self, label: &str, party: &Party, token: &str) -> Option<Life> {
        let (ask, by_hand) = self.life(party, token)?;
        self.talk.setting(&format!("repeat.{label}"), by_hand);
        let answer = self.talk.send(label, ask).await;
        Some(Life::of(self.talk.transcript().text("life_by"), &answer))
    }

    /// Looks until a token is dead or the time is over, and says how long that took.
    pub(crate) async fn until_dead(
        &mut self,
        label: &str,
        (party, token): (&Party, &str),
        limit: Period,
    ) -> Option<u64> {
        let every = (limit.millis() / 50).clamp(EVERY_MS.0, EVERY_MS.1);
        let start = self.talk.stopwatch_ms();
        // Each try is made anew: the assertion of a client counts once.
        let (refused, after_ms) = loop {
            let life = self.look(label, party, token).await?;
            let after_ms = self.talk.stopwatch_ms().saturating_sub(start);
            if life == Life::Dead || limit.millis() <= after_ms {
                break (life == Life::Dead, after_ms);
            }
            self.talk.pause(label, Period::from_millis(every)).await;
        };
        let fact = json!({ "dead": refused, "after_ms": after_ms });
        self.talk.fact(&format!("{label}-end"), "server", fact);
        refused.then_some(after_ms)
    }
}

/// How soon a token is tried again, at least and at most.
const EVERY_MS: (u64, u64) = (50, 1_000);
