//! Reads JSON into a tree with places.
//!
//! Source: RFC 8259. Beside the grammar it refuses a repeated key, which readers disagree about.

use std::collections::HashMap;
use std::ops::Range;

use super::node::{Kind, Member, Node, Problems, integer, join_index, join_key, within_limits};
use crate::declare::code::PreflightCode;

/// The tree of a JSON text; nothing when it is not JSON.
pub(in crate::declare) fn read(problems: &mut Problems) -> Option<Node> {
    let text = problems.source.text().to_owned();
    let mut reader = Reader { text: &text, at: 0, problems };
    let read = reader.value("", 1).and_then(|node| {
        reader.space();
        if reader.at == text.len() { Ok(node) } else { Err(reader.wrong("the end of the text")) }
    });
    match read {
        Ok(Node { kind: Kind::Table(members), .. }) => {
            Some(Node { span: 0..0, kind: Kind::Table(members) })
        }
        Ok(node) if !matches!(node.kind, Kind::Refused) => {
            let message = "a manifest is a JSON object";
            problems.add((PreflightCode::Syntax, ""), &node.span, message, |it| it);
            None
        }
        Ok(_) | Err(Stop) => None,
    }
}

/// The text is no JSON and that has been reported.
struct Stop;

struct Reader<'a, 'p> {
    text: &'a str,
    at: usize,
    problems: &'p mut Problems,
}

impl Reader<'_, '_> {
    fn value(&mut self, path: &str, depth: usize) -> Result<Node, Stop> {
        self.space();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(path, depth)?,
            Some(b'[') => self.array(path, depth)?,
            Some(b'"') => Kind::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number(path)?,
            _ if self.word("true") => Kind::Bool(true),
            _ if self.word("false") => Kind::Bool(false),
            _ if self.word("null") => {
                let message = format!("`{path}` is null, which TOML cannot say");
                self.forbid(path, start..self.at, message, "leave the key out")
            }
            _ => return Err(self.wrong("a value")),
        };
        Ok(Node { span: start..self.at, kind })
    }

    fn object(&mut self, path: &str, depth: usize) -> Result<Kind, Stop> {
        let start = self.at;
        self.open(path, depth)?;
        let mut members: Vec<Member> = Vec::new();
        let mut seen: HashMap<String, Range<usize>> = HashMap::new();
        if !self.eat(b'}') {
            loop {
                self.space();
                let key_start = self.at;
                if self.peek() != Some(b'"') {
                    return Err(self.wrong("a key in quotation marks"));
                }
                let key = self.string()?;
                let key_span = key_start..self.at;
                let path = join_key(path, &key);
                if let Some(first) = seen.insert(key.clone(), key_span.clone()) {
                    let first = self.problems.source.place(&first);
                    let message = format!("key `{key}` stands here twice");
                    self.problems.add((PreflightCode::Syntax, &path), &key_span, message, |it| {
                        it.and_at(Some(first), "first written here")
                    });
                    return Err(Stop);
                }
                if !self.eat(b':') {
                    return Err(self.wrong("`:`"));
                }
                let node = self.value(&path, depth + 1)?;
                members.push(Member { key, key_span, node });
                if !self.more(b'}')? {
                    break;
                }
            }
        }
        let fits =
            within_limits(self.problems, (path, &(start..start + 1)), (depth, members.len()));
        Ok(if fits { Kind::Table(members) } else { Kind::Refused })
    }

    fn array(&mut self, path: &str, depth: usize) -> Result<Kind, Stop> {
        let start = self.at;
        self.open(path, depth)?;
        let mut items = Vec::new();
        if !self.eat(b']') {
            loop {
                items.push(self.value(&join_index(path, items.len()), depth + 1)?);
                if !self.more(b']')? {
                    break;
                }
            }
        }
        let fits = within_limits(self.problems, (path, &(start..start + 1)), (depth, items.len()));
        Ok(if fits { Kind::List(items) } else { Kind::Refused })
    }

    /// Steps over the bracket, unless it stands too deep: this is what bounds the recursion.
    fn open(&mut self, path: &str, depth: usize) -> Result<(), Stop> {
        let span = self.at..self.at + 1;
        self.at += 1;
        if within_limits(self.problems, (path, &span), (depth, 0)) { Ok(()) } else { Err(Stop) }
    }

    /// Whether a comma follows (`true`) or the end (`false`).
    fn more(&mut self, end: u8) -> Result<bool, Stop> {
        if self.eat(b',') {
            Ok(true)
        } else if self.eat(end) {
            Ok(false)
        } else {
            Err(self.wrong(if end == b'}' { "`,` or `}`" } else { "`,` or `]`" }))
        }
    }

    fn string(&mut self) -> Result<String, Stop> {
        let start = self.at;
        let mut escaped = false;
        let body = self.text.as_bytes().get(start + 1..).unwrap_or_default();
        let end = body.iter().position(|it| {
            let ends = *it == b'"' && !escaped;
            escaped = *it == b'\\' && !escaped;
            ends
        });
        let Some(end) = end.map(|it| start + 1 + it + 1) else {
            return Err(self.wrong("a string that ends"));
        };
        let raw = self.text.get(start..end).unwrap_or_default();
        match serde_json::from_str(raw) {
            Ok(text) => {
                self.at = end;
                Ok(text)
            }
            Err(_) => Err(self.wrong("a string without control characters or unknown escapes")),
        }
    }

    fn number(&mut self, path: &str) -> Result<Kind, Stop> {
        let start = self.at;
        let of_number = |it: &u8| it.is_ascii_digit() || b"+-.eE".contains(it);
        let length = self.text.as_bytes()[start..].iter().take_while(|it| of_number(it)).count();
        let raw = &self.text[start..start + length];
        if serde_json::from_str::<serde_json::Number>(raw).is_err() && !is_huge(raw) {
            return Err(self.wrong("a number"));
        }
        self.at += length;
        let span = start..self.at;
        if raw == "-0" || raw.contains(['.', 'e', 'E']) {
            let message = format!("`{path}` is a float, which has no single written form");
            return Ok(self.forbid(
                path,
                span,
                message,
                &format!("write it as a string: \"{raw}\""),
            ));
        }
        Ok(integer(self.problems, (path, &span), raw.parse().ok()))
    }

    fn forbid(&mut self, path: &str, span: Range<usize>, message: String, help: &str) -> Kind {
        self.problems
            .add((PreflightCode::ForbiddenKind, path), &span, message, |it| it.with_help(help));
        Kind::Refused
    }

    fn wrong(&mut self, expected: &str) -> Stop {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let span = self.at..self.at + rest.chars().next().map_or(0, char::len_utf8);
        let message = format!("this is not JSON: {expected} was expected here");
        self.problems.add((PreflightCode::Syntax, ""), &span, message, |it| it);
        Stop
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.text.get(self.at..).is_some_and(|it| it.starts_with(word));
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// Whether it is a well-formed number that only a float of infinite size could hold.
fn is_huge(raw: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(raw)
        .is_err_and(|it| it.to_string().starts_with("number out of range"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::declare::spans::Source;

    fn tree(text: &str) -> Result<Node, Vec<crate::declare::Diagnostic>> {
        let mut problems = Problems::new(Source::new(text));
        match read(&mut problems) {
            Some(node) if problems.is_empty() => Ok(node),
            _ => Err(problems.into_diagnostics()),
        }
    }

    /// Texts that are nearly JSON, so that both readers get far.
    fn nearly_json() -> impl Strategy<Value = String> {
        let token = prop_oneof![
            8 => prop::sample::select(vec!["{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "1", "-3", "true", " ", "\n"]),
            2 => prop::sample::select(vec!["false", "\"\\u00e9\"", "\"\\ud800\"", "0", "01", "-", "nul", "\"", "\\"]),
        ];
        prop::collection::vec(token, 0..24).prop_map(|it| it.concat())
    }

    proptest! {
        #[test]
        fn what_serde_reads_is_read_the_same(text in nearly_json()) {
            let text = format!("{{\"k\": {text}}}");
            let ours = tree(&text).ok().and_then(|it| it.value());
            let theirs = serde_json::from_str::<serde_json::Value>(&text).ok();
            if let Some(ours) = ours {
                prop_assert_eq!(Some(ours), theirs);
            } else if let Some(theirs) = theirs {
                // Only a repeated key is refused beyond the grammar here.
                let refused = tree(&text).unwrap_err();
                prop_assert!(refused.iter().any(|it| it.message.contains("twice")), "{theirs}: {refused:?}");
            }
        }
    }

    #[test]
    fn what_is_beyond_the_limits_is_refused() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for (text, code) in [
            (format!("{{\"a\":{deep}}}"), PreflightCode::TooLarge),
            (format!("{{\"a\":[{}0]}}", "0,".repeat(2_000)), PreflightCode::TooLarge),
            ("{\"a\":1.5}".to_owned(), PreflightCode::ForbiddenKind),
            ("{\"a\":1e999}".to_owned(), PreflightCode::ForbiddenKind),
            ("{\"a\":-0}".to_owned(), PreflightCode::ForbiddenKind),
            ("{\"a\":9007199254740992}".to_owned(), PreflightCode::ForbiddenKind),
            ("{\"a\":99999999999999999999}".to_owned(), PreflightCode::ForbiddenKind),
            ("{\"a\":null}".to_owned(), PreflightCode::ForbiddenKind),
            ("{\"a\":1,\"a\":2}".to_owned(), PreflightCode::Syntax),
            ("[]".to_owned(), PreflightCode::Syntax),
            ("{\"a\":NaN}".to_owned(), PreflightCode::Syntax),
            ("{\"a\":1} x".to_owned(), PreflightCode::Syntax),
            (String::new(), PreflightCode::Syntax),
        ] {
            let refused = tree(&text).unwrap_err();
            assert_eq!(refused[0].code, code, "{text:.40}: {refused:?}");
            assert!(refused[0].place.is_some());
        }
    }
}
