//! Does the resource server refuse a token in the address?
//!
//! Addresses stand in logs, histories and referrers. A token that is sent in one is a token that is told. What is sent
//! there is right, so that only its place can be the reason for a refusal; the answer must not hand it on either.
//!
//! Source: RFC 9700, section 4.3.2; RFC 6750, section 2.3; FAPI 2.0 Security Profile, section 5.3.3; OAU-16.

use countersign_model::check::{Exchange, Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use serde_json::json;

use super::bench::Bench;
use super::hear::{every, exclusive, hide, judge, right, subjects};
use crate::check::{Check, Info, Stage};
use crate::live::ask::Ask;
use crate::probe::refusal::{Refusals, no, success};
use crate::talk::Talk;

pub(super) const CHECK: RefusesTokenInQuery = RefusesTokenInQuery;

/// Does the resource server refuse a token in the address?
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefusesTokenInQuery;

const CASE: Refusals = Refusals {
    one: "a token in the address",
    none: "no token in the address",
    expected: "401, 403 or 400, and an answer without the token",
    taken: success,
    refused,
    breaking_fails: false,
};

/// Sent to sign in, as if there were no token, is refused as well.
fn refused(exchange: &Exchange) -> bool {
    no(exchange) || exchange.answer.status().is_some_and(|it| (300..400).contains(&it))
}

#[async_trait::async_trait]
impl Check for RefusesTokenInQuery {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_token_in_query",
            case: Some("OAU-16"),
            controls: &["CTS-AUT-03", "CTS-TOK-05"],
            question: "Does the resource server refuse a token in the address?",
            sends: "A right token in the header, then a right token as `access_token` in the query and none in the header, then a right token in the header again.",
            passes: "The tokens in the header are accepted, the one in the query is not, and no header of the answer bears it.",
            risk: "Tokens end up in logs, histories and at other sites, where others use them.",
            fix: "Accept tokens only in the `Authorization` header.",
            source: "RFC 9700, section 4.3.2; RFC 6750, section 2.3; FAPI 2.0 Security Profile, section 5.3.3; OAU-16.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        subjects(manifest, every)
    }

    fn exclusive(&self, _: &str, manifest: &Manifest) -> Option<String> {
        Some(exclusive(manifest))
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some(mut bench) = Bench::set_up(subject, manifest, talk).await else { return };
        if !right(&mut bench, talk, "control").await {
            return;
        }
        (bench.now, bench.label) = (talk.now(), "in-query".to_owned());
        if let Some(token) = bench.right()
            && let Some(text) = &token.text
            && let Some(ask) = Ask::parse(&bench.resource.call)
        {
            hide(talk, &token);
            let with = |value: &str| {
                let mark = if ask.url.contains('?') { '&' } else { '?' };
                Ask { url: format!("{}{mark}access_token={value}", ask.url), ..ask.clone() }
            };
            let curl = with("$TOKEN").curl().replace('\'', "\"");
            talk.setting("wrong", vec!["in-query"]);
            talk.setting("repeat.in-query", format!("{curl}\n# {}", token.how));
            let received = talk.send("wrong.in-query", with(text).hostile()).await;
            let bearing = received.headers.iter().find(|it| it.1.contains(text.as_str()));
            let header = bearing.map(|it| it.0.as_str());
            talk.fact("answer", "partner", json!({ "header_with_token": header }));
        }
        right(&mut bench, talk, "closing").await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let judgement = judge(transcript, &CASE);
        let header = transcript.fact("answer").and_then(|it| it.get("header_with_token")?.as_str());
        let Some(header) = header.filter(|_| judgement.verdict != Verdict::Fail) else {
            return judgement;
        };
        Judgement::fail("a token in the address is handed on in the answer")
            .observed(format!("the header `{header}` bears it"))
            .expected(CASE.expected)
            .at(transcript.text("place").unwrap_or("resource"))
            .repeat(transcript.text("repeat.in-query").unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judges, sample};

    fn seen(control: u16, wrong: u16, closing: u16, header: Option<&str>) -> Sample {
        sample()
            .setting("wrong", vec!["in-query"])
            .answered("control", control, "")
            .answered("wrong.in-query", wrong, "")
            .fact("answer", json!({ "header_with_token": header }))
            .answered("closing", closing, "")
    }

    #[test]
    fn a_token_in_the_address_is_refused_and_not_handed_on() {
        let table = [
            ("right", seen(200, 401, 200, None), Pass),
            ("sends to sign in", seen(200, 302, 200, None), Pass),
            ("accepts", seen(200, 200, 200, None), Fail),
            ("hands on", seen(200, 302, 200, Some("location")), Fail),
            ("refuses all", seen(401, 401, 401, None), Inconclusive),
            ("breaks", seen(200, 500, 200, None), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }
}
