//! A difference from the baseline.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::certify::baseline::{Baseline, Granted};
use crate::time::Timestamp;

/// One difference between what was certified and what is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The word of the manifest's `[recertify] on` list: `scope-added`.
    pub trigger: String,
    /// Where: `acme-helpdesk: scope`.
    pub place: String,
    /// What was certified.
    pub before: String,
    /// What is.
    pub after: String,
    /// Who changed it, by the platform's own record; none where that does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When, by the same record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
}

impl Drift {
    fn new(trigger: &str, place: String, before: &str, after: &str) -> Self {
        let (trigger, before, after) = (trigger.to_owned(), before.to_owned(), after.to_owned());
        Self { trigger, place, before, after, by: None, at: None }
    }

    /// Whether it is the same difference, whoever made it.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.trigger, &self.place, &self.before, &self.after)
            == (&other.trigger, &other.place, &other.before, &other.after)
    }

    /// The client, subscription or other thing that differs: what stands before the colon of its place.
    pub fn subject(&self) -> &str {
        self.place.rsplit_once(": ").map_or(self.place.as_str(), |(subject, _)| subject)
    }

    /// What of it differs: what stands behind the colon.
    pub fn what(&self) -> &str {
        self.place.rsplit_once(": ").map_or("", |(_, what)| what)
    }
}

/// What the platform holds now against what was certified: each difference once, in a fixed order.
///
/// Less than was certified is no difference, with one exception: an owner who is gone.
pub fn drifts(certified: &Baseline, now: &Baseline) -> Vec<Drift> {
    let mut found = Vec::new();
    for (client, granted) in &now.granted {
        if let Some(before) = certified.granted.get(client) {
            of_client(client, before, granted, &mut found);
        } else {
            let place = format!("{client}: identity");
            found.push(Drift::new("key-changed", place, "unknown", "present"));
        }
    }
    for (id, types) in &now.subscriptions {
        let none = BTreeSet::new();
        let before = certified.subscriptions.get(id).unwrap_or(&none);
        for kind in types.difference(before) {
            let place = format!("{id}: event");
            found.push(Drift::new("event-type-added", place, "not subscribed", kind));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// What one client can do now and could not when it was certified.
fn of_client(client: &str, before: &Granted, now: &Granted, found: &mut Vec<Drift>) {
    let mut add = |trigger: &str, what: &str, before: &str, after: &str| {
        found.push(Drift::new(trigger, format!("{client}: {what}"), before, after));
    };
    if !before.enabled && now.enabled {
        add("client-enabled", "state", "disabled", "enabled");
    }
    for scope in now.scopes.difference(&before.scopes) {
        add("scope-added", "scope", "not granted", scope);
    }
    for role in added(before.roles.as_ref(), now.roles.as_ref()) {
        add("scope-added", "role", "not granted", role);
    }
    for key in now.keys.difference(&before.keys) {
        add("key-changed", "key", "unknown", key);
    }
    // A key is a credential too: it is told once.
    let credentials = added(before.credentials.as_ref(), now.credentials.as_ref());
    for it in credentials.into_iter().filter(|it| !now.keys.contains(*it)) {
        add("key-changed", "credential", "unknown", it);
    }
    for address in now.redirect_uris.difference(&before.redirect_uris) {
        add("endpoint-changed", "redirect", "unknown", address);
    }
    let lives = [
        ("token lifetime", before.token_ttl_seconds, now.token_ttl_seconds),
        ("refresh lifetime", before.refresh_ttl_seconds, now.refresh_ttl_seconds),
    ];
    for (what, before, now) in lives.into_iter().filter(|(_, before, now)| before < now) {
        add("limit-raised", what, &format!("{before} s"), &format!("{now} s"));
    }
    if before.auth != now.auth {
        add("key-changed", "auth", &before.auth, &now.auth);
    }
    if let (Some(before), Some(now)) = (&before.owner, &now.owner)
        && before != now
    {
        let name = |it: &str| if it.is_empty() { "nobody".to_owned() } else { it.to_owned() };
        add("owner-changed", "owner", &name(before), &name(now));
    }
}

/// What is there now and was not before; nothing where either is not known.
fn added<'a>(
    before: Option<&'a BTreeSet<String>>,
    now: Option<&'a BTreeSet<String>>,
) -> Vec<&'a String> {
    let (Some(before), Some(now)) = (before, now) else { return Vec::new() };
    now.difference(before).collect()
}

#[cfg(test)]
mod tests {
    use countersign_seal::Digest;

    use super::*;

    type Change = fn(&mut Granted);

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|it| (*it).to_owned()).collect()
    }

    fn granted() -> Granted {
        Granted {
            enabled: false,
            auth: "private_key_jwt".to_owned(),
            scopes: set(&["a"]),
            keys: set(&["k1"]),
            redirect_uris: set(&["https://a.example/cb"]),
            token_ttl_seconds: 600,
            refresh_ttl_seconds: 0,
            roles: Some(set(&[])),
            credentials: Some(set(&["k1"])),
            owner: Some("lena".to_owned()),
        }
    }

    fn baseline(granted: Granted) -> Baseline {
        let all = [("acme".to_owned(), granted)].into();
        Baseline::new(Digest::of(b"m"), all, [].into())
    }

    #[test]
    fn each_new_power_is_named_once() {
        let table: [(&str, Change); 12] = [
            ("", |it| it.scopes.clear()),
            ("scope-added acme: scope: not granted -> b", |it| {
                it.scopes.insert("b".to_owned());
            }),
            ("scope-added acme: role: not granted -> admin", |it| {
                it.roles = Some(set(&["admin"]));
            }),
            ("endpoint-changed acme: redirect: unknown -> https://b.example/", |it| {
                it.redirect_uris.insert("https://b.example/".to_owned());
            }),
            ("key-changed acme: key: unknown -> k2", |it| {
                it.keys.insert("k2".to_owned());
                it.credentials = Some(set(&["k1", "k2"]));
            }),
            ("key-changed acme: credential: unknown -> secret-1", |it| {
                it.credentials = Some(set(&["k1", "secret-1"]));
            }),
            ("owner-changed acme: owner: lena -> nobody", |it| it.owner = Some(String::new())),
            ("limit-raised acme: token lifetime: 600 s -> 7200 s", |it| {
                it.token_ttl_seconds = 7200;
            }),
            ("limit-raised acme: refresh lifetime: 0 s -> 60 s", |it| it.refresh_ttl_seconds = 60),
            ("client-enabled acme: state: disabled -> enabled", |it| it.enabled = true),
            ("key-changed acme: auth: private_key_jwt -> none", |it| it.auth = "none".to_owned()),
            ("", |it| (it.roles, it.credentials, it.owner) = (None, None, None)),
        ];
        for (expected, change) in table {
            let mut now = granted();
            change(&mut now);
            let found = drifts(&baseline(granted()), &baseline(now));
            let words = found
                .iter()
                .map(|it| format!("{} {}: {} -> {}", it.trigger, it.place, it.before, it.after));
            assert_eq!(words.collect::<Vec<_>>().join("\n"), expected);
            assert!(found.iter().all(|it| it.subject() == "acme"), "{expected}");
        }
    }

    #[test]
    fn what_an_old_baseline_does_not_tell_is_no_difference_and_changes_no_digest() {
        let mut old = granted();
        (old.roles, old.credentials, old.owner) = (None, None, None);
        assert_eq!(drifts(&baseline(old.clone()), &baseline(granted())), []);
        let text = serde_json::to_string(&old).unwrap();
        assert!(!text.contains("roles") && !text.contains("credentials"), "{text}");
        let read: Granted = serde_json::from_str(&text).unwrap();
        assert_eq!(read, old);
    }
}
