//! Do authorization requests come from the client itself, once and in time?
//!
//! What goes through the browser can be changed there. A client that pushes its request before leaves
//! nothing to change, as long as what it pushed counts once, soon, and for nobody else.
//!
//! Source: RFC 9126, sections 2.1, 2.2, 4, 5 and 6; OAU-14.

use countersign_model::check::{Exchange, Judgement, Transcript};
use countersign_model::time::Period;
use serde_json::Value;

use super::flow::{Request, code_of, open, open_pairs, send};
use super::seen::{given, refused as told};
use crate::check::{Info, Stage};
use crate::platform::FrontTrait;
use crate::probe::authz::read::{body, nobody};
use crate::probe::authz::{Form, Guest, ServerCheck, Visit};
use crate::probe::refusal::{self, Refusals};

/// Do authorization requests come from the client itself, once and in time?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "binds_pushed_requests",
        case: Some("OAU-14"),
        controls: &["CTS-AUT-04"],
        question: "Do authorization requests come from the client itself, once and in time?",
        sends: "Between two right pushed requests: one through the browser alone, where the client has to push; a reference that was used; one of another client; one that has ended; and a push without proof of the client.",
        passes: "Each is refused, and a reference lives less than 600 s. A server that offers no pushed requests, and whose metadata demands none, is not asked.",
        risk: "A request that was changed in the browser signs a user in for somebody else's purpose.",
        fix: "Offer pushed requests, demand them, let a reference count once and for its client alone, and end it within a minute.",
        source: "RFC 9126, sections 2.1, 2.2, 4 and 6; FAPI 2.0 Security Profile, section 5.3.2.2.",
    },
    stage: Stage::Probe,
    subjects: super::subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge,
};

const CASE: Refusals = Refusals {
    one: "an authorization request that the client did not push, or not for this",
    none: "no authorization request that the client did not push",
    expected: "an error each time, and references that live less than 600 s",
    taken,
    refused,
    breaking_fails: false,
};
const ENDPOINT: &str = "pushed_authorization_request_endpoint";
const DEMANDS: &str = "require_pushed_authorization_requests";
const FIGURE: &str = "CTS-AUT-04.request_uri_seconds_lt";

fn is_push(exchange: &Exchange) -> bool {
    exchange.label.ends_with("unproved-push")
}

fn taken(exchange: &Exchange) -> bool {
    if is_push(exchange) { exchange.answer.is_success() } else { given(exchange) }
}

fn refused(exchange: &Exchange) -> bool {
    if is_push(exchange) { refusal::no(exchange) } else { told(exchange) }
}

async fn talk(visit: &mut Visit<'_>) {
    visit.talk.figure(FIGURE);
    let Some(endpoint) = visit.endpoint(ENDPOINT) else { return };
    let Some(guest) = visit.pushing_guest().await else { return };
    let other = visit.guest_if_any(&[FrontTrait::Public]).await;
    let demands = guest.must_push
        || visit.server.metadata.get(DEMANDS).and_then(Value::as_bool) == Some(true);
    let mut wrong = vec!["used", "ended"];
    wrong.extend(demands.then_some("not-pushed"));
    wrong.extend((!guest.party.is_public()).then_some("unproved-push"));
    wrong.extend(other.as_ref().map(|_| "of-another-client"));
    visit.talk.setting("wrong", wrong.clone());
    let Some(used) = right(visit, &endpoint, "control", &guest).await else { return };
    follow(visit, "wrong.used", &guest, (&guest, &used)).await;
    if wrong.contains(&"not-pushed")
        && let Some(request) = Request::right(&guest)
    {
        open(visit, "wrong.not-pushed", &guest, &request).await;
    }
    if wrong.contains(&"unproved-push")
        && let Some(request) = Request::right(&guest)
    {
        let form = request
            .pairs()
            .into_iter()
            .fold(Form::new(&endpoint), |it, (name, value)| it.with(name, value));
        visit.talk.setting("repeat.unproved-push", form.by_hand());
        send(visit, "wrong.unproved-push", &form).await;
    }
    if let Some(other) = &other
        && let Some(pushed) = push(visit, &endpoint, "pushed-for-other", &guest).await
    {
        follow(visit, "wrong.of-another-client", &guest, (other, &pushed)).await;
    }
    ended(visit, &endpoint, &guest).await;
    right(visit, &endpoint, "closing", &guest).await;
}

/// A reference that has ended: of a copy with short ones, where there can be one.
async fn ended(visit: &mut Visit<'_>, endpoint: &str, guest: &Guest) {
    let short = visit.guest_if_any(&[FrontTrait::ShortLived]).await;
    let guest = short.as_ref().unwrap_or(guest);
    let Some(pushed) = push(visit, endpoint, "pushed-to-end", guest).await else { return };
    let life_ms = pushed.life_seconds.min(LIFE_SECONDS_MAX).saturating_mul(1_000);
    let margin_ms = (life_ms / 4).clamp(100, 1_000);
    visit.talk.pause("ended", Period::from_millis(life_ms.saturating_add(margin_ms))).await;
    follow(visit, "wrong.ended", guest, (guest, &pushed)).await;
}

/// What a server gave for a pushed request.
struct Pushed {
    reference: String,
    life_seconds: u64,
}

/// Pushes a right request as a client.
async fn push(visit: &mut Visit<'_>, endpoint: &str, label: &str, guest: &Guest) -> Option<Pushed> {
    let request = Request::right(guest)?;
    let form = visit.proved(&guest.party, endpoint, &request.pairs())?;
    visit.talk.setting(&format!("repeat.{label}"), form.by_hand());
    let answer = send(visit, label, &form).await;
    let value = answer.json().filter(|_| answer.is_success())?;
    let reference = value.get("request_uri")?.as_str()?.to_owned();
    Some(Pushed { reference, life_seconds: value.get("expires_in")?.as_u64()? })
}

/// Opens what was pushed, with everything right, until a code comes.
async fn right(
    visit: &mut Visit<'_>,
    endpoint: &str,
    label: &str,
    guest: &Guest,
) -> Option<Pushed> {
    let pushed = push(visit, endpoint, &format!("{label}-push"), guest).await?;
    let pairs = [("client_id", guest.party.client_id.as_str()), ("request_uri", &pushed.reference)];
    let stop = open_pairs(visit, label, guest, &pairs).await;
    code_of(visit, guest, &stop).map(|_| pushed)
}

/// Opens a reference as somebody. Its value does not stand in what is to be repeated.
async fn follow(
    visit: &mut Visit<'_>,
    label: &str,
    guest: &Guest,
    (other, pushed): (&Guest, &Pushed),
) {
    let pairs = [("client_id", other.party.client_id.as_str()), ("request_uri", &pushed.reference)];
    open_pairs(visit, label, guest, &pairs).await;
    let name = format!("repeat.{}", label.trim_start_matches("wrong."));
    let by_hand = visit.talk.transcript().text(&name).map(|it| {
        let reference: String =
            url::form_urlencoded::byte_serialize(pushed.reference.as_bytes()).collect();
        let it = it.replace(&reference, "'\"$REQUEST_URI\"'");
        format!("# REQUEST_URI: `request_uri` of the answer to a pushed request\n{it}")
    });
    if let Some(it) = by_hand {
        visit.talk.setting(&name, it);
    }
}

fn judge(transcript: &Transcript) -> Judgement {
    if nobody(transcript).is_none() && lacks(transcript) {
        let metadata = transcript.exchange("metadata").and_then(body);
        let demands = metadata.as_ref().and_then(|it| it.get(DEMANDS)?.as_bool()) == Some(true);
        let observed = format!("its metadata has no `{ENDPOINT}`");
        return match (metadata, demands) {
            (Some(_), false) => {
                Judgement::not_applicable("the server offers no pushed requests, and demands none")
            }
            (Some(_), true) => {
                Judgement::fail("the server demands pushed requests, and offers none")
            }
            (None, _) => Judgement::inconclusive("its metadata could not be read"),
        }
        .observed(observed)
        .expected(CASE.expected);
    }
    let judgement = refusal::judge(transcript, &CASE);
    let limit = transcript.number(FIGURE).unwrap_or(LIFE_SECONDS_MAX);
    let pushed = transcript.exchange("control-push");
    let life = pushed.and_then(body).and_then(|it| it.get("expires_in")?.as_u64());
    match (judgement.verdict, life) {
        (countersign_model::check::Verdict::Pass, Some(it)) if limit <= it => {
            Judgement::fail("what a client pushed lives too long")
                .observed(format!("expires_in {it}"))
                .expected(format!("less than {limit} s"))
                .repeat(transcript.text("repeat.control-push").unwrap_or_default())
        }
        (countersign_model::check::Verdict::Pass, Some(it)) => {
            let observed = format!("{}; a reference lives {it} s", judgement.observed);
            judgement.observed(observed)
        }
        _ => judgement,
    }
}

fn lacks(transcript: &Transcript) -> bool {
    transcript.text("lacks") == Some(ENDPOINT)
}

/// The limit where no profile says, and the longest wait.
const LIFE_SECONDS_MAX: u64 = 600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};
    use serde_json::json;

    const CODE: &str = "https://app.acme.example/back?code=[secret 01]";

    fn seen(life: u64, wrong: impl Fn(Sample) -> Sample) -> Sample {
        let pushed = json!({"request_uri": "[secret 01]", "expires_in": life}).to_string();
        let begun = sample()
            .setting("wrong", vec!["used", "unproved-push"])
            .answered("control-push", 201, &pushed)
            .redirected("control", 302, CODE);
        wrong(begun).redirected("closing", 302, CODE)
    }

    fn answers(used: u16, push: u16) -> impl Fn(Sample) -> Sample {
        move |it| {
            let it = match used {
                302 => it.redirected("wrong.used", 302, CODE),
                other => it.answered("wrong.used", other, "no"),
            };
            it.answered("wrong.unproved-push", push, r#"{"error":"invalid_client"}"#)
        }
    }

    #[test]
    fn what_was_pushed_counts_once_and_soon() {
        let metadata = |demands: bool| {
            let text = json!({"issuer": "i", "require_pushed_authorization_requests": demands});
            sample().answered("metadata", 200, &text.to_string()).setting("lacks", ENDPOINT)
        };
        let table = [
            ("right", seen(60, answers(400, 401)), Pass),
            ("used twice", seen(60, answers(302, 401)), Fail),
            ("pushed by anybody", seen(60, answers(400, 201)), Fail),
            ("lives too long", seen(600, answers(400, 401)), Fail),
            ("broken", seen(60, answers(500, 401)), Inconclusive),
            ("not offered", metadata(false), NotApplicable),
            ("demanded, not offered", metadata(true), Fail),
            ("said without evidence", sample().setting("lacks", ENDPOINT), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[3].1);
        insta::assert_snapshot!(judgement.observed, @"expires_in 600");
    }
}
