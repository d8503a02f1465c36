//! The server, as a command sees it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;

/// A signed-in connection to a server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Secret,
    sent: Sent,
}

/// What was sent to change something, and what was judged meanwhile, for whoever interrupts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent {
    lines: Arc<Mutex<Vec<String>>>,
    judged: Arc<Mutex<Vec<Value>>>,
}

impl Sent {
    /// Something is about to be sent; whether it arrives is not known before its answer.
    fn begin(&self, what: String) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// A check came to its end.
    pub(crate) fn judged(&self, judged: Value) {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner).push(judged);
    }

    /// The checks that came to their end, in order.
    pub(crate) fn all_judged(&self) -> Vec<Value> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last thing that was begun was answered.
    fn answered(&self, word: &str) {
        if let Some(last) = self.lines.lock().unwrap_or_else(PoisonError::into_inner).last_mut() {
            last.push_str(": ");
            last.push_str(word);
        }
    }

    /// Each of them, in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A bearer token that does not show itself.
#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Client {
    /// A client for `base` with a bearer token; every request ends within `timeout`.
    pub(crate) fn new(base: &str, token: String, timeout: Duration) -> Result<Self, Failure> {
        let here = reqwest::Url::parse(base).ok().and_then(|it| it.host_str().map(is_loopback));
        let builder = reqwest::Client::builder();
        // What runs on this machine is not asked through somebody else's.
        let builder = if here == Some(true) { builder.no_proxy() } else { builder };
        let http = builder
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|it| Failure::new(Exit::Broken, "could not set up HTTP").because(&it))?;
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            token: Secret(token),
            sent: Sent::default(),
        })
    }

    /// GET a JSON document.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    /// GET bytes as they are.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let request = self.http.get(format!("{}{path}", self.base));
        let (status, body) = self.answer(request).await?;
        if (200..300).contains(&status) { Ok(body) } else { Err(problem(status, &body)) }
    }

    /// POST a JSON document.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.sent.begin(format!("POST {path}"));
        let answer = self.send(self.http.post(format!("{}{path}", self.base)).json(body)).await;
        self.sent.answered(answer.as_ref().map_or_else(|it| it.exit.word(), |_| "done"));
        answer
    }

    /// The same, for as long as this.
    pub(crate) async fn post_patiently(
        &self,
        path: &str,
        body: &Value,
        limit: Duration,
    ) -> Result<Value, Failure> {
        self.sent.begin(format!("POST {path}"));
        let request = self.http.post(format!("{}{path}", self.base)).json(body).timeout(limit);
        let answer = self.send(request).await;
        self.sent.answered(answer.as_ref().map_or_else(|it| it.exit.word(), |_| "done"));
        answer
    }

    /// Notes there what is sent.
    pub(crate) fn noting(self, sent: Sent) -> Self {
        Self { sent, ..self }
    }

    /// Whether the server serves, and its own clock in milliseconds since 1970; needs no token.
    pub(crate) async fn health(&self) -> Result<(Value, Option<i64>), Failure> {
        let request = self.http.get(format!("{}/health", self.base));
        let answer = request.send().await.map_err(|it| self.unreachable(&it))?;
        let date = answer.headers().get("date").and_then(|it| it.to_str().ok());
        let date = date.and_then(|it| jiff::fmt::rfc2822::parse(it).ok());
        let value = answer.json().await.map_err(|it| self.unreachable(&it))?;
        Ok((value, date.map(|it| it.timestamp().as_millisecond())))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        Failure::new(Exit::Unreachable, format!("the server at {} cannot be reached", self.base))
            .because(error)
            .help("is it running?   countersign server run --config server.toml")
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let (status, body) = self.answer(request).await?;
        if !(200..300).contains(&status) {
            return Err(problem(status, &body));
        }
        serde_json::from_slice(&body).map_err(|it| {
            Failure::new(Exit::Broken, "the server's answer is not JSON").because(&it)
        })
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>), Failure> {
        let unreachable = |it: &reqwest::Error| self.unreachable(it);
        let mut answer =
            request.bearer_auth(&self.token.0).send().await.map_err(|it| unreachable(&it))?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|it| unreachable(&it))? {
            if ANSWER_BYTES_MAX < body.len() + chunk.len() {
                return Err(Failure::new(Exit::Broken, "the server's answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

/// An RFC 9457 problem document as a failure.
fn problem(status: u16, body: &[u8]) -> Failure {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let title = text("title").unwrap_or_else(|| format!("the server answered {status}"));
    let exit = Exit::from_problem(status, &text("code").unwrap_or_default());
    // The title sorts; the detail says.
    let mut failure = Failure::new(exit, text("detail").unwrap_or(title));
    for diagnostic in value.get("diagnostics").and_then(Value::as_array).into_iter().flatten() {
        failure
            .causes
            .push(diagnostic.as_str().map_or_else(|| diagnostic.to_string(), str::to_owned));
    }
    failure.help = text("help");
    failure
}
