//! Is nothing of it left when it ends?
//!
//! Integrations that ended years ago are how many break-ins begin: a client that was forgotten, a
//! refresh token that still works, a copy of the data at the partner. So a throw-away copy of each
//! client gets a token, and a refresh token where that is allowed, and is seen to work. Then it is
//! offboarded: disabled, its tokens revoked, deleted. After that every way in is tried again, and the
//! list of what still answers must be empty. Where the manifest declares a call that ends a tenant at
//! the partner, it is made for a tenant that exists for this alone: it must have been there before,
//! and be gone in time afterwards.
//!
//! Source: NIST SP 800-53r5, AC-2 and SR-12; OWASP NHI1:2025; CTS-WDR-02.

mod partner;
mod platform;

use countersign_model::check::{Answer, Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::require::profile::Section;
use serde_json::{Value, json};

use super::tries::{OPEN, SHUT, UNABLE};
use super::{demanded, seconds};
use crate::check::{Check, Info, Stage};
use crate::granted::token_clients;
use crate::talk::Talk;

/// Is nothing of it left when it ends?
#[derive(Debug, Clone, Copy)]
pub struct LeavesNothingBehindWhenOffboarded;

#[async_trait::async_trait]
impl Check for LeavesNothingBehindWhenOffboarded {
    fn info(&self) -> &'static Info {
        &Info {
            name: "leaves_nothing_behind_when_offboarded",
            case: None,
            controls: &["CTS-WDR-02"],
            question: "Is nothing of it left when it ends?",
            sends: "A throw-away copy of each client gets a token, and a refresh token where that is allowed, and uses them. Then it is disabled, its tokens are revoked, it is deleted, and every way in is tried again. Where `offboarding` declares a call at the partner, it is made for a tenant that exists for this alone.",
            passes: "Each way was open before and refuses within `deny_within` afterwards. The partner's tenant was there before, and answers 404 or 410 within `offboarding.finish`. Where the profile asks for an offboarding, one is declared.",
            risk: "An integration that left years ago can still come in, or still holds data.",
            fix: "Let the end of a client end its tokens and refresh tokens, and let the partner's call really delete what it holds.",
            source: "NIST SP 800-53r5, AC-2 and SR-12; OWASP NHI1:2025.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Drill
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        if demanded::is_missing(manifest, Section::Offboarding) {
            return vec![crate::fact::MANIFEST.to_owned()];
        }
        let ends = |it: &&countersign_model::declare::manifest::Identity| {
            it.offboarding.is_some()
                || token_clients(manifest).any(|(_, client)| client.id == it.id)
        };
        manifest.identities.iter().filter(ends).map(|it| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let mut identities = manifest.identities.iter().enumerate();
        let Some((index, identity)) = identities.find(|it| it.1.id.as_str() == subject) else {
            let section = Section::Offboarding.heading();
            talk.fact(demanded::MISSING, "manifest", json!({ "section": section }));
            return;
        };
        talk.setting("place", format!("identity[{index}]"));
        talk.setting("has_copy", token_clients(manifest).any(|it| it.0 == index));
        if let Some(it) = &identity.offboarding {
            talk.setting("start", it.start.as_str());
            talk.setting("confirmed", it.confirmed.as_str());
            talk.setting("finish_ms", it.finish.millis());
            talk.setting("place", format!("identity[{index}].offboarding"));
            partner::end(talk, manifest, it).await;
        }
        if token_clients(manifest).any(|it| it.0 == index) {
            platform::end(talk, manifest, identity).await;
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        decide(transcript)
            .unwrap_or_else(|it| *it)
            .expected("nothing that still answers, here or at the partner")
            .at(transcript.text("place").unwrap_or_default())
            .repeat("copy the client at the test tenant, get a token, delete the copy, and try the token, the refresh token and the key again; call `offboarding.start` for a tenant, then `offboarding.confirmed`")
    }
}

fn decide(transcript: &Transcript) -> Result<Judgement, Box<Judgement>> {
    if let Some(it) = transcript.fact(demanded::MISSING) {
        let section = it.get("section").and_then(Value::as_str).unwrap_or_default();
        return Err(Judgement::fail("the profile asks for an offboarding, and none is declared")
            .observed(format!("no {section}"))
            .expected("a call that ends a tenant, for at least one identity")
            .into());
    }
    let here = here(transcript);
    let there = there(transcript);
    // What fails on one side fails, whatever the other could not tell.
    let failed = |it: &Result<String, Box<Judgement>>| {
        it.as_ref().err().filter(|it| it.verdict == Verdict::Fail).cloned()
    };
    if let Some(fail) = failed(&here).or_else(|| failed(&there)) {
        return Err(fail);
    }
    let observed: Vec<String> = [here?, there?].into_iter().filter(|it| !it.is_empty()).collect();
    if observed.is_empty() {
        return Err(Judgement::inconclusive("nothing was offboarded").into());
    }
    Ok(Judgement::pass("nothing is left behind").observed(observed.join("; ")))
}

/// What is left at the platform.
fn here(transcript: &Transcript) -> Result<String, Box<Judgement>> {
    if transcript.settings.get("has_copy") != Some(&Value::Bool(true)) {
        return Ok(String::new());
    }
    let tries = |label: &'static str| {
        let facts = transcript.facts(label).map(|it| &it.value);
        facts.filter_map(Try::read).collect::<Vec<_>>()
    };
    let (before, after) = (tries("before"), tries("after"));
    let open = |it: &&Try| it.came == OPEN;
    let left: Vec<String> = after.iter().filter(open).map(Try::words).collect();
    if !left.is_empty() {
        let observed =
            format!("{} of {} still answer: {}", left.len(), after.len(), left.join("; "));
        return Err(Judgement::fail("something of it still answers")
            .observed(observed)
            .details(left)
            .into());
    }
    let unseen: Vec<String> =
        before.iter().filter(|it| it.came != OPEN && it.came != UNABLE).map(Try::words).collect();
    if before.iter().all(|it| it.came != OPEN) || !unseen.is_empty() {
        let why = ["platform", "copy"].into_iter().find_map(|label| {
            transcript
                .facts(label)
                .find_map(|it| it.value.get("error")?.as_str().map(str::to_owned))
        });
        return Err(Judgement::inconclusive(
            "the copy did not work before, so its end says nothing",
        )
        .observed(why.unwrap_or_else(|| unseen.join("; ")))
        .into());
    }
    if let Some(error) = transcript.facts("end").find_map(|it| it.value.get("error")?.as_str()) {
        return Err(Judgement::inconclusive("the platform did not end the copy")
            .observed(error)
            .into());
    }
    let opened: Vec<&Try> = before.iter().filter(open).collect();
    let shut = |it: &&Try| after.iter().any(|other| other.path == it.path && other.came == SHUT);
    if let Some(it) = opened.iter().find(|it| !shut(it)) {
        let last = after.iter().find(|other| other.path == it.path);
        return Err(Judgement::inconclusive("not everything could be tried again")
            .observed(last.map_or_else(|| format!("{}: not tried", it.path), Try::words))
            .into());
    }
    let slowest = after.iter().map(|it| it.after_ms).max().unwrap_or_default();
    let names: Vec<&str> = opened.iter().map(|it| it.path.as_str()).collect();
    Ok(format!(
        "0 of {} ways still answer after {} ({})",
        names.len(),
        seconds(slowest),
        names.join(", ")
    ))
}

/// What is left at the partner.
fn there(transcript: &Transcript) -> Result<String, Box<Judgement>> {
    if transcript.text("start").is_none() {
        return Ok(String::new());
    }
    if transcript.fact("manual").is_some() {
        return Err(Judgement::inconclusive("an offboarding by hand cannot be rehearsed")
            .observed("method = \"manual\"")
            .into());
    }
    if let Some(error) = transcript.fact("stopped").and_then(|it| it.get("error")?.as_str()) {
        return Err(Judgement::inconclusive("the partner's offboarding cannot be rehearsed")
            .observed(error)
            .into());
    }
    let Some(before) = transcript.exchange("tenant-before") else {
        return Err(Judgement::inconclusive("the partner was not asked").into());
    };
    if !before.answer.is_success() {
        return Err(Judgement::inconclusive(
            "the tenant could not be seen at the partner, so that it is gone says nothing",
        )
        .observed(format!("before: {}", before.answer.words()))
        .into());
    }
    let Some(end) = transcript.exchange("offboard") else {
        return Err(Judgement::inconclusive("the partner was not asked to end a tenant").into());
    };
    match end.answer.status() {
        Some(200..300) => {}
        Some(404 | 405 | 410 | 501) => {
            return Err(Judgement::fail(
                "the call that is declared to end a tenant does not exist",
            )
            .observed(end.answer.words())
            .into());
        }
        _ => {
            return Err(Judgement::inconclusive("the call that ends a tenant did not go through")
                .observed(end.answer.words())
                .into());
        }
    }
    let finish = transcript.number("finish_ms").unwrap_or_default();
    let after = transcript.exchange("tenant-after").map(|it| &it.answer);
    let took = transcript.fact("gone").and_then(|it| it.get("after_ms")?.as_u64());
    match (after.and_then(Answer::status), took) {
        (Some(404 | 410), Some(took)) => {
            Ok(format!("the partner's tenant is gone after {}", seconds(took)))
        }
        (Some(200..300), _)
            if after.is_some_and(|it| alike(&[&before.answer, &end.answer, it])) =>
        {
            let sentence = "the partner answers everything alike, so nothing can be seen";
            Err(Judgement::inconclusive(sentence).observed(end.answer.words()).into())
        }
        (Some(200..300), _) => Err(Judgement::fail("the partner still holds the tenant")
            .observed(format!(
                "{} {} after the call",
                after.map(Answer::words).unwrap_or_default(),
                seconds(finish)
            ))
            .into()),
        _ => Err(Judgement::inconclusive("it cannot be seen whether the partner ended the tenant")
            .observed(after.map_or_else(|| "no answer".to_owned(), Answer::words))
            .into()),
    }
}

/// Whether all of them say the same.
fn alike(answers: &[&Answer]) -> bool {
    answers.windows(2).all(|it| it[0].status() == it[1].status() && it[0].text() == it[1].text())
}

#[derive(Debug)]
struct Try {
    path: String,
    came: String,
    seen: String,
    after_ms: u64,
}

impl Try {
    fn read(fact: &Value) -> Option<Self> {
        let text = |name: &str| fact.get(name)?.as_str().map(str::to_owned);
        let after_ms = fact.get("after_ms")?.as_u64()?;
        Some(Self { path: text("path")?, came: text("came")?, seen: text("seen")?, after_ms })
    }

    fn words(&self) -> String {
        format!("{}: {}", self.path, self.seen)
    }
}

#[cfg(test)]
mod tests;
