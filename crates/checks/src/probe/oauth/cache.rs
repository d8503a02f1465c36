//! Does it forbid that anybody keeps a copy of an answer with a token?
//!
//! A proxy or a library that keeps answers hands the token to whoever asks next. We get a token with a right
//! request and read the headers of the answer.
//!
//! Source: RFC 6749, section 5.1; RFC 9111, section 5.2.2.5; OAU-22.

use countersign_model::check::{Judgement, Transcript};

use crate::check::{Info, Stage};
use crate::probe::authz::read::{granted, headers, no_control, nobody, words};
use crate::probe::authz::{ServerCheck, subjects};

/// Does it forbid that anybody keeps a copy of an answer with a token?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "forbids_caching_of_token_responses",
        case: Some("OAU-22"),
        controls: &["CTS-TOK-05"],
        question: "Does it forbid that anybody keeps a copy of an answer with a token?",
        sends: "A right request for a token; where a refresh token comes with it, a right refresh as well.",
        passes: "Every answer that holds a token says `Cache-Control: no-store`.",
        risk: "A proxy keeps the answer and hands the token to somebody else.",
        fix: "Send `Cache-Control: no-store` with every answer of the token endpoint.",
        source: "RFC 6749, section 5.1; RFC 9111, section 5.2.2.5.",
    },
    stage: Stage::Probe,
    subjects,
    talk: |visit| {
        Box::pin(async move {
            let Some(party) = visit.party(|_| true).await else { return };
            let Some(tokens) = visit.tokens("control", &party).await else { return };
            if let Some(token) = tokens.refresh {
                visit.refresh("refreshed", &party, &token).await;
            }
        })
    },
    judge,
};

fn judge(transcript: &Transcript) -> Judgement {
    let expected = "`Cache-Control: no-store` in every answer with a token";
    if let Some(judgement) = nobody(transcript) {
        return judgement;
    }
    let all = ["control", "refreshed"].into_iter().filter_map(|label| {
        transcript.exchange(label).filter(|it| granted(it)).map(|it| (label, it))
    });
    let all: Vec<_> = all.collect();
    if all.is_empty() {
        return no_control(transcript, "control", "a right request for a token");
    }
    for (label, exchange) in &all {
        let mut values = headers(exchange, "cache-control").peekable();
        let said = values.peek().is_some();
        let directives = values.flat_map(|it| it.split(','));
        if directives.map(str::trim).any(|it| it.eq_ignore_ascii_case("no-store")) {
            continue;
        }
        let value = headers(exchange, "cache-control").collect::<Vec<_>>().join(", ");
        let observed = if said {
            format!("`Cache-Control: {value}`")
        } else {
            "no `Cache-Control`".to_owned()
        };
        let judgement = Judgement::fail("an answer with a token may be kept by anybody")
            .observed(format!("{}, {observed}", words(exchange)))
            .expected(expected);
        return match transcript.text(&format!("repeat.{label}")) {
            Some(it) => judgement.repeat(it),
            None => judgement,
        };
    }
    Judgement::pass("answers with tokens are kept by nobody")
        .observed(format!("`no-store` in {} of {} answers", all.len(), all.len()))
        .expected(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::json;

    #[test]
    fn an_answer_with_a_token_is_kept_by_nobody() {
        let token = r#"{"access_token":"[secret 0]","token_type":"Bearer"}"#;
        let seen = |value: &str| {
            sample().answered_with("control", 200, &[("cache-control", value)], token)
        };
        let refreshed = |value: &str| {
            seen("no-store").answered_with("refreshed", 200, &[("cache-control", value)], token)
        };
        let table: Vec<(&str, Sample, _)> = vec![
            ("no-store", seen("no-store"), Pass),
            ("among others", seen("private, No-Store"), Pass),
            ("something else", seen("no-cache"), Fail),
            ("nothing", sample().answered("control", 200, token), Fail),
            ("a refresh may be kept", refreshed("max-age=60"), Fail),
            ("both", refreshed("no-store"), Pass),
            ("no token", sample().answered("control", 200, "{}"), Inconclusive),
            ("broken", sample().answered("control", 500, ""), Inconclusive),
            ("no platform", sample().fact("platform", json!({"error": "down"})), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }
}
