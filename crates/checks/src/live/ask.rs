//! A request before it is sent, and what came back, with everything still in it.

use std::fmt;

use countersign_model::check::transcript::FailureKind;
use serde_json::Value;

/// A request. Its `Debug` shows neither headers nor body.
#[derive(Clone)]
pub struct Ask {
    /// `GET`, `POST` …
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Header names in lowercase and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the partner has to have agreed to it: forged, replayed or broken on purpose.
    pub hostile: bool,
}

impl fmt::Debug for Ask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.url)
    }
}

impl Ask {
    /// A request without headers and body.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            hostile: false,
        }
    }

    /// A `GET`.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A call as a manifest writes it: `POST https://…`.
    pub fn parse(call: &str) -> Option<Self> {
        let (method, url) = call.trim().split_once(' ')?;
        let known = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"].contains(&method);
        known.then(|| Self::new(method, url.trim()))
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a bearer token, where there is one.
    pub fn bearer(self, token: Option<&str>) -> Self {
        match token {
            Some(token) => self.header("authorization", format!("Bearer {token}")),
            None => self,
        }
    }

    /// With a JSON body.
    pub fn json(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/json")
    }

    /// The same request for a shell. What opens something has to be taken out of it before.
    pub fn curl(&self) -> String {
        let mut words = vec![format!("curl -i -X {}", self.method), quoted(&self.url)];
        for (name, value) in &self.headers {
            // A colon would make curl leave out a header without a value.
            let header =
                if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            words.push(format!("-H {}", quoted(&header)));
        }
        if !self.body.is_empty() {
            words.push(format!("--data-binary {}", quoted(&String::from_utf8_lossy(&self.body))));
        }
        words.join(" ")
    }

    /// As something that the partner has to have agreed to.
    pub fn hostile(mut self) -> Self {
        self.hostile = true;
        self
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What came back, with everything still in it: it is not written down like this.
#[derive(Clone)]
pub struct Received {
    /// The status code; 0 when there was no answer.
    pub status: u16,
    /// Header names in lowercase and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Why there was no answer.
    pub failure: Option<(FailureKind, String)>,
    /// How long it took, in milliseconds, without the wait for its turn.
    pub took_ms: u64,
}

impl fmt::Debug for Received {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Received({}, {} bytes)", self.status, self.body.len())
    }
}

impl Received {
    /// No answer.
    pub fn failed(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            status: 0,
            headers: Vec::new(),
            body: Vec::new(),
            failure: Some((kind, detail.into())),
            took_ms: 0,
        }
    }

    /// There is nobody to talk to.
    pub(crate) fn nobody() -> Self {
        Self::failed(FailureKind::AddressRefused, "a rehearsal talks to nobody")
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// In a few words: `HTTP 204`, `timed out`.
    pub fn words(&self) -> String {
        match &self.failure {
            Some((kind, detail)) => format!("{} ({detail})", kind.words()),
            None => format!("HTTP {}", self.status),
        }
    }
}
