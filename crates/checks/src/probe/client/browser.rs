//! A user's browser: keeps cookies, follows redirects, and stays on the hosts of the manifest.

use std::collections::BTreeMap;

use url::Url;

use crate::live::ask::{Ask, Received};
use crate::talk::Talk;

/// How many redirects are followed.
const HOPS_MAX: usize = 6;
/// How many cookies are kept.
const COOKIES_MAX: usize = 100;

/// A browser of its own: what it keeps is known to no other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    /// By host (with a dot before it where a domain was named) and name.
    cookies: BTreeMap<(String, String), String>,
}

/// Where a chain of redirects ended.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// At an answer that redirects no further, or at none.
    Answered(Received),
    /// At a redirect to an address that nobody went to.
    Left(Url),
}

impl Browser {
    /// Goes to an address and wherever it is sent from there, as long as `stays` wants it.
    pub(super) async fn follow(
        &mut self,
        talk: &mut Talk,
        label: &str,
        ask: Ask,
        stays: impl Fn(&Url) -> bool + Send,
    ) -> End {
        let mut ask = ask;
        let mut hops = 0;
        loop {
            let received = self.go(talk, label, ask.clone()).await;
            let Some(next) = target(&ask.url, &received) else { return End::Answered(received) };
            hops += 1;
            if !stays(&next) || HOPS_MAX < hops {
                return End::Left(next);
            }
            let again = matches!(received.status, 307 | 308);
            let mut following = if again { ask.clone() } else { Ask::get("") };
            following.url = next.to_string();
            following.hostile = ask.hostile;
            ask = following;
        }
    }

    /// Sends one request with the cookies for its host, and keeps those that come back.
    async fn go(&mut self, talk: &mut Talk, label: &str, ask: Ask) -> Received {
        let host = host_of(&ask.url);
        let mut ask = ask;
        ask.headers.retain(|it| it.0 != "cookie");
        if let Some(cookies) = self.cookies(&host) {
            ask = ask.header("cookie", cookies);
        }
        let received = talk.send(label, ask).await;
        for (name, value) in &received.headers {
            if name == "set-cookie" {
                self.keep(&host, value);
            }
        }
        received
    }

    /// The header with the cookies for a host.
    pub(crate) fn cookies(&self, host: &str) -> Option<String> {
        let cookies = self.cookies.iter().filter(|((of, _), _)| covers(of, host));
        let cookies: Vec<String> = cookies.map(|((_, name), it)| format!("{name}={it}")).collect();
        (!cookies.is_empty()).then(|| cookies.join("; "))
    }

    /// Keeps the cookie that a line of this host sets.
    pub(crate) fn keep(&mut self, host: &str, line: &str) {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|it| it.split_once('=')) else { return };
        let mut of = host.to_owned();
        let mut ended = false;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            if key.eq_ignore_ascii_case("domain") && !value.is_empty() {
                let domain = format!(".{}", value.trim_start_matches('.').to_lowercase());
                if covers(&domain, host) {
                    of = domain;
                }
            }
            let gone = value.trim().parse::<i64>().is_ok_and(|it| it <= 0);
            ended |= key.eq_ignore_ascii_case("max-age") && gone;
        }
        let key = (of, name.trim().to_owned());
        if ended {
            self.cookies.remove(&key);
        } else if self.cookies.len() < COOKIES_MAX {
            self.cookies.insert(key, value.trim().to_owned());
        }
    }
}

/// Where an answer sends a browser.
pub(crate) fn target(from: &str, received: &Received) -> Option<Url> {
    if !matches!(received.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = received.headers.iter().find(|it| it.0 == "location")?;
    Url::parse(from).ok()?.join(&location.1).ok()
}

fn host_of(url: &str) -> String {
    let url = Url::parse(url).ok();
    url.and_then(|it| it.host_str().map(str::to_lowercase)).unwrap_or_default()
}

fn covers(of: &str, host: &str) -> bool {
    of == host
        || (of.starts_with('.') && (host.ends_with(of) || of.strip_prefix('.') == Some(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, location: &str) -> Received {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Received { status, headers, body: Vec::new(), failure: None, took_ms: 0 }
    }

    #[test]
    fn a_redirect_leads_where_a_browser_would_go() {
        let from = "https://app.acme.example/oauth/callback?code=1";
        let table = [
            (302, "/home", Some("https://app.acme.example/home")),
            (303, "//offsite.example/x", Some("https://offsite.example/x")),
            (302, r"/\offsite.example/x", Some("https://offsite.example/x")),
            (302, r"\\offsite.example/x", Some("https://offsite.example/x")),
            (200, "/home", None),
            (304, "/home", None),
        ];
        for (status, location, wanted) in table {
            let found = target(from, &answer(status, location)).map(|it| it.to_string());
            assert_eq!(found.as_deref(), wanted, "{status} {location}");
        }
    }

    #[test]
    fn cookies_stay_with_their_hosts() {
        let mut browser = Browser::default();
        browser.keep("app.acme.example", "sid=a=b; Path=/; HttpOnly");
        browser.keep("app.acme.example", "wide=1; Domain=acme.example");
        browser.keep("app.acme.example", "foreign=1; Domain=other.example");
        browser.keep("app.acme.example", "nothing");
        let keys: Vec<_> = browser.cookies.keys().map(|it| it.0.as_str()).collect();
        assert_eq!(keys, [".acme.example", "app.acme.example", "app.acme.example"]);
        browser.keep("app.acme.example", "sid=; Max-Age=0");
        assert_eq!(browser.cookies.len(), 2);
        assert!(
            covers(".acme.example", "acme.example") && !covers("acme.example", "x.acme.example")
        );
        assert!(!covers(".acme.example", "badacme.example"));
    }
}
