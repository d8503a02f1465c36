//! The same question to an authorization server of the partner's whose tokens we trust.

use countersign_model::declare::Manifest;
use serde_json::{Value, json};

use super::{KNOWN_MAX, PUBLISHED_MAX};
use crate::probe::authz::{Party, Visit};
use crate::talk::Talk;

/// Asks as a test client, and writes down what came of it in the words of the platform's own answers.
pub(super) async fn play(subject: &str, manifest: &Manifest, talk: &mut Talk) {
    let Some(mut visit) = Visit::open(subject, manifest, talk).await else { return };
    let own = visit.declared_scopes();
    visit.talk.setting("declared", own.clone());
    let plain = |it: &Party| it.may("client_credentials");
    let Some(party) = visit.party(plain).await else { return };
    let Some(name) = visit.talk.fresh_name("canary-") else { return };
    let first = party.plain_scopes().into_iter().next().unwrap_or_default();
    ask(&mut visit, &party, ("control", &first)).await;
    let published: Vec<String> =
        visit.server.words("scopes_supported").into_iter().map(str::to_owned).collect();
    let extra = published.iter().filter(|it| !own.contains(*it)).take(KNOWN_MAX).cloned();
    let words = extra.chain(["*".to_owned(), name]);
    let all = published.iter().take(PUBLISHED_MAX).cloned().collect::<Vec<_>>().join(" ");
    for word in words.chain((!all.is_empty()).then_some(all)).collect::<Vec<_>>() {
        let scope = format!("{first} {word}");
        ask(&mut visit, &party, ("asked", scope.trim())).await;
    }
}

async fn ask(visit: &mut Visit<'_>, party: &Party, (label, scope): (&str, &str)) {
    let fields = [("grant_type", "client_credentials"), ("scope", scope)];
    let Some(form) = visit.token_form(party, &fields) else { return };
    let exchange = format!("{label}-request");
    let tokens = visit.mint(&exchange, &form).await;
    let answer = visit.talk.transcript().exchange(&exchange).map(|it| it.answer.clone());
    let status = answer.as_ref().and_then(countersign_model::check::Answer::status);
    let code = answer.and_then(|it| it.json()).and_then(|it| it.get("error").cloned());
    let fact = json!({
        "asked": scope, "status": status, "granted": tokens.is_some(),
        "scope": tokens.and_then(|it| it.scope), "code": code.unwrap_or(Value::Null),
    });
    visit.talk.fact(label, "server", fact);
}
