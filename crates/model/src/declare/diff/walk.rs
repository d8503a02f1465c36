//! Walks two manifests side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::change::{ChangeKind, ManifestChange};
use super::rules::classify;
use crate::declare::digest::{SETS, canonical, name_of};
use crate::declare::shape::is_extension;

/// Every difference between two manifests as they were written (`Parsed::value`).
///
/// Total: two manifests with different digests differ in at least one place, and two with the same
/// digest in none.
pub fn diff(before: &Value, after: &Value) -> Vec<ManifestChange> {
    let (before, after) = (canonical(before), canonical(after));
    let mut found = Vec::new();
    compare(&At::default(), Some(&before), Some(&after), &mut found);
    if found.is_empty() && before != after {
        found.push(ManifestChange {
            kind: ChangeKind::Other,
            path: String::new(),
            before: None,
            after: None,
            trigger: None,
            widens: false,
        });
    }
    found
}

/// Where the walk stands: the path for people and, for the rules, the same without names.
#[derive(Debug, Clone, Default)]
pub(super) struct At {
    pub(super) path: String,
    pub(super) pattern: String,
}

impl At {
    fn key(&self, key: &str) -> Self {
        let join =
            |base: &str| if base.is_empty() { key.to_owned() } else { format!("{base}.{key}") };
        Self { path: join(&self.path), pattern: join(&self.pattern) }
    }

    fn entry(&self, name: &str) -> Self {
        Self { path: format!("{}[{name}]", self.path), pattern: format!("{}[]", self.pattern) }
    }

    /// The last key.
    fn last(&self) -> &str {
        self.pattern.rsplit('.').next().unwrap_or_default()
    }
}

fn compare(
    at: &At,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<ManifestChange>,
) {
    if before == after {
        return;
    }
    if is_extension(at.last()) {
        found.push(classify(at, before, after));
        return;
    }
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            tables(at, before, after, found);
        }
        (before, after) if is_list(before) && is_list(after) && at.holds_list(before, after) => {
            lists(at, items(before), items(after), found);
        }
        (None, Some(Value::Object(new))) if at.is_walked() => {
            found.push(classify(at, None, after));
            tables(at, &Map::new(), new, found);
        }
        _ => found.push(classify(at, before, after)),
    }
}

impl At {
    /// Whether the list is one of tables or a set, whose entries are compared by name.
    fn holds_list(&self, before: Option<&Value>, after: Option<&Value>) -> bool {
        let all = || items(before).iter().chain(items(after));
        if self.pattern == "declared_use.networks"
            && (items(before).is_empty() || items(after).is_empty())
        {
            // Without any network, every network is allowed: that is no difference of single ones.
            return false;
        }
        all().next().is_some() && (SETS.contains(&self.last()) || all().all(Value::is_object))
    }

    /// Entries whose parts pull triggers of their own when they are new.
    fn is_walked(&self) -> bool {
        matches!(self.pattern.as_str(), "automation[]" | "event[]" | "identity[]")
    }
}

fn tables(
    at: &At,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    found: &mut Vec<ManifestChange>,
) {
    // A new entry of a list has been reported as a whole; of its parts only the telling ones follow.
    let fresh = before.is_empty() && at.is_walked();
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let telling = matches!(key.as_str(), "scope" | "types");
        if !fresh || telling {
            compare(&at.key(key), before.get(key), after.get(key), found);
        }
    }
}

fn lists(at: &At, before: &[Value], after: &[Value], found: &mut Vec<ManifestChange>) {
    let (before, after) = (by_name(before), by_name(after));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for (name, turn) in names {
        let key = (name.clone(), *turn);
        let (one, other) = (before.get(&key).copied(), after.get(&key).copied());
        let is_table = one.or(other).is_some_and(Value::is_object);
        compare(&if is_table { at.entry(name) } else { at.clone() }, one, other, found);
    }
}

/// Entries by their names, else by their text; the second of a name is another entry.
fn by_name(items: &[Value]) -> BTreeMap<(String, usize), &Value> {
    let mut named = BTreeMap::new();
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        let name =
            name_of(item).or_else(|| item.as_str()).map_or_else(|| item.to_string(), str::to_owned);
        let turn = turns.entry(name.clone()).or_default();
        named.insert((name, *turn), item);
        *turn += 1;
    }
    named
}

fn is_list(value: Option<&Value>) -> bool {
    value.is_none_or(Value::is_array)
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_difference_has_its_kind() {
        let before = json!({
            "integration": {"tier": "elevated"},
            "owners": {"business": "a@example.com", "technical": "b@example.com"},
            "identity": [{
                "id": "oauth:acme", "jwks": "https://acme.example/a", "max_token_ttl": "10m",
                "refresh": {"allowed": true, "rotate": true},
                "revoke_by": ["client-disable"], "rotate_every": "90d",
                "scope": [{"name": "t:write", "why": "w", "uses": ["POST /t"]}, {"name": "u:read", "why": "w", "uses": ["GET /u"]}],
            }],
            "event": [{"id": "sub:a", "types": ["user.locked"], "fields": ["user.id"], "endpoint": "https://acme.example/e"}],
            "automation": [{"id": "job:n", "limits": {"account-disable": 25}}],
            "data_path": [{"id": "dp:a", "region": "eu", "data_classes": ["user-id"]}],
            "declared_use": {"networks": ["192.0.2.0/28"], "max_per_hour": 120, "hours": "x", "must_carry": ["actor"]},
            "recertify": {"max_age": "180d"},
        });
        let change = |pointer: &str, value: Value| {
            let mut after = before.clone();
            match pointer.rsplit_once('/') {
                Some((holder, "-")) => {
                    after.pointer_mut(holder).unwrap().as_array_mut().unwrap().push(value);
                }
                Some((holder, key)) if value.is_null() => {
                    after.pointer_mut(holder).unwrap().as_object_mut().unwrap().remove(key);
                }
                Some((holder, key)) if after.pointer(pointer).is_none() => {
                    after
                        .pointer_mut(holder)
                        .unwrap()
                        .as_object_mut()
                        .unwrap()
                        .insert(key.to_owned(), value);
                }
                _ => *after.pointer_mut(pointer).unwrap() = value,
            }
            let lines = |it: &ManifestChange| {
                let trigger = it.trigger.unwrap_or("-");
                format!("{it} [{trigger}{}]\n", if it.widens { ", widens" } else { "" })
            };
            diff(&before, &after).iter().map(lines).collect::<String>()
        };
        let mut told = String::new();
        for (pointer, value) in [
            ("/integration/tier", json!("standard")),
            ("/integration/tier", json!("critical")),
            ("/owners/business", json!("c@example.com")),
            ("/identity/0/jwks", json!("https://acme.example/b")),
            ("/identity/0/max_token_ttl", json!("1h")),
            ("/identity/0/max_token_ttl", json!("5m")),
            ("/identity/0/max_token_ttl", json!("600s")),
            ("/identity/0/revoke_by/-", json!("jwks-removal")),
            ("/identity/0/scope/-", json!({"name": "t:delete", "why": "w", "uses": []})),
            ("/identity/0/scope", json!([{"name": "t:write", "why": "w", "uses": ["POST /t"]}])),
            ("/identity/0/scope/0/uses/-", json!("PATCH /t")),
            (
                "/identity/-",
                json!({"id": "sa:new", "scope": [{"name": "x", "why": "w", "uses": []}]}),
            ),
            ("/event/0/types/-", json!("user.disabled")),
            ("/event/0/fields/-", json!("user.name")),
            ("/event/0/endpoint", json!("https://acme.example/f")),
            ("/automation/0/limits/account-disable", json!(50)),
            ("/automation/0/limits/account-disable", json!(5)),
            ("/automation/0/limits/account-disable", json!(null)),
            ("/data_path/-", json!({"id": "dp:b"})),
            ("/data_path/0/region", json!("us")),
            ("/data_path", json!(null)),
            ("/dependency", json!([{"name": "Cloud", "holds": ["user-id"]}])),
            ("/declared_use/networks/-", json!("198.51.100.0/24")),
            ("/declared_use/networks", json!(null)),
            ("/declared_use/must_carry", json!(null)),
            ("/declared_use/hours", json!("y")),
            ("/declared_use", json!(null)),
            ("/recertify/max_age", json!("365d")),
            ("/x-note", json!({"id": 1})),
        ] {
            told += &change(pointer, value);
        }
        insta::assert_snapshot!(told, @r#"
        a lower tier: `integration.tier` was `elevated` and is `standard` [-]
        a change: `integration.tier` was `elevated` and is `critical` [-]
        another owner: `owners.business` was `a@example.com` and is `c@example.com` [owner-changed]
        another key: `identity[oauth:acme].jwks` was `https://acme.example/a` and is `https://acme.example/b` [key-changed, widens]
        a longer life: `identity[oauth:acme].max_token_ttl` was `10m` and is `1h` [limit-raised, widens]
        a change: `identity[oauth:acme].max_token_ttl` was `10m` and is `5m` [-]
        a change: `identity[oauth:acme].max_token_ttl` was `10m` and is `600s` [-]
        another way to revoke: `jwks-removal` was added at `identity[oauth:acme].revoke_by` [-]
        a new scope: `t:delete` was added at `identity[oauth:acme].scope[t:delete]` [scope-added, widens]
        a scope less: `u:read` was removed at `identity[oauth:acme].scope[u:read]` [-]
        another use of a scope: `PATCH /t` was added at `identity[oauth:acme].scope[t:write].uses` [scope-changed, widens]
        a new identity: `sa:new` was added at `identity[sa:new]` [key-changed, widens]
        a new scope: `x` was added at `identity[sa:new].scope[x]` [scope-added, widens]
        a new kind of event: `user.disabled` was added at `event[sub:a].types` [event-type-added, widens]
        another data path: `user.name` was added at `event[sub:a].fields` [data-path-added, widens]
        another endpoint: `event[sub:a].endpoint` was `https://acme.example/e` and is `https://acme.example/f` [endpoint-changed, widens]
        a higher limit: `automation[job:n].limits.account-disable` was `25` and is `50` [limit-raised, widens]
        a change: `automation[job:n].limits.account-disable` was `25` and is `5` [-]
        a higher limit: `25` was removed at `automation[job:n].limits.account-disable` [limit-raised, widens]
        a new data path: `dp:b` was added at `data_path[dp:b]` [data-path-added, widens]
        another data path: `data_path[dp:a].region` was `eu` and is `us` [data-path-added, widens]
        a data path less: `dp:a` was removed at `data_path[dp:a]` [-]
        a new subprocessor: `Cloud` was added at `dependency[Cloud]` [subprocessor-added, widens]
        a new network: `198.51.100.0/24` was added at `declared_use.networks` [network-added, widens]
        another declared use: `["192.0.2.0/28"]` was removed at `declared_use.networks` [declared-use-changed, widens]
        another declared use: `actor` was removed at `declared_use.must_carry` [declared-use-changed, widens]
        another declared use: `declared_use.hours` was `x` and is `y` [declared-use-changed, widens]
        another declared use: `{"hours":"x","max_per_hour":120,"must_carry":["actor"],"networks":["192.0.2.0/28"]}` was removed at `declared_use` [declared-use-changed, widens]
        a longer life: `recertify.max_age` was `180d` and is `365d` [limit-raised, widens]
        a change: `{"id":1}` was added at `x-note` [-]
        "#);
    }
}
