//! Does the receiver refuse a secret that is too weak?
//!
//! A secret of eight bytes is found by trying. Whoever configures a receiver by hand or by machine
//! gets one wrong sooner or later; the receiver is the last that can say no.
//!
//! Source: Standard Webhooks 1.0, "Signature scheme" (24 to 64 random bytes); RFC 2104, section 3; WHK-11.

use countersign_model::check::{Exchange, Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{WebhookKey, WebhookScheme};
use countersign_seal::scheme::Scheme;

use super::key;
use super::next_key::{KEY_IN_USE, tell};
use super::receiver::{event, scheme_of, subjects};
use super::rotation_order;
use crate::check::{Check, Info, Stage};
use crate::live::entropy;
use crate::probe::refusal::{self, Refusals, Wrong, round, success};
use crate::talk::Talk;

/// Does the receiver refuse a secret that is too weak?
#[derive(Debug, Clone, Copy)]
pub(super) struct RefusesWeakWebhookSecret;

const CASE: Refusals = Refusals {
    one: "a weak webhook secret",
    none: "no weak webhook secret",
    expected: "400, 401, 403, 409 or 422",
    taken: success,
    refused,
    breaking_fails: false,
};

fn refused(exchange: &Exchange) -> bool {
    matches!(exchange.answer.status(), Some(400 | 401 | 403 | 409 | 422))
}

#[async_trait::async_trait]
impl Check for RefusesWeakWebhookSecret {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_weak_webhook_secret",
            case: Some("WHK-11"),
            controls: &["CTS-WHK-01"],
            question: "Does the receiver refuse a secret that is too weak?",
            sends: "Through the call of `signing.next_key`: the secret in use; one of eight bytes, an empty one and, where secrets are written in base64, one that is not; the secret in use again, which undoes what may have been taken.",
            passes: "The secret in use is taken before and after. The weak ones are refused (4xx). Where no such call is declared the check says so, and passes nothing. With key pairs there is no secret to be weak.",
            risk: "A secret that can be found by trying lets anybody make things happen.",
            fix: "Refuse a secret of less than 24 random bytes where it is configured, and say so. Declare the call in `signing.next_key`.",
            source: r#"Standard Webhooks 1.0, "Signature scheme" (24 to 64 random bytes); RFC 2104, section 3; WHK-11."#,
        }
    }

    fn stage(&self) -> Stage {
        Stage::Drill
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        subjects(manifest, |event, _| event.signing.key == WebhookKey::HmacSha256)
    }

    fn exclusive(&self, subject: &str, manifest: &Manifest) -> Option<String> {
        rotation_order(subject, manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((index, event)) = event(manifest, subject) else { return };
        let Some(scheme) = scheme_of(event) else { return };
        talk.setting("place", format!("event[{index}].signing"));
        let Some(next) = &event.signing.next_key else {
            talk.setting("undeclared", true);
            return;
        };
        let Some(held) = key::sending(manifest, event, scheme, talk).await else { return };
        let kind = event.signing.key;
        let Some(wrong) = weak(event.signing.scheme, scheme) else { return };
        let wrong = wrong.into_iter().filter_map(|(name, secret)| {
            let (ask, repeat) = tell(next, kind, &secret, &secret, talk)?;
            Some(Wrong { name: name.to_owned(), ask, repeat })
        });
        let wrong: Vec<Wrong> = wrong.collect();
        if let Some((ask, _)) = tell(next, kind, &held.text, KEY_IN_USE, talk) {
            talk.undo_by(ask);
        }
        let right = |talk: &mut Talk| tell(next, kind, &held.text, KEY_IN_USE, talk);
        round(talk, &CASE, right, wrong).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let place = transcript.text("place").unwrap_or_default();
        if transcript.settings.contains_key("undeclared") {
            return Judgement::inconclusive("how the receiver is told its secret is not declared")
                .observed("nothing was sent")
                .expected("`next_key` with the call, `auth_ref` and `overlap`")
                .at(place);
        }
        let error = transcript.fact("key").and_then(|it| it.get("error")?.as_str());
        if let Some(error) = error {
            let sentence = "the secret in use is not known";
            return Judgement::inconclusive(sentence).observed(error).at(place);
        }
        refusal::judge(transcript, &CASE)
    }
}

/// Secrets that are none, each with its name.
fn weak(word: WebhookScheme, scheme: &dyn Scheme) -> Option<Vec<(&'static str, String)>> {
    let bytes = entropy::random::<8>()?;
    let mut all =
        vec![("eight-bytes", scheme.write_secret(&bytes).to_string()), ("empty", String::new())];
    if word == WebhookScheme::StandardWebhooks {
        all.push(("not-base64", "whsec_this*is*no*base64*at*all*and*never*was".to_owned()));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use serde_json::json;

    use super::*;
    use crate::sample::{Sample, judges, sample};

    #[test]
    fn a_weak_secret_is_refused_between_two_right_ones() {
        let seen = |control: u16, weak: u16, closing: u16| -> Sample {
            sample()
                .setting("wrong", vec!["eight-bytes", "empty"])
                .answered("control", control, "")
                .answered("wrong.eight-bytes", weak, "")
                .answered("wrong.empty", 422, "")
                .answered("closing", closing, "")
        };
        let error = json!({ "error": "no" });
        judges(
            &RefusesWeakWebhookSecret,
            &[
                ("refused", seen(200, 422, 200), Pass),
                ("taken", seen(200, 204, 200), Fail),
                ("taken, and lost afterwards", seen(200, 204, 500), Fail),
                ("everything refused", seen(422, 422, 422), Inconclusive),
                ("broken", seen(500, 500, 500), Inconclusive),
                ("breaks on it", seen(200, 500, 200), Inconclusive),
                ("not declared", sample().setting("undeclared", true), Inconclusive),
                ("no key", sample().fact("key", error), Inconclusive),
                ("nothing was done", sample(), Inconclusive),
                (
                    "not put back",
                    seen(200, 422, 200).fact("undo", json!({ "error": "HTTP 500" })),
                    Inconclusive,
                ),
            ],
        );
    }

    #[test]
    fn every_scheme_with_secrets_has_weak_ones() {
        for scheme in countersign_seal::scheme::SCHEMES.iter().filter(|it| it.facts().shared) {
            let all = weak(WebhookScheme::Github, *scheme).unwrap();
            assert!(all.iter().all(|it| it.1.len() < 24), "{all:?}");
        }
    }
}
