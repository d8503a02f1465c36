//! What is really granted at the platform, held against what is declared.

pub mod before_pass;
mod credential;
pub mod credentials;
pub mod lifetime;
pub mod population;
pub mod scopes;
pub mod wildcard;

use std::sync::Arc;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Identity, IdentityKind};
use serde_json::{Value, json};

use crate::check::Check;
use crate::platform::{AdminAct, Held, Platform, by_hand};
use crate::talk::{Means, Talk};

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &scopes::GrantsOnlyDeclaredScopes,
    &credentials::HoldsOnlyDeclaredCredentials,
    &wildcard::HoldsNoWildcardAuthority,
    &before_pass::GotNoProductionTrustBeforeAPass,
    &lifetime::BoundsAccessTokenLifetime,
];

/// The identities that are clients at the platform, with their place in the manifest.
pub(crate) fn clients(manifest: &Manifest) -> impl Iterator<Item = (usize, &Identity)> {
    manifest.identities.iter().enumerate().filter(|(_, it)| {
        use IdentityKind::{ApiKey, OauthClient, ServiceAccount};
        matches!(it.kind, ApiKey | OauthClient | ServiceAccount)
    })
}

/// The identities that obtain tokens.
pub(crate) fn token_clients(manifest: &Manifest) -> impl Iterator<Item = (usize, &Identity)> {
    clients(manifest).filter(|(_, it)| it.kind != IdentityKind::ApiKey)
}

/// The identity of this id.
pub(crate) fn identity<'a>(manifest: &'a Manifest, id: &str) -> Option<(usize, &'a Identity)> {
    manifest.identities.iter().enumerate().find(|(_, it)| it.id.as_str() == id)
}

/// Both tenants, where they are set up.
pub(crate) fn tenants(means: &Means) -> Vec<(&'static str, Arc<dyn Platform>)> {
    let tenants = [("production", &means.production), ("test", &means.platform)];
    let there = tenants.into_iter().filter_map(|(name, it)| Some((name, Arc::clone(it.as_ref()?))));
    there.collect()
}

/// Asks both tenants what they hold, and writes down what `show` makes of it.
pub(crate) async fn ask(
    talk: &mut Talk,
    manifest: &Manifest,
    show: impl Fn(&'static str, &Held) -> Value + Send,
) {
    let Some(means) = talk.means() else { return };
    let tenants = tenants(&means);
    if tenants.is_empty() {
        talk.fact("held", "platform", json!({ "error": "no platform is set up" }));
    }
    for (name, platform) in tenants {
        let list = AdminAct::ListClients(manifest.integration.id.as_str());
        talk.setting(&format!("repeat.{name}"), by_hand::admin(platform.as_ref(), list));
        let held = platform.granted(manifest).await;
        talk.heard("held", held, |it| show(name, it));
    }
}

/// What one tenant holds for one client, as facts show it.
pub(crate) fn client_fact(tenant: &str, held: &Held, identity: &Identity) -> Value {
    let granted = held.granted.get(identity.client_id());
    json!({
        "tenant": tenant, "client": identity.client_id(), "known": granted.is_some(),
        "granted": granted,
    })
}

/// The facts of tenants that know the client.
pub(crate) fn known(transcript: &Transcript) -> Vec<&Value> {
    let facts = transcript.facts("held").map(|it| &it.value);
    facts.filter(|it| it.get("known") == Some(&Value::Bool(true))).collect()
}

/// The request that lists what a tenant holds.
pub(crate) fn listing<'a>(transcript: &'a Transcript, tenant: &str) -> &'a str {
    transcript.text(&format!("repeat.{tenant}")).unwrap_or("list the clients at the platform")
}

/// Nobody could be asked, or nobody knows the client.
pub(crate) fn unknown(transcript: &Transcript) -> Judgement {
    let error = transcript.facts("held").find_map(|it| it.value.get("error")?.as_str());
    match error {
        Some(error) => Judgement::inconclusive("the platform could not be asked").observed(error),
        None => Judgement::inconclusive("the platform does not know this client")
            .observed("no such client")
            .expected("a client that is registered as declared"),
    }
}

/// The words of a list in a fact.
pub(crate) fn words<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    let items = value.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

/// The words of a setting that is a list.
pub(crate) fn declared<'a>(transcript: &'a Transcript, name: &str) -> Vec<&'a str> {
    let items = transcript.settings.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}
