//! What a live drill would do, said beforehand: nothing is asked and nothing is changed.

use std::collections::BTreeSet;

use countersign_model::declare::Manifest;
use countersign_model::declare::path::{Path, PathKind};
use countersign_model::revoke::DrillPart;
use serde::{Deserialize, Serialize};

use super::rotation;
use crate::granted::{clients, token_clients};
use crate::platform::{AdminAct, Platform, by_hand};

/// One thing that a live drill would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowStep {
    /// What it belongs to.
    pub part: DrillPart,
    /// What it is about: `token-mint sa:payrun-scim`.
    pub path: String,
    /// What would be done, in words.
    pub does: String,
    /// Where: the platform's issuer, or the partner's own.
    pub at: String,
    /// The call, as a person would make it; in words where no connector says.
    pub call: String,
    /// How it would be undone; `nothing to undo` where nothing is changed.
    pub undone: String,
}

/// Everything that a live drill of these parts would do at a test tenant and at the partner.
pub fn steps(
    manifest: &Manifest,
    parts: &BTreeSet<DrillPart>,
    platform: &dyn Platform,
) -> Vec<ShadowStep> {
    let shadow = Shadow { manifest, platform };
    let each = DrillPart::ALL.into_iter().filter(|it| parts.contains(it));
    let each = each.flat_map(|part| match part {
        DrillPart::Audit => shadow.audit(),
        DrillPart::KillSwitch => shadow.kill_switch(),
        DrillPart::Offboard => shadow.offboard(),
        DrillPart::Rotate => shadow.rotate(),
        DrillPart::Subscription => shadow.subscription(),
    });
    each.collect()
}

struct Shadow<'a> {
    manifest: &'a Manifest,
    platform: &'a dyn Platform,
}

impl Shadow<'_> {
    fn step(&self, part: DrillPart, path: String, what: [&str; 3]) -> ShadowStep {
        let [does, call, undone] = what.map(str::to_owned);
        ShadowStep { part, path, does, at: self.platform.issuer().to_owned(), call, undone }
    }

    fn by_hand(&self, act: AdminAct<'_>) -> String {
        by_hand::admin(self.platform, act)
    }

    fn kill_switch(&self) -> Vec<ShadowStep> {
        let part = DrillPart::KillSwitch;
        let each = self.manifest.paths().into_iter().map(|path| {
            let disable = self.by_hand(AdminAct::Disable(self.client(&path)));
            let id = &path.subject;
            let (does, call, undone) = match path.kind {
                PathKind::TokenMint | PathKind::TokenUse | PathKind::Automation => (
                    "disable a throw-away copy of the client, revoke its tokens, and try until it refuses",
                    disable,
                    "the copy is enabled again, and deleted at the end",
                ),
                PathKind::CallIn => (
                    "take away the key of a copy of the webhook or the redirects of a copy, and call in until it refuses",
                    format!("take away the key or redirects of {id}"),
                    "the key or the redirects are given back, and the copy is deleted",
                ),
                PathKind::EventOut => (
                    "disable the subscription, produce events, and listen",
                    format!("disable the subscription {id}"),
                    "the subscription is enabled again",
                ),
                PathKind::AssertionIn => (
                    "knock without a credential, and see that it is refused",
                    format!("knock at {path}"),
                    "nothing to undo",
                ),
            };
            self.step(part, path.to_string(), [does, &call, undone])
        });
        each.collect()
    }

    /// The client that a path ends with: an automation ends with the identity that it names.
    fn client<'b>(&'b self, path: &'b Path) -> &'b str {
        let Manifest { identities, automations, .. } = self.manifest;
        let subject = path.subject.as_str();
        let automation = automations.iter().find(|it| it.id.as_str() == subject);
        let runner = automation
            .and_then(|it| it.revoke_by.iter().find_map(|it| it.strip_prefix("identity:")));
        let named = identities.iter().find(|it| it.id.as_str() == runner.unwrap_or(subject));
        let first = || token_clients(self.manifest).next().map(|it| it.1);
        let found = if automation.is_some() { named.or_else(first) } else { named };
        found.map_or(subject, |it| it.client_id())
    }

    fn rotate(&self) -> Vec<ShadowStep> {
        let declared =
            self.manifest.identities.iter().filter_map(|it| Some((it, it.rotation.as_ref()?)));
        let mut steps = Vec::new();
        for (identity, it) in declared {
            let keys = self.by_hand(AdminAct::Copy(identity.client_id()));
            steps.push(self.step(
                DrillPart::Rotate,
                identity.id.to_string(),
                [
                    "have a throw-away copy fetch tokens and call the API without a break, and meanwhile register a second key for it, switch, and take the first away",
                    &keys,
                    "the copy is deleted at the end",
                ],
            ));
            let step = self.step(
                DrillPart::Rotate,
                identity.id.to_string(),
                [
                    "have the partner rotate, watch its published keys, and count its own token requests and calls meanwhile",
                    &format!("{} with the secret {}", it.start, rotation::secret_name(self.manifest)),
                    "nothing to undo: the new key stays, the old one ends",
                ],
            );
            steps.push(ShadowStep { at: self.manifest.partner.domain.clone(), ..step });
        }
        steps
    }

    fn subscription(&self) -> Vec<ShadowStep> {
        let each = self.manifest.events.iter().map(|it| {
            self.step(
                DrillPart::Subscription,
                it.id.to_string(),
                [
                    "disable the subscription, produce events, and listen for the last delivery",
                    &format!("disable the subscription {}", it.id),
                    "the subscription is enabled again",
                ],
            )
        });
        each.collect()
    }

    fn offboard(&self) -> Vec<ShadowStep> {
        let mut steps: Vec<ShadowStep> = Vec::new();
        for (_, identity) in token_clients(self.manifest) {
            let delete = self.by_hand(AdminAct::Delete(identity.client_id()));
            steps.push(self.step(
                DrillPart::Offboard,
                identity.id.to_string(),
                [
                    "disable and delete a throw-away copy of the client, and try every way in",
                    &delete,
                    "nothing to undo: only the copy ends",
                ],
            ));
        }
        for identity in &self.manifest.identities {
            let Some(it) = &identity.offboarding else { continue };
            steps.push(ShadowStep {
                at: self.manifest.partner.domain.clone(),
                ..self.step(
                    DrillPart::Offboard,
                    identity.id.to_string(),
                    [
                        "have the partner end a tenant that was made for it",
                        &it.start,
                        "nothing to undo: only that tenant ends",
                    ],
                )
            });
        }
        steps
    }

    fn audit(&self) -> Vec<ShadowStep> {
        let mut steps = Vec::new();
        for (_, it) in token_clients(self.manifest) {
            let copy = self.by_hand(AdminAct::Copy(it.client_id()));
            steps.push(self.step(
                DrillPart::Audit,
                it.id.to_string(),
                [
                    "have a throw-away copy get a token, be refused, call the API, lose its tokens and its key, be disabled, enabled and deleted, and look for each in the platform's records",
                    &copy,
                    "the copy is deleted at the end",
                ],
            ));
        }
        let each = clients(self.manifest).map(|(_, it)| {
            let read = self.by_hand(AdminAct::AccessLog(it.client_id()));
            self.step(
                DrillPart::Audit,
                it.id.to_string(),
                [
                    "read what was done, and look for each action in the logs",
                    &read,
                    "nothing to undo",
                ],
            )
        });
        steps.extend(each);
        steps
    }
}
