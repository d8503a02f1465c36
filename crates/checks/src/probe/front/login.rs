//! Is the form with the password answered in a way that does not send it on?
//!
//! After 307 or 308 a browser posts the same form again, password and all, to wherever the redirect leads: to the
//! client. We sign in as the test person and look at the answer to the form.
//!
//! Source: RFC 9700, section 4.12; OAU-17.

use countersign_model::check::{Exchange, Judgement, Transcript};

use super::flow::{Request, agent, authorize};
use super::seen::given;
use crate::check::{Info, Stage};
use crate::platform::FrontTrait;
use crate::probe::authz::read::{headers, nobody};
use crate::probe::authz::{ServerCheck, Visit};

/// Is the form with the password answered in a way that does not send it on?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "keeps_password_out_of_redirects",
        case: Some("OAU-17"),
        controls: &["CTS-AUT-03"],
        question: "Is the form with the password answered in a way that does not send it on?",
        sends: "A right authorization request, and the form where the test person signs in, filled in as a browser does.",
        passes: "The answer to the form with the password is not 307 or 308 (303 is best), and a code comes in the end.",
        risk: "The browser posts name and password of the user to the client.",
        fix: "Answer the form with 303 See Other.",
        source: "RFC 9700, section 4.12.",
    },
    stage: Stage::Probe,
    subjects: super::with_login,
    talk: |visit| Box::pin(talk(visit)),
    judge,
};

async fn talk(visit: &mut Visit<'_>) {
    let Some(guest) = visit.guest(&[FrontTrait::SignsIn]).await else { return };
    let Some(request) = Request::right(&guest) else { return };
    let Some(ask) = authorize(visit, &request.pairs()) else { return };
    let by_hand = format!(
        "open {} in a browser, sign in as the test person, and look at the answer to the form",
        ask.url
    );
    visit.talk.setting("repeat.login", by_hand);
    let mut agent = agent(visit, &guest).mark_login("login");
    agent.open(visit.talk, "way", ask).await;
}

fn judge(transcript: &Transcript) -> Judgement {
    judged(transcript).expected("303, or another answer that makes no browser post the form again")
}

fn judged(transcript: &Transcript) -> Judgement {
    if let Some(it) = nobody(transcript) {
        return it;
    }
    let Some(login) = transcript.exchange("login") else {
        let observed = transcript.exchange("way").map(|it| it.answer.words());
        return Judgement::inconclusive("no form with a password was found")
            .observed(observed.unwrap_or("nothing was asked".to_owned()));
    };
    let observed = told(login);
    if matches!(login.answer.status(), Some(307 | 308)) {
        let judgement =
            Judgement::fail("the form with the password is answered by a redirect that repeats it")
                .observed(observed);
        return match transcript.text("repeat.login") {
            Some(it) => judgement.repeat(it),
            None => judgement,
        };
    }
    // Only somebody who was signed in gets a code.
    let ways = transcript.exchanges("way").chain([login]);
    if !ways.into_iter().any(given) {
        return Judgement::inconclusive("the test person could not sign in").observed(observed);
    }
    Judgement::pass("the form with the password is not sent on").observed(observed)
}

fn told(login: &Exchange) -> String {
    let is_redirect = headers(login, "location").next().is_some();
    format!(
        "{} for the form{}",
        login.answer.words(),
        if is_redirect { ", a redirect" } else { "" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    const CODE: &str = "https://app.acme.example/back?code=[secret 01]";

    fn form() -> Sample {
        sample().answered("way", 200, "<form><input type=password></form>")
    }

    #[test]
    fn a_password_is_posted_once() {
        let next = "https://id.example.com/next";
        let table = [
            ("303", form().redirected("login", 303, CODE), Pass),
            ("302", form().redirected("login", 302, CODE), Pass),
            (
                "by the way",
                form().redirected("login", 303, next).redirected("way", 302, CODE),
                Pass,
            ),
            (
                "a page, then a code",
                form().answered("login", 200, "").redirected("way", 302, CODE),
                Pass,
            ),
            ("307", form().redirected("login", 307, CODE), Fail),
            ("308 on the way", form().redirected("login", 308, next), Fail),
            ("not taken", form().answered("login", 401, ""), Inconclusive),
            ("broken", form().answered("login", 500, ""), Inconclusive),
            ("no form", sample().redirected("way", 302, CODE), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[4].1);
        insta::assert_snapshot!(judgement.observed, @"HTTP 307 for the form, a redirect");
    }
}
