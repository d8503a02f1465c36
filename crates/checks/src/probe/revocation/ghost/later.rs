//! One sweep long after an offboarding: a fresh copy is let in, and what was kept is refused.

use std::sync::Arc;

use countersign_model::check::{Evidence, Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Identity;
use countersign_model::time::Timestamp;
use serde_json::json;
use tokio::sync::Mutex;

use super::judge::{CONTROL, LATER};
use super::{INFO, STAYS_GONE_AFTER_OFFBOARDING, end_again, repeat};
use crate::canaries::Canaries;
use crate::check::{Check, Info};
use crate::drill::tries;
use crate::granted::token_clients;
use crate::platform::{Platform, TokenRequest};
use crate::run::{RunError, RunInput, look_later};
use crate::talk::Talk;

/// What is looked at again.
#[derive(Debug)]
pub struct Later<'a> {
    /// Which sweep: `T+24 h`.
    pub name: &'a str,
    /// What was offboarded a copy of.
    pub subject: &'a str,
    /// When the copy ended.
    pub began: Timestamp,
    /// Its credentials.
    pub canaries: Canaries,
}

/// Tries what was kept. What is let in is offboarded once more.
pub async fn sweep(input: RunInput<'_>, later: Later<'_>) -> Result<Evidence, RunError> {
    let check = Sweep {
        name: later.name.to_owned(),
        began: later.began,
        canaries: Mutex::new(later.canaries),
    };
    look_later(input, Arc::new(check), later.subject.to_owned()).await
}

struct Sweep {
    name: String,
    began: Timestamp,
    canaries: Mutex<Canaries>,
}

#[async_trait::async_trait]
impl Check for Sweep {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn subjects(&self, _: &Manifest) -> Vec<String> {
        Vec::new()
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let mut canaries = self.canaries.lock().await;
        for secret in canaries.secrets() {
            talk.hide(secret);
        }
        talk.setting(LATER, self.name.as_str());
        talk.setting("began", self.began.to_string());
        let place = manifest.identities.iter().position(|it| it.id.as_str() == subject);
        if let Some(index) = place {
            talk.setting("place", format!("identity[{index}]"));
        }
        let Some(platform) = talk.platform() else { return };
        // Whose copy it was may be gone itself: then another client shows that somebody is let in.
        let clients: Vec<&Identity> = token_clients(manifest).map(|it| it.1).collect();
        let same = clients.iter().find(|it| it.client_id() == canaries.of());
        let of = same.or(clients.first()).copied();
        let client = of.map_or(canaries.of(), Identity::client_id);
        talk.setting("repeat", repeat(platform.as_ref(), client, &canaries));
        if let Some(it) = of {
            control(talk, platform.as_ref(), it).await;
        } else {
            let error = "the manifest declares no client that could be let in";
            talk.fact(CONTROL, "manifest", json!({ "error": error }));
        }
        let integration = &manifest.integration.id;
        let now = talk.now();
        let came = canaries.try_all(platform.as_ref(), (integration, now)).await;
        let after_ms = now.since(self.began).millis();
        for (way, came) in &came {
            talk.fact(&format!("sweep {}", self.name), "platform", came.value(way, after_ms));
        }
        if came.iter().any(|it| it.1.is_open()) {
            let errors = end_again(platform.as_ref(), &canaries, integration).await;
            let words = if errors.is_empty() { "offboarded once more" } else { "still there" };
            talk.fact("ended-again", "platform", json!({ "came": words, "errors": errors }));
        }
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        STAYS_GONE_AFTER_OFFBOARDING.judge(transcript)
    }
}

/// A fresh copy gets a token and uses it: somebody is let in at this moment.
async fn control(talk: &mut Talk, platform: &dyn Platform, identity: &Identity) {
    let copy = talk.copy_client(platform, identity.client_id()).await;
    let Some(copy) = copy else { return };
    let (came, answer) = tries::mint(platform, &copy, &TokenRequest::default()).await;
    talk.fact(CONTROL, "platform", came.value("a fresh copy's token request", 0));
    for token in answer.access_token.iter().chain(&answer.refresh_token) {
        talk.hide(token);
    }
    if let Some(token) = answer.access_token {
        let call = tries::declared_call(identity);
        let came = tries::call(platform, &token, call.as_ref()).await;
        talk.fact(CONTROL, "platform", came.value("a fresh copy's token", 0));
    }
}
