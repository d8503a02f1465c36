//! One request to the platform: to the right address, with the right token, inside limits.

use std::net::IpAddr;

use url::Url;

use super::SandboxSettings;
use crate::live::ask::Ask;
use crate::live::http::{BODY_BYTES_MAX, Raw};
use crate::platform::{PlatformFault, Reach, line};

/// The largest record that is read.
const LOG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest list of the administrators' API that is read.
const ANSWER_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;

/// In whose name a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// In that of whoever may kill.
    Killer,
    /// In nobody's.
    Nobody,
    /// In that of whoever may read.
    Reader,
}

/// How large an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// As an ordinary answer.
    Answer,
    /// As a record of many lines.
    Log,
}

/// The line to the platform.
#[derive(Debug)]
pub(super) struct Line {
    origin: Url,
    reader: String,
    killer: String,
    line: line::Line,
}

impl Line {
    pub(super) fn new(issuer: &str, settings: SandboxSettings) -> Result<Self, PlatformFault> {
        let wrong = |it: &str| PlatformFault::Settings(it.to_owned());
        let origin = Url::parse(issuer).map_err(|_| wrong("its address cannot be read"))?;
        let host = origin.host_str().unwrap_or_default().to_lowercase();
        let is_plain =
            origin.path() == "/" && origin.query().is_none() && origin.username().is_empty();
        if origin.scheme() != "https" || host.is_empty() || !is_plain {
            return Err(wrong("its address is not `https://` and a host"));
        }
        for (name, token) in [("reads", &settings.reader), ("kills", &settings.killer)] {
            if token.is_empty() || !token.bytes().all(|it| it.is_ascii_graphic()) {
                return Err(wrong(&format!("the token that {name} is not one")));
            }
        }
        let SandboxSettings { reader, killer, resolve, ca, limit, .. } = settings;
        let line = line::Line::new([host], resolve, ca.as_deref(), limit)?;
        Ok(Self { origin, reader, killer, line })
    }

    /// The way to it, for requests that somebody else makes.
    pub(super) fn reach(&self) -> Reach {
        self.line.reach(self.origin.as_str().trim_end_matches('/').to_owned())
    }

    /// A request; every part of the path is written as one part, whatever is in it.
    pub(super) fn new_ask(
        &self,
        method: &str,
        path: &[&str],
        who: Who,
    ) -> Result<Ask, PlatformFault> {
        self.address(path).map(|it| self.signed(Ask::new(method, it), who))
    }

    /// A `GET` with a query.
    pub(super) fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        who: Who,
    ) -> Result<Ask, PlatformFault> {
        let mut url = self.address(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(self.signed(Ask::get(url), who))
    }

    fn address(&self, path: &[&str]) -> Result<Url, PlatformFault> {
        // `.` and `..` would be taken for steps: such a name cannot be asked for.
        if let Some(part) = path.iter().find(|it| ["", ".", ".."].contains(it)) {
            return Err(PlatformFault::Settings(format!("`{part}` is not a name")));
        }
        let mut url = self.origin.clone();
        let no_path = |()| PlatformFault::Settings("its address has no path".to_owned());
        url.path_segments_mut().map_err(no_path)?.clear().extend(path);
        Ok(url)
    }

    fn signed(&self, ask: Ask, who: Who) -> Ask {
        match who {
            Who::Killer => ask.bearer(Some(&self.killer)),
            Who::Nobody => ask,
            Who::Reader => ask.bearer(Some(&self.reader)),
        }
    }

    /// Sends it, and nowhere else than to the platform.
    pub(super) async fn send(
        &self,
        ask: Ask,
        from: Option<IpAddr>,
        size: Size,
    ) -> Result<Raw, PlatformFault> {
        if Url::parse(&ask.url).map_or(true, |it| it.origin() != self.origin.origin()) {
            return Err(PlatformFault::Settings("the request leads elsewhere".to_owned()));
        }
        let body_bytes_max = match size {
            Size::Answer => ANSWER_BYTES_MAX,
            Size::Log => LOG_BYTES_MAX,
        };
        self.line.send(ask, from, body_bytes_max).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings() -> SandboxSettings {
        SandboxSettings {
            issuer: String::new(),
            reader: "reads".to_owned(),
            killer: "kills".to_owned(),
            resolve: [].into(),
            ca: None,
            limit: Duration::from_secs(1),
        }
    }

    #[test]
    fn only_a_plain_address_with_two_tokens_is_one() {
        let none = SandboxSettings { killer: String::new(), ..settings() };
        let table = [
            ("https://test.id.example.com", settings(), true),
            ("https://127.0.0.1:8443", settings(), true),
            ("http://test.id.example.com", settings(), false),
            ("https://test.id.example.com/tenant", settings(), false),
            ("https://me:pw@test.id.example.com", settings(), false),
            ("nowhere", settings(), false),
            ("https://test.id.example.com", none, false),
            (
                "https://test.id.example.com",
                SandboxSettings { ca: Some(b"rubbish".to_vec()), ..settings() },
                false,
            ),
        ];
        for (issuer, settings, is_one) in table {
            let line = Line::new(issuer, settings);
            assert_eq!(line.is_ok(), is_one, "{issuer}");
            assert!(is_one || matches!(line, Err(PlatformFault::Settings(_))), "{issuer}");
        }
    }

    #[test]
    fn every_part_of_a_path_stays_one_part() {
        let line = Line::new("https://id.example.com", settings()).unwrap();
        let url = |path: &[&str]| line.new_ask("POST", path, Who::Nobody).map(|it| it.url);
        let plain = url(&["admin", "clients", "acme-helpdesk"]).unwrap();
        assert_eq!(plain, "https://id.example.com/admin/clients/acme-helpdesk");
        let odd = url(&["jobs", "a/b?c#d", "job:nightly%2f"]).unwrap();
        assert_eq!(odd, "https://id.example.com/jobs/a%2Fb%3Fc%23d/job:nightly%252f");
        for part in ["", ".", ".."] {
            assert!(url(&["admin", "clients", part]).is_err(), "`{part}`");
        }
    }
}
