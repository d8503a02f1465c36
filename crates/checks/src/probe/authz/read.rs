//! What answers of an authorization server say. Tokens were taken out of them; that one was there shows.

use countersign_model::check::{Answer, Exchange, Judgement, Transcript};
use serde_json::Value;

use super::life::Life;

/// The body as JSON; a body that holds nothing but an object with tokens is one.
pub(crate) fn body(exchange: &Exchange) -> Option<Value> {
    exchange.answer.json().filter(Value::is_object)
}

/// Whether a token was given: a 2xx answer with an `access_token`.
pub(crate) fn granted(exchange: &Exchange) -> bool {
    let token = |it: Value| it.get("access_token")?.as_str().map(|it| !it.is_empty());
    exchange.answer.is_success() && body(exchange).and_then(token) == Some(true)
}

/// The error code of RFC 6749; nothing where there is none.
pub(crate) fn error_code(exchange: &Exchange) -> String {
    let code = body(exchange).and_then(|it| Some(it.get("error")?.as_str()?.to_owned()));
    code.unwrap_or_default()
}

/// Whether an answer says no with one of these codes (RFC 6749, section 5.2: 400, or 401 for a client
/// that is not known; some say 403).
pub(crate) fn refuses(exchange: &Exchange, codes: &[&str]) -> bool {
    let status = matches!(exchange.answer.status(), Some(400 | 401 | 403));
    status && codes.contains(&error_code(exchange).as_str())
}

/// Whether the client itself was refused.
pub(crate) fn refuses_client(exchange: &Exchange) -> bool {
    refuses(exchange, &["invalid_client", "unauthorized_client", "invalid_request"])
}

/// Whether a refresh token, code or other grant was refused.
pub(crate) fn refuses_grant(exchange: &Exchange) -> bool {
    refuses(
        exchange,
        &["invalid_grant", "invalid_client", "unauthorized_client", "invalid_request"],
    )
}

/// What an answer shows of the life of a token.
pub(crate) fn life(transcript: &Transcript, label: &str) -> Option<Life> {
    let exchange = transcript.exchanges(label).last()?;
    Some(life_of(transcript, exchange))
}

/// The same of one answer.
pub(crate) fn life_of(transcript: &Transcript, exchange: &Exchange) -> Life {
    let active = || body(exchange)?.get("active")?.as_bool();
    let status = exchange.answer.status().unwrap_or_default();
    Life::read(transcript.text("life_by"), status, active)
}

/// A failure, with the answer of this label and how to repeat it.
pub(crate) fn failed(transcript: &Transcript, label: &str, sentence: &str) -> Judgement {
    // Wrong requests are repeated under their own names.
    let name = label.strip_prefix("wrong.").unwrap_or(label);
    let seen = transcript.exchanges(label).last().map_or("nothing".to_owned(), words);
    let judgement = Judgement::fail(sentence).observed(format!("{seen} for `{name}`"));
    match transcript.text(&format!("repeat.{name}")) {
        Some(it) => judgement.repeat(it),
        None => judgement,
    }
}

/// An answer that says neither yes nor no.
pub(crate) fn unclear(transcript: &Transcript, label: &str, sentence: &str) -> Judgement {
    let seen = transcript.exchanges(label).last().map_or("nothing".to_owned(), words);
    let name = label.strip_prefix("wrong.").unwrap_or(label);
    Judgement::inconclusive(sentence).observed(format!("{seen} for `{name}`"))
}

/// A server that lacks the endpoint that a check is about.
pub(crate) fn lacks(transcript: &Transcript, endpoint: &str) -> Option<Judgement> {
    (transcript.text("lacks") == Some(endpoint))
        .then(|| Judgement::not_applicable(format!("the server publishes no `{endpoint}`")))
}

/// An answer in a few words: `HTTP 400 invalid_grant`.
pub(crate) fn words(exchange: &Exchange) -> String {
    let code = error_code(exchange);
    match &exchange.answer {
        Answer::Response { .. } if !code.is_empty() => {
            format!("{} {code}", exchange.answer.words())
        }
        other => other.words(),
    }
}

/// The values of a header.
pub(crate) fn headers<'a>(exchange: &'a Exchange, name: &'a str) -> impl Iterator<Item = &'a str> {
    let all = match &exchange.answer {
        Answer::Response { headers, .. } => headers.as_slice(),
        Answer::Failure { .. } => &[],
    };
    all.iter().filter(move |it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.as_str())
}

/// Why there was nobody to look at, or nothing to look with.
pub(crate) fn nobody(transcript: &Transcript) -> Option<Judgement> {
    let error = ["platform", "chance", "copy", "setup"]
        .iter()
        .find_map(|label| transcript.facts(label).find_map(|it| it.value.get("error")?.as_str()))?;
    Some(Judgement::inconclusive("the check could not begin").observed(error))
}

/// A client that may refresh was given nothing to refresh with.
pub(crate) fn no_refresh_token(transcript: &Transcript) -> Option<Judgement> {
    transcript.settings.contains_key("no_refresh_token").then(|| {
        Judgement::inconclusive("no refresh token was given")
            .observed("tokens, and no refresh token among them")
            .expected("a refresh token for a client that may refresh")
    })
}

/// A right request that came to nothing, so that nothing can be said.
pub(crate) fn no_control(transcript: &Transcript, label: &str, expected: &str) -> Judgement {
    let judgement = Judgement::inconclusive(format!("{expected} did not work"))
        .expected(format!("{expected} works, as control"));
    match transcript.exchange(label) {
        Some(it) => judgement.observed(words(it)),
        None => judgement.observed("it was not sent"),
    }
}
