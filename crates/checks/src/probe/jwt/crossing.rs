//! Does production refuse the tokens of tests, and the test tenant those of production?
//!
//! A test tenant is guarded less. Where its tokens open production, it is the way in. The checker plays one issuer for each,
//! so that both sides can be asked with a token that the other accepts.
//!
//! Source: RFC 8725, sections 3.8 and 3.9; OWASP NHI8:2025; JWT-16.

use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use serde_json::json;

use super::bench::{Bench, Token};
use super::hear::{exclusive, judge, right, send, subjects};
use crate::check::{Check, Info, Stage};
use crate::probe::refusal::{Refusals, no, right as right_judgement, success};
use crate::talk::Talk;

pub(super) const CHECK: RefusesTokenOfAnotherEnvironment = RefusesTokenOfAnotherEnvironment;

/// Does production refuse the tokens of tests, and the test tenant those of production?
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefusesTokenOfAnotherEnvironment;

const CASE: Refusals = Refusals {
    one: "a token of another environment",
    none: "no token of another environment",
    expected: "401 or 403 both ways",
    taken: success,
    refused: no,
    breaking_fails: false,
};

#[async_trait::async_trait]
impl Check for RefusesTokenOfAnotherEnvironment {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_token_of_another_environment",
            case: Some("JWT-16"),
            controls: &["CTS-CRD-07"],
            question: "Does production refuse the tokens of tests, and the test tenant those of production?",
            sends: "A right token to each of both addresses, then each token to the other address, then a right token to each again.",
            passes: "Each right token is accepted where it belongs, and answered with 401 or 403 at the other address.",
            risk: "The weakest test account becomes the way into production.",
            fix: "Give each environment an issuer, keys and an audience of its own, and trust only these.",
            source: "RFC 8725, sections 3.8 and 3.9; OWASP NHI8:2025; JWT-16.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        // A shared secret belongs to one environment; there is no second one to sign with.
        subjects(manifest, super::confused::is_asymmetric)
    }

    fn exclusive(&self, _: &str, manifest: &Manifest) -> Option<String> {
        Some(exclusive(manifest))
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let resource = manifest.resources.iter().find(|it| it.id.as_str() == subject);
        let Some(call) = resource.and_then(|it| it.production_call.clone()) else {
            let index = manifest.resources.iter().position(|it| it.id.as_str() == subject);
            talk.setting("place", format!("resource[{}]", index.unwrap_or_default()));
            let error = "no production twin is declared: add `production_call` to the resource";
            talk.fact("setup", "manifest", json!({ "error": error }));
            return;
        };
        let Some(mut test) = Bench::set_up(subject, manifest, talk).await else { return };
        let mut resource = test.resource.clone();
        resource.call = call;
        let name = format!("{}.production", test.name);
        let Some(mut production) = Bench::at(resource, &name, talk).await else { return };
        talk.setting("issuer", test.issuer.url());
        talk.setting("production_issuer", production.issuer.url());
        if !right(&mut test, talk, "control").await {
            return;
        }
        right(&mut production, talk, "control-production").await;
        talk.setting("wrong", vec!["test-in-production", "production-in-test"]);
        cross((&mut test, &production), talk, "test-in-production").await;
        cross((&mut production, &test), talk, "production-in-test").await;
        right(&mut production, talk, "closing-production").await;
        right(&mut test, talk, "closing").await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let judgement = judge(transcript, &CASE);
        if judgement.verdict != Verdict::Pass {
            return judgement;
        }
        let refused = ["control-production", "closing-production"]
            .into_iter()
            .find_map(|it| right_judgement(transcript, success, it));
        let Some(refused) = refused else { return judgement };
        let issuer = transcript.text("production_issuer").unwrap_or_default();
        let place = transcript.text("place").unwrap_or("resource");
        refused.at(format!("{place}.production_call")).details([format!(
            "the twin for production has to trust the issuer `{issuer}` in this test; its keys are at `{issuer}/jwks`"
        )])
    }
}

/// Presents a right token of one environment at the other.
async fn cross((from, to): (&mut Bench, &Bench), talk: &mut Talk, name: &str) {
    (from.now, from.label) = (talk.now(), name.to_owned());
    let Some(token) = from.right() else { return };
    let how = format!("{} of `{}`", token.how, from.issuer.url());
    let token = Token { how, ..token };
    send(to, talk, (name, &token), None).await;
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judges, sample};

    fn seen(right: [u16; 2], wrong: [u16; 2], closing: [u16; 2]) -> Sample {
        sample()
            .setting("wrong", vec!["test-in-production", "production-in-test"])
            .answered("control", right[0], "")
            .answered("control-production", right[1], "")
            .answered("wrong.test-in-production", wrong[0], "")
            .answered("wrong.production-in-test", wrong[1], "")
            .answered("closing-production", closing[1], "")
            .answered("closing", closing[0], "")
    }

    #[test]
    fn both_sides_are_asked_with_tokens_that_the_other_accepts() {
        let undeclared = json!({"error": "no production twin is declared"});
        let table = [
            ("right", seen([200, 200], [401, 401], [200, 200]), Pass),
            ("test in production", seen([200, 200], [200, 401], [200, 200]), Fail),
            ("production in test", seen([200, 200], [401, 200], [200, 200]), Fail),
            ("says yes to all", seen([200, 200], [200, 200], [200, 200]), Fail),
            ("production trusts nobody", seen([200, 401], [401, 401], [200, 401]), Inconclusive),
            ("test trusts nobody", seen([401, 200], [401, 401], [401, 200]), Inconclusive),
            ("breaks", seen([200, 200], [500, 401], [200, 200]), Inconclusive),
            ("ends", seen([200, 200], [401, 401], [200, 500]), Inconclusive),
            ("not declared", sample().fact("setup", undeclared), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }
}
