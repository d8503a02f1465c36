//! Is it stopped when it asks for far more tokens than it declared?
//!
//! A thief takes everything at once. The manifest says how many tokens it asks for in an hour; a copy of the
//! client asks as fast as it can, and has to be stopped before twice that number. A number that is too large
//! to be reached politely is tried on a copy with a small ceiling of its own, and the ceiling of the real
//! client is read at the platform: it may be twice the declared one at most.
//!
//! Source: policy; OWASP NHI3:2025; NIST SP 800-53r5, SC-5 (CTS-SCP-06).

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Identity;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::check::Info;
use crate::platform::by_hand::{admin, token_request};
use crate::platform::{AdminAct, CopyTerms, TokenAnswer, TokenRequest};
use crate::probe::acting::{Acting, Scene};
use crate::probe::token::{error, number, status};

/// Is it stopped when it asks for far more tokens than it declared?
pub(crate) const STOPS_AT_ITS_CEILING: Acting = Acting {
    info: &Info {
        name: "stops_at_its_ceiling",
        case: Some("ACC-03"),
        controls: &["CTS-SCP-06", "CTS-LOG-05"],
        question: "Is it stopped when it asks for far more tokens than it declared?",
        sends: "As a throw-away copy of the client: token requests, one after the other, up to twice `declared_use.max_per_hour`, or up to twice a small ceiling that the copy was given.",
        passes: "It is throttled (429) or refused before twice the ceiling, and the ceiling of the real client is at most twice the declared number.",
        risk: "A thief copies the whole data set before anybody notices.",
        fix: "Set a quota for the client at the platform, as large as `declared_use.max_per_hour`.",
        source: "Policy; OWASP NHI3:2025; NIST SP 800-53r5, SC-5.",
    },
    looks_at: |manifest: &Manifest, _: &Identity| declared(manifest).is_some(),
    play,
    judge,
};

fn declared(manifest: &Manifest) -> Option<u32> {
    manifest.declared_use.as_ref().and_then(|it| it.max_per_hour)
}

fn play(scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let Scene { talk, platform, manifest, identity } = scene;
        let Some(declared) = declared(manifest) else { return };
        let client = identity.client_id();
        talk.setting("place", "declared_use.max_per_hour");
        talk.setting("declared", declared);
        let set = platform.tokens_per_hour(client).await;
        talk.heard("set", set, |it| json!({ "tokens_per_hour": it, "limited": it.is_some() }));
        let small = SMALL.min(declared);
        let terms = CopyTerms { tokens_per_hour: Some(small), ..CopyTerms::default() };
        let copy = match platform.copy_client_on(client, &terms).await {
            Err(it) if it.is_unable() && declared <= POLITE_MAX => {
                talk.setting("ceiling", declared);
                talk.copy_client(platform, client).await
            }
            Ok(it) => {
                talk.undo_later(crate::undo::Undo::DeleteCopy(it.client_id.clone()));
                talk.setting("ceiling", small);
                talk.heard("copy", Ok(it), |it| json!({ "client": it.client_id, "of": client }))
            }
            refused => talk.heard("copy", refused, |_| json!({})),
        };
        let Some(copy) = copy else { return };
        let make = admin(platform, AdminAct::Copy(client));
        let ask = token_request(platform, &copy.client_id);
        talk.setting("repeat", format!("{make}; then, until it is refused, {ask}"));
        let ceiling = talk.transcript().number("ceiling").unwrap_or_default();
        let mut granted = 0;
        for _ in 0..=ceiling.saturating_mul(2) {
            let answer = platform.request_token(&copy, &TokenRequest::default()).await;
            for token in
                answer.iter().flat_map(|it| it.access_token.iter().chain(&it.refresh_token))
            {
                talk.hide(token);
            }
            if answer.as_ref().is_ok_and(|it| it.access_token.is_some()) {
                granted += 1;
                continue;
            }
            let show = |it: &TokenAnswer| json!({ "status": it.status, "code": it.error });
            talk.heard("stopped", answer, show);
            break;
        }
        talk.fact("asked", "platform", json!({ "granted": granted }));
    })
}

fn judge(transcript: &Transcript) -> Judgement {
    let declared = transcript.number("declared").unwrap_or_default();
    decide(transcript, declared).expected(format!(
        "stopped before twice the ceiling; a ceiling of at most {}",
        declared * 2
    ))
}

fn decide(transcript: &Transcript, declared: u64) -> Judgement {
    let set = transcript.fact("set");
    let unlimited =
        error(set).is_none() && set.and_then(|it| it.get("limited")) == Some(&Value::Bool(false));
    let per_hour = number(set, "tokens_per_hour");
    if unlimited || per_hour.is_some_and(|it| declared.saturating_mul(2) < it) {
        let observed =
            per_hour.map_or("none is set".to_owned(), |it| format!("{it} an hour are set"));
        return Judgement::fail("its ceiling is far above what it declared")
            .observed(format!("{observed}; {declared} are declared"));
    }
    let (Some(ceiling), Some(granted)) =
        (transcript.number("ceiling"), number(transcript.fact("asked"), "granted"))
    else {
        let why = transcript.fact("copy").or(transcript.fact("platform"));
        return Judgement::inconclusive("the ceiling could not be reached politely")
            .observed(format!("{}; a copy with a small ceiling of its own would do", status(why)));
    };
    if granted == 0 {
        return Judgement::inconclusive("a copy of the client did not get a token")
            .observed(status(transcript.fact("stopped")));
    }
    let stopped = transcript.fact("stopped");
    let whose = if ceiling < declared {
        format!("a copy with a ceiling of {ceiling}, in place of the {declared} that are declared")
    } else {
        format!("the declared ceiling of {declared}")
    };
    if stopped.is_none() && ceiling.saturating_mul(2) < granted {
        return Judgement::fail("nobody stops it at twice its ceiling")
            .observed(format!("{granted} tokens in a row; {whose}"));
    }
    if !matches!(number(stopped, "status"), Some(400 | 401 | 403 | 429)) {
        return Judgement::inconclusive("the platform neither gave a token nor refused it")
            .observed(format!("{} after {granted} tokens", status(stopped)));
    }
    if ceiling < declared && per_hour.is_none() {
        return Judgement::inconclusive("it is not known which ceiling the real client has")
            .observed(format!(
                "{} after {granted} tokens; {whose}; {}",
                status(stopped),
                status(set)
            ));
    }
    Judgement::pass("it is stopped at its ceiling").observed(format!(
        "{} after {granted} tokens; {whose}{}",
        status(stopped),
        per_hour.map_or(String::new(), |it| format!("; {it} are set for the real client")),
    ))
}

/// The ceiling that a copy is given.
const SMALL: u32 = 10;
/// A declared number up to this is tried as it is.
const POLITE_MAX: u32 = 150;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn seen(set: &Value, granted: u64, stopped: Option<u16>) -> Sample {
        let sample = sample()
            .setting("declared", 120)
            .setting("ceiling", 10)
            .fact("set", set.clone())
            .fact("asked", json!({ "granted": granted }));
        stopped
            .into_iter()
            .fold(sample, |sample, it| sample.fact("stopped", json!({ "status": it })))
    }

    #[test]
    fn who_asks_for_too_much_is_stopped() {
        let set = |it: u64| json!({ "tokens_per_hour": it, "limited": true });
        let none = json!({ "tokens_per_hour": null, "limited": false });
        let down = json!({ "error": "it gives no way to do that" });
        let real = seen(&down, 120, Some(429)).setting("ceiling", 120);
        let table = [
            ("throttled", seen(&set(120), 10, Some(429)), Pass),
            ("blocked before", seen(&set(120), 7, Some(400)), Pass),
            ("throttled at the declared one", real, Pass),
            ("never stopped", seen(&set(120), 21, None), Fail),
            ("set too high", seen(&set(1440), 10, Some(429)), Fail),
            ("none set", seen(&none, 10, Some(429)), Fail),
            ("breaks", seen(&set(120), 10, Some(500)), Inconclusive),
            ("goes away", seen(&set(120), 10, None).fact("stopped", down.clone()), Inconclusive),
            ("not known for the real one", seen(&down, 10, Some(429)), Inconclusive),
            ("no token at all", seen(&set(120), 0, Some(401)), Inconclusive),
            ("too large", sample().setting("declared", 120).fact("copy", down), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&STOPS_AT_ITS_CEILING, &table);
        let judgement = judged(&STOPS_AT_ITS_CEILING, &table[0].1);
        insta::assert_snapshot!(judgement.observed, @"HTTP 429 after 10 tokens; a copy with a ceiling of 10, in place of the 120 that are declared; 120 are set for the real client");
        let judgement = judged(&STOPS_AT_ITS_CEILING, &table[3].1);
        insta::assert_snapshot!(judgement.observed, @"21 tokens in a row; a copy with a ceiling of 10, in place of the 120 that are declared");
    }
}
