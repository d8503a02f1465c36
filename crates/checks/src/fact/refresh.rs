//! Are refresh tokens replaced at each use, and do they end?
//!
//! A stolen refresh token works until somebody notices.
//!
//! Source: RFC 9700, section 4.14.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::require::Tier;
use countersign_model::time::Period;
use serde_json::{Value, json};

use crate::check::{Check, Info};
use crate::talk::Talk;

/// Are refresh tokens replaced at each use, and do they end?
#[derive(Debug, Clone, Copy)]
pub struct BoundsRefreshTokens;

#[async_trait::async_trait]
impl Check for BoundsRefreshTokens {
    fn info(&self) -> &'static Info {
        &Info {
            name: "bounds_refresh_tokens",
            case: None,
            controls: &["CTS-CRD-03"],
            question: "Do refresh tokens rotate and end?",
            sends: "Nothing. `refresh` of each identity that may have refresh tokens is read.",
            passes: "It says `rotate = true`, and a `max_age` of at most 30 days at tier critical, 90 at elevated and 180 at standard.",
            risk: "A stolen refresh token lives as long as the integration.",
            fix: "Declare `rotate = true` and a `max_age`, or do without refresh.",
            source: "RFC 9700, section 4.14.",
        }
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        let identities = manifest
            .identities
            .iter()
            .filter(|it| it.refresh.as_ref().is_some_and(|it| it.allowed));
        identities.map(|it| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let found = manifest.identities.iter().position(|it| it.id.as_str() == subject);
        if let Some((index, identity)) =
            found.and_then(|it| Some((it, manifest.identities.get(it)?)))
        {
            let value = json!({ "index": index, "refresh": identity.refresh, "max_days": max_days(manifest.integration.tier), "max_age_seconds": identity.refresh.as_ref().and_then(|it| it.max_age).map(Period::seconds) });
            talk.fact("identity", "manifest", value);
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(fact) = transcript.fact("identity") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let rotates = fact.pointer("/refresh/rotate") == Some(&Value::Bool(true));
        let seconds = fact.get("max_age_seconds").and_then(Value::as_u64);
        let limit = fact.get("max_days").and_then(Value::as_u64).unwrap_or_default();
        let index = fact.get("index").and_then(Value::as_u64).unwrap_or_default();
        let bounded = seconds.is_some_and(|it| it <= limit * 86_400);
        let judgement = if rotates && bounded {
            Judgement::pass("refresh tokens are replaced at each use, and end")
        } else if rotates {
            Judgement::fail("refresh tokens live too long, or without end")
                .at(format!("identity[{index}].refresh"))
        } else {
            Judgement::fail("refresh tokens are not replaced at each use")
                .at(format!("identity[{index}].refresh"))
        };
        let age = seconds.map_or("no end".to_owned(), |it| Period::from_seconds(it).to_string());
        judgement
            .observed(format!("rotate {rotates}, max_age {age}"))
            .expected(format!("rotate true, max_age at most {limit}d"))
    }
}

/// How long a family of refresh tokens may live, by tier (policy: CTS-CRD-03, `absolute_days`).
fn max_days(tier: Tier) -> u64 {
    match tier {
        Tier::Critical => 30,
        Tier::Elevated => 90,
        Tier::Standard => 180,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{MARKETPLACE, PAYROLL, RESELLER, SAAS, verdicts};

    #[test]
    fn the_four_integrations_pass() {
        for text in [SAAS, PAYROLL, RESELLER, MARKETPLACE] {
            assert!(!verdicts(&BoundsRefreshTokens, text).contains("fail"));
        }
    }

    #[test]
    fn an_endless_or_unrotated_refresh_token_fails() {
        let endless = SAAS.replace(", max_age = \"8h\" }", " }");
        let unrotated = SAAS.replace("rotate = true, max_age", "rotate = false, max_age");
        assert_eq!(verdicts(&BoundsRefreshTokens, &endless), "fail");
        assert_eq!(verdicts(&BoundsRefreshTokens, &unrotated), "fail");
        assert_eq!(verdicts(&BoundsRefreshTokens, RESELLER), "", "it may not refresh at all");
    }
}
