//! A path of its own: what is answered there, and what was asked.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Inner, Reaction};

/// A request that a partner sent to us, with everything still in it.
#[derive(Clone)]
pub struct Seen {
    /// `GET`, `POST` …
    pub method: String,
    /// The path below the booth, with its slash: `/token`.
    pub path: String,
    /// The query, without the question mark.
    pub query: String,
    /// Header names in lowercase and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Who sent it.
    pub peer: SocketAddr,
}

impl fmt::Debug for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)
    }
}

impl Seen {
    /// The first header of this name (lowercase).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// A parameter of the query.
    pub fn asked(&self, name: &str) -> Option<String> {
        pair(self.query.as_bytes(), name)
    }

    /// A field of the form in the body.
    pub fn field(&self, name: &str) -> Option<String> {
        pair(&self.body, name)
    }
}

fn pair(form: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(form).find(|it| it.0 == name).map(|it| it.1.into_owned())
}

/// A TLS connection that somebody began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knock {
    /// The name that was asked for.
    pub name: Option<String>,
    /// Who.
    pub peer: SocketAddr,
    /// Whether it came to a TLS session.
    pub session: bool,
    /// Whether a request came over it.
    pub request: bool,
    /// What became of it, where it was answered in TLS 1.0.
    pub old_tls: Option<Reaction>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers beside the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A status and nothing else.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A JSON document.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::status(200)
            .header("content-type", "application/json")
            .body(value.to_string().into_bytes())
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("location", to)
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body.
    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }
}

/// What a booth answers.
pub trait Script: Send + Sync {
    /// The answer to a request.
    fn answer(&self, seen: &Seen) -> Reply;
}

impl<F: Fn(&Seen) -> Reply + Send + Sync> Script for F {
    fn answer(&self, seen: &Seen) -> Reply {
        self(seen)
    }
}

/// What stands behind a booth.
pub(crate) struct Stand {
    script: Box<dyn Script>,
    seen: Mutex<Vec<Seen>>,
}

impl fmt::Debug for Stand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stand(..)")
    }
}

impl Stand {
    pub(super) fn new(script: impl Script + 'static) -> Self {
        Self { script: Box::new(script), seen: Mutex::default() }
    }

    /// Writes a request down, and answers it.
    pub(super) fn serve(&self, request: Seen) -> Reply {
        let reply = self.script.answer(&request);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < SEEN_MAX {
            seen.push(request);
        }
        reply
    }
}

/// A path of its own. It is closed when this is dropped.
#[derive(Debug)]
pub struct Booth {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) stand: Arc<Stand>,
    pub(super) inner: Arc<Inner>,
}

impl Booth {
    /// Where it is, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was asked so far, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.stand.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until what was asked fits, or the time is over; says whether it fits.
    pub async fn wait(&self, limit: Duration, fits: impl Fn(&[Seen]) -> bool) -> bool {
        let waiting = async {
            loop {
                let heard = self.inner.heard.notified();
                tokio::pin!(heard);
                // From here on nothing is missed.
                heard.as_mut().enable();
                if fits(&self.seen()) {
                    return;
                }
                heard.await;
            }
        };
        tokio::time::timeout(limit, waiting).await.is_ok()
    }
}

impl Drop for Booth {
    fn drop(&mut self) {
        let mut stands = self.inner.stands.write().unwrap_or_else(PoisonError::into_inner);
        let is_own = stands.get(&self.name).is_some_and(|it| Arc::ptr_eq(it, &self.stand));
        if is_own {
            stands.remove(&self.name);
        }
    }
}

const SEEN_MAX: usize = 5_000;
