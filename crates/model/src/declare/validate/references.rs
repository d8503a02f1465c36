//! Words that must be known and names that must exist.

use super::{PreflightCode, Rules};
use crate::declare::shape::closest;

/// The ways to revoke something; beside these, `identity:` and the id of an identity here.
pub const REVOKE_WORDS: [&str; 12] = [
    "account-disable",
    "client-disable",
    "issuer-block",
    "jwks-removal",
    "key-removal",
    "pin-removal",
    "queue-purge",
    "redirect-removal",
    "route-block",
    "secret-removal",
    "subscription-disable",
    "token-revocation",
];

/// What can ask for recertification: the words of `[recertify] on`.
pub const TRIGGERS: [&str; 18] = [
    "callback-changed",
    "data-path-added",
    "declared-use-changed",
    "endpoint-changed",
    "event-type-added",
    "issuer-changed",
    "key-changed",
    "limit-raised",
    "log-gap",
    "misuse",
    "network-added",
    "owner-changed",
    "publisher-changed",
    "rotation-failed",
    "scope-added",
    "scope-changed",
    "secret-found",
    "subprocessor-added",
];

pub(super) fn check(rules: &mut Rules<'_>) {
    let manifest = rules.manifest();
    let identities = manifest.identities.iter().map(|it| &it.revoke_by);
    let lists = [
        ("identity", identities.collect::<Vec<_>>()),
        (
            "authorization_server",
            manifest.authorization_servers.iter().map(|it| &it.revoke_by).collect(),
        ),
        ("callback", manifest.callbacks.iter().map(|it| &it.revoke_by).collect()),
        ("webhook", manifest.webhooks.iter().map(|it| &it.revoke_by).collect()),
        ("event", manifest.events.iter().map(|it| &it.revoke_by).collect()),
        ("resource", manifest.resources.iter().map(|it| &it.revoke_by).collect()),
        ("automation", manifest.automations.iter().map(|it| &it.revoke_by).collect()),
    ];
    for (section, lists) in lists {
        for (index, words) in lists.into_iter().enumerate() {
            for (at, word) in words.iter().enumerate() {
                revoke_word(rules, &format!("{section}[{index}].revoke_by[{at}]"), word);
            }
        }
    }
    for (at, word) in manifest.recertify.on.iter().enumerate() {
        if !TRIGGERS.contains(&word.as_str()) {
            let path = format!("recertify.on[{at}]");
            unknown(rules, &path, &format!("`{word}` is not a trigger"), (word, &TRIGGERS));
        }
    }
}

fn revoke_word(rules: &mut Rules<'_>, path: &str, word: &str) {
    if let Some(id) = word.strip_prefix("identity:") {
        let ids: Vec<_> = rules.manifest().identities.iter().map(|it| it.id.as_str()).collect();
        if !ids.contains(&id) {
            unknown(rules, path, &format!("no identity here is called `{id}`"), (id, &ids));
        }
    } else if !REVOKE_WORDS.contains(&word) {
        let message = format!("`{word}` is not a way to revoke anything");
        unknown(rules, path, &message, (word, &REVOKE_WORDS));
    }
}

fn unknown(rules: &mut Rules<'_>, path: &str, message: &str, (word, known): (&str, &[&str])) {
    let meant = closest(word, known.iter().copied());
    let listed: Vec<_> = known.iter().map(|it| format!("`{it}`")).collect();
    let diagnostic = rules.add(PreflightCode::UnknownName, path, message);
    match meant {
        Some(meant) => diagnostic.label = Some(format!("did you mean `{meant}`?")),
        None => diagnostic.help = Some(format!("known here: {}", listed.join(", "))),
    }
}
