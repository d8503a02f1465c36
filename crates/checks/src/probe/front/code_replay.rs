//! Does a code count once, and do its tokens die when it comes again?
//!
//! A code that comes twice was stolen by somebody. Nobody can tell who came first, so nothing that it gave may live.
//! We redeem a code, redeem it again, and look at the first token.
//!
//! Source: RFC 6749, section 4.1.2; FAPI 2.0 Security Profile, section 5.3.2.1; OAU-06.

use countersign_model::check::{Exchange, Judgement, Transcript};
use countersign_model::time::Period;
use serde_json::json;

use super::flow::{Request, code, redeem, right};
use crate::check::{Info, Stage};
use crate::probe::authz::read::{body, granted, no_control, nobody, refuses_grant, words};
use crate::probe::authz::{Guest, ServerCheck, Visit};

/// Does a code count once, and do its tokens die when it comes again?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "ends_tokens_of_replayed_code",
        case: Some("OAU-06"),
        controls: &["CTS-AUT-03"],
        question: "Does a code count once, and do its tokens die when it comes again?",
        sends: "A code that is redeemed, then the same code again, then uses of the first token until it is refused; and a right code at the end.",
        passes: "The second time is refused with invalid_grant, and the first token is refused within `deny_within` of the manifest, 60 s at most.",
        risk: "Whoever steals a code from a log or a history gets tokens with it, and keeps them.",
        fix: "Keep a redeemed code until it would have ended; when it comes again, refuse it and revoke what it gave.",
        source: "RFC 6749, section 4.1.2; FAPI 2.0 Security Profile, section 5.3.2.1.",
    },
    stage: Stage::Probe,
    subjects: super::subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge,
};

async fn talk(visit: &mut Visit<'_>) {
    let Some(guest) = visit.guest(&[]).await else { return };
    let Some(request) = Request::right(&guest) else { return };
    let Some(code) = code(visit, "control", &guest, &request).await else { return };
    let pair = (code.as_str(), request.verifier.as_str());
    let Some(access) = redeem(visit, "control", &guest, pair).await else { return };
    let oracle = oracle(visit, &guest);
    visit.talk.setting("oracle", oracle);
    look(visit, "before", &guest, (oracle, &access)).await;
    redeem(visit, "wrong.again", &guest, pair).await;
    if oracle != "none" {
        watch(visit, &guest, (oracle, &access)).await;
    }
    right(visit, "closing", &guest).await;
}

/// Looks at a token until it is dead, or the time is over.
async fn watch(visit: &mut Visit<'_>, guest: &Guest, token: (&str, &str)) {
    let limit = visit.deny_within.min(Period::from_seconds(LIMIT_SECONDS));
    visit.talk.setting("limit_ms", limit.millis());
    let every = Period::from_millis((limit.millis() / 20).clamp(100, 2_000));
    let start = visit.talk.stopwatch_ms();
    loop {
        let dead = look(visit, "after", guest, token).await;
        let spent = visit.talk.stopwatch_ms().saturating_sub(start);
        visit.talk.fact("after", "clock", json!({ "ms": spent }));
        if dead || limit.millis() <= spent {
            return;
        }
        visit.talk.pause("after", every).await;
    }
}

/// What shows whether a token is alive.
fn oracle(visit: &Visit<'_>, guest: &Guest) -> &'static str {
    if visit.server.resource.is_some() {
        "resource"
    } else if visit.server.endpoint("introspection_endpoint").is_some() && !guest.party.is_public()
    {
        "introspection"
    } else {
        "none"
    }
}

/// Uses a token, or asks about it; whether it is dead.
async fn look(
    visit: &mut Visit<'_>,
    label: &str,
    guest: &Guest,
    (oracle, token): (&str, &str),
) -> bool {
    match oracle {
        "resource" => {
            let Some(it) = visit.server.resource.clone() else { return false };
            visit.talk.setting(&super::flow::repeat(label), it.by_hand());
            drop(visit.talk.send(label, it.ask(token)).await);
        }
        "introspection" => drop(visit.introspect(label, &guest.party, token).await),
        _ => return false,
    }
    visit.talk.transcript().exchange(label).is_some_and(|it| alive(it) == Some(false))
}

/// Whether an answer shows a live token; none where it shows nothing.
fn alive(exchange: &Exchange) -> Option<bool> {
    if let Some(active) = body(exchange).and_then(|it| it.get("active")?.as_bool()) {
        return Some(active);
    }
    match exchange.answer.status()? {
        401 | 403 => Some(false),
        // Without a right, or without the thing asked for, the token was still taken.
        200..=299 | 400 | 404 | 409 | 422 => Some(true),
        _ => None,
    }
}

fn judge(transcript: &Transcript) -> Judgement {
    judged(transcript).expected("invalid_grant, and the first token refused in time")
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(it) = nobody(transcript) {
        return it;
    }
    let seen = |label: &'static str| transcript.exchange(label);
    let repeat = |judgement: Judgement, name: &str| match transcript.text(&format!("repeat.{name}"))
    {
        Some(it) => judgement.repeat(it),
        None => judgement,
    };
    if !seen("control").is_some_and(granted) {
        return no_control(transcript, "control", "a right code");
    }
    let Some(again) = seen("wrong.again") else {
        return Judgement::inconclusive("the code was not sent a second time");
    };
    if granted(again) {
        let judgement = Judgement::fail("a code is redeemed twice").observed(words(again));
        return repeat(judgement, "again");
    }
    if !refuses_grant(again) {
        return Judgement::inconclusive("a replayed code has no answer that says anything")
            .observed(words(again));
    }
    let has_oracle = transcript.text("oracle").is_some_and(|it| it != "none");
    if has_oracle && seen("before").and_then(alive) != Some(true) {
        return no_control(transcript, "before", "a token of a code");
    }
    let after = seen("after").and_then(alive);
    let ms = transcript.fact("after").and_then(|it| it.get("ms")?.as_u64()).unwrap_or_default();
    if has_oracle && after == Some(true) {
        let judgement = Judgement::fail("the tokens of a replayed code stay alive")
            .observed(format!("the first token still works {ms} ms after the replay"));
        return repeat(judgement, "after");
    }
    if has_oracle && after.is_none() {
        return Judgement::inconclusive("nothing shows whether the first token is dead")
            .observed(seen("after").map_or("nothing".to_owned(), words));
    }
    if !seen("closing").is_some_and(granted) {
        return no_control(transcript, "closing", "a right code afterwards");
    }
    let pass = Judgement::pass("a code counts once, and a replay ends its tokens");
    if !has_oracle {
        return pass.observed(format!("{} the second time", words(again))).status_only();
    }
    pass.observed(format!(
        "{} the second time; the first token is dead after {ms} ms",
        words(again)
    ))
}

/// The criterion's own limit; a manifest may promise less.
const LIMIT_SECONDS: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    const TOKEN: &str = r#"{"access_token":"[secret 0]"}"#;
    const NO: &str = r#"{"error":"invalid_grant"}"#;

    fn seen(again: u16, after: u16, closing: u16) -> Sample {
        let text = |status| if status == 200 { TOKEN } else { NO };
        sample()
            .setting("oracle", "resource")
            .setting("repeat.after", "curl after")
            .answered("control", 200, TOKEN)
            .answered("before", 200, "{}")
            .answered("wrong.again", again, text(again))
            .answered("after", after, "{}")
            .fact("after", json!({"ms": 210}))
            .answered("closing", closing, text(closing))
    }

    #[test]
    fn a_replay_ends_what_the_code_gave() {
        let inactive = |active: bool| {
            let text = json!({ "active": active }).to_string();
            sample()
                .setting("oracle", "introspection")
                .answered("control", 200, TOKEN)
                .answered("before", 200, r#"{"active":true}"#)
                .answered("wrong.again", 400, NO)
                .answered("after", 200, &text)
                .answered("closing", 200, TOKEN)
        };
        let table = [
            ("right", seen(400, 401, 200), Pass),
            ("inactive", inactive(false), Pass),
            ("no oracle", seen(400, 401, 200).setting("oracle", "none"), Pass),
            ("redeemed twice", seen(200, 401, 200), Fail),
            ("the token lives on", seen(400, 200, 200), Fail),
            ("still active", inactive(true), Fail),
            ("broken", seen(500, 401, 200), Inconclusive),
            ("broken resource", seen(400, 500, 200), Inconclusive),
            ("gone afterwards", seen(400, 401, 400), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        assert!(judged(&CHECK, &table[2].1).status_only);
        let judgement = judged(&CHECK, &table[4].1);
        insta::assert_snapshot!(judgement.sentence, @"the tokens of a replayed code stay alive");
        insta::assert_snapshot!(judgement.observed, @"the first token still works 210 ms after the replay");
        assert_eq!(judgement.repeat.as_deref(), Some("curl after"));
    }
}
