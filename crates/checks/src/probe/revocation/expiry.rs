//! Does a token end when it says, even if it is used all the time?
//!
//! A lifetime is written on the token; whether anybody looks at it is another question, and some platforms
//! begin anew at each use, so that a stolen token that is kept busy never ends. A copy of the client gets two
//! tokens: one lies idle until it has ended, the other is used all the time. Both have to be refused after
//! their end. Nobody can wait for the whole life of a real token, so the copy is given a short one where the
//! platform can do that; the verdict says so.
//!
//! Source: RFC 9068, section 4; policy; the break-in at Crossbeam in 2023 (CTS-CRD-02).

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::manifest::Environment;
use countersign_model::time::Period;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::check::Info;
use crate::platform::by_hand::{api_call, call, token_request};
use crate::platform::{CopyTerms, PlatformError, TokenRequest};
use crate::probe::acting::{
    Acting, Actor, Scene, begin_as, every_client, no_actor, not_ordinary, ordinary,
};
use crate::probe::token::{error, mint, number, spend};
use crate::undo::Undo;

/// Does a token end when it says, even if it is used all the time?
pub(crate) const ENDS_TOKENS_WHEN_DECLARED: Acting = Acting {
    info: &Info {
        name: "ends_tokens_when_declared",
        case: Some("REV-08"),
        controls: &["CTS-CRD-02"],
        question: "Does a token end when it says, even if it is used all the time?",
        sends: "As a throw-away copy of the client whose tokens live for a short time: one token lies idle until after its end, another is used all the time; both are presented after it.",
        passes: "Both are refused after their end, with no more than the allowed difference of clocks (60 s, or 2 s in a sandbox).",
        risk: "A stolen token works long after the theft, for as long as the thief keeps it busy.",
        fix: "Hold the end of a token against the clock at each use, and let no use move it.",
        source: "RFC 9068, section 4; policy.",
    },
    looks_at: every_client,
    play,
    judge,
};

fn play(mut scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let is_sandbox = scene.manifest.environment == Environment::Sandbox;
        let skew = Period::from_seconds(scene.talk.figure("CTS-CRD-02.skew_seconds").unwrap_or(60));
        let (skew, life, longest) = if is_sandbox {
            (skew.min(SANDBOX_SKEW), SANDBOX_LIFE, SANDBOX_LIFE_MAX)
        } else {
            (skew, LIFE, LIFE_MAX)
        };
        let life = life.min(scene.identity.max_token_ttl);
        scene.talk.setting("skew_ms", skew.millis());
        scene.talk.setting("declared_ms", scene.identity.max_token_ttl.millis());
        let Some(actor) = short_lived(&mut scene, life).await else { return };
        let Some(life) = actor.life else { return };
        let life = Period::from_seconds(life);
        scene.talk.setting("life_ms", life.millis());
        if longest < life {
            let why = format!(
                "its tokens live for {life}, which is longer than a run may wait ({longest})"
            );
            scene.talk.fact("too-long", "platform", json!({ "error": why }));
            return;
        }
        let repeat = format!(
            "{}; then {}, again and again until {skew} after `expires_in`",
            token_request(scene.platform, &actor.copy.client_id),
            api_call(scene.platform, &call(&actor.call.method, &actor.call.path), &[]),
        );
        scene.talk.setting("repeat", repeat);
        let request = TokenRequest::default();
        let busy = mint(scene.talk, scene.platform, &actor.copy, ("busy.minted", &request)).await;
        let Some(busy) = busy.and_then(|it| it.access_token) else { return };
        // The later moment: whatever is taken after it is taken too late.
        let start = scene.talk.stopwatch_ms();
        ordinary(&mut scene, &actor, "control").await;
        until_ended(&mut scene, &actor, &busy, (start, life, skew)).await;
        let again =
            mint(scene.talk, scene.platform, &actor.copy, ("closing.minted", &request)).await;
        if let Some(token) = again.and_then(|it| it.access_token) {
            spend(scene.talk, scene.platform, (&token, &actor.call), ("closing", None)).await;
        }
    })
}

/// A copy whose tokens live for a short time; one as it is where the platform makes no such copy.
async fn short_lived(scene: &mut Scene<'_>, life: Period) -> Option<Actor> {
    let client = scene.identity.client_id();
    let terms = CopyTerms { token_life_seconds: Some(life.seconds()), ..CopyTerms::default() };
    let copy = scene.platform.copy_client_on(client, &terms).await;
    scene.talk.setting("shortened", copy.is_ok());
    let copy = match copy {
        Err(it) if PlatformError::is_unable(&it) => scene.platform.copy_client(client).await,
        other => other,
    };
    if let Ok(it) = &copy {
        scene.talk.undo_later(Undo::DeleteCopy(it.client_id.clone()));
    }
    let copy =
        scene.talk.heard("copy", copy, |it| json!({ "client": it.client_id, "of": client }))?;
    begin_as(scene, copy).await
}

/// Uses the one all the time and the other after its end, until both are refused or it is too late.
async fn until_ended(
    scene: &mut Scene<'_>,
    actor: &Actor,
    busy: &str,
    (start, life, skew): (u64, Period, Period),
) {
    let every = Period::from_millis((life.millis() / USES).clamp(USE_EVERY_MS.0, USE_EVERY_MS.1));
    let too_late = life.millis() + skew.millis();
    let mut uses = 0_u64;
    let (mut busy_ended, mut idle_ended) = (false, false);
    loop {
        let after_ms = scene.talk.stopwatch_ms().saturating_sub(start);
        if !busy_ended {
            let (came, seen) = attempt(scene, actor, busy).await;
            busy_ended = came == SHUT || too_late < after_ms;
            uses += u64::from(came == OPEN);
            if busy_ended {
                let ended =
                    json!({ "came": came, "seen": seen, "after_ms": after_ms, "uses": uses });
                scene.talk.fact("busy", "platform", ended);
            }
        }
        if !idle_ended && life.millis() < after_ms {
            let (came, seen) = attempt(scene, actor, &actor.token).await;
            idle_ended = came == SHUT || too_late < after_ms;
            if idle_ended {
                let ended = json!({ "came": came, "seen": seen, "after_ms": after_ms });
                scene.talk.fact("idle", "platform", ended);
            }
        }
        if busy_ended && idle_ended {
            return;
        }
        scene.talk.pause("use", every).await;
    }
}

async fn attempt(scene: &Scene<'_>, actor: &Actor, token: &str) -> (&'static str, String) {
    let call = &actor.call;
    match scene.platform.use_token(token, &call.method, &call.path, None).await {
        Ok(it) => {
            let came = match it.status {
                401 | 403 => SHUT,
                407 | 408 | 429 | 500.. => UNCLEAR,
                _ => OPEN,
            };
            (came, format!("HTTP {}", it.status))
        }
        Err(it) => (UNCLEAR, it.source.to_string()),
    }
}

fn judge(transcript: &Transcript) -> Judgement {
    let skew = Period::from_millis(transcript.number("skew_ms").unwrap_or_default());
    decide(transcript)
        .expected(format!("both refused after their end, within {skew} for clocks that differ"))
}

fn decide(transcript: &Transcript) -> Judgement {
    if let Some(it) = no_actor(transcript) {
        return it;
    }
    if let Some(why) = error(transcript.fact("too-long")) {
        return Judgement::inconclusive("nobody can wait for the end of its tokens")
            .observed(format!("{why}; a copy with a shorter life would do"));
    }
    let Some(life) = transcript.number("life_ms").map(Period::from_millis) else {
        return Judgement::inconclusive("the platform does not say how long its tokens live")
            .observed("no `expires_in`");
    };
    if let Some(it) = not_ordinary(transcript, "control") {
        return it;
    }
    let (idle, busy) = (transcript.fact("idle"), transcript.fact("busy"));
    let told = |fact: Option<&Value>| {
        let after = Period::from_millis(number(fact, "after_ms").unwrap_or_default());
        format!("{} after {after}", text(fact, "seen"))
    };
    let whose = whose(transcript, life);
    if text(idle, "came") == OPEN {
        return Judgement::fail("a token works after its end")
            .observed(format!("{}; {whose}", told(idle)));
    }
    if text(busy, "came") == OPEN {
        return Judgement::fail("a token that is used all the time does not end").observed(
            format!(
                "{}, {} calls; an idle one: {}; {whose}",
                told(busy),
                number(busy, "uses").unwrap_or_default(),
                told(idle),
            ),
        );
    }
    if text(idle, "came") != SHUT || text(busy, "came") != SHUT {
        let odd = if text(idle, "came") == SHUT { busy } else { idle };
        return Judgement::inconclusive(
            "the platform neither refused a token after its end nor took it",
        )
        .observed(told(odd));
    }
    if number(busy, "uses").is_none_or(|it| it < 2) {
        return Judgement::inconclusive("the token that was to be used all the time did not work")
            .observed(told(busy));
    }
    if let Some(it) = not_ordinary(transcript, "closing") {
        return it;
    }
    Judgement::pass("tokens end when they say, used or not").observed(format!(
        "idle: {}; in use, {} calls: {}; {whose}",
        told(idle),
        number(busy, "uses").unwrap_or_default(),
        told(busy)
    ))
}

/// Whose life it is that was waited for.
fn whose(transcript: &Transcript, life: Period) -> String {
    let declared = Period::from_millis(transcript.number("declared_ms").unwrap_or_default());
    if transcript.settings.get("shortened") == Some(&Value::Bool(true)) {
        return format!("the life was shortened to {life} for a copy, in place of {declared}");
    }
    format!("its tokens live for {life}; {declared} are declared")
}

fn text<'a>(fact: Option<&'a Value>, member: &str) -> &'a str {
    fact.and_then(|it| it.get(member)?.as_str()).unwrap_or_default()
}

const OPEN: &str = "open";
const SHUT: &str = "shut";
const UNCLEAR: &str = "unclear";
/// How long the tokens of a copy live, and the longest life that is waited for without such a copy.
const LIFE: Period = Period::from_seconds(60);
const LIFE_MAX: Period = Period::from_seconds(15 * 60);
/// The same in a sandbox, where windows are seconds; and how far its clocks may differ.
const SANDBOX_LIFE: Period = Period::from_seconds(2);
const SANDBOX_LIFE_MAX: Period = Period::from_seconds(10);
const SANDBOX_SKEW: Period = Period::from_seconds(2);
/// How often the busy token is used in its life, and the shortest and longest time between.
const USES: u64 = 8;
const USE_EVERY_MS: (u64, u64) = (100, 10_000);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::acting::acting;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn ended(came: &str, after_ms: u64) -> Value {
        let seen = if came == OPEN { "HTTP 200" } else { "HTTP 401" };
        json!({ "came": came, "seen": seen, "after_ms": after_ms, "uses": 9 })
    }

    fn seen(idle: &Value, busy: &Value) -> Sample {
        acting()
            .setting("skew_ms", 2_000)
            .setting("life_ms", 2_000)
            .setting("declared_ms", 600_000)
            .setting("shortened", true)
            .fact("idle", idle.clone())
            .fact("busy", busy.clone())
            .fact("closing", json!({ "status": 200 }))
    }

    #[test]
    fn used_or_not_a_token_ends() {
        let shut = ended(SHUT, 2_110);
        let down = json!({ "error": "it cannot be reached" });
        let unused = json!({ "came": SHUT, "seen": "HTTP 401", "after_ms": 10, "uses": 0 });
        let table = [
            ("both refused", seen(&shut, &shut), Pass),
            ("idle taken", seen(&ended(OPEN, 4_020), &shut), Fail),
            ("sliding", seen(&shut, &ended(OPEN, 4_020)), Fail),
            ("breaks", seen(&ended(UNCLEAR, 4_020), &shut), Inconclusive),
            ("never worked", seen(&shut, &unused), Inconclusive),
            ("dead afterwards", seen(&shut, &shut).fact("closing", down.clone()), Inconclusive),
            (
                "too long",
                seen(&shut, &shut).fact("too-long", json!({"error": "10m"})),
                Inconclusive,
            ),
            ("says no life", acting(), Inconclusive),
            ("platform down", sample().fact("copy", down), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&ENDS_TOKENS_WHEN_DECLARED, &table);
        let judgement = judged(&ENDS_TOKENS_WHEN_DECLARED, &table[0].1);
        insta::assert_snapshot!(judgement.observed, @"idle: HTTP 401 after 2110ms; in use, 9 calls: HTTP 401 after 2110ms; the life was shortened to 2s for a copy, in place of 10m");
        let judgement = judged(&ENDS_TOKENS_WHEN_DECLARED, &table[2].1);
        insta::assert_snapshot!(judgement.sentence, @"a token that is used all the time does not end");
    }
}
