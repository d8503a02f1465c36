//! What an integration really did in production, from the platform's own records.

use std::collections::BTreeMap;

use countersign_checks::log::record::{Record, Told};
use countersign_checks::platform::Platform;
use countersign_gate::path::is_use;
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Identity, IdentityKind};
use countersign_model::time::Timestamp;

use super::unreachable;
use crate::world::{Unreachable, Used, UsedBy};

/// How many different words are told apart for one client.
const WORDS_MAX: usize = 200;

pub(super) async fn used(
    platform: &dyn Platform,
    manifest: &Manifest,
    since: Timestamp,
) -> Result<Used, Unreachable> {
    let mut clients = BTreeMap::new();
    for identity in &manifest.identities {
        use IdentityKind::{ApiKey, OauthClient, ServiceAccount};
        if !matches!(identity.kind, ApiKey | OauthClient | ServiceAccount) {
            continue;
        }
        let client = identity.client_id();
        let tokens = platform.token_log(client, since).await.map_err(|it| unreachable(&it))?;
        let access = platform.access_log(client, since).await.map_err(|it| unreachable(&it))?;
        clients.insert(client.to_owned(), count(identity, &tokens, &access));
    }
    Ok(Used { since, clients })
}

/// Counts what two logs tell about one client.
fn count(identity: &Identity, tokens: &[u8], access: &[u8]) -> UsedBy {
    let mut used = UsedBy::default();
    let mine =
        |it: &Record<'_>| it.client_id.as_deref().is_none_or(|it| it == identity.client_id());
    for record in records(tokens, &mut used.unreadable).filter(mine) {
        used.last = used.last.max(record.time);
        if !record.granted {
            used.refused += 1;
            continue;
        }
        used.tokens += 1;
        for scope in record.scopes {
            add(&mut used.scopes, &scope);
        }
    }
    let declared: Vec<&str> =
        identity.scopes.iter().flat_map(|it| &it.uses).map(String::as_str).collect();
    for record in records(access, &mut used.unreadable).filter(mine) {
        used.last = used.last.max(record.time);
        let text = |name: &str| record.fields.get(name).unwrap_or_default();
        let (method, path) = (text("method"), text("path"));
        let known = declared.iter().find(|it| is_use(it, method, path));
        let call = known.map_or_else(|| format!("{method} {path}"), |it| (*it).to_owned());
        add(&mut used.calls, &call);
    }
    used
}

fn records<'a>(log: &'a [u8], unreadable: &'a mut u64) -> impl Iterator<Item = Record<'a>> {
    let lines = log.split(|it| *it == b'\n').filter(|it| !it.trim_ascii().is_empty());
    lines.filter_map(|line| {
        let record = Record::parse(line).ok();
        *unreadable += u64::from(record.is_none());
        record.filter(|it| it.told() != Told::Aside)
    })
}

/// Counts a word; too many different ones are counted together.
fn add(words: &mut BTreeMap<String, u64>, word: &str) {
    let word = if WORDS_MAX <= words.len() && !words.contains_key(word) {
        "other".to_owned()
    } else {
        word.chars().take(200).collect()
    };
    *words.entry(word).or_default() += 1;
}
