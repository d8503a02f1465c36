//! Which texts look like secrets, so that none is read, shown or kept.

mod random;
mod shapes;

use std::borrow::Cow;
use std::ops::Range;

use super::code::PreflightCode;
use super::read::node::{Kind, Member, Node, Problems, join_index, join_key};
use random::random_tokens;
use shapes::{ASSIGNED, SHAPES};

/// A stretch of a text that looks like a secret, and what kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretLike {
    /// Where in the text.
    pub span: Range<usize>,
    /// What it looks like: `a GitHub token`.
    pub what: &'static str,
}

/// The first stretch of `text` that looks like a secret, if any does.
pub fn find(text: &str) -> Option<SecretLike> {
    shaped(text).or_else(|| random_tokens(text).next().map(random))
}

/// The text with every stretch that looks like a secret covered but for its first four characters.
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut found: Vec<_> = SHAPES.iter().flat_map(|it| it.all(text)).collect();
    let assigned = ASSIGNED.captures_iter(text).filter_map(|it| it.get(1)).map(|it| it.range());
    found.extend(assigned.chain(random_tokens(text)));
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_by_key(|it| (it.start, it.end));
    let mut out = String::new();
    let mut at = 0;
    for stretch in found {
        let start = stretch.start.max(at);
        if start < stretch.end {
            out.push_str(text.get(at..start).unwrap_or_default());
            let keep = if start == stretch.start { KEPT } else { 0 };
            out.push_str(&masked(text.get(start..stretch.end).unwrap_or_default(), keep));
            at = stretch.end;
        }
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

/// As many characters as `secret`, of which only the first `keep` are its own.
pub(super) fn masked(secret: &str, keep: usize) -> String {
    let keep = if secret.chars().count() < SHORT { 0 } else { keep };
    secret.chars().enumerate().map(|(at, it)| if at < keep { it } else { '*' }).collect()
}

/// Reports every value, key and comment that looks like a secret, and hides it from all messages.
pub(super) fn report(problems: &mut Problems, root: &Node) {
    let mut found = Vec::new();
    walk(root, ("", ""), &mut found);
    let own = |span: &Range<usize>| {
        found.iter().any(|it: &Found| it.span.start <= span.start && span.end <= it.span.end)
    };
    let outside: Vec<_> = SHAPES
        .iter()
        .flat_map(|shape| shape.all(problems.source.text()).map(|span| (span, shape.what)))
        .filter(|(span, _)| !own(span))
        .take(COMMENTS_MAX)
        .collect();
    for (span, what) in outside {
        let secret = problems.source.text().get(span.clone()).unwrap_or_default().to_owned();
        found.push(Found { path: String::new(), span, what, secret });
    }
    for it in &found {
        problems.source.hide(it.span.clone());
    }
    for it in found {
        let whose =
            if it.path.is_empty() { "a comment".to_owned() } else { format!("`{}`", it.path) };
        let length = it.secret.chars().count();
        let start: String = it.secret.chars().take(if length < SHORT { 0 } else { KEPT }).collect();
        let shown = if start.is_empty() { String::new() } else { format!("`{start}…`, ") };
        let message =
            format!("{whose} holds what looks like {} ({shown}{length} characters)", it.what);
        problems
            .add((PreflightCode::SecretLike, &it.path), &it.span, message, |it| it.with_help(HELP));
    }
}

struct Found {
    path: String,
    span: Range<usize>,
    what: &'static str,
    secret: String,
}

fn walk(node: &Node, (path, key): (&str, &str), found: &mut Vec<Found>) {
    match &node.kind {
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, (&join_index(path, index), key), found);
            }
        }
        Kind::Table(members) => {
            for Member { key, key_span, node } in members {
                if let Some(it) = find(key) {
                    let path = if path.is_empty() { "manifest" } else { path }.to_owned();
                    let secret = key.get(it.span).unwrap_or_default().to_owned();
                    found.push(Found { path, span: key_span.clone(), what: it.what, secret });
                }
                walk(node, (&join_key(path, key), key), found);
            }
        }
        Kind::Text(text) => {
            let as_value = match key {
                // Public by definition, and often random.
                "client_id" | "id" if text.len() <= PUBLIC_ID_MAX => shaped(text),
                // A pattern is no token of the kind that it describes.
                "actor_pattern" => shaped(text),
                _ => find(text),
            };
            if let Some(it) = as_value.or_else(|| named_secret(key, text)) {
                let secret = text.get(it.span).unwrap_or_default().to_owned();
                found.push(Found {
                    path: path.to_owned(),
                    span: node.span.clone(),
                    what: it.what,
                    secret,
                });
            }
        }
        Kind::Bool(_) | Kind::Integer(_) | Kind::Refused => {}
    }
}

fn shaped(text: &str) -> Option<SecretLike> {
    let of_shape = SHAPES
        .iter()
        .find_map(|it| it.all(text).next().map(|span| SecretLike { span, what: it.what }));
    of_shape.or_else(|| {
        let value = ASSIGNED.captures(text)?.get(1)?;
        let likely = value.as_str().bytes().any(|it| it.is_ascii_digit());
        likely.then(|| SecretLike { span: value.range(), what: "a secret with its name" })
    })
}

fn random(span: Range<usize>) -> SecretLike {
    SecretLike { span, what: "a random key or token" }
}

/// A value under a key that can only hold a secret.
fn named_secret(key: &str, text: &str) -> Option<SecretLike> {
    let key = key.to_ascii_lowercase().replace('-', "_");
    let named = SECRET_NAMES.iter().any(|it| key == *it || key.ends_with(&format!("_{it}")));
    let own = SecretLike { span: 0..text.len(), what: "a secret, by the name of its key" };
    Some(own).filter(|_| named && 6 <= text.chars().count())
}

const SECRET_NAMES: [&str; 12] = [
    "access_key",
    "access_token",
    "api_key",
    "apikey",
    "bearer_token",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "refresh_token",
    "secret",
];

const HELP: &str = "keep it in a vault and name the vault here (`stored_in`, `auth_ref`); if it is real, replace it now";

/// How many characters of a secret may be shown.
const KEPT: usize = 4;

/// Below this length four characters would give too much away.
const SHORT: usize = 12;

/// The longest client id that platforms give out at random.
const PUBLIC_ID_MAX: usize = 64;

const COMMENTS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// Assembled, so that no scanner takes this file for a leak.
    fn secrets() -> Vec<String> {
        let body = "q7Zx2Lw9Rk4Tn8Vb3Mj6Ys1Hd5";
        let digits = "0f3a9c51d27e86b4a1c8e05f7392bd64";
        vec![
            format!("{}{}", "AKIA", "IOSFODNN7QWERTYU"),
            format!("{}{body}0123456789", "ghp_"),
            format!("{}{body}", "github_pat_"),
            format!("{}{body}", "glpat-"),
            format!("{}{body}", "sk_live_"),
            format!("{}{body}", "xoxb-"),
            format!("{}{body}", "whsec_"),
            format!("{}{body}", "whsk_"),
            format!("{}hbGciOiJFZERTQSJ9.e30.c2ln", "eyJ"),
            format!("-----BEGIN {} KEY-----\nMC4CAQ\n-----END {} KEY-----", "PRIVATE", "PRIVATE"),
            format!("-----BEGIN {}-----", "CERTIFICATE"),
            format!("https://{}:{}@acme.example/hook", "user", "pass"),
            format!("https://hooks.{}.com/services/T0123/B4567/{body}", "slack"),
            format!("https://acme.example/hook?token={body}"),
            format!("the key is {digits}"),
            format!("vault:{body}/{body}"),
            format!("password={}", "hunter2hunter2"),
            "k3j5h2l9s8d7f6g5h4j3k2l1m9n8".to_owned(),
            "QxzWvBtRpLmNkJhGfDsAyUiOeTrC".to_owned(),
        ]
    }

    #[test]
    fn secrets_are_found_and_masked() {
        for secret in secrets() {
            let found = find(&secret);
            assert!(found.is_some(), "overlooking {secret:?}");
            let shown = mask(&secret);
            assert!(shown.contains("****"), "showing {shown:?}");
            assert_eq!(shown.chars().count(), secret.chars().count());
        }
    }

    #[test]
    fn honest_values_pass() {
        let hex = "28bc50d15796254829ff687f91c0ff8db6c860f3442fa12f7c4b479906d50543";
        for text in [
            "Vault transit, eu-central-1",
            "AWS Secrets Manager, eu-west-2",
            &format!("sha256:{hex}"),
            &format!("registry.shiftly.example/planner@sha256:{hex}"),
            "https://shiftly.example/.well-known/countersign/secret-scan.dsse.json",
            "https://git.example/acme/4f2a9b1c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a.git",
            "POST https://api.payrun.example/v2/credentials/rotate",
            "DELETE https://api.payrun.example/v2/tenants/{tenant}/credentials",
            "GET /v1/organizations/{organization_id}/memberships/{membership_id}",
            "PATCH /v1/customers/{customerId}/subscriptionSchedules/{scheduleId}",
            "^nw-[a-z0-9]{6,32}$",
            "CN=payrun-scim,O=PayRun Ltd",
            "tel:+49-30-5550-0199",
            "arn:aws:secretsmanager:eu-west-2:123456789012:secret:payrun/scim",
            "spiffe://acme.example/ns/production/sa/helpdesk-ticket-writer",
            "projects/shiftly-planner-prod-2024/secrets/oauth-signing-key-7/versions/12",
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "https://www.googleapis.com/auth/admin.directory.group.member.readonly",
            "support-ticket-synchronisation-and-archive-2024",
            "CreateOrUpdateTicketForLockedUserAccountV2",
            "Donaudampfschifffahrtsgesellschaftskapitaen",
            "application/vnd.in-toto+json",
            "token used from a network not seen before",
            "ACME Helpdesk is suspended. Use the phone queue, tel:4400.",
            "We never store the password: it stays with your administrator.",
        ] {
            assert_eq!(find(text), None, "refusing {text:?}");
            if ASSIGNED.captures(text).is_none() {
                assert_eq!(mask(text), text, "masking {text:?}");
            }
        }
    }

    #[test]
    fn no_message_shows_a_secret() {
        for secret in secrets().into_iter().filter(|it| !it.contains('\n')) {
            for text in [
                format!("manifest = 1\nx-note = \"{secret}\"\n"),
                format!("manifest = 1\n# {secret}\nprofile = 7\n"),
                format!("client_secret = \"{secret}\"\n"),
                format!("manifest = 1\n[partner]\nname = \"{secret}\"\nnmae = \"{secret}\"\n"),
                format!("manifest = 1\n[integration]\nid = \"{secret}\"\ntier = \"{secret}\"\n"),
                format!("[owners\nbusiness = \"{secret}\" = 1\n"),
            ] {
                let refused =
                    crate::declare::parse(&text, crate::declare::Format::Toml).unwrap_err();
                let shown = crate::declare::diagnostic::render_all(&refused, "countersign.toml");
                let found = find(&secret).unwrap();
                let tail = &secret[found.span.start + KEPT..found.span.end];
                assert!(!shown.contains(tail), "{shown}");
                assert!(!serde_json::to_string(&refused).unwrap().contains(tail), "{refused:?}");
            }
        }
    }

    #[test]
    fn a_key_that_names_a_secret_makes_any_value_one() {
        for (key, is_secret) in [
            ("client_secret", true),
            ("x-db-password", true),
            ("api_key", true),
            ("secret_rotation", false),
            ("auth_ref", false),
            ("max_token_ttl", false),
        ] {
            assert_eq!(named_secret(key, "rosebud").is_some(), is_secret, "for {key:?}");
        }
    }
}
