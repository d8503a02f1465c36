//! Does the manifest name people who answer for the integration, and a contact that answers day and night?
//!
//! When something goes wrong at night, a mailing list answers in the morning.
//!
//! Source: NIST CSF 2.0, GV.RR-02; OWASP NHI1:2025.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::{Value, json};

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Does the manifest name people who answer for the integration, and a contact that answers day and night?
#[derive(Debug, Clone, Copy)]
pub struct NamesOwnersAndLiveContact;

#[async_trait::async_trait]
impl Check for NamesOwnersAndLiveContact {
    fn info(&self) -> &'static Info {
        &Info {
            name: "names_owners_and_live_contact",
            case: None,
            controls: &["CTS-GOV-01"],
            question: "Who answers for it, and who answers at night?",
            sends: "Nothing. `owners` and `partner.incident_contact` of the manifest are read.",
            passes: "The business and the technical owner have mail addresses of people, not of a list such as `support` or `team`, and the incident contact is a telephone number or a mail address (`tel:` or `mailto:`).",
            risk: "Nobody can be reached when it has to be stopped.",
            fix: "Name two different people as owners, and a telephone number or mail address as incident contact.",
            source: "NIST CSF 2.0, GV.RR-02; OWASP NHI1:2025.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let _ = manifest;
        vec![super::MANIFEST.to_owned()]
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let _ = subject;
        let owners = &manifest.owners;
        let person = |it: &str| json!({ "digest": talk.hidden(it), "is_person": is_person(it) });
        let contact = &manifest.partner.incident_contact;
        let value = json!({
            "business": person(&owners.business),
            "technical": person(&owners.technical),
            "backup": owners.backup.as_deref().map(person),
            "contact_kind": contact.split(':').next().filter(|it| ["tel", "mailto"].contains(it)),
        });
        talk.fact("owners", "manifest", value);
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("owners") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let is_person = |role: &str| {
            fact.get(role).and_then(|it| it.get("is_person")) == Some(&Value::Bool(true))
        };
        for role in ["business", "technical"] {
            if !is_person(role) {
                return Judgement::fail(format!("the {role} owner is not a person"))
                    .observed("a shared mailbox")
                    .expected("the mail address of one person")
                    .at(format!("owners.{role}"));
            }
        }
        if fact.get("contact_kind").is_none_or(Value::is_null) {
            return Judgement::fail("the incident contact cannot be called or written to")
                .observed("neither `tel:` nor `mailto:`")
                .expected("`tel:+…` or `mailto:…`, answered day and night")
                .at("partner.incident_contact");
        }
        Judgement::pass("people answer for it, and somebody answers at night")
            .observed(
                "business and technical owner are people, the incident contact can be reached",
            )
            .expected("two owners who are people, and a contact")
    }
}

/// Whether a mail address looks like one person's and not like a list's.
fn is_person(address: &str) -> bool {
    const SHARED: &[&str] = &[
        "admin", "all", "contact", "dev", "devops", "group", "help", "helpdesk", "hello", "info",
        "it", "list", "noreply", "office", "ops", "platform", "security", "soc", "support", "team",
    ];
    let Some((name, domain)) = address.split_once('@') else { return false };
    let name = name.to_lowercase();
    let mut words = name.split(['.', '-', '_', '+']);
    domain.contains('.') && !name.is_empty() && !words.any(|it| SHARED.contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{MARKETPLACE, PAYROLL, RESELLER, SAAS, verdicts};

    #[test]
    fn the_four_integrations_pass() {
        for text in [SAAS, PAYROLL, RESELLER, MARKETPLACE] {
            assert!(!verdicts(&NamesOwnersAndLiveContact, text).contains("fail"));
        }
    }

    #[test]
    fn a_shared_mailbox_is_nobody() {
        let text = SAAS.replace("omar.haddad@example.com", "security-team@example.com");
        assert_eq!(verdicts(&NamesOwnersAndLiveContact, &text), "fail");
    }
}
