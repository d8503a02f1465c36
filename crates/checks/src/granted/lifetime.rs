//! Do its access tokens end as soon as declared, and as soon as the profile wants?
//!
//! A stolen token works until it ends.
//!
//! Source: RFC 9700, section 2.2; policy: the profile's longest lifetime.

use countersign_model::check::{Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::time::Period;
use serde_json::json;

use super::{ask, client_fact, identity, known, listing, token_clients, unknown};
use crate::check::{Check, Info, Stage};
use crate::platform::{TokenRequest, by_hand};
use crate::talk::Talk;

/// Do its access tokens end as soon as declared, and as soon as the profile wants?
#[derive(Debug, Clone, Copy)]
pub struct BoundsAccessTokenLifetime;

#[async_trait::async_trait]
impl Check for BoundsAccessTokenLifetime {
    fn info(&self) -> &'static Info {
        &Info {
            name: "bounds_access_token_lifetime",
            case: None,
            controls: &["CTS-CRD-02"],
            question: "Do its access tokens end as soon as declared, and as soon as the profile wants?",
            sends: "The test and the production tenant are asked what lifetime is set for each client; then a throw-away copy of it at the test tenant asks for a token.",
            passes: "`max_token_ttl`, the lifetimes that are set and the one of the token that is issued are at most what is declared, and at most what the profile allows.",
            risk: "A stolen token works long after the theft.",
            fix: "Lower the token lifetime of the client at the platform, or `max_token_ttl`.",
            source: "RFC 9700, section 2.2; policy.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Ask
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        token_clients(manifest).map(|(_, it)| it.id.to_string()).collect()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some((index, identity)) = identity(manifest, subject) else { return };
        talk.setting("declared_seconds", identity.max_token_ttl.seconds());
        talk.setting("place", format!("identity[{index}].max_token_ttl"));
        talk.figure("CTS-CRD-02.max_lifetime_seconds");
        ask(talk, manifest, |tenant, held| client_fact(tenant, held, identity)).await;
        // What is set is one thing, what is issued another.
        let Some(platform) = talk.platform() else { return };
        let Some(copy) = talk.copy_client(platform.as_ref(), identity.client_id()).await else {
            return;
        };
        talk.setting("repeat.token", by_hand::token_request(platform.as_ref(), "$CLIENT"));
        let minted = platform.request_token(&copy, &TokenRequest::default()).await;
        talk.heard("minted", minted, |it| {
            json!({ "status": it.status, "granted": it.access_token.is_some(), "expires_in": it.expires_in })
        });
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let Some(declared) = transcript.number("declared_seconds") else {
            return Judgement::inconclusive("the manifest was not read");
        };
        let profile = transcript.number("CTS-CRD-02.max_lifetime_seconds");
        let limit = profile.map_or(declared, |it| it.min(declared));
        let words = |it| Period::from_seconds(it).to_string();
        let expected = format!("at most {}", words(limit));
        let place = transcript.text("place").unwrap_or_default();
        if limit < declared {
            return Judgement::fail("tokens are declared to live longer than the profile allows")
                .observed(words(declared))
                .expected(expected)
                .repeat(format!("read `{place}` of the manifest"))
                .at(place);
        }
        let set = known(transcript).into_iter().filter_map(|it| {
            let seconds = it.pointer("/granted/token_ttl_seconds")?.as_u64()?;
            Some((it.get("tenant")?.as_str()?.to_owned(), seconds))
        });
        let set: Vec<(String, u64)> = set.collect();
        let minted = transcript.fact("minted").and_then(|it| it.get("expires_in")?.as_u64());
        let minted = minted.map(|it| ("issued".to_owned(), it));
        if let Some((name, seconds)) = set.iter().chain(&minted).find(|(_, it)| limit < *it) {
            return Judgement::fail("tokens live longer than declared")
                .observed(format!("{name}: {}", words(*seconds)))
                .expected(expected)
                .repeat(repeat(transcript, name))
                .at(place);
        }
        match set.iter().chain(&minted).map(|(_, it)| *it).max() {
            Some(longest) => Judgement::pass("tokens end in time")
                .observed(format!("at most {}", words(longest)))
                .expected(expected),
            None => unknown(transcript).expected(expected),
        }
    }
}

/// The request that shows it again: of the listing of a tenant, or for a token.
fn repeat(transcript: &Transcript, name: &str) -> String {
    if name != "issued" {
        return format!("{}  # look at `token_ttl_seconds`", listing(transcript, name));
    }
    let request = transcript.text("repeat.token").unwrap_or("ask the token endpoint for a token");
    format!("{request}; look at `expires_in`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    #[test]
    fn the_shorter_of_declared_and_allowed_counts() {
        let with = |declared: u64, set: u64, issued: u64| {
            let held =
                json!({"tenant": "test", "known": true, "granted": {"token_ttl_seconds": set}});
            sample()
                .setting("declared_seconds", declared)
                .setting("CTS-CRD-02.max_lifetime_seconds", 3600)
                .fact("held", held)
                .fact("minted", json!({"status": 200, "granted": true, "expires_in": issued}))
        };
        let down = sample().setting("declared_seconds", 600);
        judges(
            &BoundsAccessTokenLifetime,
            &[
                ("as declared", with(600, 600, 600), Pass),
                ("set longer", with(600, 3600, 600), Fail),
                ("issued longer", with(600, 600, 601), Fail),
                ("declared longer than allowed", with(7200, 600, 600), Fail),
                ("platform down", down, Inconclusive),
                ("manifest not read", sample(), Inconclusive),
            ],
        );
        let shown = |sample: Sample| {
            let sample = sample.setting("repeat.test", "curl list");
            judged(&BoundsAccessTokenLifetime, &sample.setting("repeat.token", "curl token")).repeat
        };
        insta::assert_snapshot!(shown(with(600, 3600, 600)).unwrap(), @"curl list  # look at `token_ttl_seconds`");
        insta::assert_snapshot!(shown(with(600, 600, 601)).unwrap(), @"curl token; look at `expires_in`");
    }
}
