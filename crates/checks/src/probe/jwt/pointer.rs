//! Does the resource server fetch a key from where a token says?
//!
//! A header may point at a key (`jku`) or a certificate (`x5u`). A server that follows it verifies with an attacker's
//! key, and can be sent to any address inside its own network. The addresses are ours, so that a request shows.
//!
//! Source: RFC 8725, section 3.10; JWT-05.

use std::sync::Arc;
use std::time::Duration;

use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Environment;
use countersign_model::time::Period;
use serde_json::{Value, json};

use super::bench::{Bench, Signer, Token, by, new_pair};
use super::hear::{every, exclusive, judge, right, send, subjects};
use crate::check::{Check, Info, Stage};
use crate::harness::keys::{Alg, KeyPair};
use crate::harness::{Reply, Seen};
use crate::probe::refusal::{Refusals, no, success};
use crate::talk::Talk;

pub(super) const CHECK: FollowsNoKeyPointer = FollowsNoKeyPointer;

/// Does the resource server fetch a key from where a token says?
#[derive(Debug, Clone, Copy)]
pub(crate) struct FollowsNoKeyPointer;

pub(super) const CASE: Refusals = Refusals {
    one: "a token that points at its key",
    none: "no token that points at its key",
    expected: "401 or 403, and no request at the address in the token",
    taken: success,
    refused: no,
    breaking_fails: false,
};

#[async_trait::async_trait]
impl Check for FollowsNoKeyPointer {
    fn info(&self) -> &'static Info {
        &Info {
            name: "follows_no_key_pointer",
            case: Some("JWT-05"),
            controls: &["CTS-TOK-01", "CTS-TOK-03"],
            question: "Does the resource server fetch a key from where a token says?",
            sends: "A right token, then tokens whose `jku` or `x5u` is an address of ours and that are signed with the key there, then a right token again. Requests at that address are listened for: 30 s in production, the declared time until an effect shows in a sandbox.",
            passes: "Both right tokens are accepted, each of the others is answered with 401 or 403, and no request reaches the address.",
            risk: "Anybody can sign tokens, and send the server to addresses inside its own network.",
            fix: "Read keys only from the configured address of the issuer; take no notice of `jku` and `x5u`.",
            source: "RFC 8725, section 3.10; JWT-05.",
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
        let (Some(pair), Some(name)) = (new_pair(Alg::Es256).await, talk.fresh_name("keys-"))
        else {
            return;
        };
        let set = json!({ "keys": [pair.jwk()] });
        let booth = bench.harness.open(&name, move |_: &Seen| Reply::json(&set));
        if !right(&mut bench, talk, "control").await {
            return;
        }
        talk.setting("wrong", vec!["jku", "x5u", "jku-under-the-real-name"]);
        for (name, member) in [("jku", "jku"), ("x5u", "x5u"), ("jku-under-the-real-name", "jku")] {
            (bench.now, bench.label) = (talk.now(), name.to_owned());
            let url = format!("{}/{name}.json", booth.url());
            let token = pointing(&bench, &pair, (member, &url));
            if let Some(token) = token {
                send(&bench, talk, (name, &token), None).await;
            }
        }
        let listen = listening(manifest);
        let start = talk.stopwatch_ms();
        booth.wait(Duration::from_millis(listen.millis()), |it| !it.is_empty()).await;
        let waited_ms = talk.stopwatch_ms().saturating_sub(start);
        let seen: Vec<String> = booth.seen().iter().take(20).map(|it| format!("{it:?}")).collect();
        talk.fact("listened", "harness", json!({ "waited_ms": waited_ms, "requests": seen }));
        right(&mut bench, talk, "closing").await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let fact = transcript.fact("listened");
        let requests = fact.and_then(|it| it.get("requests")).and_then(Value::as_array);
        if let Some(first) = requests.and_then(|it| it.first()).and_then(Value::as_str) {
            let name = if first.contains("/x5u") { "x5u" } else { "jku" };
            let repeat = transcript.text(&format!("repeat.{name}")).unwrap_or_default();
            return Judgement::fail(
                "a token sends the resource server to an address of its choice",
            )
            .observed(format!("`{first}` reached the address in the token"))
            .expected(CASE.expected)
            .at(transcript.text("place").unwrap_or("resource"))
            .repeat(repeat);
        }
        let judgement = judge(transcript, &CASE);
        if judgement.verdict != Verdict::Pass {
            return judgement;
        }
        let Some(waited) = fact.and_then(|it| it.get("waited_ms")).and_then(Value::as_u64) else {
            return Judgement::inconclusive("nobody listened at the address in the tokens");
        };
        let observed = format!("{}; no request within {waited} ms", judgement.observed);
        judgement.observed(observed)
    }
}

/// How long a request may take to come.
fn listening(manifest: &Manifest) -> Period {
    match manifest.environment {
        Environment::Production => Period::from_seconds(30),
        Environment::Sandbox => {
            let settle = manifest.effects.as_ref().map(|it| it.settle).unwrap_or_default();
            settle.max(Period::from_millis(LISTEN_MS_MIN)).min(Period::from_seconds(30))
        }
    }
}

fn pointing(bench: &Bench, pair: &Arc<KeyPair>, (member, url): (&str, &str)) -> Option<Token> {
    let mut header = bench.header();
    header.insert("alg".to_owned(), pair.alg().word().into());
    if !bench.label.contains("real") {
        header.insert("kid".to_owned(), pair.kid().into());
    }
    header.insert(member.to_owned(), url.into());
    let (header, claims) =
        (Value::Object(header).to_string(), Value::Object(bench.claims()).to_string());
    let who = "signed with the key that is published at the address in its header";
    by(&Signer::Pair(Arc::clone(pair)), &header, &claims, who)
}

const LISTEN_MS_MIN: u64 = 500;

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judged, judges, sample};

    fn seen(control: u16, wrong: u16, closing: u16, requests: &[&str]) -> Sample {
        let fact = json!({"waited_ms": 501, "requests": requests});
        sample()
            .setting("wrong", vec!["jku"])
            .setting("repeat.jku", "curl jku")
            .answered("control", control, "")
            .answered("wrong.jku", wrong, "")
            .fact("listened", fact)
            .answered("closing", closing, "")
    }

    #[test]
    fn a_request_tells_more_than_a_status() {
        let table = [
            ("right", seen(200, 401, 200, &[]), Pass),
            ("fetches", seen(200, 401, 200, &["GET /jku.json"]), Fail),
            ("accepts", seen(200, 200, 200, &["GET /jku.json"]), Fail),
            ("accepts what it had", seen(200, 200, 200, &[]), Fail),
            ("refuses all", seen(401, 401, 401, &[]), Inconclusive),
            ("breaks", seen(200, 500, 200, &[]), Inconclusive),
            ("refuses afterwards", seen(200, 401, 401, &[]), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[1].1);
        insta::assert_snapshot!(judgement.observed, @"`GET /jku.json` reached the address in the token");
        let judgement = judged(&CHECK, &table[0].1);
        insta::assert_snapshot!(judgement.observed, @"HTTP 401 for `jku`; no request within 501 ms");
    }
}
