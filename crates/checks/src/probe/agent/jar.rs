//! Cookies (RFC 6265), as far as signing in needs them.

use url::Url;

/// The cookies of one browser: a few, of the hosts that set them. Its `Debug` shows none of them.
#[derive(Default)]
pub struct Jar(Vec<Cookie>);

impl std::fmt::Debug for Jar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Jar({})", self.0.len())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    /// Whom it goes to.
    host: String,
    /// Whether hosts below get it as well.
    is_wide: bool,
    path: String,
}

impl Jar {
    /// Keeps what an answer from this address sets.
    pub fn keep(&mut self, at: &Url, headers: &[(String, String)]) {
        let Some(host) = at.host_str() else { return };
        for (_, text) in headers.iter().filter(|it| it.0 == "set-cookie") {
            let Some((cookie, is_dead)) = read(host, at.path(), text) else { continue };
            let same = |it: &Cookie| {
                (&it.name, &it.host, &it.path) == (&cookie.name, &cookie.host, &cookie.path)
            };
            self.0.retain(|it| !same(it));
            if !is_dead && self.0.len() < COOKIES_MAX {
                self.0.push(cookie);
            }
        }
    }

    /// The header for a request to this address.
    pub fn header(&self, to: &Url) -> Option<String> {
        let host = to.host_str()?;
        let mine = self.0.iter().filter(|it| {
            let fits = it.host == host || (it.is_wide && host.ends_with(&format!(".{}", it.host)));
            fits && is_below(to.path(), &it.path)
        });
        let pairs: Vec<String> = mine.map(|it| format!("{}={}", it.name, it.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// A cookie, and whether it was set in order to go.
fn read(host: &str, path: &str, text: &str) -> Option<(Cookie, bool)> {
    if TEXT_BYTES_MAX < text.len() {
        return None;
    }
    let mut parts = text.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let name = name.trim();
    if name.is_empty() || text.chars().any(char::is_control) {
        return None;
    }
    let directory = path.rfind('/').map_or("/", |it| &path[..it]);
    let directory = if directory.is_empty() { "/" } else { directory };
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: value.trim().to_owned(),
        host: host.to_owned(),
        is_wide: false,
        path: directory.to_owned(),
    };
    let mut is_dead = false;
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "domain" => {
                let domain = value.trim().trim_start_matches('.').to_lowercase();
                // One for a host that is not above this one is refused, one for a whole registry too.
                if host != domain && !host.ends_with(&format!(".{domain}")) || !domain.contains('.')
                {
                    return None;
                }
                (cookie.host, cookie.is_wide) = (domain, true);
            }
            "max-age" => is_dead = value.trim().parse::<i64>().is_ok_and(|it| it <= 0),
            "path" if value.trim().starts_with('/') => value.trim().clone_into(&mut cookie.path),
            _ => {}
        }
    }
    Some((cookie, is_dead || value.trim().is_empty()))
}

fn is_below(path: &str, cookie: &str) -> bool {
    let rest = path.strip_prefix(cookie);
    rest.is_some_and(|it| it.is_empty() || cookie.ends_with('/') || it.starts_with('/'))
}

const COOKIES_MAX: usize = 50;
const TEXT_BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_where_it_came_from() {
        let mut jar = Jar::default();
        let at = Url::parse("https://id.example.com/realms/a/auth").unwrap();
        let set = |text: &str| ("set-cookie".to_owned(), text.to_owned());
        let headers = [
            set("sid=1; Path=/; Secure; HttpOnly"),
            set("here=2"),
            set("wide=3; Domain=example.com; Path=/"),
            set("other=4; Domain=evil.example"),
            set("all=5; Domain=com"),
            set("gone=6; Max-Age=0; Path=/"),
            set("; nothing"),
        ];
        jar.keep(&at, &headers);
        let of = |url: &str| jar.header(&Url::parse(url).unwrap()).unwrap_or_default();
        assert_eq!(of("https://id.example.com/realms/a/login"), "sid=1; here=2; wide=3");
        assert_eq!(of("https://id.example.com/"), "sid=1; wide=3");
        assert_eq!(of("https://app.example.com/"), "wide=3");
        assert_eq!(of("https://evil.example/"), "");
        jar.keep(&at, &[set("sid=; Path=/; Max-Age=0")]);
        assert_eq!(jar.header(&Url::parse("https://id.example.com/").unwrap()).unwrap(), "wide=3");
    }
}
