//! The talk with a client: a right sign-in, wrong ones, and a right one again.
//!
//! Each sign-in has a code of its own, so that a token request shows which of them was taken.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Callback;
use countersign_model::declare::request::OutsideRequest;
use countersign_model::time::Period;
use serde_json::{Map, Value, json};
use url::Url;

use super::browser::{Browser, End};
use super::server::{Grant, Server, redeemed};
use super::wrong::{Landing, Wrong, is_off_site};
use super::{callback, to_declare};
use crate::harness::Harness;
use crate::live::ask::{Ask, Received};
use crate::live::client::hosts_of;
use crate::talk::Talk;

/// How long a token request is waited for at least.
const LISTEN_MS_MIN: u64 = 500;
/// How long that of a right sign-in is waited for at least.
const CONTROL_MS_MIN: u64 = 3_000;
/// Parameters that usually say where a user goes after a sign-in.
const LANDING: [&str; 8] =
    ["return_to", "next", "redirect", "redirect_url", "returnUrl", "continue", "dest", "url"];

/// The call that begins a sign-in at this issuer.
pub(crate) fn begin_call(callback: &Callback, issuer: &str) -> Option<Ask> {
    let call: OutsideRequest = callback.start.as_ref()?.parse().ok()?;
    let url = call.url(|name| (name == "issuer").then(|| issuer.to_owned()))?;
    Some(Ask::new(call.method.word(), url))
}

/// Talks with the client behind a callback.
pub(super) async fn visit(subject: &str, manifest: &Manifest, talk: &mut Talk, wrong: &[Wrong]) {
    let Some((index, callback)) = callback(manifest, subject) else { return };
    talk.setting("place", format!("callback[{index}]"));
    if callback.start.is_none() {
        talk.setting("undeclared", to_declare(index, callback));
        return;
    }
    let settle = manifest.effects.as_ref().map_or(0, |it| it.settle.millis());
    let listen = Period::from_millis(settle.max(LISTEN_MS_MIN));
    talk.setting("listen_ms", listen.millis());
    let names: Vec<Value> = wrong.iter().map(|it| it.name().into()).collect();
    talk.setting("wrong", names);
    let Some(harness) = talk.harness() else { return };
    let Some(stem) = talk.fresh_name("as-") else { return };
    let servers = (
        Server::open(&harness, &stem, None),
        Server::open(&harness, &format!("{stem}-other"), None),
    );
    let (Some(server), Some(other)) = servers else {
        return talk.fact("setup", "harness", json!({ "error": "no server of ours can be made" }));
    };
    let visit = Visit {
        callback,
        own: hosts_of(manifest),
        harness,
        stem,
        server,
        other,
        listen,
        codes: Vec::new(),
    };
    visit.run(talk, wrong).await;
}

struct Visit<'a> {
    callback: &'a Callback,
    own: BTreeSet<String>,
    harness: Arc<Harness>,
    stem: String,
    server: Server,
    /// Another server, which the user has nothing to do with.
    other: Server,
    listen: Period,
    /// The code of each sign-in.
    codes: Vec<(String, String)>,
}

/// A sign-in that came to our server.
struct Flow {
    browser: Browser,
    state: Option<String>,
    nonce: Option<String>,
    client_id: String,
    form_post: bool,
}

/// What is brought to the callback.
struct Answer<'a> {
    flow: &'a Flow,
    text: String,
    hostile: bool,
}

impl Flow {
    fn right(&self, text: String) -> Answer<'_> {
        Answer { flow: self, text, hostile: false }
    }

    fn wrong(&self, text: String) -> Answer<'_> {
        Answer { flow: self, text, hostile: true }
    }
}

impl Visit<'_> {
    async fn run(mut self, talk: &mut Talk, wrong: &[Wrong]) {
        if !self.right(talk, "control").await {
            return;
        }
        for it in wrong {
            self.attempt(talk, *it).await;
        }
        talk.pause("listen", self.listen).await;
        self.count(talk);
        self.right(talk, "closing").await;
        self.count(talk);
    }

    /// A right sign-in; says whether its code was redeemed.
    async fn right(&mut self, talk: &mut Talk, label: &str) -> bool {
        let call = begin_call(self.callback, &self.server.issuer);
        let (authorize, issuer) = (self.server.authorize(), self.server.issuer.clone());
        let Some(flow) = self.begin(talk, label, call, &authorize).await else {
            let error = "the call in `start` does not lead to our authorization endpoint";
            talk.fact(label, "harness", json!({ "seen": false, "error": error }));
            return false;
        };
        let bound = json!({
            "state": flow.state.is_some(),
            "pkce_or_nonce": flow.nonce.is_some(),
        });
        talk.fact("bound", "harness", bound);
        let code = self.code(label, &flow, talk);
        let answer = answer(&[
            ("code", Some(&code)),
            ("state", flow.state.as_deref()),
            ("iss", Some(&issuer)),
        ]);
        let mut browser = flow.browser.clone();
        self.bring(talk, label, &mut browser, flow.right(answer)).await;
        let limit = Duration::from_millis(self.listen.millis().max(CONTROL_MS_MIN));
        let seen = self.server.booth.wait(limit, |seen| 0 < redeemed(seen, &code)).await;
        talk.fact(label, "harness", json!({ "seen": seen }));
        seen
    }

    /// Begins a sign-in in a browser of its own and goes as far as our server.
    async fn begin(
        &mut self,
        talk: &mut Talk,
        name: &str,
        call: Option<Ask>,
        authorize: &str,
    ) -> Option<Flow> {
        let mut browser = Browser::default();
        let label = format!("start.{name}");
        let stays = |it: &Url| self.stays(it);
        let end = browser.follow(talk, &label, call?, stays).await;
        let (begun, url) = match end {
            End::Left(url) => (url.as_str().split('?').next() == Some(authorize), Some(url)),
            End::Answered(_) => (false, None),
        };
        let led = url.as_ref().map(|it| it.host_str().unwrap_or_default().to_owned());
        talk.fact(&format!("begun.{name}"), "harness", json!({ "begun": begun, "led_to": led }));
        let url = url.filter(|_| begun)?;
        let asked = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|it| it.0 == name).map(|it| it.1.into_owned()).filter(|it| !it.is_empty())
        };
        Some(Flow {
            browser,
            state: asked("state"),
            nonce: asked("nonce").or_else(|| asked("code_challenge")),
            client_id: asked("client_id").unwrap_or_default(),
            form_post: asked("response_mode").as_deref() == Some("form_post"),
        })
    }

    fn stays(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        url.scheme() == "https" && self.own.contains(host)
    }

    /// A code of its own for a sign-in.
    fn code(&mut self, name: &str, flow: &Flow, talk: &Talk) -> String {
        let number = self.codes.len();
        let code = format!("code-{}-{number}-", self.stem.trim_start_matches("as-"));
        let grant = Grant {
            client_id: flow.client_id.clone(),
            nonce: flow.nonce.clone(),
            now_seconds: talk.now().seconds(),
        };
        self.server.issue(&code, grant);
        self.codes.push((name.to_owned(), code.clone()));
        code
    }

    /// Brings an answer to the callback, and follows wherever it leads.
    async fn bring(
        &self,
        talk: &mut Talk,
        name: &str,
        browser: &mut Browser,
        answer: Answer<'_>,
    ) -> End {
        let url = self.callback.url.to_string();
        let text = answer.text;
        let mut ask = if answer.flow.form_post {
            let mut ask = Ask::new("POST", url);
            ask.body = text.into_bytes();
            ask.header("content-type", "application/x-www-form-urlencoded")
        } else {
            let joint = if url.contains('?') { '&' } else { '?' };
            Ask::get(format!("{url}{joint}{text}"))
        };
        ask.hostile = answer.hostile;
        let label = format!("callback.{name}");
        browser.follow(talk, &label, ask, |it| self.stays(it)).await
    }

    async fn attempt(&mut self, talk: &mut Talk, wrong: Wrong) {
        let name = wrong.name();
        talk.setting(&format!("repeat.{name}"), wrong.by_hand(self.callback));
        match wrong {
            Wrong::MetadataOfAnother | Wrong::MetadataNearby => {
                self.lie(talk, &name, wrong).await;
            }
            Wrong::LandsAtStart(landing) => self.land(talk, &name, landing, true).await,
            Wrong::LandsAtCallback(landing) => self.land(talk, &name, landing, false).await,
            _ => self.answer_wrongly(talk, &name, wrong).await,
        }
    }

    async fn answer_wrongly(&mut self, talk: &mut Talk, name: &str, wrong: Wrong) {
        let authorize = self.server.authorize();
        let call = begin_call(self.callback, &self.server.issuer);
        let Some(flow) = self.begin(talk, name, call, &authorize).await else { return };
        let mut browser = flow.browser.clone();
        let issuer = self.server.issuer.clone();
        if wrong == Wrong::UsedState {
            let first = self.code("first", &flow, talk);
            let right = answer(&[
                ("code", Some(&first)),
                ("state", flow.state.as_deref()),
                ("iss", Some(&issuer)),
            ]);
            self.bring(talk, "first", &mut browser, flow.right(right)).await;
            let limit = Duration::from_millis(self.listen.millis().max(CONTROL_MS_MIN));
            let used = self.server.booth.wait(limit, |it| 0 < redeemed(it, &first)).await;
            if !used {
                let error = "a right answer was not redeemed";
                return talk.fact(&format!("tried.{name}"), "harness", json!({ "error": error }));
            }
        }
        if wrong == Wrong::StateOfAnotherBrowser {
            let call = begin_call(self.callback, &self.server.issuer);
            let label = format!("{name}.own");
            let Some(own) = self.begin(talk, &label, call, &authorize).await else { return };
            browser = own.browser;
        }
        if wrong == Wrong::StateWithoutBrowser {
            browser = Browser::default();
        }
        let code = self.code(name, &flow, talk);
        let made_up = format!("{}-made-up", self.stem);
        let state = match wrong {
            Wrong::NoState => None,
            Wrong::MadeUpState => Some(made_up.as_str()),
            _ => flow.state.as_deref(),
        };
        let issuer = match wrong {
            Wrong::NoIssuer => None,
            Wrong::OtherIssuer => Some(self.other.issuer.as_str()),
            _ => Some(issuer.as_str()),
        };
        let wrong = answer(&[("code", Some(&code)), ("state", state), ("iss", issuer)]);
        let end = self.bring(talk, name, &mut browser, flow.wrong(wrong)).await;
        tried(talk, name, &end, None);
    }

    /// A server whose metadata name another issuer. A client that goes on is followed to the end.
    async fn lie(&mut self, talk: &mut Talk, name: &str, wrong: Wrong) {
        let booth = format!("{}-{name}", self.stem);
        let nearby = format!("{}/{booth}/", self.harness.url());
        let claims = match wrong {
            Wrong::MetadataNearby => nearby.as_str(),
            _ => self.server.issuer.as_str(),
        };
        let Some(liar) = Server::open(&self.harness, &booth, Some(claims)) else { return };
        let call = begin_call(self.callback, &liar.issuer).map(Ask::hostile);
        let authorize = liar.authorize();
        let flow = self.begin(talk, name, call, &authorize).await;
        let answered = was_answered(talk, name);
        let value = json!({
            "answered": answered, "begun": flow.is_some(), "read": liar.was_read(),
        });
        talk.fact(&format!("tried.{name}"), "harness", value);
    }

    /// A right sign-in with a landing elsewhere, followed to its end.
    async fn land(&mut self, talk: &mut Talk, name: &str, landing: Landing, at_start: bool) {
        let own = self.callback.url.host();
        let elsewhere = landing.url(&own);
        let parameters = self.landing_parameters(&elsewhere);
        let authorize = self.server.authorize();
        let mut call = begin_call(self.callback, &self.server.issuer);
        if let (Some(ask), true) = (&mut call, at_start) {
            let joint = if ask.url.contains('?') { '&' } else { '?' };
            ask.url = format!("{}{joint}{parameters}", ask.url);
            ask.hostile = true;
        }
        let Some(flow) = self.begin(talk, name, call, &authorize).await else {
            let begun = format!("begun.{name}");
            let off_site = talk.transcript().facts(&begun).any(|it| {
                let led = it.value.get("led_to").and_then(Value::as_str);
                led.is_some_and(is_off_site)
            });
            let answered = was_answered(talk, name);
            let value = json!({ "answered": answered, "off_site": off_site });
            return talk.fact(&format!("tried.{name}"), "harness", value);
        };
        let code = self.code(name, &flow, talk);
        let issuer = self.server.issuer.clone();
        let mut right = answer(&[
            ("code", Some(&code)),
            ("state", flow.state.as_deref()),
            ("iss", Some(&issuer)),
        ]);
        if !at_start {
            right = format!("{right}&{parameters}");
        }
        let mut browser = flow.browser.clone();
        let end = self.bring(talk, name, &mut browser, flow.wrong(right)).await;
        let off_site = match &end {
            End::Left(url) => url.host_str().is_some_and(is_off_site),
            End::Answered(_) => false,
        };
        tried(talk, name, &end, Some(off_site));
    }

    /// The declared parameters, else the usual ones, all with this value.
    fn landing_parameters(&self, value: &str) -> String {
        let declared = &self.callback.landing;
        let usual = LANDING.iter().map(|it| (*it).to_owned());
        let names: Vec<String> =
            if declared.is_empty() { usual.collect() } else { declared.clone() };
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(names.iter().take(LANDING.len()).map(|it| (it.as_str(), value)));
        pairs.finish()
    }

    /// Which codes were redeemed, at whichever of our servers.
    fn count(&self, talk: &mut Talk) {
        let mut counts = Map::new();
        for (name, code) in &self.codes {
            let count = self.server.redeemed(code) + self.other.redeemed(code);
            counts.insert(name.clone(), count.into());
        }
        talk.fact("token-requests", "harness", Value::Object(counts));
    }
}

fn tried(talk: &mut Talk, name: &str, end: &End, off_site: Option<bool>) {
    let (answered, words) = match end {
        End::Left(url) => (true, format!("a redirect to {}", url.host_str().unwrap_or_default())),
        End::Answered(it) => (is_answered(it), it.words()),
    };
    let value = json!({ "answered": answered, "words": words, "off_site": off_site });
    talk.fact(&format!("tried.{name}"), "harness", value);
}

/// Whether the start of a sign-in had an answer.
fn was_answered(talk: &Talk, name: &str) -> bool {
    let label = format!("start.{name}");
    talk.transcript().exchange(&label).is_some_and(|it| it.answer.status().is_some())
}

fn is_answered(received: &Received) -> bool {
    received.failure.is_none()
}

fn answer(pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}
