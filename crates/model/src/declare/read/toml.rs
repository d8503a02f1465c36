//! Reads TOML into a tree with places.

use std::ops::Range;

use toml_edit::{Document, Item, Key, TableLike, Value};

use super::node::{Kind, Member, Node, Problems, integer, join_index, join_key, within_limits};
use crate::declare::code::PreflightCode;

/// The tree of a TOML text; nothing when it is not TOML.
pub(in crate::declare) fn read(problems: &mut Problems) -> Option<Node> {
    let text = problems.source.text().to_owned();
    match Document::parse(text.as_str()) {
        Ok(document) => {
            let root = document.as_table();
            Some(table(problems, root, At { path: String::new(), span: 0..0, depth: 1 }))
        }
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
            let message = format!("this is not TOML: {message}");
            problems.add((PreflightCode::Syntax, ""), &span, message, |it| it);
            None
        }
    }
}

/// Where something stands.
struct At {
    path: String,
    span: Range<usize>,
    depth: usize,
}

fn item(problems: &mut Problems, it: &Item, at: At) -> Node {
    match it {
        Item::None => Node { span: at.span, kind: Kind::Refused },
        Item::Value(it) => value(problems, it, at),
        Item::Table(it) => {
            let span = it.span().unwrap_or(at.span);
            table(problems, it, At { span, ..at })
        }
        Item::ArrayOfTables(tables) => {
            if !within_limits(problems, (&at.path, &at.span), (at.depth, tables.len())) {
                return Node { span: at.span, kind: Kind::Refused };
            }
            let each = |(index, it): (usize, &toml_edit::Table)| {
                let span = it.span().unwrap_or_else(|| at.span.clone());
                let at = At { path: join_index(&at.path, index), span, depth: at.depth + 1 };
                table(problems, it, at)
            };
            let items = tables.iter().enumerate().map(each).collect();
            Node { span: at.span, kind: Kind::List(items) }
        }
    }
}

fn table(problems: &mut Problems, it: &dyn TableLike, at: At) -> Node {
    if !within_limits(problems, (&at.path, &at.span), (at.depth, it.len())) {
        return Node { span: at.span, kind: Kind::Refused };
    }
    let mut members = Vec::with_capacity(it.len());
    for (key, child) in it.iter() {
        let key_span = it.key(key).and_then(Key::span).unwrap_or_else(|| at.span.clone());
        let path = join_key(&at.path, key);
        let child_at = At {
            path,
            span: child.span().unwrap_or_else(|| key_span.clone()),
            depth: at.depth + 1,
        };
        let node = item(problems, child, child_at);
        members.push(Member { key: key.to_owned(), key_span, node });
    }
    Node { span: at.span, kind: Kind::Table(members) }
}

fn value(problems: &mut Problems, it: &Value, at: At) -> Node {
    let span = it.span().unwrap_or_else(|| at.span.clone());
    let kind = match it {
        Value::String(it) => Kind::Text(it.value().clone()),
        Value::Boolean(it) => Kind::Bool(*it.value()),
        Value::Integer(it) => integer(problems, (&at.path, &span), Some(*it.value())),
        Value::Float(_) => refused(problems, (&at.path, &span), "a float"),
        Value::Datetime(_) => refused(problems, (&at.path, &span), "a native date or time"),
        Value::InlineTable(it) => return table(problems, it, At { span, ..at }),
        Value::Array(items) => {
            if within_limits(problems, (&at.path, &span), (at.depth, items.len())) {
                let each = |(index, it): (usize, &Value)| {
                    let path = join_index(&at.path, index);
                    value(problems, it, At { path, span: span.clone(), depth: at.depth + 1 })
                };
                Kind::List(items.iter().enumerate().map(each).collect())
            } else {
                Kind::Refused
            }
        }
    };
    Node { span, kind }
}

fn refused(problems: &mut Problems, (path, span): (&str, &Range<usize>), what: &str) -> Kind {
    let written = problems.source.text().get(span.clone()).unwrap_or_default().to_owned();
    let message = format!("`{path}` is {what}, which has no single written form");
    problems.add((PreflightCode::ForbiddenKind, path), span, message, |it| {
        it.with_help(format!("write it as a string: \"{}\"", written.trim()))
    });
    Kind::Refused
}
