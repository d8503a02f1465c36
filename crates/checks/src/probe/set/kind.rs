//! Does it keep security events and access tokens apart?
//!
//! Both are signed tokens of one issuer. A receiver that does not look at the kind takes an access token for an
//! event, and an API that does not takes an event, which many have seen, for an access token.
//!
//! Source: RFC 8417, sections 4.5 to 4.8; RFC 8725, section 3.11; SET-07.

use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;
use serde_json::json;

use super::access::{unless_used, uses};
use super::event::{Event, Maker};
use super::judge::{Case, Wanted, judge, last, placed, words};
use super::visit::{Visit, visit};
use crate::check::{Check, Info, Stage};
use crate::live::ask::Ask;
use crate::talk::Talk;

/// Does it keep security events and access tokens apart?
#[derive(Debug, Clone, Copy)]
pub struct KeepsEventsAndTokensApart;

const CASE: Case = Case {
    wanted: Wanted::Refusal,
    one: "an access token sent as an event",
    none: "no access token sent as an event",
    expected: "a refusal (4xx) both ways, and no effect",
};

#[async_trait::async_trait]
impl Check for KeepsEventsAndTokensApart {
    fn info(&self) -> &'static Info {
        &Info {
            name: "keeps_events_and_tokens_apart",
            case: Some("SET-07"),
            controls: &["CTS-SET-01"],
            question: "Does it keep security events and access tokens apart?",
            sends: "Access tokens of our issuer to the event endpoint, with and without the claims of an event; a right event as bearer token to the canary's call.",
            passes: "The endpoint refuses the tokens and nothing happens; the call refuses the event (401 or 403), and takes the canary's own session before and after.",
            risk: "Whoever has seen an event can call the API with it, or send a token as an event.",
            fix: "Ask `typ` `secevent+jwt` of events and `at+jwt` of access tokens, and refuse everything else.",
            source: "RFC 8417, sections 4.5 to 4.8; RFC 8725, section 3.11; SET-07.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        super::subjects(manifest)
    }

    fn exclusive(&self, subject: &str, manifest: &Manifest) -> Option<String> {
        super::exclusive(subject, manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some(mut visit) = visit(subject, manifest, talk).await else { return };
        visit.run(wrong).await;
        other_way(subject, manifest, &mut visit).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        placed(transcript, judged(transcript).expected(CASE.expected))
    }
}

/// A token for an API, and one that carries what an event carries.
fn wrong(maker: &Maker, _: &Event) -> Option<Vec<(&'static str, Event)>> {
    let token = |name: &str, with_events: bool| {
        let event = maker.right(name)?;
        let mut claims = json!({
            "iss": maker.issuer, "aud": maker.audience, "jti": event.jti, "sub": maker.subject,
            "client_id": "canary", "scope": "read",
            "iat": maker.now.seconds(), "exp": (maker.now + Period::from_seconds(300)).seconds(),
        });
        if with_events {
            claims["events"] = event.claims.get("events")?.clone();
            claims["sub_id"] = event.claims.get("sub_id")?.clone();
        }
        maker.sign(event.jti, maker.key.header("at+jwt"), claims)
    };
    Some(vec![("token", token("token", false)?), ("token-with-events", token("full", true)?)])
}

/// A right event as bearer token, between two uses of the canary's own session.
async fn other_way(subject: &str, manifest: &Manifest, visit: &mut Visit<'_>) {
    let Some((_, event)) = super::subscription(manifest, subject) else { return };
    let Some(canary) = event.stream.as_ref().and_then(|it| it.canary.as_ref()) else {
        let error = "the manifest declares no `stream.canary`: no call can be tried with an event";
        visit.talk.fact("canary", "manifest", json!({ "error": error }));
        return;
    };
    let Some(opened) = visit.open("open", event).await else { return };
    if !uses(visit, event, "access-before", &opened.session).await {
        return;
    }
    let Some(right) = visit.maker.right("bearer") else { return };
    let Some(ask) = Ask::parse(&canary.access) else { return };
    let repeat = format!(
        "curl -i '{}' -H \"authorization: Bearer $SET\"  # $SET: header {}, claims {}, {}",
        ask.url, right.header, right.claims, right.signed
    );
    visit.talk.setting("repeat.bearer", repeat);
    visit.talk.send("bearer", ask.bearer(Some(&right.token)).hostile()).await;
    uses(visit, event, "access-after", &opened.session).await;
}

fn judged(transcript: &Transcript) -> Judgement {
    let one_way = judge(transcript, &CASE);
    let bearer = last(transcript, "bearer");
    if let Some(exchange) = bearer
        && one_way.verdict != Verdict::Fail
        && exchange.answer.is_success()
    {
        let judgement = Judgement::fail("a security event opens the API")
            .observed(format!("{} with an event as bearer token", words(&exchange.answer)));
        return match transcript.text("repeat.bearer") {
            Some(repeat) => judgement.repeat(repeat),
            None => judgement,
        };
    }
    if one_way.verdict != Verdict::Pass {
        return one_way;
    }
    let canary = transcript.fact("canary").and_then(|it| it.get("error")?.as_str());
    if let Some(error) = canary {
        return Judgement::inconclusive("only one way was tried").observed(error);
    }
    for label in ["access-before", "access-after"] {
        if let Some(judgement) = unless_used(transcript, label) {
            return judgement;
        }
    }
    match bearer {
        Some(it) if matches!(it.answer.status(), Some(400 | 401 | 403)) => {
            let observed =
                format!("{}; {} for an event as token", one_way.observed, it.answer.words());
            Judgement { observed, ..one_way }
        }
        it => Judgement::inconclusive("an event as bearer token has no answer that says anything")
            .observed(it.map_or("nothing was sent".to_owned(), |it| words(&it.answer))),
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judges, sample};

    fn seen(token: u16, bearer: u16, session: u16) -> Sample {
        sample()
            .setting("wrong", vec!["token"])
            .answered("control", 202, "")
            .answered("wrong.token", token, "")
            .waited("listen", 10)
            .answered("closing", 202, "")
            .answered("access-before", session, "")
            .answered("bearer", bearer, "")
            .answered("access-after", session, "")
    }

    #[test]
    fn both_ways_are_refused_where_right_ones_are_taken() {
        let table = [
            ("refused", seen(400, 401, 200), Pass),
            ("token taken as event", seen(202, 401, 200), Fail),
            ("event taken as token", seen(400, 200, 200), Fail),
            ("session refused, too", seen(400, 401, 401), Inconclusive),
            ("breaks", seen(400, 500, 200), Inconclusive),
            ("one way", sample().fact("canary", json!({"error": "none"})), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        judges(&KeepsEventsAndTokensApart, &table);
    }
}
