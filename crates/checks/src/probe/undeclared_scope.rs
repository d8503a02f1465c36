//! Is it refused a scope that it did not declare?
//!
//! What the platform holds for a client is one thing, what it hands out on request another. A copy of the client
//! asks for one scope more, for everything, and for a word that nobody knows; then a token without the
//! scope goes where the scope is needed.
//!
//! Source: RFC 6749, section 3.3; RFC 9700, section 2.3; NIST SP 800-53r5, AC-6; OAU-01.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::{Value, json};

use super::authz::{self, discover};
use super::token::{Use, is_refusal, mint, says, spend, status};
use crate::check::{Check, Info, Stage};
use crate::granted::scopes::list;
use crate::granted::{declared, identity, words};
use crate::platform::{Platform, TokenRequest};
use crate::talk::Talk;

mod theirs;

/// Is it refused a scope that it did not declare?
#[derive(Debug, Clone, Copy)]
pub struct RefusesUndeclaredScope;

/// How many scopes of the platform are asked for beside the wildcard and the unknown word.
const KNOWN_MAX: usize = 3;

#[async_trait::async_trait]
impl Check for RefusesUndeclaredScope {
    fn info(&self) -> &'static Info {
        &Info {
            name: "refuses_undeclared_scope",
            case: Some("OAU-01"),
            controls: &["CTS-GOV-03", "CTS-SCP-01"],
            question: "Is it refused a scope that it did not declare?",
            sends: "Right requests for a token, with a declared scope and one more: each of three that the server knows and the manifest does not declare, a wildcard, a word that nobody knows, and at last every scope of the server's metadata.",
            passes: "`invalid_scope`, or a token for declared scopes alone; and a call that needs another scope is refused.",
            risk: "Whoever steals its credential asks for more, and gets it.",
            fix: "Bind the scopes that a client may ask for to its registration at the platform.",
            source: "RFC 6749, section 3.3; RFC 9700, section 2.3; NIST SP 800-53r5, AC-6.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        authz::subjects(manifest)
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((index, identity)) = identity(manifest, subject) else {
            return theirs::play(subject, manifest, talk).await;
        };
        let own: Vec<&str> = identity.scopes.iter().map(|it| it.name.as_str()).collect();
        talk.setting("declared", own.clone());
        talk.setting("place", format!("identity[{index}]"));
        let Some(platform) = talk.platform() else { return };
        let known = platform.scopes().await;
        let known = talk.heard("known", known, |it| json!({ "scopes": it.len() }));
        let extra = undeclared(&known.unwrap_or_default(), &own);
        let Some(copy) = talk.copy_client(platform.as_ref(), identity.client_id()).await else {
            return;
        };
        let request =
            |scope: String| TokenRequest { scope: Some(scope), ..TokenRequest::default() };
        let first = own.first().copied().unwrap_or_default();
        let control = request(first.to_owned());
        let token = mint(talk, platform.as_ref(), &copy, ("control", &control)).await;
        let Some(name) = talk.fresh_name("canary-") else { return };
        let published = published(talk, platform.as_ref()).await;
        let words = extra.iter().map(|it| it.0.clone()).chain(["*".to_owned(), name.clone()]);
        let words = words.chain((!published.is_empty()).then(|| published.join(" ")));
        let mut spent = token.and_then(|it| it.access_token);
        for word in words {
            // Together with one that it may have: whoever only looks at the first word lets it through.
            let asked = request(format!("{first} {word}").trim().to_owned());
            let answer = mint(talk, platform.as_ref(), &copy, ("asked", &asked)).await;
            spent = answer.and_then(|it| it.access_token).or(spent);
        }
        let calls = extra.iter().flat_map(|it| &it.1).map(String::as_str);
        if let (Some(token), Some(call)) = (spent, Use::mildest(calls, &name)) {
            spend(talk, platform.as_ref(), (&token, &call), ("used", None)).await;
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let own = declared(transcript, "declared");
        let expected = format!("at most {}", list(&own));
        let control = transcript.fact("control");
        if !says(control, "granted") {
            let observed = control.or(transcript.fact("copy")).or(transcript.fact("platform"));
            return Judgement::inconclusive("a copy of the client did not get a declared scope")
                .observed(status(observed))
                .expected("a token, as control");
        }
        let asked: Vec<&Value> = transcript.facts("asked").map(|it| &it.value).collect();
        if let Some((first, extra)) = asked.iter().find_map(|it| Some((*it, excess(it, &own)?))) {
            let words: Vec<&str> = extra.iter().map(String::as_str).collect();
            let sentence = format!("scope {} is granted on request", list(&words));
            return Judgement::fail(sentence)
                .observed(format!("asked for `{}`, got a token for it", word(first, "asked")))
                .expected(expected)
                .repeat(format!(
                    "ask the token endpoint as this client with grant_type=client_credentials and scope=\"{}\"",
                    word(first, "asked"),
                ))
                .at(transcript.text("place").unwrap_or_default());
        }
        let used = transcript.fact("used");
        if says(used, "admitted") {
            return Judgement::fail("a call goes through without the scope that it needs")
                .observed(format!(
                    "{} {}: {}",
                    word_of(used, "method"),
                    word_of(used, "path"),
                    status(used)
                ))
                .expected("a refusal (403)")
                .at(transcript.text("place").unwrap_or_default());
        }
        let unclear = asked.iter().find(|it| !says(Some(*it), "granted") && !is_refusal(Some(*it)));
        if asked.len() < 2 || unclear.is_some() {
            return Judgement::inconclusive("the platform did not say no, and did not say yes")
                .observed(status(unclear.copied()))
                .expected(expected);
        }
        let refused = asked.iter().filter(|it| is_refusal(Some(*it))).count();
        let effect = match used {
            Some(it) if is_refusal(Some(it)) => ", and a call without its scope as well",
            _ => "; no call was known that needs another scope",
        };
        Judgement::pass("a scope that is not declared is refused")
            .observed(format!(
                "{refused} of {} requests refused, {} narrowed{effect}",
                asked.len(),
                asked.len() - refused,
            ))
            .expected(expected)
    }
}

/// Every scope that the platform publishes about itself.
async fn published(talk: &mut Talk, platform: &dyn Platform) -> Vec<String> {
    if platform.reach().is_none() {
        return Vec::new();
    }
    match discover(talk, platform.issuer()).await {
        Some(metadata) => words(&metadata, "/scopes_supported")
            .into_iter()
            .take(PUBLISHED_MAX)
            .map(str::to_owned)
            .collect(),
        None => Vec::new(),
    }
}

/// How many published scopes are asked for at once.
const PUBLISHED_MAX: usize = 100;

/// Scopes that the platform knows and the identity does not declare, those with a call that only reads first.
fn undeclared(
    known: &BTreeMap<String, BTreeSet<String>>,
    own: &[&str],
) -> Vec<(String, BTreeSet<String>)> {
    let extra = known.iter().filter(|(it, _)| !own.contains(&it.as_str()));
    let mut extra: Vec<_> = extra.map(|(name, uses)| (name.clone(), uses.clone())).collect();
    extra.sort_by_key(|(_, uses)| !uses.iter().any(|it| it.starts_with("GET ")));
    extra.truncate(KNOWN_MAX);
    extra
}

/// What was granted and is not declared. Where an answer names no scope, what was asked for is granted
/// (RFC 6749, section 5.1).
fn excess(asked: &Value, own: &[&str]) -> Option<Vec<String>> {
    if !says(Some(asked), "granted") {
        return None;
    }
    let granted =
        asked.get("scope").and_then(Value::as_str).unwrap_or_else(|| word(asked, "asked"));
    let extra: Vec<String> =
        granted.split_whitespace().filter(|it| !own.contains(it)).map(str::to_owned).collect();
    (!extra.is_empty()).then_some(extra)
}

fn word<'a>(fact: &'a Value, member: &str) -> &'a str {
    fact.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn word_of<'a>(fact: Option<&'a Value>, member: &str) -> &'a str {
    fact.map_or("", |it| word(it, member))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    fn control() -> Sample {
        sample().setting("declared", vec!["tickets:write"]).setting("place", "identity[0]").fact(
            "control",
            json!({"asked": "tickets:write", "status": 200, "granted": true, "scope": "tickets:write"}),
        )
    }

    fn refused(sample: Sample, times: u8) -> Sample {
        let no = json!({"asked": "tickets:write *", "status": 400, "granted": false, "code": "invalid_scope"});
        (0..times).fold(sample, |it, _| it.fact("asked", no.clone()))
    }

    fn granted(scope: &Value) -> Value {
        json!({"asked": "tickets:write users:read.all", "status": 200, "granted": true, "scope": scope})
    }

    #[test]
    fn more_than_declared_is_refused_or_narrowed() {
        let used = |status: u16| {
            let admitted = status < 300;
            json!({"method": "GET", "path": "/v1/users", "status": status, "admitted": admitted})
        };
        let unreachable = json!({"error": "it cannot be reached"});
        let table = [
            ("refused", refused(control(), 3), Pass),
            ("refused, effect seen", refused(control(), 3).fact("used", used(403)), Pass),
            (
                "narrowed",
                refused(control(), 2).fact("asked", granted(&"tickets:write".into())),
                Pass,
            ),
            (
                "granted",
                refused(control(), 2)
                    .fact("asked", granted(&"tickets:write users:read.all".into())),
                Fail,
            ),
            (
                "granted without a word",
                refused(control(), 2).fact("asked", granted(&Value::Null)),
                Fail,
            ),
            ("refused, and yet it works", refused(control(), 3).fact("used", used(200)), Fail),
            (
                "500",
                control().fact("asked", json!({"status": 500, "granted": false})),
                Inconclusive,
            ),
            ("no answer", refused(control(), 2).fact("asked", unreachable.clone()), Inconclusive),
            ("cut off", refused(control(), 1), Inconclusive),
            ("platform down", sample().fact("copy", unreachable), Inconclusive),
            ("no control", refused(sample(), 3), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&RefusesUndeclaredScope, &table);
        let judgement = judged(&RefusesUndeclaredScope, &table[3].1);
        insta::assert_snapshot!(judgement.sentence, @"scope `users:read.all` is granted on request");
        insta::assert_snapshot!(judgement.observed, @"asked for `tickets:write users:read.all`, got a token for it");
        let judgement = judged(&RefusesUndeclaredScope, &table[1].1);
        insta::assert_snapshot!(judgement.observed, @"3 of 3 requests refused, 0 narrowed, and a call without its scope as well");
    }

    #[test]
    fn scopes_with_a_call_that_only_reads_come_first() {
        let of = |it: &str| BTreeSet::from([it.to_owned()]);
        let known = BTreeMap::from([
            ("tenants:delete".to_owned(), of("DELETE /v1/tenants/{id}")),
            ("tickets:write".to_owned(), of("POST /v1/tickets")),
            ("users:read.all".to_owned(), of("GET /v1/users")),
        ]);
        let names: Vec<String> =
            undeclared(&known, &["tickets:write"]).into_iter().map(|it| it.0).collect();
        assert_eq!(names, ["users:read.all", "tenants:delete"]);
    }
}
