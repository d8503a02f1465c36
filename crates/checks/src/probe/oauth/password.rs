//! Does it refuse the password grant?
//!
//! Whoever takes passwords at the token endpoint teaches people to type them anywhere, and lets anybody
//! try them without a second factor. We ask for a token with a name and a password, right in everything else.
//!
//! Source: RFC 9700, section 2.4; OAU-02.

use countersign_model::check::{Exchange, Judgement, Transcript, Verdict};

use crate::check::{Info, Stage};
use crate::probe::authz::read::{granted, refuses};
use crate::probe::authz::{ServerCheck, between, subjects};
use crate::probe::refusal::{self, Refusals};

/// Does it refuse the password grant?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "refuses_password_grant",
        case: Some("OAU-02"),
        controls: &["CTS-AUT-03"],
        question: "Does it refuse the password grant?",
        sends: "`grant_type=password` as a client that is right in everything else: with a person that nobody knows, and, where the manifest names one, with the canary person.",
        passes: "`unsupported_grant_type` or `unauthorized_client`. Whoever says that the password is wrong has looked at it.",
        risk: "Anybody who has a client tries passwords without a second factor and without a limit.",
        fix: "Switch the password grant off, for every client.",
        source: "RFC 9700, section 2.4; RFC 6749, section 5.2.",
    },
    stage: Stage::Probe,
    subjects,
    talk: |visit| {
        Box::pin(async move {
            let Some(party) = visit.party(|_| true).await else { return };
            let Some(name) = visit.talk.fresh_name("canary-") else { return };
            let mut people = vec![("unknown-person", name.clone(), name)];
            people.extend(visit.login().map(|it| ("canary-person", it.0, it.1)));
            let mut wrong = Vec::new();
            for (word, user, password) in people {
                let fields =
                    [("grant_type", "password"), ("username", &user), ("password", &password)];
                wrong.extend(visit.token_form(&party, &fields).map(|it| (word, it)));
            }
            between(visit, &CASE, &party, wrong).await;
        })
    },
    judge,
};

const CASE: Refusals = Refusals {
    one: "the password grant",
    none: "no password",
    expected: "`unsupported_grant_type` or `unauthorized_client`",
    taken: |it| granted(it) || looked_at(it),
    refused: |it| refuses(it, &["invalid_client", "unauthorized_client", "unsupported_grant_type"]),
    breaking_fails: false,
};

/// A wrong password is found out only by whoever looks at it.
fn looked_at(exchange: &Exchange) -> bool {
    exchange.label.starts_with("wrong.") && refuses(exchange, &["invalid_grant"])
}

fn judge(transcript: &Transcript) -> Judgement {
    let judgement = refusal::judge(transcript, &CASE);
    let gave = ["wrong.canary-person", "wrong.unknown-person"];
    let gave = gave.iter().any(|it| transcript.exchange(it).is_some_and(granted));
    if judgement.verdict == Verdict::Fail && !gave {
        let observed = format!("{}: `invalid_grant`", judgement.observed);
        return Judgement {
            sentence: "a password is looked at, so the password grant is on".to_owned(),
            ..judgement
        }
        .observed(observed);
    }
    judgement
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    const TOKEN: &str = r#"{"access_token":"[secret 0]"}"#;

    fn seen(status: u16, text: &str) -> Sample {
        sample()
            .setting("wrong", vec!["unknown-person"])
            .answered("control", 200, TOKEN)
            .answered("wrong.unknown-person", status, text)
            .answered("closing", 200, TOKEN)
    }

    #[test]
    fn a_password_is_not_even_looked_at() {
        let error = |code: &str| format!(r#"{{"error":"{code}"}}"#);
        let table = [
            ("not known", seen(400, &error("unsupported_grant_type")), Pass),
            ("not for this client", seen(400, &error("unauthorized_client")), Pass),
            ("not for this client, 401", seen(401, &error("unauthorized_client")), Pass),
            ("looked at", seen(400, &error("invalid_grant")), Fail),
            ("granted", seen(200, TOKEN), Fail),
            ("something else", seen(400, &error("invalid_request")), Inconclusive),
            ("broken", seen(500, ""), Inconclusive),
            ("says yes to everything", seen(200, "{}"), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[3].1);
        insta::assert_snapshot!(judgement.sentence, @"a password is looked at, so the password grant is on");
        insta::assert_snapshot!(judgement.observed, @"HTTP 400 for `unknown-person`: `invalid_grant`");
    }
}
