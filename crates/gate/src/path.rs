//! Paths as they come from outside, held against the calls that a scope is for.

/// Whether a path is in its one normal form: absolute, no empty, `.` or `..` segment, nothing encoded that hides a separator.
pub fn is_normal(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let Some(rest) = path.strip_prefix('/') else { return false };
    let lower = path.to_ascii_lowercase();
    let hidden = ["%2f", "%5c", "%2e", "%25", "%00", "\\", ";"];
    if hidden.iter().any(|it| lower.contains(it)) || path.bytes().any(|it| it <= b' ' || 126 < it) {
        return false;
    }
    let segments: Vec<&str> = rest.split('/').collect();
    let (last, inner) = segments.split_last().unwrap_or((&"", &[]));
    inner.iter().all(|it| !it.is_empty())
        && segments.iter().all(|it| *it != "." && *it != "..")
        && (!last.is_empty() || inner.is_empty())
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
        for path in ["/", "/v1/tickets", "/v1/tickets/17", "/v1/t?x=/../y", "/v1/~a/b.c"] {
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
