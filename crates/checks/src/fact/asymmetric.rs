//! Does each OAuth client prove itself with a key that only it holds?
//!
//! A client secret travels with every request.
//!
//! Source: RFC 9700, section 2.5; FAPI 2.0 Security Profile, section 5.3.2.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::IdentityKind;
use serde_json::{Value, json};

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Does each OAuth client prove itself with a key that only it holds?
#[derive(Debug, Clone, Copy)]
pub struct AuthenticatesClientsAsymmetrically;

#[async_trait::async_trait]
impl Check for AuthenticatesClientsAsymmetrically {
    fn info(&self) -> &'static Info {
        &Info {
            name: "authenticates_clients_asymmetrically",
            case: None,
            controls: &["CTS-AUT-01"],
            question: "Does each OAuth client authenticate with its own key?",
            sends: "Nothing. `auth` of each OAuth client and service account of the manifest is read.",
            passes: "None of them authenticates with a secret that both sides hold: `client_secret_basic`, `client_secret_post` or an API key.",
            risk: "A leaked client secret is a working login.",
            fix: "Use private_key_jwt or tls_client_auth.",
            source: "RFC 9700, section 2.5; FAPI 2.0 Security Profile, section 5.3.2.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let identities = manifest.identities.iter().filter(|it| {
            matches!(it.kind, IdentityKind::OauthClient | IdentityKind::ServiceAccount)
        });
        identities.map(|it| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let found = manifest.identities.iter().position(|it| it.id.as_str() == subject);
        if let Some((index, identity)) =
            found.and_then(|it| Some((it, manifest.identities.get(it)?)))
        {
            let value = json!({ "index": index, "auth": identity.auth, "shared": identity.auth.is_shared_secret() });
            talk.fact("identity", "manifest", value);
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("identity") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let shared = fact.get("shared") != Some(&Value::Bool(false));
        let auth = fact.get("auth").and_then(Value::as_str).unwrap_or("unknown");
        let index = fact.get("index").and_then(Value::as_u64).unwrap_or_default();
        let judgement = if shared {
            Judgement::fail(format!("the client authenticates with `{auth}`"))
                .at(format!("identity[{index}].auth"))
        } else {
            Judgement::pass("the client authenticates with its own key")
        };
        judgement.observed(format!("auth {auth}")).expected("private_key_jwt or tls_client_auth")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{MARKETPLACE, PAYROLL, RESELLER, SAAS, verdicts};

    #[test]
    fn the_four_integrations_pass() {
        for text in [SAAS, PAYROLL, RESELLER, MARKETPLACE] {
            assert!(!verdicts(&AuthenticatesClientsAsymmetrically, text).contains("fail"));
        }
    }

    #[test]
    fn a_client_secret_fails() {
        let text = SAAS.replace("\"private_key_jwt\"", "\"client_secret_post\"");
        assert_eq!(verdicts(&AuthenticatesClientsAsymmetrically, &text), "fail");
    }
}
