//! The client revokes its own token, at the revocation endpoint (RFC 7009).

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;
use serde_json::json;

use super::label;
use crate::live::ask::Received;
use crate::probe::authz::{Life, Party, Side, Visit};
use crate::talk::Talk;

/// The word of this way.
pub(super) const WAY: &str = "revocation-endpoint";
/// The setting that says that this way was begun.
pub(super) const PLAYED: &str = "self_revoked";
/// The setting that says that there is no administrator whom we could ask.
pub(super) const PARTNER: &str = "partner_server";
/// For how long at least the token is used on after the first refusal.
const WATCH_MS_MIN: u64 = 1_500;
/// How often it is used in that time.
const WATCHED: u64 = 6;

/// A server of the partner's that revokes nothing by itself is not asked.
pub(super) fn not_applicable(transcript: &Transcript) -> Option<Judgement> {
    let lacks = transcript.text("lacks") == Some("revocation_endpoint");
    (lacks && transcript.settings.contains_key(PARTNER))
        .then(|| Judgement::not_applicable("the server publishes no `revocation_endpoint`"))
}

/// Plays this way, where the server knows it.
pub(super) async fn play(subject: &str, manifest: &Manifest, talk: &mut Talk) {
    let is_platform = crate::granted::identity(manifest, subject).is_some();
    if !is_platform {
        talk.setting(PARTNER, true);
        talk.setting(PLAYED, true);
    }
    // Without such a way to our own platform, its administrators' ways are what is left.
    let reach = talk.means().and_then(|it| it.platform.as_ref()?.reach());
    if is_platform && reach.is_none() {
        return;
    }
    let Some(mut visit) = Visit::open(subject, manifest, talk).await else { return };
    let limit = visit.limit();
    if visit.endpoint("revocation_endpoint").is_none() {
        return;
    }
    debug_assert_eq!(is_platform, visit.server.side == Side::Platform);
    visit.talk.setting(PLAYED, true);
    let Some(party) = visit.party(|_| true).await else { return };
    round(&mut visit, &party, limit).await;
}

async fn round(visit: &mut Visit<'_>, party: &Party, limit: Period) {
    let name = |it: &str| label(WAY, it);
    let tokens = visit.tokens("revocable", party).await;
    let fact = json!({ "status": status(visit, "revocable"), "granted": tokens.is_some() });
    visit.talk.fact(&name("minted"), "server", fact);
    let Some(tokens) = tokens else { return };
    let Some(life) = visit.look("revocable-use", party, &tokens.access).await else { return };
    let fact = json!({ "status": status(visit, "revocable-use"), "admitted": life == Life::Alive });
    visit.talk.fact(&name("control"), "server", fact);
    let introspects = visit.server.endpoint("introspection_endpoint").is_some();
    introspect(visit, party, &tokens.access, "active", introspects).await;
    let Some(answer) = visit.revoke("revocation", party, &tokens.access).await else { return };
    let done = if answer.is_success() {
        json!({ "done": true })
    } else {
        json!({ "error": answer.words() })
    };
    visit.talk.fact(&name("revoked"), "server", done);
    if !answer.is_success() {
        return;
    }
    let start = visit.talk.stopwatch_ms();
    let dead = visit.until_dead("revoked-use", (party, &tokens.access), limit).await;
    let after_ms = dead.unwrap_or_else(|| visit.talk.stopwatch_ms().saturating_sub(start));
    let words = visit.talk.transcript().exchange("revoked-use").map(|it| it.answer.words());
    let fact = json!({ "refused": dead.is_some(), "after_ms": after_ms, "answer": words });
    visit.talk.fact(&name("ended"), "server", fact);
    watch(visit, party, &tokens.access, watched_ms(limit, after_ms)).await;
    introspect(visit, party, &tokens.access, "inactive", introspects).await;
}

/// Twice the limit would be right where the limit is all that is known; the first refusal says more.
fn watched_ms(limit: Period, after_ms: u64) -> u64 {
    (after_ms * 3).max(WATCH_MS_MIN).min(limit.millis().saturating_mul(2))
}

/// Uses it on after the first refusal: what comes back was never gone.
async fn watch(visit: &mut Visit<'_>, party: &Party, token: &str, watched_ms: u64) {
    for _ in 0..WATCHED {
        visit.talk.pause("watch", Period::from_millis(watched_ms / WATCHED)).await;
        let Some(life) = visit.look("watched-use", party, token).await else { return };
        let fact = json!({
            "status": status(visit, "watched-use"), "admitted": life == Life::Alive,
        });
        visit.talk.fact(&label(WAY, "again"), "server", fact);
    }
}

/// What introspection says; where there is none, what the use of the token has shown.
async fn introspect(visit: &mut Visit<'_>, party: &Party, token: &str, name: &str, asks: bool) {
    let active = |it: &Received| it.json().and_then(|it| it.get("active")?.as_bool());
    let value = if asks && !party.is_public() {
        match visit.introspect(&format!("revocable-{name}"), party, token).await {
            Some(it) => match active(&it) {
                Some(active) => json!({ "active": active }),
                None => json!({ "error": it.words() }),
            },
            None => return,
        }
    } else {
        json!({ "active": name == "active", "by": "use" })
    };
    visit.talk.fact(&label(WAY, name), "server", value);
}

fn status(visit: &Visit<'_>, label: &str) -> Option<u16> {
    visit.talk.transcript().exchange(label)?.answer.status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_token_is_watched_for_a_bounded_time() {
        let five = Period::from_seconds(5);
        assert_eq!(watched_ms(five, 0), 1_500);
        assert_eq!(watched_ms(five, 1_000), 3_000);
        assert_eq!(watched_ms(five, 5_000), 10_000);
        assert_eq!(watched_ms(Period::from_millis(200), 0), 400);
    }
}
