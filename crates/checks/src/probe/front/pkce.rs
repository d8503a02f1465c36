//! Does it hold a code to the verifier of whoever asked for it?
//!
//! A code can be stolen on its way through the browser. Without a challenge, with one that shows the verifier, or
//! with one that nobody looks at, the thief redeems it.
//!
//! Source: RFC 7636; RFC 9700, sections 2.1.1 and 4.8.2; OAU-05.

use countersign_model::check::{Exchange, Transcript};
use serde_json::Value;

use super::flow::{Request, code_of, open, redeem, right, word};
use super::seen::refused as told;
use crate::check::{Info, Stage};
use crate::platform::FrontTrait;
use crate::probe::authz::read::{granted, refuses_grant};
use crate::probe::authz::{Guest, ServerCheck, Visit};
use crate::probe::refusal::{self, Refusals};

/// Does it hold a code to the verifier of whoever asked for it?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "binds_codes_to_their_verifier",
        case: Some("OAU-05"),
        controls: &["CTS-AUT-03"],
        question: "Does it hold a code to the verifier of whoever asked for it?",
        sends: "Codes that are asked for and redeemed in a wrong way, between two right ones: without a challenge, where the client is public; with another verifier; without its verifier; with the method `plain`; and a verifier for a code that has no challenge.",
        passes: "Each ends in an error, at the authorization endpoint or at the token endpoint.",
        risk: "Whoever sees a code on its way through a browser becomes the user.",
        fix: "Demand a challenge of public clients, take S256 alone, and refuse a verifier that does not belong to the code.",
        source: "RFC 7636, sections 4.4 and 4.6; RFC 9700, sections 2.1.1 and 4.8.2.",
    },
    stage: Stage::Probe,
    subjects: super::subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge: |it: &Transcript| refusal::judge(it, &CASE),
};

const CASE: Refusals = Refusals {
    one: "a code without its own verifier",
    none: "no code without its own verifier",
    expected: "invalid_request or invalid_grant",
    taken: granted,
    refused,
    breaking_fails: false,
};

fn refused(exchange: &Exchange) -> bool {
    if exchange.request.method == "POST" && refuses_grant(exchange) {
        return true;
    }
    told(exchange)
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    NoChallenge,
    NoVerifier,
    OtherVerifier,
    Plain,
    StrayVerifier,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::NoChallenge => "no-challenge",
            Self::NoVerifier => "no-verifier",
            Self::OtherVerifier => "other-verifier",
            Self::Plain => "plain",
            Self::StrayVerifier => "stray-verifier",
        }
    }
}

async fn talk(visit: &mut Visit<'_>) {
    let public = visit.guest_if_any(&[FrontTrait::Public]).await;
    let confidential = visit.confidential_guest().await;
    let Some(guest) = public.as_ref().or(confidential.as_ref()) else {
        // Says why there is none.
        visit.guest(&[]).await;
        return;
    };
    let mut wrong = vec![
        (Way::OtherVerifier, guest),
        (Way::NoVerifier, guest),
        (Way::Plain, guest),
        (Way::StrayVerifier, confidential.as_ref().unwrap_or(guest)),
    ];
    // A client that proves itself may do without (RFC 9700, section 2.1.1).
    wrong.extend(public.as_ref().map(|it| (Way::NoChallenge, it)));
    let names: Vec<Value> = wrong.iter().map(|it| it.0.name().into()).collect();
    visit.talk.setting("wrong", names);
    if !right(visit, "control", guest).await {
        return;
    }
    for (way, guest) in wrong {
        attempt(visit, way, guest).await;
    }
    right(visit, "closing", guest).await;
}

/// Asks for a code and redeems it, wrong in one way.
async fn attempt(visit: &mut Visit<'_>, way: Way, guest: &Guest) -> Option<()> {
    let label = format!("wrong.{}", way.name());
    let request = Request::right(guest)?;
    let verifier = request.verifier.clone();
    let request = match way {
        Way::NoChallenge | Way::StrayVerifier => request.bare(),
        Way::Plain => {
            request.with("code_challenge", &verifier).with("code_challenge_method", "plain")
        }
        Way::NoVerifier | Way::OtherVerifier => request,
    };
    let verifier = match way {
        Way::NoChallenge | Way::NoVerifier => String::new(),
        Way::OtherVerifier => word()?,
        Way::Plain | Way::StrayVerifier => verifier,
    };
    let stop = open(visit, &label, guest, &request).await;
    let code = code_of(visit, guest, &stop)?;
    redeem(visit, &label, guest, (&code, &verifier)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    const TOKEN: &str = r#"{"access_token":"[secret 0]"}"#;
    const NO: &str = r#"{"error":"invalid_grant"}"#;
    const CODE: &str = "https://app.acme.example/back?code=[secret 01]";

    fn seen(wrong: impl Fn(Sample) -> Sample) -> Sample {
        let begun = sample()
            .setting("wrong", vec!["plain"])
            .redirected("control", 302, CODE)
            .answered("control", 200, TOKEN);
        wrong(begun).redirected("closing", 302, CODE).answered("closing", 200, TOKEN)
    }

    #[test]
    fn a_code_counts_with_its_own_verifier_alone() {
        let label = "wrong.plain";
        let told = "https://app.acme.example/back?error=invalid_request";
        let table = [
            ("refused at once", seen(|it| it.redirected(label, 302, told)), Pass),
            (
                "refused later",
                seen(|it| it.redirected(label, 302, CODE).answered(label, 400, NO)),
                Pass,
            ),
            (
                "redeemed",
                seen(|it| it.redirected(label, 302, CODE).answered(label, 200, TOKEN)),
                Fail,
            ),
            (
                "broken",
                seen(|it| it.redirected(label, 302, CODE).answered(label, 500, "")),
                Inconclusive,
            ),
            ("never redeemed", seen(|it| it.redirected(label, 302, CODE)), Inconclusive),
            ("not sent", seen(|it| it), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[2].1);
        insta::assert_snapshot!(judgement.sentence, @"a code without its own verifier is accepted");
    }
}
