//! What an answer of the front channel comes to. Codes and tokens were taken out of it; that they were there shows.

use countersign_model::check::{Answer, Exchange};
use url::Url;
use url::form_urlencoded::parse;

use crate::probe::agent::page::{self, Kind};
use crate::probe::authz::read::headers;

/// What an answer comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// A code or a token is sent somewhere.
    Given,
    /// An error is sent to this address.
    Told(Url, String),
    /// A redirect without either.
    Led(Url),
    /// A page that does not ask for a password.
    Page(u16),
    /// Nothing that says anything.
    Nothing,
}

/// What this answer comes to.
pub(super) fn seen(exchange: &Exchange) -> Seen {
    if let Some(to) = leads_to(exchange) {
        let pairs: Vec<(String, String)> = pairs(&to);
        if pairs.iter().any(|it| GIVEN.contains(&it.0.as_str())) {
            return Seen::Given;
        }
        let error = pairs.into_iter().find(|it| it.0 == "error");
        return match error {
            Some((_, error)) => Seen::Told(to, error),
            None => Seen::Led(to),
        };
    }
    let Answer::Response { status, body, .. } = &exchange.answer else { return Seen::Nothing };
    let forms = page::forms(body.text.as_bytes());
    let names = || forms.iter().flat_map(|it| &it.fields).map(|it| it.name.as_str());
    match status {
        // `response_mode=form_post` sends what it gives as a form.
        200..=299 if names().any(|it| GIVEN.contains(&it)) => Seen::Given,
        200..=299 if forms.iter().any(|it| it.has(Kind::Password)) => Seen::Nothing,
        200..=299 => Seen::Page(*status),
        400..=499 if ![404, 408, 429].contains(status) => Seen::Page(*status),
        _ => Seen::Nothing,
    }
}

/// Where it leads.
pub(super) fn leads_to(exchange: &Exchange) -> Option<Url> {
    if !matches!(exchange.answer.status(), Some(301 | 302 | 303 | 307 | 308)) {
        return None;
    }
    let to = headers(exchange, "location").next()?;
    Url::parse(&exchange.request.url).ok()?.join(to).ok()
}

/// Whether a code or a token is sent.
pub(super) fn given(exchange: &Exchange) -> bool {
    seen(exchange) == Seen::Given
}

/// Whether the request is refused: the client is told, or a page says so.
pub(super) fn refused(exchange: &Exchange) -> bool {
    matches!(seen(exchange), Seen::Told(..) | Seen::Page(_))
}

fn pairs(to: &Url) -> Vec<(String, String)> {
    let fragment = parse(to.fragment().unwrap_or_default().as_bytes());
    to.query_pairs().chain(fragment).map(|it| (it.0.into_owned(), it.1.into_owned())).collect()
}

const GIVEN: [&str; 3] = ["access_token", "code", "id_token"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::sample;

    fn of(status: u16, to: &str, text: &str) -> Seen {
        let sample = match to {
            "" => sample().answered("x", status, text),
            to => sample().redirected("x", status, to),
        };
        seen(sample.transcript().exchange("x").unwrap())
    }

    #[test]
    fn only_a_code_or_a_token_is_something_given() {
        let back = "https://app.acme.example/back";
        for (to, given) in [
            (format!("{back}?code=[secret 0123]&state=s"), true),
            (format!("{back}#access_token=[secret 0123]"), true),
            (format!("{back}#id_token=[token 0123]"), true),
            (format!("{back}?error=invalid_request"), false),
            (back.to_owned(), false),
        ] {
            assert_eq!(of(302, &to, "") == Seen::Given, given, "{to}");
        }
        let post = "<form method=post><input type=hidden name=access_token value=x></form>";
        assert_eq!(of(200, "", post), Seen::Given);
        assert_eq!(of(200, "", "<input name=code>"), Seen::Page(200));
        assert_eq!(of(200, "", "<form><input type=password></form>"), Seen::Nothing);
        assert_eq!(of(400, "", "no"), Seen::Page(400));
        assert_eq!(of(404, "", ""), Seen::Nothing);
        assert_eq!(of(500, "", ""), Seen::Nothing);
    }
}
