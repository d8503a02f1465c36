//! Requests as a manifest writes them: `POST https://…` and `GET /v1/users/{id}`.

use std::fmt;
use std::str::FromStr;

/// A method of HTTP that a manifest may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HttpMethod {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl HttpMethod {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Delete, Self::Get, Self::Head, Self::Patch, Self::Post, Self::Put];

    /// The word: `GET`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A text is not the request that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct RequestError {
    /// What was given, cut at 120 characters.
    pub text: String,
    /// What would have been right, with an example.
    pub expected: &'static str,
}

/// A request to the partner: `DELETE https://api.payrun.example/v2/tenants/{tenant}/credentials`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideRequest {
    /// The method.
    pub method: HttpMethod,
    /// The address, `{…}` not yet replaced.
    pub template: String,
    /// The host, which holds no `{…}`.
    pub host: String,
}

impl OutsideRequest {
    /// The address with every `{name}` replaced, escaped; `None` when one has no value.
    pub fn url(&self, value_of: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut url = String::new();
        let mut rest = self.template.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            url.push_str(before);
            url.extend(url::form_urlencoded::byte_serialize(value_of(name)?.as_bytes()));
            rest = after;
        }
        url.push_str(rest);
        Some(url)
    }
}

impl FromStr for OutsideRequest {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        let error = || RequestError {
            text: text.chars().take(120).collect(),
            expected: "a method and an `https` address, such as `POST https://api.acme.example/rotate`",
        };
        let (method, template) = text.split_once(' ').ok_or_else(error)?;
        let method = HttpMethod::from_word(method).ok_or_else(error)?;
        let parameters = parameters_are_whole(template) && template.len() <= 2_000;
        let url = url::Url::parse(&template.replace(['{', '}'], "_")).map_err(|_| error())?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let own_host = template.strip_prefix("https://").and_then(|it| it.split(['/', '?']).next());
        let plain = url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && !host.is_empty()
            && own_host.is_some_and(|it| !it.contains(['{', '}']));
        let plain = plain && !template.contains(|it: char| it.is_whitespace() || it.is_control());
        if parameters && plain {
            Ok(Self { method, template: template.to_owned(), host })
        } else {
            Err(error())
        }
    }
}

/// A use of a scope: `PATCH /v1/tickets/{id}`. A parameter stands for one whole segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsePattern {
    /// The method.
    pub method: HttpMethod,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Segment {
    Any,
    Exactly(String),
}

impl UsePattern {
    /// Whether a request is such a use. A query does not matter; an empty segment is never a parameter.
    pub fn matches(&self, method: &str, path: &str) -> bool {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let Some(path) = path.strip_prefix('/') else { return false };
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut given = path.split('/').filter(|_| !path.is_empty());
        let same = self.segments.iter().all(|it| match (it, given.next()) {
            (Segment::Exactly(own), Some(given)) => own == given,
            (Segment::Any, Some(given)) => !matches!(given, "" | "." | ".."),
            (_, None) => false,
        });
        same && given.next().is_none() && method == self.method.word()
    }
}

impl FromStr for UsePattern {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        let error = || RequestError {
            text: text.chars().take(120).collect(),
            expected: "a method and a path, such as `PATCH /v1/tickets/{id}`",
        };
        let (method, path) = text.split_once(' ').ok_or_else(error)?;
        let method = HttpMethod::from_word(method).ok_or_else(error)?;
        let path = path.strip_prefix('/').filter(|it| it.len() <= 1_000).ok_or_else(error)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments = path.split('/').filter(|_| !path.is_empty()).map(segment);
        let segments = segments.collect::<Option<Vec<_>>>().ok_or_else(error)?;
        Ok(Self { method, segments })
    }
}

fn segment(text: &str) -> Option<Segment> {
    if let Some(name) = text.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
        return is_name(name).then_some(Segment::Any);
    }
    let plain = !text.is_empty()
        && text != "."
        && text != ".."
        && text.bytes().all(|it| it.is_ascii_graphic() && !b"{}?#\"\\<>`".contains(&it));
    plain.then(|| Segment::Exactly(text.to_owned()))
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-.".contains(&it))
}

fn parameters_are_whole(text: &str) -> bool {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { return false };
        if before.contains('}') || !is_name(name) {
            return false;
        }
        rest = after;
    }
    !rest.contains('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_match_whole_segments() {
        let table = [
            ("GET /v1/users/{id}", "GET", "/v1/users/7", true),
            ("GET /v1/users/{id}", "GET", "/v1/users/7?fields=name", true),
            ("GET /v1/users/{id}", "GET", "/v1/users/7/", true),
            ("GET /v1/users/{id}", "POST", "/v1/users/7", false),
            ("GET /v1/users/{id}", "GET", "/v1/users", false),
            ("GET /v1/users/{id}", "GET", "/v1/users//", false),
            ("GET /v1/users/{id}", "GET", "/v1/users/7/secrets", false),
            ("GET /v1/users/{id}", "GET", "/v1/users/..", false),
            ("GET /v1/users/{id}", "GET", "v1/users/7", false),
            ("GET /", "GET", "/", true),
            ("GET /", "GET", "/v1", false),
        ];
        for (pattern, method, path, matches) in table {
            let own: UsePattern = pattern.parse().unwrap();
            assert_eq!(own.matches(method, path), matches, "{method} {path} against {pattern}");
        }
    }

    #[test]
    fn requests_are_read_or_refused() {
        for text in [
            "GET v1/users",
            "get /v1",
            "GET",
            "GET /v1/{",
            "GET /v1/{}",
            "GET /v1//x",
            "GET /v1?x=1",
            "GET /a b",
            "BREW /pot",
            "GET /v1/../x",
        ] {
            assert!(text.parse::<UsePattern>().is_err(), "parsing {text:?}");
        }
        for text in [
            "POST http://a.example/x",
            "POST https://u:p@a.example/",
            "https://a.example",
            "POST https://{host}/x",
            "POST https://a.example/{x",
            "POST /rotate",
            "POST https://a.example/ x",
            "POST https://a.example/#x",
        ] {
            assert!(text.parse::<OutsideRequest>().is_err(), "parsing {text:?}");
        }
        let request: OutsideRequest = "DELETE https://a.example/t/{tenant}?v={v}".parse().unwrap();
        assert_eq!(request.host, "a.example");
        let url = request.url(|name| Some(format!("{name}/1")));
        assert_eq!(url.as_deref(), Some("https://a.example/t/tenant%2F1?v=v%2F1"));
        assert_eq!(request.url(|_| None), None);
    }
}
