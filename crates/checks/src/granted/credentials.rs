//! Is everything that it holds at the platform written down, and the other way round?
//!
//! A credential that nobody listed is the one that nobody rotates or revokes.
//!
//! Source: NIST SP 800-53r5, CM-8, IA-4; OWASP NHI1:2025.

use std::collections::BTreeSet;

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Identity;
use serde_json::{Value, json};

use super::credential::{absent, undeclared};
use super::scopes::list;
use super::{ask, clients, unknown, words};
use crate::check::{Check, Info, Stage};
use crate::platform::{Held, InventoryCredential};
use crate::talk::Talk;

/// Is everything that it holds at the platform written down, and the other way round?
#[derive(Debug, Clone, Copy)]
pub struct HoldsOnlyDeclaredCredentials;

#[async_trait::async_trait]
impl Check for HoldsOnlyDeclaredCredentials {
    fn info(&self) -> &'static Info {
        &Info {
            name: "holds_only_declared_credentials",
            case: None,
            controls: &["CTS-GOV-02"],
            question: "Is everything that it holds at the platform written down, and the other way round?",
            sends: "Nothing. The test and the production tenant are asked which clients, credentials, redirects and event subscriptions they hold for this integration.",
            passes: "No client, secret, key, redirect or enabled subscription that the manifest does not declare; every declared client is known to the test tenant, and has the credential that is declared.",
            risk: "A credential that nobody listed is the one that nobody rotates or revokes.",
            fix: "Declare what is in use, and delete the rest at the platform.",
            source: "NIST SP 800-53r5, CM-8, IA-4; OWASP NHI1:2025.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Ask
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let _ = manifest;
        vec!["manifest".to_owned()]
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let _ = subject;
        ask(talk, manifest, |tenant, held| reconcile(manifest, tenant, held)).await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let expected = "the same at the platform as in the manifest";
        let tenants: Vec<&Value> = transcript
            .facts("held")
            .map(|it| &it.value)
            .filter(|it| it.get("tenant").is_some())
            .collect();
        if tenants.is_empty() {
            return unknown(transcript).expected(expected);
        }
        let kinds = [
            ("/undeclared_clients", "client", "is not declared"),
            ("/undeclared_subscriptions", "subscription", "is not declared"),
            ("/undeclared_redirects", "redirect", "is not declared"),
            ("/missing_clients", "client", "is declared and unknown to the platform"),
            ("/undeclared_credentials", "credential", "is not declared"),
            ("/missing_credentials", "credential", "is declared and not there"),
        ];
        for tenant in &tenants {
            let name = tenant.get("tenant").and_then(Value::as_str).unwrap_or_default();
            for (pointer, kind, problem) in kinds {
                let found = words(tenant, pointer);
                if let Some(first) = found.first() {
                    return Judgement::fail(format!("{kind} `{first}` {problem}"))
                        .observed(format!("the {name} tenant: {}", list(&found)))
                        .expected(expected)
                        .details(found.iter().map(|it| (*it).to_owned()));
                }
            }
        }
        // Somebody unknown everywhere holds nothing, and proves nothing.
        if tenants.iter().all(|it| words(it, "/clients").is_empty() && 0 < number(it, "declared")) {
            return Judgement::inconclusive("the platform knows no client of this integration")
                .observed("no client")
                .expected(expected);
        }
        Judgement::pass("everything that it holds is written down")
            .observed(format!("{} tenants compared", tenants.len()))
            .expected(expected)
    }
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// What one tenant holds, held against the manifest.
fn reconcile(manifest: &Manifest, tenant: &str, held: &Held) -> Value {
    let declared: BTreeSet<&str> = clients(manifest).map(|(_, it)| it.client_id()).collect();
    let callbacks: BTreeSet<&str> = manifest.callbacks.iter().map(|it| it.url.as_str()).collect();
    let known: Vec<&str> =
        declared.iter().copied().filter(|it| held.granted.contains_key(*it)).collect();
    // In production nobody has to be there before the certificate.
    let missing: Vec<&str> = if tenant == "test" {
        declared.iter().copied().filter(|it| !held.granted.contains_key(*it)).collect()
    } else {
        Vec::new()
    };
    let stray = held.subscriptions.iter().filter(|subscription| {
        !manifest.events.iter().any(|event| {
            let id = event.id.as_str();
            let same_id = id == subscription.id
                || id.split_once(':').is_some_and(|(_, name)| name == subscription.id);
            let types = subscription.types.iter().all(|it| event.types.contains(it));
            same_id && types && event.endpoint.as_str() == subscription.endpoint
        })
    });
    let stray: Vec<&str> = stray.filter(|it| it.enabled).map(|it| it.id.as_str()).collect();
    let redirects = held.granted.values().flat_map(|it| &it.redirect_uris);
    let redirects: BTreeSet<&str> =
        redirects.map(String::as_str).filter(|it| !callbacks.contains(it)).collect();
    json!({
        "tenant": tenant, "declared": declared.len(), "clients": known,
        "undeclared_clients": held.undeclared, "missing_clients": missing,
        "undeclared_subscriptions": stray, "undeclared_redirects": redirects,
        "undeclared_credentials": credentials(manifest, held, undeclared),
        "missing_credentials": credentials(manifest, held, |one, it| {
            absent(one, it).into_iter().collect()
        }),
    })
}

/// What `find` finds at each declared client whose credentials the platform tells.
fn credentials(
    manifest: &Manifest,
    held: &Held,
    find: impl Fn(&Identity, &[InventoryCredential]) -> Vec<String>,
) -> Vec<String> {
    let there =
        clients(manifest).filter_map(|(_, it)| Some((it, held.credentials.get(it.client_id())?)));
    there
        .flat_map(|(identity, there)| {
            let found = find(identity, there).into_iter();
            found.map(|it| format!("{}: {it}", identity.client_id()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{CredentialKind, HeldSubscription};
    use crate::sample::{judges, sample};
    use countersign_model::certify::baseline::Granted;
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};
    use countersign_model::declare::{Format, parse};

    fn other(id: &str, kind: CredentialKind) -> InventoryCredential {
        InventoryCredential { id: id.to_owned(), kind, created: None, expires: None }
    }

    fn published() -> InventoryCredential {
        other("jwks:https://acme.example/.well-known/jwks.json", CredentialKind::JwksUri)
    }

    #[test]
    fn what_is_held_is_what_is_declared() {
        let manifest = parse(crate::fact::SAAS, Format::Toml).unwrap().manifest;
        let callback = "https://app.acme.example/oauth/callback".to_owned();
        let client = Granted { redirect_uris: [callback].into(), ..Granted::default() };
        let subscription = HeldSubscription {
            id: "sub:user.lifecycle".to_owned(),
            integration: "acme-helpdesk".to_owned(),
            types: ["user.locked".to_owned()].into(),
            endpoint: "https://events.acme.example/id".to_owned(),
            enabled: true,
            queued: 0,
        };
        let right = Held {
            granted: [("acme-helpdesk".to_owned(), client)].into(),
            subscriptions: vec![subscription],
            ..Held::default()
        };
        let with = |tenant: &str, change: &dyn Fn(&mut Held)| {
            let mut held = right.clone();
            change(&mut held);
            sample().fact("held", reconcile(&manifest, tenant, &held))
        };
        judges(
            &HoldsOnlyDeclaredCredentials,
            &[
                ("right", with("test", &|_| {}), Pass),
                (
                    "stray client",
                    with("test", &|it| {
                        it.undeclared.insert("acme-old".to_owned());
                    }),
                    Fail,
                ),
                ("phantom client", with("test", &|it| it.granted.clear()), Fail),
                (
                    "not in production yet",
                    with("production", &|it| it.granted.clear()),
                    Inconclusive,
                ),
                (
                    "other endpoint",
                    with("test", &|it| {
                        it.subscriptions[0].endpoint = "https://elsewhere.example/".to_owned();
                    }),
                    Fail,
                ),
                (
                    "stray redirect",
                    with("test", &|it| {
                        let granted = it.granted.values_mut().next().unwrap();
                        granted.redirect_uris.insert("https://elsewhere.example/cb".to_owned());
                    }),
                    Fail,
                ),
                (
                    "its published keys",
                    with("test", &|it| {
                        it.credentials.insert("acme-helpdesk".to_owned(), vec![published()]);
                    }),
                    Pass,
                ),
                (
                    "a second secret",
                    with("test", &|it| {
                        let all = vec![published(), other("secret-1", CredentialKind::Secret)];
                        it.credentials.insert("acme-helpdesk".to_owned(), all);
                    }),
                    Fail,
                ),
                (
                    "a key beside the published ones",
                    with("test", &|it| {
                        let all = vec![published(), other("k9", CredentialKind::Key)];
                        it.credentials.insert("acme-helpdesk".to_owned(), all);
                    }),
                    Fail,
                ),
                (
                    "keys at another address",
                    with("test", &|it| {
                        let jwks =
                            other("jwks:https://elsewhere.example/", CredentialKind::JwksUri);
                        it.credentials.insert("acme-helpdesk".to_owned(), vec![jwks]);
                    }),
                    Fail,
                ),
                (
                    "platform down",
                    sample().fact("held", json!({"error": "no answer"})),
                    Inconclusive,
                ),
            ],
        );
    }
}
