//! Does an offboarded client stay gone?
//!
//! What was deleted comes back: from a replica, a cache, a backup, a job that writes its list again. So the
//! credentials of a throw-away copy are kept when it is offboarded, and tried again: at once, a day later,
//! and after thirty days. In a sandbox, where windows are seconds, the later sweeps follow after some hundred
//! milliseconds, and between them it is tried all the time. Elsewhere a run makes the first sweep, and a
//! server keeps the credentials, sealed, for the later ones: the run passes for what was due so far, and
//! says what is still owed and when. Where nobody keeps them, the later sweeps are waited for, and nothing
//! passes. What came back once has to stay away as long before anything passes again.
//!
//! Source: policy; OWASP NHI1:2025 (CTS-WDR-02).

mod judge;
pub mod later;
#[cfg(test)]
mod tests;

use countersign_model::check::Owed;
use countersign_model::declare::manifest::Environment;
use countersign_model::time::{Period, Timestamp};
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::canaries::{Canaries, Keeping};
use crate::check::Info;
use crate::drill::tries::Came;
use crate::granted::token_clients;
use crate::platform::by_hand::{admin, api_call, call, token_request};
use crate::platform::{AdminAct, ClientChange, CopyTerms, Platform, SendingKey};
use crate::probe::acting::{Acting, Actor, Scene, begin, every_client};
use crate::undo::Undo;

/// Does an offboarded client stay gone?
pub(crate) const STAYS_GONE_AFTER_OFFBOARDING: Acting =
    Acting { info: &INFO, looks_at: every_client, play, judge: judge::judge };

static INFO: Info = Info {
    name: "stays_gone_after_offboarding",
    case: Some("REV-10"),
    controls: &["CTS-WDR-02"],
    question: "Does an offboarded client stay gone?",
    sends: "A throw-away copy of the client gets tokens, is disabled, its tokens are revoked and it is deleted, and with it copies of the webhooks of the integration. Then its key, its token, its refresh token, its redirect and the webhooks' keys are tried again at once, after 24 h and after 30 d (in a sandbox within a second). For the later sweeps the server keeps the credentials, sealed; each begins with a fresh copy that is let in.",
    passes: "Each is refused at every sweep that was due. What is owed is said with its date: a sweep that is missing in time leaves the question open again, and one that is let in fails it. What came back once has to stay away as long before it passes again.",
    risk: "An integration that left years ago can still come in.",
    fix: "Delete a client everywhere: in replicas, caches, backups that are written back, and lists that jobs restore.",
    source: "Policy; OWASP NHI1:2025.",
};

/// One look at what was offboarded.
struct Sweep {
    name: &'static str,
    /// When it is due, from the end on.
    after: Period,
    /// How late it may be.
    late_max: Period,
    /// When a sandbox makes it.
    in_sandbox: Period,
}

const SWEEPS: [Sweep; 3] = [
    Sweep {
        name: "T+0",
        after: Period::from_millis(0),
        late_max: Period::from_millis(0),
        in_sandbox: Period::from_millis(0),
    },
    Sweep {
        name: "T+24 h",
        after: Period::from_hours(24),
        late_max: Period::from_hours(6),
        in_sandbox: Period::from_millis(300),
    },
    Sweep {
        name: "T+30 d",
        after: Period::from_days(30),
        late_max: Period::from_days(2),
        in_sandbox: Period::from_millis(600),
    },
];

/// When kept credentials are thrown away, whatever was seen: from the end on.
const KEPT_MAX: Period = Period::from_days(37);

/// The later sweeps of a copy that ended at this moment.
fn owed(began: Timestamp) -> Vec<Owed> {
    let later = SWEEPS.iter().skip(1);
    let one = |it: &Sweep| {
        let due = began + it.after;
        Owed { what: it.name.to_owned(), due, by: due + it.late_max }
    };
    later.map(one).collect()
}

fn play(mut scene: Scene<'_>) -> BoxFuture<'_, ()> {
    Box::pin(async move {
        let is_sandbox = scene.manifest.environment == Environment::Sandbox;
        scene.talk.figure("CTS-WDR-02.sweep_hours");
        let Some(actor) = begin(&mut scene, CopyTerms::default()).await else { return };
        let mut ghost = Ghost::of(&mut scene, actor).await;
        for (way, came) in ghost.tried(&scene).await {
            scene.talk.fact("before", "platform", came.value(&way, 0));
        }
        let client = scene.identity.client_id();
        let repeat = repeat(scene.platform, client, &ghost.canaries);
        scene.talk.setting("repeat", repeat);
        let began = scene.talk.stopwatch_ms();
        let ended = scene.talk.now();
        ghost.end(&mut scene, "ended").await;
        let is_shut = first(&mut scene, &mut ghost, began).await;
        if is_sandbox {
            for sweep in SWEEPS.iter().skip(1) {
                later(&mut scene, &mut ghost, (began, sweep)).await;
            }
        } else if is_shut {
            keep(&mut scene, ghost.canaries, ended);
        }
    })
}

fn repeat(platform: &dyn Platform, client: &str, canaries: &Canaries) -> String {
    let mut steps = vec![
        admin(platform, AdminAct::Copy(client)),
        admin(platform, AdminAct::Delete(canaries.client())),
        format!("then {}", token_request(platform, canaries.client())),
    ];
    if let Some((method, path)) = canaries.usual_call() {
        steps.push(format!("and {}", api_call(platform, &call(method, path), &[])));
    }
    steps.join("; ")
}

/// A copy that is about to be offboarded, or was.
struct Ghost {
    canaries: Canaries,
}

impl Ghost {
    /// All that a copy can come in with. The webhooks belong to the integration: one of its clients takes
    /// them along.
    async fn of(scene: &mut Scene<'_>, actor: Actor) -> Self {
        let ends = actor.life.map(|it| scene.talk.now() + Period::from_seconds(it));
        let mut canaries = Canaries::new(actor.copy, scene.identity.client_id())
            .token(actor.token, ends)
            .refresh(actor.refresh)
            .call(&actor.call.method, &actor.call.path);
        // Not every client of a manifest has its redirect.
        if let Some(callback) = scene.manifest.callbacks.first() {
            let url = callback.url.to_string();
            let client = canaries.client().to_owned();
            let came = crate::drill::tries::authorize(scene.platform, &client, &url).await;
            canaries = canaries.redirect(came.is_open().then_some(url));
        }
        let first = token_clients(scene.manifest).next().map(|it| &it.1.id);
        if first == Some(&scene.identity.id) {
            take_webhooks(scene, &mut canaries).await;
        }
        Self { canaries }
    }

    async fn tried(&mut self, scene: &Scene<'_>) -> Vec<(String, Came)> {
        let whose = (&scene.manifest.integration.id, scene.talk.now());
        self.canaries.try_all(scene.platform, whose).await
    }

    /// Offboards it.
    async fn end(&self, scene: &mut Scene<'_>, label: &str) {
        let integration = &scene.manifest.integration.id;
        for (how, change) in [
            ("disable", ClientChange::Disable),
            ("revoke-tokens", ClientChange::RevokeTokens),
            ("delete", ClientChange::Delete),
        ] {
            let done = scene.platform.client(self.canaries.client(), change).await;
            scene.talk.heard(label, done, |()| json!({ "how": how }));
        }
        for id in self.canaries.webhook_ids() {
            let done = scene.platform.delete_webhook(integration, id).await;
            scene.talk.heard(label, done, |()| json!({ "how": "delete", "webhook": id }));
        }
    }
}

/// Copies the webhooks of the integration, where the platform can.
async fn take_webhooks(scene: &mut Scene<'_>, canaries: &mut Canaries) {
    let integration = &scene.manifest.integration.id;
    for webhook in &scene.manifest.webhooks {
        match scene.platform.copy_webhook(integration, webhook.id.as_str()).await {
            Ok(copy) => {
                let undo = Undo::DeleteWebhookCopy(integration.clone(), copy.id.clone());
                scene.talk.undo_later(undo);
                if let SendingKey::Secret(secret) = &copy.key {
                    scene.talk.hide(secret);
                }
                canaries.webhook(copy);
            }
            Err(error) if error.is_unable() => {}
            Err(error) => {
                let came = Came::from(error).value(&format!("its webhook {}", webhook.id), 0);
                scene.talk.fact("before", "platform", came);
            }
        }
    }
}

/// The first sweep: what is still open is tried again until the time of the manifest is over. Whether
/// everything refused.
async fn first(scene: &mut Scene<'_>, ghost: &mut Ghost, began: u64) -> bool {
    let limit = scene.manifest.revocation.deny_within.min(TRY_MAX).millis();
    loop {
        let came = ghost.tried(scene).await;
        let after_ms = scene.talk.stopwatch_ms().saturating_sub(began);
        let is_shut = came.iter().all(|it| it.1.is_shut());
        if is_shut || limit <= after_ms {
            swept(scene, SWEEPS[0].name, &came, after_ms);
            return is_shut;
        }
        scene.talk.pause("sweep", TRY_EVERY).await;
    }
}

/// A later sweep; until then it is tried all the time, and ends as soon as something answers.
async fn later(scene: &mut Scene<'_>, ghost: &mut Ghost, (began, sweep): (u64, &Sweep)) {
    loop {
        let came = ghost.tried(scene).await;
        let after_ms = scene.talk.stopwatch_ms().saturating_sub(began);
        if came.iter().any(|it| it.1.is_open()) || sweep.in_sandbox.millis() <= after_ms {
            swept(scene, sweep.name, &came, after_ms);
            return;
        }
        scene.talk.pause("sweep", TRY_EVERY).await;
    }
}

fn swept(scene: &mut Scene<'_>, name: &str, came: &[(String, Came)], after_ms: u64) {
    for (way, came) in came {
        scene.talk.fact(&format!("sweep {name}"), "platform", came.value(way, after_ms));
    }
}

/// Hands the credentials over to whoever keeps them, and writes down what that owes.
fn keep(scene: &mut Scene<'_>, canaries: Canaries, began: Timestamp) {
    let subject = scene.talk.transcript().subject.clone();
    let manifest = scene.manifest;
    let is_declared = |it: &str| manifest.identities.iter().any(|one| one.id.as_str() == it);
    let Some(keeper) = scene.talk.keeper() else { return };
    if let Some(it) = keeper.came_back(&subject, is_declared) {
        let value = json!({ "sweep": it.sweep, "at": it.at, "after_ms": it.after.millis() });
        scene.talk.fact(judge::CAME_BACK, "server", value);
    }
    let until = began + KEPT_MAX;
    let value = json!({ "owed": owed(began), "until": until });
    scene.talk.fact(judge::KEPT, "server", value);
    scene.talk.keep(Keeping { canaries, began, until });
}

/// How often what still answers is tried again.
const TRY_EVERY: Period = Period::from_millis(100);
/// However much time the manifest gives.
const TRY_MAX: Period = Period::from_seconds(120);

/// Offboards once more what was let in.
async fn end_again(
    platform: &dyn Platform,
    canaries: &Canaries,
    integration: &countersign_model::declare::words::Slug,
) -> Vec<String> {
    let mut errors = Vec::new();
    let mut note = |done: Result<(), crate::platform::PlatformError>| {
        if let Err(it) = done
            && !it.is_unknown()
        {
            errors.push(format!("{it}: {}", it.source));
        }
    };
    for change in [ClientChange::RevokeTokens, ClientChange::Delete] {
        note(platform.client(canaries.client(), change).await);
    }
    for id in canaries.webhook_ids() {
        note(platform.delete_webhook(integration, id).await);
    }
    errors
}
