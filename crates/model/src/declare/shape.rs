//! Which keys may stand where: reports unknown and missing ones, all at once.

use serde_json::{Map, Value};

use super::code::PreflightCode;
use super::read::node::{Kind, Member, Node, Problems, join_index, join_key};
use super::schema::{manifest_schema, resolve};

/// What the types may read: the manifest without `x-*` keys and without what was reported.
pub(super) fn known(problems: &mut Problems, root: &Node) -> Value {
    let schema = manifest_schema();
    Shape { problems, schema }.typed(root, schema, "").unwrap_or_default()
}

struct Shape<'a> {
    problems: &'a mut Problems,
    schema: &'static Value,
}

impl Shape<'_> {
    fn typed(&mut self, node: &Node, schema: &'static Value, path: &str) -> Option<Value> {
        let schema = resolve(self.schema, schema);
        match &node.kind {
            Kind::List(items) => {
                let of_item = schema.get("items").unwrap_or(&Value::Null);
                let each =
                    |(index, it): (usize, &Node)| self.typed(it, of_item, &join_index(path, index));
                Some(items.iter().enumerate().filter_map(each).collect())
            }
            Kind::Table(members) => {
                if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                    return Some(self.table((node, members), (schema, properties), path));
                }
                let of_value = schema.get("additionalProperties").unwrap_or(&Value::Null);
                let each = |it: &Member| {
                    let path = join_key(path, &it.key);
                    Some((it.key.clone(), self.typed(&it.node, of_value, &path)?))
                };
                let own = members.iter().filter(|it| !is_extension(&it.key));
                Some(Value::Object(own.filter_map(each).collect()))
            }
            Kind::Bool(_) | Kind::Integer(_) | Kind::Refused | Kind::Text(_) => node.value(),
        }
    }

    fn table(
        &mut self,
        (node, members): (&Node, &[Member]),
        (schema, properties): (&'static Value, &'static Map<String, Value>),
        path: &str,
    ) -> Value {
        let mut typed = Map::new();
        for member in members.iter().filter(|it| !is_extension(&it.key)) {
            let path_here = join_key(path, &member.key);
            match properties.get(&member.key) {
                Some(of_member) => {
                    let value = self.typed(&member.node, of_member, &path_here);
                    typed.extend(value.map(|it| (member.key.clone(), it)));
                }
                None => self.unknown(member, properties, (path, &path_here)),
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in required.filter_map(Value::as_str) {
            if !members.iter().any(|it| it.key == key) {
                self.missing(node, properties.get(key), (path, key));
            }
        }
        Value::Object(typed)
    }

    fn unknown(&mut self, member: &Member, known: &Map<String, Value>, (at, path): (&str, &str)) {
        let key = &member.key;
        let message = match place_name(at) {
            Some(place) => format!("unknown key `{key}` in {place}"),
            None => format!("unknown key `{key}`"),
        };
        if self.problems.is_full() {
            return self.problems.count();
        }
        let meant = closest(key, known.keys().map(String::as_str)).map(str::to_owned);
        let home = self.home_of(key);
        self.problems.add(
            (PreflightCode::UnknownKey, path),
            &member.key_span,
            message,
            |it| match (meant, home) {
                (Some(meant), _) => it.with_label(format!("did you mean `{meant}`?")),
                (None, Some(home)) => it.with_label(format!("this key belongs in {home}")),
                (None, None) => {
                    let known: Vec<_> = known.keys().map(|it| format!("`{it}`")).collect();
                    it.with_label("not known here").with_help(format!(
                        "known here: {}; your own keys start with `x-`",
                        known.join(", ")
                    ))
                }
            },
        );
    }

    fn missing(&mut self, node: &Node, of_key: Option<&Value>, (at, key): (&str, &str)) {
        let message = match place_name(at) {
            Some(place) => format!("{place} lacks `{key}`"),
            None => format!("the manifest lacks `{key}`"),
        };
        let means = of_key.and_then(|it| it.get("description")).and_then(Value::as_str);
        let means = means.and_then(|it| it.lines().next()).unwrap_or_default().to_owned();
        let path = join_key(at, key);
        self.problems.add((PreflightCode::MissingKey, &path), &node.span, message, |it| {
            if means.is_empty() { it } else { it.with_help(format!("add `{key}`: {means}")) }
        });
    }

    /// The first table beside this one that knows the key: `[[identity]]`.
    fn home_of(&self, key: &str) -> Option<String> {
        let sections = self.schema.get("properties")?.as_object()?;
        sections.iter().find_map(|(name, section)| {
            let section = resolve(self.schema, section);
            let (open, close, table) = match section.get("items") {
                Some(items) => ("[[", "]]", resolve(self.schema, items)),
                None => ("[", "]", section),
            };
            table.get("properties")?.get(key)?;
            Some(format!("`{open}{name}{close}`"))
        })
    }
}

/// Whether a key is the partner's own: hashed, and otherwise ignored.
pub(super) fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

/// The name of a table as TOML writes its header: `identity[0].scope[1]` is `[[identity.scope]]`.
fn place_name(path: &str) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let mut name = String::new();
    let mut inside = false;
    for it in path.chars() {
        inside = (inside || it == '[') && it != ']';
        if !inside && it != ']' {
            name.push(it);
        }
    }
    Some(if path.ends_with(']') { format!("`[[{name}]]`") } else { format!("`[{name}]`") })
}

/// The word among `known` that `word` was most likely meant to be.
pub(super) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |it: &str| it.to_lowercase().replace(['-', '_', ' '], "");
    let word = plain(&word.chars().take(64).collect::<String>());
    known
        .map(|it| {
            let other = plain(it);
            let edits = strsim::normalized_damerau_levenshtein(&word, &other);
            let contains = 4 <= word.len().min(other.len())
                && (other.starts_with(&word) || word.starts_with(&other));
            (it, if contains { edits.max(0.75) } else { edits })
        })
        .filter(|(_, likeness)| 0.6 < *likeness)
        .max_by(|(_, one), (_, two)| one.total_cmp(two))
        .map(|(it, _)| it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_the_one_that_was_meant() {
        let known = ["max_token_ttl", "revoke_by", "rotate_every", "refresh", "id", "identity"];
        for (word, meant) in [
            ("max_token_tll", Some("max_token_ttl")),
            ("maxTokenTtl", Some("max_token_ttl")),
            ("revoked_by", Some("revoke_by")),
            ("identities", Some("identity")),
            ("rotate", Some("rotate_every")),
            ("colour", None),
        ] {
            assert_eq!(closest(word, known.into_iter()), meant, "for {word:?}");
        }
    }

    #[test]
    fn a_path_is_named_as_its_header() {
        assert_eq!(place_name(""), None);
        assert_eq!(place_name("identity[0].scope[1]").as_deref(), Some("`[[identity.scope]]`"));
        assert_eq!(place_name("identity[0].refresh").as_deref(), Some("`[identity.refresh]`"));
    }
}
