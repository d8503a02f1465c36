//! The parts of a request that an HTTP message signature covers, and how they are written.
//!
//! Source: RFC 9421, sections 2 and 4; RFC 8941.

use super::{Arrived, SIGNATURE_BYTES_MAX, SIGNATURES_MAX};
use crate::encoding::base64_decode;

/// One member of `Signature-Input`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input<'a> {
    pub(super) label: &'a str,
    pub(super) components: Vec<&'a str>,
    /// Components and parameters as they are written, which is what is signed.
    pub(super) text: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Input<'a> {
    pub(super) fn covers(&self, component: &str) -> bool {
        self.components.contains(&component)
    }

    /// A parameter that is a text; one of another kind is none.
    pub(super) fn text_of(&self, name: &str) -> Option<&'a str> {
        self.parameter(name)?.strip_prefix('"')?.strip_suffix('"')
    }

    /// A parameter as it is written.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|it| it.0 == name).map(|it| it.1)
    }
}

/// The members of `Signature-Input`; none where it cannot be read.
pub(super) fn inputs(header: &str) -> Option<Vec<Input<'_>>> {
    members(header)?.into_iter().map(|(label, text)| input(label, text)).collect()
}

/// The members of `Signature`; none where it cannot be read.
pub(super) fn signatures(header: &str) -> Option<Vec<(&str, Vec<u8>)>> {
    let members = members(header)?.into_iter().map(|(label, text)| {
        let text = text.strip_prefix(':')?.strip_suffix(':')?;
        Some((label, base64_decode(text)?))
    });
    members.collect()
}

/// The bytes that are signed; none where a component is not there.
pub(super) fn base(input: &Input<'_>, arrived: &Arrived<'_>) -> Option<Vec<u8>> {
    let mut lines = Vec::new();
    for component in &input.components {
        let value = component_value(component, arrived)?;
        lines.push(format!("\"{component}\": {value}"));
    }
    lines.push(format!("\"@signature-params\": {}", input.text));
    Some(lines.join("\n").into_bytes())
}

fn component_value(component: &str, arrived: &Arrived<'_>) -> Option<String> {
    if !component.starts_with('@') {
        let values: Vec<&str> = arrived
            .headers
            .iter()
            .filter(|it| it.0 == component)
            .map(|it| it.1.trim_matches([' ', '\t']))
            .collect();
        return (!values.is_empty()).then(|| values.join(", "));
    }
    let url = Url::split(arrived.url)?;
    Some(match component {
        "@method" => arrived.method.to_owned(),
        "@target-uri" => arrived.url.to_owned(),
        "@scheme" => url.scheme.to_ascii_lowercase(),
        "@authority" => {
            let host = url.authority.to_ascii_lowercase();
            let usual = if url.scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
            host.strip_suffix(usual).unwrap_or(&host).to_owned()
        }
        "@path" => url.path.to_owned(),
        "@query" => format!("?{}", url.query.unwrap_or_default()),
        "@request-target" => match url.query {
            Some(query) => format!("{}?{query}", url.path),
            None => url.path.to_owned(),
        },
        _ => return None,
    })
}

struct Url<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Url<'a> {
    fn split(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        Some(Self { scheme, authority, path: if path.is_empty() { "/" } else { path }, query })
    }
}

/// `label=value` pairs, separated by commas outside of quotes.
fn members(header: &str) -> Option<Vec<(&str, &str)>> {
    if SIGNATURE_BYTES_MAX < header.len() {
        return None;
    }
    let mut all = Vec::new();
    for member in split(header, ',')? {
        if SIGNATURES_MAX <= all.len() {
            return None;
        }
        let (label, value) = member.trim_matches([' ', '\t']).split_once('=')?;
        if !is_name(label) || all.iter().any(|it: &(&str, &str)| it.0 == label) {
            return None;
        }
        all.push((label, value));
    }
    Some(all)
}

fn input<'a>(label: &'a str, text: &'a str) -> Option<Input<'a>> {
    let (list, parameters) = text.strip_prefix('(')?.split_once(')')?;
    let mut components: Vec<&str> = Vec::new();
    for item in list.split(' ').filter(|it| !it.is_empty()) {
        let name = item.strip_prefix('"')?.strip_suffix('"')?;
        if !is_name(name.strip_prefix('@').unwrap_or(name)) || components.contains(&name) {
            return None;
        }
        components.push(name);
    }
    let mut known: Vec<(&str, &str)> = Vec::new();
    let mut parts = split(parameters, ';')?.into_iter();
    if parts.next() != Some("") {
        return None;
    }
    for part in parts {
        let (name, value) = part.split_once('=')?;
        if !is_name(name) || known.iter().any(|it| it.0 == name) {
            return None;
        }
        known.push((name, value));
    }
    Some(Input { label, components, text, parameters: known })
}

/// The parts between separators that stand outside of quotes; none where a quote stays open, or
/// where something is escaped.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (index, it) in text.char_indices() {
        match it {
            '\\' => return None,
            '"' => quoted = !quoted,
            it if it == separator && !quoted => {
                parts.push(&text[start..index]);
                start = index + it.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

fn is_name(text: &str) -> bool {
    let is_plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_.*".contains(&it);
    !text.is_empty() && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_none() {
        let good = r#"sig1=("@method" "date");created=1;keyid="a,b;c""#;
        let read = inputs(good).unwrap();
        assert_eq!(read[0].components, ["@method", "date"]);
        assert_eq!(
            (read[0].parameter("created"), read[0].text_of("keyid")),
            (Some("1"), Some("a,b;c"))
        );
        for text in [
            "",
            "sig1",
            "sig1=",
            "sig1=()x",
            r#"sig1=("date" "date")"#,
            r#"sig1=("date";sf)"#,
            r#"sig1=("date");created"#,
            r#"sig1=("date");created=1;created=2"#,
            r#"sig1=("date");nonce="\"""#,
            r#"sig1=("date");nonce="open"#,
            r#"sig1=("date"),sig1=("date")"#,
            "SIG=()",
        ] {
            assert_eq!(inputs(text), None, "{text}");
        }
        let many: Vec<String> = (0..40).map(|it| format!("s{it}=()")).collect();
        assert_eq!(inputs(&many.join(",")), None);
        assert_eq!(signatures("sig1=:AAAA:, sig2=:AA==:").unwrap().len(), 2);
        assert_eq!(signatures("sig1=AAAA"), None);
    }
}
