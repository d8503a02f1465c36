//! Paths as they come from outside, held against the calls that a scope is for.

/// Whether a path is in its one normal form: absolute, no empty, `.` or `..` segment, nothing encoded that hides a separator.
///
/// What a server behind the gate could read in two ways is not normal, so that both always mean
/// the same path. The query is not looked at, but for characters that end a line.
pub fn is_normal(path: &str) -> bool {
    if !path.bytes().all(|it| (b'!'..=b'~').contains(&it)) || path.contains(['#', '\\']) {
        return false;
    }
    let path = path.split('?').next().unwrap_or_default();
    let Some(rest) = path.strip_prefix('/') else { return false };
    if rest.is_empty() {
        return true;
    }
    !path.contains(';') && rest.split('/').all(is_plain_segment)
}

/// Whether a segment means one thing, decoded or not.
fn is_plain_segment(segment: &str) -> bool {
    let Some(decoded) = decode(segment) else { return false };
    !matches!(decoded.as_str(), "" | "." | "..")
        && !decoded.contains(['/', '\\', '%', ';', '?', '#'])
        && !decoded.chars().any(char::is_control)
        // A dot that somebody took the trouble to encode is meant to be overlooked.
        && !segment.to_ascii_lowercase().contains("%2e")
}

/// The segment with its percent signs resolved, if that is UTF-8.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// Whether a call is one that a scope is for: `PATCH /v1/tickets/{id}` takes `PATCH` and `/v1/tickets/17`.
///
/// `path` must be normal; its query is not looked at. A `{name}` stands for exactly one segment.
pub fn is_use(pattern: &str, method: &str, path: &str) -> bool {
    let Some((wanted, template)) = pattern.split_once(' ') else { return false };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if wanted != method {
        return false;
    }
    let (mut wanted, mut given) = (template.trim().split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) => {
                let open = one.starts_with('{') && one.ends_with('}') && 2 < one.len();
                let fits = if open { !other.is_empty() } else { one == other };
                if !fits {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_one_form_of_a_path_is_normal() {
        for path in [
            "/",
            "/v1/tickets",
            "/v1/tickets/17",
            "/v1/t?x=/../y",
            "/v1/~a/b.c",
            "/v1/a%20b",
            "/v1/%c3%a4",
        ] {
            assert!(is_normal(path), "{path}");
        }
        let hidden = [
            "",
            "v1",
            "//v1",
            "/v1//t",
            "/v1/",
            "/v1/../admin",
            "/v1/./t",
            "/v1/%2e%2e/admin",
            "/v1/%2Fadmin",
            "/v1/%5cadmin",
            "/v1\\admin",
            "/v1/%252e",
            "/v1/;x=1/admin",
            "/v1/t t",
            "/v1/\u{0}",
            "/v1/\u{e4}",
            "/v1/t\r\nx: y",
            "/v1/t?x=\n",
            "/v1/%0d%0a",
            "/v1/%7f",
            "/v1/%c0%af",
            "/v1/%c0%ae%c0%ae/admin",
            "/v1/%2",
            "/v1/%zz",
            "/v1/%u002e",
            "/v1/%3b",
            "/v1/t#/../admin",
            "/v1/...%2f",
            "/v1/%2E",
            "/..",
            "/v1/..",
        ];
        for path in hidden {
            assert!(!is_normal(path), "{path:?}");
        }
    }

    #[test]
    fn a_call_is_one_that_the_scope_is_for_or_not() {
        let table = [
            ("POST /v1/tickets", "POST", "/v1/tickets", true),
            ("POST /v1/tickets", "post", "/v1/tickets", false),
            ("POST /v1/tickets", "DELETE", "/v1/tickets", false),
            ("POST /v1/tickets", "POST", "/v1/tickets-admin", false),
            ("POST /v1/tickets", "POST", "/v1/tickets/1", false),
            ("GET /v1/users/{id}", "GET", "/v1/users/17", true),
            ("GET /v1/users/{id}", "GET", "/v1/users/17?fields=name", true),
            ("GET /v1/users/{id}", "GET", "/v1/users", false),
            ("GET /v1/users/{id}", "GET", "/v1/users/17/keys", false),
            ("GET /v1/groups/{id}/members", "GET", "/v1/groups/9/members", true),
            ("nonsense", "GET", "/", false),
        ];
        for (pattern, method, path, yes) in table {
            assert_eq!(is_use(pattern, method, path), yes, "{pattern} takes {method} {path}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_path_never_climbs(path in "[/.%2eEfF5cC\\\\a-c]{0,24}") {
            if is_normal(&path) {
                prop_assert!(!path.contains("..") || !path.split('/').any(|it| it == ".."));
                prop_assert!(!path.contains('\\') && !path.contains("//"));
            }
        }
    }
}
