//! Does it refuse to send tokens through the browser?
//!
//! A token in an address stands in the history of the browser, in logs and in the Referer of the next page.
//! We ask for each response type that would put one there.
//!
//! Source: RFC 9700, section 2.1.2; OAU-03.

use countersign_model::check::Transcript;
use serde_json::Value;

use super::flow::{Request, open, word};
use super::seen::{given, refused};
use crate::check::{Info, Stage};
use crate::probe::authz::{ServerCheck, Visit};
use crate::probe::refusal::{self, Refusals};

/// Does it refuse to send tokens through the browser?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "refuses_implicit_grant",
        case: Some("OAU-03"),
        controls: &["CTS-AUT-03"],
        question: "Does it refuse to send tokens through the browser?",
        sends: "Authorization requests with `response_type` `token`, `id_token token`, `code token` and `code id_token`, between two right ones.",
        passes: "Each is refused, by an error at the registered address or on a page; no code or token is sent for any of them.",
        risk: "A token in an address is read from the history, from logs, or by the next page.",
        fix: "Allow the response type `code` alone, for every client.",
        source: "RFC 9700, section 2.1.2; FAPI 2.0 Security Profile, section 5.3.2.2.",
    },
    stage: Stage::Probe,
    subjects: super::subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge: |it: &Transcript| refusal::judge(it, &CASE),
};

const CASE: Refusals = Refusals {
    one: "a response type that sends a token through the browser",
    none: "no response type that sends a token through the browser",
    expected: "unsupported_response_type or unauthorized_client, and no token",
    taken: given,
    refused,
    breaking_fails: false,
};

const TYPES: [(&str, &str); 4] = [
    ("token", "token"),
    ("id-token-token", "id_token token"),
    ("code-token", "code token"),
    ("code-id-token", "code id_token"),
];

async fn talk(visit: &mut Visit<'_>) {
    let Some(guest) = visit.guest(&[]).await else { return };
    let names: Vec<Value> = TYPES.iter().map(|it| it.0.into()).collect();
    visit.talk.setting("wrong", names);
    let Some(request) = Request::right(&guest) else { return };
    let stop = open(visit, "control", &guest, &request).await;
    if stop.parameter("code").is_none() {
        return;
    }
    for (name, words) in TYPES {
        let Some(request) = Request::right(&guest) else { return };
        let request = request.with("response_type", words);
        let request = request.with("nonce", &word().unwrap_or_default());
        open(visit, &format!("wrong.{name}"), &guest, &request).await;
    }
    let Some(request) = Request::right(&guest) else { return };
    open(visit, "closing", &guest, &request).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    const BACK: &str = "https://app.acme.example/back";

    fn seen(control: &str, wrong: &str, closing: &str) -> Sample {
        sample()
            .setting("wrong", vec!["token"])
            .setting("repeat.token", "curl token")
            .redirected("control", 302, &format!("{BACK}{control}"))
            .redirected("wrong.token", 302, &format!("{BACK}{wrong}"))
            .redirected("closing", 302, &format!("{BACK}{closing}"))
    }

    #[test]
    fn a_token_never_comes_through_the_browser() {
        let (code, error) = ("?code=[secret 01]", "?error=unsupported_response_type");
        let page = sample()
            .setting("wrong", vec!["token"])
            .redirected("control", 302, &format!("{BACK}{code}"))
            .answered("wrong.token", 400, "unsupported response type")
            .redirected("closing", 302, &format!("{BACK}{code}"));
        let table = [
            ("told", seen(code, error, code), Pass),
            ("told in the fragment", seen(code, "#error=invalid_request", code), Pass),
            ("a page", page, Pass),
            ("a token", seen(code, "#access_token=[secret 01]", code), Fail),
            ("an ID token", seen(code, "#id_token=[token 01]", code), Fail),
            ("nothing", seen(code, "", code), Inconclusive),
            ("no code for anybody", seen(error, error, error), Inconclusive),
            ("gone afterwards", seen(code, error, error), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[3].1);
        insta::assert_snapshot!(judgement.sentence, @"a response type that sends a token through the browser is accepted");
        assert_eq!(judgement.repeat.as_deref(), Some("curl token"));
    }
}
