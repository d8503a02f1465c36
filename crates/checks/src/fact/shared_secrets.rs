//! Does the integration do without shared secrets where its tier forbids them?
//!
//! A secret that both sides hold is stolen on either side.
//!
//! Source: NIST SP 800-53r5, IA-5; policy: none at tier critical.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use serde_json::{Value, json};

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Does the integration do without shared secrets where its tier forbids them?
#[derive(Debug, Clone, Copy)]
pub struct AvoidsSharedSecretsWhereForbidden;

#[async_trait::async_trait]
impl Check for AvoidsSharedSecretsWhereForbidden {
    fn info(&self) -> &'static Info {
        &Info {
            name: "avoids_shared_secrets_where_forbidden",
            case: None,
            controls: &["CTS-CRD-01", "CTS-CRD-11"],
            question: "Does it hold shared secrets where none are allowed?",
            sends: "Nothing. `auth` of each identity of the manifest is read, and the declared tier.",
            passes: "At tier critical no identity authenticates with a secret that both sides hold. The other tiers forbid none.",
            risk: "Whoever reads the secret anywhere is the integration.",
            fix: "Use private_key_jwt, a client certificate or federation.",
            source: "NIST SP 800-53r5, IA-5; policy: none at tier critical.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let identities = manifest.identities.iter().filter(|it| !it.id.as_str().is_empty());
        identities.map(|it| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let found = manifest.identities.iter().position(|it| it.id.as_str() == subject);
        if let Some((index, identity)) =
            found.and_then(|it| Some((it, manifest.identities.get(it)?)))
        {
            let value = json!({ "index": index, "auth": identity.auth, "shared": identity.auth.is_shared_secret(), "tier": manifest.integration.tier });
            talk.fact("identity", "manifest", value);
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("identity") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let shared = fact.get("shared") == Some(&Value::Bool(true));
        let critical = fact.get("tier").and_then(Value::as_str) == Some("critical");
        let auth = fact.get("auth").and_then(Value::as_str).unwrap_or("unknown");
        let index = fact.get("index").and_then(Value::as_u64).unwrap_or_default();
        let judgement = if shared && critical {
            Judgement::fail(format!("`{auth}` is a shared secret, and tier critical allows none"))
                .at(format!("identity[{index}].auth"))
        } else {
            Judgement::pass("no shared secret where none is allowed")
        };
        judgement.observed(format!("auth {auth}")).expected("no shared secret at tier critical")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{MARKETPLACE, PAYROLL, RESELLER, SAAS, verdicts};

    #[test]
    fn the_four_integrations_pass() {
        for text in [SAAS, PAYROLL, RESELLER, MARKETPLACE] {
            assert!(!verdicts(&AvoidsSharedSecretsWhereForbidden, text).contains("fail"));
        }
    }

    #[test]
    fn a_shared_secret_at_the_top_tier_fails() {
        let text = PAYROLL.replace("\"private_key_jwt\"", "\"client_secret_basic\"");
        assert_eq!(verdicts(&AvoidsSharedSecretsWhereForbidden, &text), "fail pass");
        let text = RESELLER.replace("\"private_key_jwt\"", "\"client_secret_basic\"");
        assert_eq!(verdicts(&AvoidsSharedSecretsWhereForbidden, &text), "pass");
    }
}
