//! Does the partner verify whom it talks to before it sends anything?
//!
//! A client that takes any certificate hands its codes, keys and data to whoever answers in our name.
//!
//! We give sign-ins an issuer, and webhooks an address, at servers of ours with an expired, a
//! self-signed, a foreign and a revoked certificate, and at one that speaks TLS 1.0 alone, and look for
//! requests there. The last one answers as far as a client has to hear to go on: whoever goes on has
//! taken TLS 1.0. The operator of the harness has a name for each (`docs/harness.md`); without all five
//! nothing is passed, and the finding says which were tried.
//!
//! Source: RFC 9325, sections 3.1.1 and 7.5; RFC 9525; RFC 8996; TLS-05.

use std::time::Duration;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;
use serde_json::{Map, Value, json};

use super::server::Server;
use super::visit::begin_call;
use super::{callback, to_declare};
use crate::check::{Check, Info, Stage};
use crate::harness::{Harness, Reaction, WrongName};
use crate::probe::sender::{self, Case, Wrong};
use crate::talk::Talk;

/// Does the partner verify whom it talks to before it sends anything?
#[derive(Debug, Clone, Copy)]
pub struct SendsNothingToUnverifiedServers;

const WRONG: &[Wrong] =
    &[Wrong::Expired, Wrong::SelfSigned, Wrong::OtherHost, Wrong::Revoked, Wrong::OldTls];
const CASE: Case = Case {
    one: "a server that must not be trusted is talked to",
    none: "no server that must not be trusted is talked to",
    expected: "a connection that is given up before a request is sent",
};
/// How long a connection is waited for that was given up.
const KNOCK_MAX: Duration = Duration::from_secs(1);
/// How long is listened for late requests.
const LISTEN_MS: u64 = 300;

#[async_trait::async_trait]
impl Check for SendsNothingToUnverifiedServers {
    fn info(&self) -> &'static Info {
        &Info {
            name: "sends_nothing_to_unverified_servers",
            case: Some("TLS-05"),
            controls: &["CTS-NET-02"],
            question: "Does the partner verify whom it talks to before it sends anything?",
            sends: "Sign-ins are begun at, and webhooks registered for, servers of ours with an expired certificate, a self-signed one, one of another name and a revoked one, and for one that speaks TLS 1.0 alone, between right ones.",
            passes: "The partner connects to a right server of ours and sends its request; to the wrong ones no byte of a request comes, and nobody goes on in TLS 1.0. All five have to be tried: what our side lacks is said, and nothing is passed.",
            risk: "Whoever answers in our name gets the partner's tokens, codes and our data.",
            fix: "Verify certificate, name, time and revocation (the list that the certificate names, or a stapled answer) on every outbound call, speak TLS 1.2 or newer alone, take no override, and keep the trust store current.",
            source: "RFC 9325, sections 3.1.1 and 7.5; RFC 9525; RFC 8996; TLS-05.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let mut all = super::subjects(manifest);
        all.extend(sender::subjects(manifest));
        all
    }

    fn exclusive(&self, _: &str, _: &Manifest) -> Option<String> {
        Some(sender::NAMES.to_owned())
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        if callback(manifest, subject).is_some() {
            sign_in(subject, manifest, talk).await;
        } else {
            sender::visit(subject, manifest, talk, WRONG).await;
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        sender::judge(transcript, &CASE)
    }
}

/// Begins sign-ins at servers with wrong certificates.
async fn sign_in(subject: &str, manifest: &Manifest, talk: &mut Talk) {
    let Some((index, callback)) = callback(manifest, subject) else { return };
    talk.setting("place", format!("callback[{index}]"));
    if callback.start.is_none() {
        talk.setting("undeclared_sign_in", to_declare(index, callback));
        return;
    }
    let Some(harness) = talk.harness() else { return };
    let Some(stem) = talk.fresh_name("as-") else { return };
    let wrong: Vec<WrongName> = WRONG.iter().filter_map(|it| it.named()).collect();
    let words: Vec<&str> = wrong.iter().map(|it| it.word()).collect();
    talk.setting("wrong", words);
    talk.setting("listen_ms", LISTEN_MS);
    let start = callback.start.as_deref().unwrap_or_default();
    let right = async |talk: &mut Talk, label: &str| {
        let server = Server::open(&harness, &format!("{stem}-{label}"), None)?;
        let ask = begin_call(callback, &server.issuer)?;
        talk.send(&format!("start.{label}"), ask).await;
        let seen = 0 < server.was_read();
        talk.fact(label, "harness", json!({ "seen": seen }));
        seen.then_some(())
    };
    if right(talk, "control").await.is_none() {
        return;
    }
    let mut servers = Vec::new();
    for name in wrong {
        let word = name.word();
        let label = format!("registered.{word}");
        let origin = match harness.named(name, talk.now()) {
            Ok(it) => it,
            Err(why) => {
                let value = json!({ "missing": word, "why": why.to_string() });
                talk.fact(&label, "harness", value);
                continue;
            }
        };
        let booth = format!("{stem}-{word}");
        let Some(server) = Server::open_at(&harness, &origin, &booth, None) else { continue };
        let Some(ask) = begin_call(callback, &server.issuer) else { continue };
        let host = harness.host_named(name);
        let before = harness.knocks(&host).len();
        let old_before = harness.old_tls(0).len();
        let repeat = start.replace("{issuer}", &origin);
        talk.setting(
            &format!("repeat.{word}"),
            format!("call `{repeat}`, and look for requests at that server"),
        );
        let words = talk.send(&format!("start.{word}"), ask.hostile()).await.words();
        let knocked = !server.booth.seen().is_empty() || knocked(&harness, &host, before).await;
        let value = if knocked {
            json!({ "accepted": true, "would_show": true, "words": words })
        } else {
            json!({ "unsaid": "no connection came" })
        };
        talk.fact(&label, "harness", value);
        servers.push((name, server, old_before));
    }
    talk.pause("listen", Period::from_millis(LISTEN_MS)).await;
    let (mut hits, mut unclear) = (Map::new(), Map::new());
    for (name, server, old_before) in &servers {
        let old = |reaction| sender::count(&harness, *old_before, reaction);
        let (came, odd) = match name {
            WrongName::OldTls => (old(Reaction::WentOn), old(Reaction::Unclear)),
            _ => (server.booth.seen().len() as u64, 0),
        };
        hits.insert(name.word().to_owned(), came.into());
        if 0 < odd {
            unclear.insert(name.word().to_owned(), odd.into());
        }
    }
    talk.fact("hits", "harness", Value::Object(hits));
    talk.fact("unclear", "harness", Value::Object(unclear));
    let _seen = right(talk, "closing").await;
}

/// Waits until somebody has begun a connection with this name.
async fn knocked(harness: &Harness, host: &str, before: usize) -> bool {
    harness.wait(KNOCK_MAX, || before < harness.knocks(host).len()).await
}
