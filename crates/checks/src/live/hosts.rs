//! What each of the partner's hosts that a manifest names is good for.

use countersign_model::declare::Manifest;
use url::Url;

use super::client::hosts_of;

/// A host of the partner that serves something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name, in lowercase.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The place in the manifest that names it first: `identity[0].jwks`.
    pub place: String,
    /// An address there that may be asked for with `GET`.
    pub url: String,
    /// Whether people's browsers are sent there.
    pub is_browser: bool,
}

impl Host {
    /// `events.acme.example`, with the port where it is not 443.
    pub fn name(&self) -> String {
        if self.port == HTTPS { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// An address on this host.
    pub fn at(&self, path: &str) -> String {
        format!("https://{}{path}", self.name())
    }
}

/// The hosts and ports at the partner that serve something, in the order of their names.
pub fn served(manifest: &Manifest) -> Vec<Host> {
    let mut hosts: Vec<Host> = Vec::new();
    for named in at_the_partner(manifest) {
        let (host, port) = (named.host(), named.port());
        if let Some(known) = hosts.iter_mut().find(|it| it.host == host && it.port == port) {
            known.is_browser |= named.use_ == Use::Browser;
            continue;
        }
        let mut found = Host {
            host,
            port,
            place: named.place,
            url: String::new(),
            is_browser: named.use_ == Use::Browser,
        };
        // A call changes something, and a fragment is never sent.
        found.url = match named.use_ {
            Use::Call => found.at("/"),
            Use::Browser | Use::Read => found.at(&target(&named.url)),
        };
        hosts.push(found);
    }
    for host in hosts_of(manifest) {
        if !hosts.iter().any(|it| it.host == host) {
            let url = format!("https://{host}/");
            let (place, port, is_browser) = (String::new(), HTTPS, false);
            hosts.push(Host { host, port, place, url, is_browser });
        }
    }
    hosts.sort_by_key(Host::name);
    hosts
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Browser,
    Call,
    Read,
}

struct Named {
    place: String,
    url: Url,
    use_: Use,
}

impl Named {
    fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_lowercase()
    }

    fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(HTTPS)
    }
}

/// What may be read comes before what is called.
fn at_the_partner(manifest: &Manifest) -> Vec<Named> {
    let mut all = Vec::new();
    let mut add = |place: String, url: &str, use_| {
        if let Ok(url) = Url::parse(url.trim())
            && url.host_str().is_some()
        {
            all.push(Named { place, url, use_ });
        }
    };
    for (index, it) in manifest.identities.iter().enumerate() {
        if let Some(jwks) = &it.jwks {
            add(format!("identity[{index}].jwks"), jwks.as_str(), Use::Read);
        }
    }
    for (index, it) in manifest.authorization_servers.iter().enumerate() {
        add(format!("authorization_server[{index}].issuer"), it.issuer.as_str(), Use::Read);
    }
    for (index, it) in manifest.callbacks.iter().enumerate() {
        add(format!("callback[{index}].url"), it.url.as_str(), Use::Browser);
    }
    for (index, it) in manifest.events.iter().enumerate() {
        add(format!("event[{index}].endpoint"), it.endpoint.as_str(), Use::Read);
    }
    if let Some(it) = &manifest.effects {
        add("effects.url".to_owned(), it.url.as_str(), Use::Read);
    }
    for (index, it) in manifest.data_paths.iter().enumerate() {
        add(format!("data_path[{index}].endpoint"), it.endpoint.as_str(), Use::Read);
    }
    if let Some(it) = &manifest.logging.source {
        add("logging.source".to_owned(), it.as_str(), Use::Read);
    }
    if let Some(it) = manifest.source.as_ref().and_then(|it| it.attestation.as_ref()) {
        add("source.attestation".to_owned(), it.as_str(), Use::Read);
    }
    for (place, call) in calls(manifest) {
        if let Some((_, url)) = call.trim().split_once(' ') {
            add(place, url, Use::Call);
        }
    }
    let hosts = hosts_of(manifest);
    all.retain(|it| hosts.contains(&it.host()));
    all
}

/// Every call at the partner that a manifest writes down: `POST https://…`.
fn calls(manifest: &Manifest) -> Vec<(String, &str)> {
    let mut all: Vec<(String, &str)> = Vec::new();
    for (index, it) in manifest.identities.iter().enumerate() {
        if let Some(it) = &it.rotation {
            all.push((format!("identity[{index}].rotation.start"), &it.start));
        }
        if let Some(it) = &it.offboarding {
            all.push((format!("identity[{index}].offboarding.start"), &it.start));
            all.push((format!("identity[{index}].offboarding.confirmed"), &it.confirmed));
        }
    }
    for (index, it) in manifest.authorization_servers.iter().enumerate() {
        if let Some(it) = &it.resource {
            all.push((format!("authorization_server[{index}].resource"), it));
        }
    }
    for (index, it) in manifest.resources.iter().enumerate() {
        let own = it.addresses().map(|(name, call)| (format!("resource[{index}].{name}"), call));
        all.extend(own);
    }
    for (index, it) in manifest.callbacks.iter().enumerate() {
        if let Some(it) = &it.start {
            all.push((format!("callback[{index}].start"), it));
        }
    }
    for (index, it) in manifest.webhooks.iter().enumerate() {
        let own =
            [("register", &it.register), ("trigger", &it.trigger), ("unregister", &it.unregister)];
        for (name, call) in own {
            all.extend(call.iter().map(|it| (format!("webhook[{index}].{name}"), it.as_str())));
        }
    }
    for (index, it) in manifest.events.iter().enumerate() {
        if let Some(it) = &it.signing.next_key {
            all.push((format!("event[{index}].signing.next_key.call"), &it.call));
        }
        if let Some(it) = it.stream.as_ref().and_then(|it| it.canary.as_ref()) {
            all.push((format!("event[{index}].stream.canary.open"), &it.open));
            all.push((format!("event[{index}].stream.canary.access"), &it.access));
        }
    }
    all
}

fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

const HTTPS: u16 = 443;

#[cfg(test)]
mod tests {
    use countersign_model::declare::{Format, parse};

    use super::*;

    fn shown(text: &str) -> String {
        let hosts = served(&parse(text, Format::Toml).unwrap().manifest);
        let lines = hosts.iter().map(|it| {
            let browser = if it.is_browser { ", browsers" } else { "" };
            format!("{} ({}): GET {}{browser}", it.name(), it.place, it.url)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_host_and_port_is_named_once_with_something_to_read() {
        insta::assert_snapshot!(shown(crate::fact::SAAS), @r"
        acme.example (identity[0].jwks): GET https://acme.example/.well-known/jwks.json
        app.acme.example (callback[0].url): GET https://app.acme.example/oauth/callback, browsers
        events.acme.example (event[0].endpoint): GET https://events.acme.example/id
        ");
        insta::assert_snapshot!(shown(crate::fact::PAYROLL), @"api.payrun.example (identity[0].jwks): GET https://api.payrun.example/.well-known/jwks.json");
        let ported =
            crate::fact::SAAS.replace("https://acme.example/", "https://acme.example:8443/");
        insta::assert_snapshot!(shown(&ported), @r"
        acme.example:8443 (identity[0].jwks): GET https://acme.example:8443/.well-known/jwks.json
        app.acme.example (callback[0].url): GET https://app.acme.example/oauth/callback, browsers
        events.acme.example (event[0].endpoint): GET https://events.acme.example/id
        ");
    }
}
