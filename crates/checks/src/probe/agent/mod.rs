//! A user agent: it keeps cookies, follows redirects, and fills in the form where a person signs in.
//!
//! It goes to the hosts that it was told of and to no others: a redirect that leads elsewhere ends
//! its way and is not followed. Everything that it sends is written down by [`Talk`].

pub mod jar;
pub mod page;

use std::collections::BTreeSet;

use url::Url;
use url::form_urlencoded::Serializer;

use crate::live::ask::{Ask, Received};
use crate::platform::Login;
use crate::talk::Talk;

use jar::Jar;
use page::{Form, Kind};

/// A user agent with one person in front of it.
#[derive(Debug)]
pub(crate) struct Agent {
    jar: Jar,
    hosts: BTreeSet<String>,
    ends: Vec<String>,
    person: Option<Login>,
    login_label: Option<String>,
}

/// Where its way ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A redirect leads to where it does not go.
    Away(Url),
    /// A page with nothing that it could fill in, or no answer at all.
    Here,
    /// It was sent around for too long.
    Lost,
}

impl Stop {
    /// A parameter that came with the address at the end.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let Self::Away(url) = self else { return None };
        url.query_pairs().find(|it| it.0 == name).map(|it| it.1.into_owned())
    }
}

impl Agent {
    /// It goes to these hosts.
    pub(crate) fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        let hosts = hosts.into_iter().map(|it| it.to_lowercase()).collect();
        Self { jar: Jar::default(), hosts, ends: Vec::new(), person: None, login_label: None }
    }

    /// With somebody who can sign in.
    pub(crate) fn person(mut self, person: Option<Login>) -> Self {
        self.person = person;
        self
    }

    /// The answer to the form with the password bears a label of its own.
    pub(crate) fn mark_login(mut self, label: &str) -> Self {
        self.login_label = Some(label.to_owned());
        self
    }

    /// It ends at this address too, whatever host that is: a callback is never really called.
    pub(crate) fn end_at(mut self, address: &str) -> Self {
        self.ends.push(address.to_owned());
        self
    }

    /// Opens an address and goes on until there is nothing left to do. Every step bears the label.
    pub(crate) async fn open(&mut self, talk: &mut Talk, label: &str, ask: Ask) -> Stop {
        let mut way = Way { label: label.to_owned(), ask, is_signed_in: false, forms: 0 };
        if let Some(it) = &self.person {
            talk.hide(&it.user);
            talk.hide(&it.password);
            talk.hide(&encoded(&it.password));
        }
        for _ in 0..STEPS_MAX {
            let Ok(at) = Url::parse(&way.ask.url) else { return Stop::Lost };
            let cookies = self.jar.header(&at);
            let ask = way.ask.clone();
            let ask = match cookies {
                Some(it) => ask.header("cookie", it),
                None => ask,
            };
            let answer = talk.send_hiding(&way.label, ask, secrets).await;
            self.jar.keep(&at, &answer.headers);
            label.clone_into(&mut way.label);
            let next = match location(&at, &answer) {
                Some(to) if self.goes_to(&to) => Some(follow(&way.ask, answer.status, &to)),
                Some(to) => return Stop::Away(to),
                None => self.fill(&at, &answer, &mut way),
            };
            match next {
                Some(ask) => way.ask = Ask { hostile: way.ask.hostile, ..ask },
                None => return Stop::Here,
            }
        }
        Stop::Lost
    }

    fn goes_to(&self, to: &Url) -> bool {
        let is_end = self.ends.iter().any(|it| Url::parse(it).is_ok_and(|it| is_same(&it, to)));
        let host = to.host_str().unwrap_or_default().to_lowercase();
        to.scheme() == "https" && self.hosts.contains(&host) && !is_end
    }

    /// The form of this page that gets one further, filled in.
    fn fill(&self, at: &Url, answer: &Received, way: &mut Way) -> Option<Ask> {
        if 500 <= answer.status || answer.failure.is_some() || FORMS_MAX <= way.forms {
            return None;
        }
        let forms = page::forms(&answer.body);
        let password = forms.iter().find(|it| it.has(Kind::Password));
        let (form, person) = match password {
            Some(it) if !way.is_signed_in => (it, Some(self.person.as_ref()?)),
            // Asked again: the password was not taken.
            Some(_) => return None,
            None => match forms.iter().find(|it| it.has(Kind::Text)) {
                Some(it) if !way.is_signed_in && way.forms == 0 => {
                    (it, Some(self.person.as_ref()?))
                }
                _ => (forms.iter().find(|it| it.is_consent())?, None),
            },
        };
        way.forms += 1;
        if password.is_some() {
            way.is_signed_in = true;
            if let Some(it) = &self.login_label {
                way.label.clone_from(it);
            }
        }
        let user = person.map(|it| (it.user.as_str(), it.password.as_str()));
        submit(at, form, user)
    }
}

/// What is on its way.
struct Way {
    label: String,
    ask: Ask,
    is_signed_in: bool,
    forms: usize,
}

/// The request that a form makes when it is filled in.
pub(crate) fn submit(at: &Url, form: &Form, person: Option<(&str, &str)>) -> Option<Ask> {
    let mut to = at.join(&form.action).ok()?;
    if to.scheme() != "https" || to.host_str() != at.host_str() {
        return None;
    }
    let pairs = form.pairs(person);
    let body = Serializer::new(String::new()).extend_pairs(pairs).finish();
    if !form.is_post {
        to.set_query(Some(&body));
        return Some(Ask::get(to));
    }
    let origin = at.origin().ascii_serialization();
    let ask = Ask::new("POST", to).header("content-type", "application/x-www-form-urlencoded");
    Some(Ask { body: body.into_bytes(), ..ask.header("origin", origin) })
}

/// What a browser sends after a redirect: 307 and 308 repeat the request, everything else is a GET
/// (RFC 9110, section 15.4).
fn follow(ask: &Ask, status: u16, to: &Url) -> Ask {
    match status {
        307 | 308 => {
            let kept = ask.headers.iter().filter(|it| it.0 == "content-type").cloned();
            Ask { url: to.to_string(), headers: kept.collect(), ..ask.clone() }
        }
        _ => Ask::get(to.clone()),
    }
}

/// Where an answer leads.
pub(crate) fn location(at: &Url, answer: &Received) -> Option<Url> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = answer.headers.iter().find(|it| it.0 == "location")?;
    at.join(&to.1).ok()
}

/// Whether two addresses are the same but for query and fragment.
pub(crate) fn is_same(one: &Url, other: &Url) -> bool {
    one[..url::Position::AfterPath] == other[..url::Position::AfterPath]
}

/// What an answer holds that nobody may read later: hidden fields, codes, tokens.
pub(crate) fn secrets(answer: &Received) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for form in page::forms(&answer.body) {
        let hidden = form.fields.iter().filter(|it| it.kind == Kind::Hidden);
        all.extend(hidden.map(|it| it.value.clone()).filter(|it| SECRET_CHARS_MIN <= it.len()));
    }
    let to = answer.headers.iter().find(|it| it.0 == "location");
    let Some(to) = to.and_then(|it| Url::parse(&it.1).ok()) else { return all };
    let fragment = to.fragment().unwrap_or_default().as_bytes();
    let pairs = to.query_pairs().chain(url::form_urlencoded::parse(fragment));
    let telling = ["access_token", "code", "id_token", "refresh_token", "session_code"];
    all.extend(pairs.filter(|it| telling.contains(&&*it.0)).map(|it| it.1.into_owned()));
    all
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

const STEPS_MAX: usize = 16;
const FORMS_MAX: usize = 4;
/// Shorter values of hidden fields open nothing: `login`, `true`, a locale.
const SECRET_CHARS_MIN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, to: &str) -> Received {
        let headers = vec![("location".to_owned(), to.to_owned())];
        Received { status, headers, failure: None, ..Received::nobody() }
    }

    #[test]
    fn a_redirect_is_followed_as_a_browser_follows_it() {
        let at = Url::parse("https://id.example.com/login").unwrap();
        let post = Ask { body: b"a=b".to_vec(), ..Ask::new("POST", at.as_str()) };
        let to = location(&at, &answer(303, "/next?x=1")).unwrap();
        assert_eq!(to.as_str(), "https://id.example.com/next?x=1");
        assert_eq!(follow(&post, 303, &to).method, "GET");
        assert_eq!(follow(&post, 307, &to).body, b"a=b");
        assert!(location(&at, &answer(200, "/next")).is_none());
    }

    #[test]
    fn it_goes_only_where_it_was_told() {
        let agent =
            Agent::new(["id.example.com".to_owned()]).end_at("https://id.example.com/callback");
        for (to, goes) in [
            ("https://id.example.com/login", true),
            ("https://id.example.com/callback?code=1", false),
            ("http://id.example.com/login", false),
            ("https://app.acme.example/", false),
        ] {
            assert_eq!(agent.goes_to(&Url::parse(to).unwrap()), goes, "{to}");
        }
    }

    #[test]
    fn a_filled_form_keeps_what_was_hidden_in_it() {
        let at = Url::parse("https://id.example.com/auth").unwrap();
        let page = r#"<form action="/login?s=1&amp;t=2" method=post><input type=hidden name=ticket value=abc>
            <input name=user><input type=password name=password></form>"#;
        let ask = submit(&at, &page::forms(page.as_bytes())[0], Some(("kim", "p&w"))).unwrap();
        assert_eq!(ask.url, "https://id.example.com/login?s=1&t=2");
        assert_eq!(ask.body, b"ticket=abc&user=kim&password=p%26w");
        let away =
            r#"<form action="https://evil.example/" method=post><input type=password></form>"#;
        assert!(submit(&at, &page::forms(away.as_bytes())[0], None).is_none());
    }
}
