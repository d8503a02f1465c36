//! Texts with a form of their own: requests, networks, hours, patterns, files.

use std::sync::LazyLock;

use ipnet::IpNet;
use regex::{Regex, RegexBuilder};

use super::{PreflightCode, Rules};
use crate::declare::hours::Hours;
use crate::declare::manifest::{Direction, FailMode, TestAuth, TokenAlg, WebhookScheme};
use crate::declare::request::{OutsideRequest, UsePattern};
use crate::declare::schedule::Schedule;

pub(super) fn check(rules: &mut Rules<'_>) {
    identities(rules);
    authorization_servers(rules);
    paths(rules);
    calls(rules);
    resources(rules);
    declared_use(rules);
    sentences(rules);
    evidence(rules);
    let manifest = rules.manifest();
    if let Some(it) = &manifest.rules_of_engagement {
        rules.must("rules_of_engagement.hours", it.hours.parse::<Hours>());
        within(rules, "rules_of_engagement.rate_per_second", it.rate_per_second, (1, 1_000));
    }
    let terms = &manifest.revocation;
    if terms.fail_mode == FailMode::BestEffort && terms.max_stale.is_none() {
        let message =
            "`fail_mode = \"best-effort\"` needs `max_stale`: how long a stale \"yes\" may stand";
        rules.add(PreflightCode::Contradiction, "revocation.fail_mode", message);
    }
}

fn identities(rules: &mut Rules<'_>) {
    for (index, identity) in rules.manifest().identities.iter().enumerate() {
        let at = format!("identity[{index}]");
        if let Some(it) = &identity.rotation {
            rules.must(&format!("{at}.rotation.start"), it.start.parse::<OutsideRequest>());
        }
        if let Some(it) = &identity.offboarding {
            rules.must(&format!("{at}.offboarding.start"), it.start.parse::<OutsideRequest>());
            rules.must(
                &format!("{at}.offboarding.confirmed"),
                it.confirmed.parse::<OutsideRequest>(),
            );
        }
        filled(rules, &format!("{at}.stored_in"), &identity.stored_in, 200);
        for (index, scope) in identity.scopes.iter().enumerate() {
            let at = format!("{at}.scope[{index}]");
            filled(rules, &format!("{at}.why"), &scope.why, 500);
            if scope.uses.is_empty() {
                let message = format!(
                    "scope `{}` names no use: a log cannot be compared with nothing",
                    scope.name
                );
                let help = "list the calls that it is for: uses = [\"GET /v1/users/{id}\"]";
                rules.add(PreflightCode::WrongValue, &format!("{at}.uses"), message).help =
                    Some(help.to_owned());
            }
            for (index, it) in scope.uses.iter().enumerate() {
                rules.must(&format!("{at}.uses[{index}]"), it.parse::<UsePattern>());
            }
        }
    }
}

/// A call can be read, and a client says how it proves itself.
fn authorization_servers(rules: &mut Rules<'_>) {
    for (index, server) in rules.manifest().authorization_servers.iter().enumerate() {
        let at = format!("authorization_server[{index}]");
        if let Some(it) = &server.resource {
            rules.must(&format!("{at}.resource"), it.parse::<OutsideRequest>());
        }
        for (index, it) in server.clients.iter().enumerate() {
            let at = format!("{at}.client[{index}]");
            filled(rules, &format!("{at}.client_id"), &it.client_id, 200);
            if it.auth != TestAuth::None && it.auth_ref.is_none() {
                let message = "a client that proves itself needs `auth_ref`";
                rules.add(PreflightCode::WrongValue, &at, message).help = Some(
                    "name the secret, or the private key, that our server holds for it".to_owned(),
                );
            }
        }
    }
}

/// The calls with which a test build is set to work.
fn calls(rules: &mut Rules<'_>) {
    let manifest = rules.manifest();
    for (index, it) in manifest.callbacks.iter().enumerate() {
        let at = format!("callback[{index}].start");
        let Some(start) = &it.start else { continue };
        rules.must(&at, start.parse::<OutsideRequest>());
        if start.matches("{issuer}").count() != 1 {
            let message = format!("`{at}` does not say once where the issuer goes: `{{issuer}}`");
            rules.add(PreflightCode::WrongValue, &at, message);
        }
    }
    for (index, it) in manifest.webhooks.iter().enumerate() {
        let calls =
            [("register", &it.register), ("trigger", &it.trigger), ("unregister", &it.unregister)];
        for (key, call) in calls {
            if let Some(call) = call {
                rules.must(&format!("webhook[{index}].{key}"), call.parse::<OutsideRequest>());
            }
        }
        if it.trigger.is_some() && it.register.is_none() {
            let at = format!("webhook[{index}].trigger");
            let message = format!("`{at}` causes deliveries to nobody without `register`");
            rules.add(PreflightCode::Contradiction, &at, message);
        }
    }
}

fn paths(rules: &mut Rules<'_>) {
    let manifest = rules.manifest();
    for (index, it) in manifest.webhooks.iter().enumerate() {
        if it.direction != Direction::In {
            let message = "a webhook is a call of the partner to us: its direction is `in`";
            rules
                .add(PreflightCode::WrongValue, &format!("webhook[{index}].direction"), message)
                .help = Some("what we send to the partner is an `[[event]]`".to_owned());
        }
        outcomes(rules, &format!("webhook[{index}].may_cause"), &it.may_cause);
    }
    for (index, it) in manifest.events.iter().enumerate() {
        let at = format!("event[{index}]");
        if it.direction != Direction::Out {
            let message = "an event is what we send to the partner: its direction is `out`";
            rules.add(PreflightCode::WrongValue, &format!("{at}.direction"), message).help =
                Some("what the partner sends to us is a `[[webhook]]`".to_owned());
        }
        if let Some(name) = &it.signing.secret_ref {
            filled(rules, &format!("{at}.signing.secret_ref"), name, 120);
        }
        if let Some(next) = &it.signing.next_key {
            let at = format!("{at}.signing.next_key");
            rules.must(&format!("{at}.call"), next.call.parse::<OutsideRequest>());
            filled(rules, &format!("{at}.auth_ref"), &next.auth_ref, 120);
        }
        for (key, list) in [("types", &it.types), ("fields", &it.fields)] {
            if list.is_empty() {
                let message = format!("`{at}.{key}` is empty: nothing could be delivered");
                rules.add(PreflightCode::WrongValue, &format!("{at}.{key}"), message);
            }
            for (index, text) in list.iter().enumerate() {
                filled(rules, &format!("{at}.{key}[{index}]"), text, 120);
            }
        }
    }
    streams(rules);
    for (index, it) in manifest.automations.iter().enumerate() {
        let at = format!("automation[{index}]");
        rules.must(&format!("{at}.schedule"), it.schedule.parse::<Schedule>());
        outcomes(rules, &format!("{at}.may_cause"), &it.may_cause);
        for outcome in it.limits.keys().filter(|outcome| !it.may_cause.contains(outcome)) {
            let message = format!("`{outcome}` has a limit, but `may_cause` does not name it");
            rules.add(PreflightCode::Contradiction, &format!("{at}.limits.{outcome}"), message);
        }
    }
}

fn resources(rules: &mut Rules<'_>) {
    for (index, it) in rules.manifest().resources.iter().enumerate() {
        let at = format!("resource[{index}]");
        for (key, call) in it.addresses() {
            rules.must(&format!("{at}.{key}"), call.parse::<OutsideRequest>());
        }
        filled(rules, &format!("{at}.audience"), &it.audience, 500);
        if let Some(other) = &it.other {
            filled(rules, &format!("{at}.other"), other, 500);
            if *other == it.audience {
                let message = format!("`{at}.other` is the audience of this resource itself");
                rules.add(PreflightCode::Contradiction, &format!("{at}.other"), message);
            }
        }
        let shared = it.alg == TokenAlg::Hs256;
        if shared != it.secret_ref.is_some() {
            let message = "`alg = \"HS256\"` and `secret_ref` belong together";
            rules.add(PreflightCode::Contradiction, &format!("{at}.alg"), message).help =
                Some("name the shared secret as the server holds it, never the secret".to_owned());
        }
    }
}

/// A stream belongs to security events, and they need one.
fn streams(rules: &mut Rules<'_>) {
    for (index, event) in rules.manifest().events.iter().enumerate() {
        let at = format!("event[{index}].stream");
        let Some(stream) = &event.stream else { continue };
        if event.signing.scheme != WebhookScheme::Set {
            let message = "`stream` belongs to events whose `signing.scheme` is `set`";
            rules.add(PreflightCode::Contradiction, &at, message);
        }
        filled(rules, &format!("{at}.audience"), &stream.audience, 500);
        filled(rules, &format!("{at}.auth_ref"), &stream.auth_ref, 120);
        if let Some(canary) = &stream.canary {
            let at = format!("{at}.canary");
            if let Some(subject) = &canary.subject {
                filled(rules, &format!("{at}.subject"), subject, 200);
            }
            filled(rules, &format!("{at}.auth_ref"), &canary.auth_ref, 120);
            filled(rules, &format!("{at}.credential_type"), &canary.credential_type, 120);
            rules.must(&format!("{at}.open"), canary.open.parse::<OutsideRequest>());
            rules.must(&format!("{at}.access"), canary.access.parse::<OutsideRequest>());
        }
    }
}

/// Outcomes are words; `x-…` is kept for what the types ignore, limits included.
fn outcomes(rules: &mut Rules<'_>, at: &str, outcomes: &[String]) {
    for (index, it) in outcomes.iter().enumerate() {
        let word = (1..=80).contains(&it.len())
            && !it.starts_with("x-")
            && it
                .bytes()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_.:".contains(&it));
        if !word {
            let message = format!("`{it}` is not an outcome such as `account-disable`");
            rules.add(PreflightCode::WrongValue, &format!("{at}[{index}]"), message);
        }
    }
}

fn declared_use(rules: &mut Rules<'_>) {
    let Some(own) = &rules.manifest().declared_use else { return };
    if let Some(hours) = &own.hours {
        rules.must("declared_use.hours", hours.parse::<Hours>());
    }
    for (index, text) in own.networks.iter().enumerate() {
        let path = format!("declared_use.networks[{index}]");
        if let Ok(network) = text.parse::<IpNet>() {
            let local = network.addr().is_loopback() || network.contains(&loopback_of(network));
            let any = network.prefix_len() == 0;
            if rules.in_production() && local && !any {
                let message =
                    format!("`{text}` is this machine itself: no partner calls from there");
                rules.add(PreflightCode::AddressRefused, &path, message);
            }
            continue;
        }
        let message = format!("`{path}`: `{text}` is not a network such as `192.0.2.0/28`");
        let single = text.parse::<std::net::IpAddr>().ok();
        rules.add(PreflightCode::WrongValue, &path, message).help = single.map(|it| {
            format!("for one address, write `{it}/{}`", if it.is_ipv4() { 32 } else { 128 })
        });
    }
    if let Some(pattern) = &own.actor_pattern {
        // Small on purpose: it runs once for every line of the log.
        let compiled =
            RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).nest_limit(20).build();
        let usable = compiled.is_ok() && pattern.len() <= 500;
        if !usable {
            let message =
                "`declared_use.actor_pattern` is not a regular expression, or too large a one";
            rules.add(PreflightCode::WrongValue, "declared_use.actor_pattern", message);
        }
    }
    if let Some(lookup) = &own.order_lookup {
        let as_request = format!("GET {lookup}").parse::<OutsideRequest>();
        if as_request.is_err() {
            let message = "`declared_use.order_lookup` is not an `https` address such as `https://orders.example.com/v1/orders/{order_id}`";
            rules.add(PreflightCode::WrongValue, "declared_use.order_lookup", message);
        }
    }
}

fn loopback_of(network: IpNet) -> std::net::IpAddr {
    match network {
        IpNet::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        IpNet::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    }
}

fn sentences(rules: &mut Rules<'_>) {
    let manifest = rules.manifest();
    for (path, text, length_max) in [
        ("integration.name", &manifest.integration.name, 120),
        ("integration.purpose", &manifest.integration.purpose, 500),
        ("partner.name", &manifest.partner.name, 200),
        ("partner.technical_contact", &manifest.partner.technical_contact, 200),
        ("partner.incident_contact", &manifest.partner.incident_contact, 200),
        ("owners.business", &manifest.owners.business, 200),
        ("owners.technical", &manifest.owners.technical, 200),
        ("revocation.message", &manifest.revocation.message, 500),
    ] {
        filled(rules, path, text, length_max);
    }
    for (index, it) in manifest.dependencies.iter().enumerate() {
        filled(rules, &format!("dependency[{index}].name"), &it.name, 200);
        filled(rules, &format!("dependency[{index}].for"), &it.purpose, 500);
    }
}

fn evidence(rules: &mut Rules<'_>) {
    for (index, it) in rules.manifest().evidence.iter().enumerate() {
        if !CONTROL.as_ref().is_some_and(|pattern| pattern.is_match(&it.control)) {
            let message = format!("`{}` is not a control such as `CTS-LOG-05`", it.control);
            rules.add(PreflightCode::WrongValue, &format!("evidence[{index}].for"), message);
        }
        let inside = !it.path.is_empty()
            && !it.path.starts_with('/')
            && !it.path.contains(['\\', ':', '\0'])
            && it.path.split('/').all(|it| it != "..");
        if !inside {
            let message = "a file of evidence stands beside or below the manifest";
            rules.add(PreflightCode::WrongValue, &format!("evidence[{index}].path"), message);
        }
    }
}

static CONTROL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[A-Z]{2,5}-[A-Z]{2,5}-[0-9]{2}$").ok());

/// Something must be said, in at most `length_max` characters on one line.
fn filled(rules: &mut Rules<'_>, path: &str, text: &str, length_max: usize) {
    let problem = if text.trim().is_empty() {
        "says nothing".to_owned()
    } else if length_max < text.chars().count() {
        format!("has more than {length_max} characters")
    } else if text.chars().any(char::is_control) {
        "has control characters".to_owned()
    } else {
        return;
    };
    rules.add(PreflightCode::WrongValue, path, format!("`{path}` {problem}"));
}

fn within(rules: &mut Rules<'_>, path: &str, number: u32, (low, high): (u32, u32)) {
    if !(low..=high).contains(&number) {
        let message = format!("`{path}` is {number}; from {low} to {high} is allowed");
        rules.add(PreflightCode::BelowMinimum, path, message);
    }
}

const PATTERN_BYTES_MAX: usize = 256 * 1024;
