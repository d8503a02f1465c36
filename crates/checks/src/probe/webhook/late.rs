//! The same message once more, just before its window ends: whether the receiver still knows its id.
//!
//! The signature is the one of the first time, so nothing but the memory of the receiver can keep it
//! from having its effect again.

use countersign_model::check::Judgement;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::scheme::WebhookError;
use serde_json::json;

use super::canary::Message;
use super::hear::Visit;
use super::judge::{Case, effects, is_answer, right, unanswered, with_details};
use super::view::View;

/// How long before the end of the window the message comes again.
const BEFORE_END_MS: u64 = 1_000;
/// The name under which it is sent.
const NAME: &str = "late.same-message";

/// How long after it was signed a message comes again, in milliseconds: a second before the window
/// ends, or half-way where there is no such second.
fn moment_ms(window_seconds: i64) -> u64 {
    let window_ms = u64::try_from(window_seconds).unwrap_or(0).saturating_mul(1_000);
    if 2 * BEFORE_END_MS <= window_ms { window_ms - BEFORE_END_MS } else { window_ms / 2 }
}

impl Visit<'_> {
    /// Waits until the window of a message is nearly over, sends it again, and listens. Where it had
    /// more than one effect before, or nothing shows effects, nobody has to wait.
    pub(super) async fn late(
        &mut self,
        control: &Message,
        signed_at: Timestamp,
    ) -> Result<(), WebhookError> {
        let view = View(self.talk.transcript());
        let is_settled = 1 < view.effects("control").unwrap_or(0)
            || view.object_changed()
            || (!view.has_oracle() && view.names().into_iter().any(|it| view.is_accepted(it)));
        let is_alive = view.0.exchange("closing").is_some_and(|it| it.answer.is_success());
        if is_settled || !is_alive {
            return Ok(());
        }
        // Signed is the second, not the part of it that had passed.
        let signed_ms = signed_at.seconds().saturating_mul(1_000);
        let since = |now: Timestamp| u64::try_from(now.millis().saturating_sub(signed_ms));
        let passed_ms = since(self.talk.now()).unwrap_or(0);
        let wait_ms = moment_ms(self.workshop.window_seconds).saturating_sub(passed_ms);
        self.talk.pause("late", Period::from_millis(wait_ms)).await;
        let before = self.version("late-quiet").await;
        let ask = self.workshop.ask(control).hostile();
        self.talk.send(NAME, ask).await;
        let after_ms = since(self.talk.now()).unwrap_or(0);
        self.talk.fact("late", "check", json!({ "after_ms": after_ms }));
        self.talk.pause("late-listen", self.listen).await;
        let after = self.look("late-effects", control, &[]).await;
        self.workshop.now = self.talk.now();
        let closing = self.workshop.right("late-closing")?;
        let last = after.or(before);
        let shown = self.right("late-closing", &closing, last.as_deref()).await;
        if let Some(Some(answer)) = shown
            && !self.is_object()
        {
            self.count("late-effects", &answer, control, &[]);
        }
        Ok(())
    }
}

/// What is wrong with a late repetition, or with our sending it.
pub(super) fn judged(view: &View<'_>, case: &Case) -> Option<Judgement> {
    let Some(exchange) = view.0.exchange(NAME) else {
        let sentence = "the check did not send what it wanted to send";
        return Some(
            Judgement::inconclusive(sentence).observed("nothing was sent as its window ended"),
        );
    };
    if let Some(seen) = again(view) {
        let sentence = format!("{} takes effect again before its window ends", case.one);
        let judgement = Judgement::fail(sentence).observed(format!("{seen}, {}", when(view)));
        return Some(with_details(view, judgement, Some("same-message")));
    }
    // Without that moment nobody knows whether it was inside.
    if after_ms(view).is_none_or(|it| window_ms(view) < it) {
        return Some(
            Judgement::inconclusive("it came again only after its window had ended")
                .observed(when(view))
                .expected("a repetition inside the window"),
        );
    }
    if !is_answer(&exchange.answer) {
        return Some(unanswered(case.one, "the late repetition", &exchange.answer));
    }
    if !view.has_oracle() && exchange.answer.is_success() {
        return Some(
            Judgement::inconclusive("whether it took effect again cannot be seen")
                .observed(words(view))
                .expected("`[effects]` in the manifest, or a refusal")
                .status_only(),
        );
    }
    let (waited, wanted) =
        (view.0.waited_ms("late-listen"), view.0.number("listen_ms").unwrap_or(0));
    if waited < wanted {
        return Some(
            Judgement::inconclusive("nobody listened long enough for a late effect")
                .observed(format!("{waited} ms"))
                .expected(format!("{wanted} ms")),
        );
    }
    if view.has_oracle()
        && (view.fact("late-effects").is_none() || view.error("late-effects").is_some())
    {
        let error = view.error("late-effects").unwrap_or("they were not read");
        return Some(Judgement::inconclusive("the effects cannot be read").observed(error));
    }
    right(view, "late-closing")
}

/// What a late repetition led to, where it led to anything.
fn again(view: &View<'_>) -> Option<String> {
    if view.is_object() {
        let (quiet, after) = (view.version("late-quiet")?, view.version("late-effects")?);
        return (quiet != after).then(|| "the canary object changed again".to_owned());
    }
    let facts = view.0.facts("late-effects");
    let most = facts.filter_map(|it| it.value.get("control")?.as_u64()).max()?;
    (1 < most).then(|| effects(most))
}

/// The late repetition in words, with how long after it was signed it came.
pub(super) fn words(view: &View<'_>) -> String {
    let answer = view.0.exchange(NAME).map_or("not sent".to_owned(), |it| it.answer.words());
    format!("{answer} for the same message {}", when(view))
}

fn when(view: &View<'_>) -> String {
    let tenths = after_ms(view).unwrap_or(0) / 100;
    format!(
        "again {}.{} s after it was signed, with a window of {} s",
        tenths / 10,
        tenths % 10,
        window_ms(view) / 1_000
    )
}

fn after_ms(view: &View<'_>) -> Option<u64> {
    view.fact("late")?.get("after_ms")?.as_u64()
}

fn window_ms(view: &View<'_>) -> u64 {
    view.0.number("window_seconds").unwrap_or(0).saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_a_second_before_the_window_ends() {
        for (window, expected) in
            [(300, 299_000), (5, 4_000), (2, 1_000), (1, 500), (0, 0), (-1, 0)]
        {
            assert_eq!(moment_ms(window), expected, "{window}");
        }
    }
}
