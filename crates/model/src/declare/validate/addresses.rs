//! Hosts that a checker or a gate may talk to.

use url::{Host, Url};

use super::{PreflightCode, Rules};
use crate::declare::request::OutsideRequest;

pub(super) fn check(rules: &mut Rules<'_>) {
    let manifest = rules.manifest();
    if !is_domain(&manifest.partner.domain) {
        let message =
            format!("`{}` is not a domain such as `acme.example`", manifest.partner.domain);
        rules.add(PreflightCode::WrongValue, "partner.domain", message);
    }
    if !rules.in_production() {
        return;
    }
    for (path, address) in outside(rules) {
        if let Some(problem) = Url::parse(&address).ok().as_ref().and_then(refused) {
            let message = format!("`{path}`: a partner's address is a public name, not {problem}");
            rules.add(PreflightCode::AddressRefused, &path, message);
        }
    }
}

/// Every address at the partner, with its path.
fn outside(rules: &Rules<'_>) -> Vec<(String, String)> {
    let manifest = rules.manifest();
    let mut all = Vec::new();
    let mut add = |path: String, address: &dyn ToString| all.push((path, address.to_string()));
    for (index, it) in manifest.identities.iter().enumerate() {
        let at = |key: &str| format!("identity[{index}].{key}");
        if let Some(jwks) = &it.jwks {
            add(at("jwks"), jwks);
        }
        let rotation = it.rotation.as_ref().map(|it| ("rotation.start", &it.start));
        let offboarding = it.offboarding.as_ref();
        let requests = rotation
            .into_iter()
            .chain(offboarding.map(|it| ("offboarding.start", &it.start)))
            .chain(offboarding.map(|it| ("offboarding.confirmed", &it.confirmed)));
        for (key, request) in requests {
            if let Ok(request) = request.parse::<OutsideRequest>() {
                add(at(key), &format!("https://{}/", request.host));
            }
        }
    }
    for (index, it) in manifest.authorization_servers.iter().enumerate() {
        add(format!("authorization_server[{index}].issuer"), &it.issuer);
        if let Some(Ok(request)) = it.resource.as_ref().map(|it| it.parse::<OutsideRequest>()) {
            add(
                format!("authorization_server[{index}].resource"),
                &format!("https://{}/", request.host),
            );
        }
    }
    let mut calls: Vec<(String, &String)> = Vec::new();
    for (index, it) in manifest.callbacks.iter().enumerate() {
        add(format!("callback[{index}].url"), &it.url);
        calls.extend(it.start.iter().map(|it| (format!("callback[{index}].start"), it)));
    }
    for (index, it) in manifest.webhooks.iter().enumerate() {
        let own = [("register", &it.register), ("trigger", &it.trigger)];
        for (key, call) in own.into_iter().chain([("unregister", &it.unregister)]) {
            calls.extend(call.iter().map(|it| (format!("webhook[{index}].{key}"), it)));
        }
    }
    for (path, call) in calls {
        if let Ok(request) = call.parse::<OutsideRequest>() {
            add(path, &format!("https://{}/", request.host));
        }
    }
    for (index, it) in manifest.events.iter().enumerate() {
        add(format!("event[{index}].endpoint"), &it.endpoint);
        let next = it.signing.next_key.as_ref().and_then(|it| it.call.parse().ok());
        if let Some(OutsideRequest { host, .. }) = next {
            add(format!("event[{index}].signing.next_key.call"), &format!("https://{host}/"));
        }
    }
    for (index, it) in manifest.resources.iter().enumerate() {
        for (key, call) in it.addresses() {
            if let Ok(request) = call.parse::<OutsideRequest>() {
                add(format!("resource[{index}].{key}"), &format!("https://{}/", request.host));
            }
        }
    }
    for (index, it) in manifest.events.iter().enumerate() {
        let canary = it.stream.iter().filter_map(|it| it.canary.as_ref());
        let calls = canary.flat_map(|it| [("open", &it.open), ("access", &it.access)]);
        for (key, call) in calls {
            if let Ok(call) = call.parse::<OutsideRequest>() {
                let path = format!("event[{index}].stream.canary.{key}");
                add(path, &format!("https://{}/", call.host));
            }
        }
    }
    for (index, it) in manifest.data_paths.iter().enumerate() {
        add(format!("data_path[{index}].endpoint"), &it.endpoint);
    }
    for (index, it) in manifest.source.iter().flat_map(|it| &it.repositories).enumerate() {
        add(format!("source.repositories[{index}]"), it);
    }
    if let Some(it) = &manifest.effects {
        add("effects.url".to_owned(), &it.url);
    }
    if let Some(it) = &manifest.logging.source {
        add("logging.source".to_owned(), it);
    }
    all
}

fn refused(url: &Url) -> Option<&'static str> {
    match url.host()? {
        Host::Ipv4(_) | Host::Ipv6(_) => Some("a number"),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let local = ["localhost", "local", "internal", "lan", "home.arpa"];
            if local.iter().any(|it| name == *it || name.ends_with(&format!(".{it}"))) {
                Some("one of a local network")
            } else if !name.contains('.') {
                Some("a single word")
            } else {
                None
            }
        }
    }
}

fn is_domain(text: &str) -> bool {
    let label = |it: &str| {
        (1..=63).contains(&it.len())
            && it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
            && !it.starts_with('-')
            && !it.ends_with('-')
    };
    text.len() <= 253
        && text.split('.').count() >= 2
        && text.split('.').all(label)
        && !text.split('.').next_back().is_some_and(|it| it.bytes().all(|it| it.is_ascii_digit()))
}
