//! Small edits of a manifest's text that keep its comments: what `check --fix` does.

use toml_edit::{DocumentMut, Item, TableLike, Value};

/// One edit that a machine may propose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Takes a scope away from an identity.
    RemoveScope {
        /// The identity's id.
        identity: String,
        /// The scope's name.
        scope: String,
    },
    /// Gives a text value: `identity[0].max_token_ttl` becomes `10m`.
    SetText {
        /// The path of the value.
        path: String,
        /// The new value.
        value: String,
    },
    /// Gives a yes or no.
    SetYesNo {
        /// The path of the value.
        path: String,
        /// The new value.
        value: bool,
    },
    /// Adds a word to a list, unless it is there: `identity[0].revoke_by`.
    AddWord {
        /// The path of the list; it is made when its table exists.
        path: String,
        /// The word.
        word: String,
    },
    /// Takes a word out of a list.
    RemoveWord {
        /// The path of the list.
        path: String,
        /// The word.
        word: String,
    },
}

/// An edit does not fit this text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text is not TOML; only TOML is edited.
    #[error("the manifest is not TOML, and only TOML is edited")]
    NotToml,
    /// There is nothing at the path.
    #[error("there is no `{path}` in the manifest")]
    Missing {
        /// The path.
        path: String,
    },
    /// There is something else at the path.
    #[error("`{path}` is not {expected}")]
    OtherKind {
        /// The path.
        path: String,
        /// What was expected.
        expected: &'static str,
    },
}

/// The text after the edits, in their order; comments, order and spacing of all else stay.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|_| EditError::NotToml)?;
    for edit in edits {
        match edit {
            Edit::RemoveScope { identity, scope } => remove_scope(&mut document, identity, scope)?,
            Edit::SetText { path, value } => set(&mut document, path, Value::from(value.as_str()))?,
            Edit::SetYesNo { path, value } => set(&mut document, path, Value::from(*value))?,
            Edit::AddWord { path, word } => add_word(&mut document, path, word)?,
            Edit::RemoveWord { path, word } => remove_word(&mut document, path, word)?,
        }
    }
    Ok(document.to_string())
}

fn remove_scope(document: &mut DocumentMut, identity: &str, scope: &str) -> Result<(), EditError> {
    let path = format!("identity[{identity}].scope[{scope}]");
    let missing = || EditError::Missing { path: path.clone() };
    let identities = document.get_mut("identity").ok_or_else(missing)?;
    let table = tables(identities)
        .into_iter()
        .find(|it| text_of(*it, "id") == Some(identity))
        .ok_or_else(missing)?;
    let scopes = table.get_mut("scope").ok_or_else(missing)?;
    let index = tables(scopes).iter().position(|it| text_of(*it, "name") == Some(scope));
    let index = index.ok_or_else(missing)?;
    let left = match scopes {
        Item::ArrayOfTables(scopes) => {
            scopes.remove(index);
            scopes.len()
        }
        Item::Value(Value::Array(scopes)) => {
            scopes.remove(index);
            scopes.len()
        }
        _ => return Err(missing()),
    };
    if left == 0 {
        table.remove("scope");
    }
    Ok(())
}

fn set(document: &mut DocumentMut, path: &str, mut value: Value) -> Result<(), EditError> {
    let (table, key) = parent(document, path)?;
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
            Ok(())
        }
        Some(_) => Err(EditError::OtherKind { path: path.to_owned(), expected: "a single value" }),
        None => {
            table.insert(key, Item::Value(value));
            Ok(())
        }
    }
}

fn add_word(document: &mut DocumentMut, path: &str, word: &str) -> Result<(), EditError> {
    let (table, key) = parent(document, path)?;
    if table.get(key).is_none() {
        table.insert(key, toml_edit::value(toml_edit::Array::new()));
    }
    let list = list(table, key, path)?;
    if !list.iter().any(|it| it.as_str() == Some(word)) {
        list.push(word);
    }
    Ok(())
}

fn remove_word(document: &mut DocumentMut, path: &str, word: &str) -> Result<(), EditError> {
    let (table, key) = parent(document, path)?;
    let list = list(table, key, path)?;
    list.retain(|it| it.as_str() != Some(word));
    if let Some(first) = list.get_mut(0) {
        let prefix = first.decor().prefix().and_then(|it| it.as_str()).unwrap_or_default();
        if prefix == " " {
            first.decor_mut().set_prefix("");
        }
    }
    Ok(())
}

fn list<'a>(
    table: &'a mut dyn TableLike,
    key: &str,
    path: &str,
) -> Result<&'a mut toml_edit::Array, EditError> {
    let error = EditError::OtherKind { path: path.to_owned(), expected: "a list" };
    table.get_mut(key).and_then(Item::as_array_mut).ok_or(error)
}

/// The table that holds the last key of `path`, and that key.
fn parent<'d, 'p>(
    document: &'d mut DocumentMut,
    path: &'p str,
) -> Result<(&'d mut dyn TableLike, &'p str), EditError> {
    let missing = || EditError::Missing { path: path.to_owned() };
    let (holder, key) = path.rsplit_once('.').unwrap_or(("", path));
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for step in holder.split('.').filter(|it| !it.is_empty()) {
        let (name, index) = match step.split_once('[') {
            Some((name, index)) => {
                let index = index.strip_suffix(']').and_then(|it| it.parse::<usize>().ok());
                (name, Some(index.ok_or_else(missing)?))
            }
            None => (step, None),
        };
        let item = table.get_mut(name).ok_or_else(missing)?;
        table = match index {
            Some(index) => tables(item).into_iter().nth(index).ok_or_else(missing)?,
            None => item.as_table_like_mut().ok_or_else(missing)?,
        };
    }
    Ok((table, key))
}

/// The tables of a list, whichever way it is written.
fn tables(item: &mut Item) -> Vec<&mut dyn TableLike> {
    match item {
        Item::ArrayOfTables(tables) => {
            tables.iter_mut().map(|it| it as &mut dyn TableLike).collect()
        }
        Item::Value(Value::Array(values)) => values
            .iter_mut()
            .filter_map(|it| it.as_inline_table_mut().map(|it| it as &mut dyn TableLike))
            .collect(),
        _ => Vec::new(),
    }
}

fn text_of<'a>(table: &'a dyn TableLike, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Item::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# ours
[[identity]]
id = "oauth:acme"            # the client
max_token_ttl = "1h"         # too long
revoke_by = ["client-disable", "token-revocation"]

# for tickets
[[identity.scope]]
name = "tickets:write"
uses = []

# for nothing
[[identity.scope]]
name = "tickets:delete"
uses = []

[logging]   # stays
retention = "90d"
"#;

    #[test]
    fn an_edit_changes_its_own_lines_only() {
        let edits = [
            Edit::RemoveScope { identity: "oauth:acme".into(), scope: "tickets:delete".into() },
            Edit::SetText { path: "identity[0].max_token_ttl".into(), value: "10m".into() },
            Edit::SetText { path: "logging.max_delay".into(), value: "5m".into() },
            Edit::AddWord { path: "identity[0].revoke_by".into(), word: "jwks-removal".into() },
            Edit::RemoveWord {
                path: "identity[0].revoke_by".into(),
                word: "client-disable".into(),
            },
        ];
        insta::assert_snapshot!(apply(TEXT, &edits).unwrap(), @r#"
        # ours
        [[identity]]
        id = "oauth:acme"            # the client
        max_token_ttl = "10m"         # too long
        revoke_by = ["token-revocation", "jwks-removal"]

        # for tickets
        [[identity.scope]]
        name = "tickets:write"
        uses = []

        [logging]   # stays
        retention = "90d"
        max_delay = "5m"
        "#);
    }

    #[test]
    fn the_last_scope_takes_its_list_along() {
        let inline = "identity = [{ id = \"a:b\", scope = [{ name = \"x\" }] }]\n";
        let edit = Edit::RemoveScope { identity: "a:b".into(), scope: "x".into() };
        let after = apply(inline, &[edit]).unwrap();
        assert_eq!(after, "identity = [{ id = \"a:b\"}]\n");
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for edit in [
            Edit::RemoveScope { identity: "oauth:acme".into(), scope: "users:read".into() },
            Edit::RemoveScope { identity: "oauth:other".into(), scope: "tickets:write".into() },
            Edit::SetText { path: "identity[4].auth".into(), value: "x".into() },
            Edit::SetText { path: "nothing.auth".into(), value: "x".into() },
            Edit::SetText { path: "identity[0].scope".into(), value: "x".into() },
            Edit::RemoveWord { path: "logging.retention".into(), word: "x".into() },
        ] {
            assert!(apply(TEXT, std::slice::from_ref(&edit)).is_err(), "{edit:?}");
        }
        assert_eq!(apply("{}", &[]), Err(EditError::NotToml));
    }
}
