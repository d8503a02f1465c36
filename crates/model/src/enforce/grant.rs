//! What a certificate lets an integration do, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::declare::Manifest;
use crate::declare::manifest::{Auth, Environment, FailMode};
use crate::declare::path::Path;
use crate::declare::words::{ScopeName, Slug};
use crate::time::Period;

/// What a certificate lets an integration do, compiled from its manifest.
///
/// It is part of the statement that people sign, so a gate takes it from their signatures and
/// not from the server. Whatever it does not name is denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The integration's own name.
    pub integration: Slug,
    /// Where it counts.
    pub environment: Environment,
    /// Every path.
    pub paths: Vec<Path>,
    /// The identities that may act.
    pub identities: Vec<IdentityGrant>,
    /// The events that may leave, by subscription.
    pub events: Vec<EventGrant>,
    /// The calls that may come in, by webhook or callback.
    pub calls: Vec<CallGrant>,
    /// The jobs that may run.
    pub automations: Vec<AutomationGrant>,
    /// CIDR blocks that calls may come from; empty means any.
    pub networks: Vec<String>,
    /// When it may act: `06:00-20:00 Europe/Amsterdam, Mon-Fri`; none means always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// Token requests in any hour at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_hour: Option<u32>,
    /// What a gate does that cannot refresh.
    pub fail_mode: FailMode,
    /// How long a stale "yes" may stand under `best-effort`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stale: Option<Period>,
}

/// What one identity may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityGrant {
    /// The manifest's id: `oauth:acme-helpdesk`.
    pub identity: String,
    /// The id at the platform.
    pub client_id: String,
    /// The grant type that it is bound to, where the manifest declares one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<String>,
    /// How long its tokens live at most.
    pub max_token_ttl: Period,
    /// Whether it may use refresh tokens.
    pub refresh: bool,
    /// What it may ask for, and the calls that each scope is for.
    pub scopes: BTreeMap<ScopeName, Vec<String>>,
    /// How it proves itself; grants from before this was told hold none, and any way counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Where its keys are published: keys from elsewhere do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_at: Option<String>,
}

/// The events that one subscription may receive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventGrant {
    /// The manifest's id: `sub:user.lifecycle`.
    pub id: String,
    /// The kinds of event.
    pub types: BTreeSet<String>,
    /// The fields that may leave.
    pub fields: BTreeSet<String>,
    /// Where they go.
    pub endpoint: String,
}

/// What one webhook or callback may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallGrant {
    /// The manifest's id: `hook:ticket-events`, `cb:oauth`.
    pub id: String,
    /// The address.
    pub url: String,
    /// The access outcomes that it may influence.
    pub may_cause: BTreeSet<String>,
}

/// What one job may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutomationGrant {
    /// The manifest's id: `job:nightly-reconcile`.
    pub id: String,
    /// The access outcomes that it may cause.
    pub may_cause: BTreeSet<String>,
    /// How many of each in one run.
    pub limits: BTreeMap<String, u32>,
}

impl Grant {
    /// Compiles a manifest: the same manifest always gives the same grant.
    pub fn compile(manifest: &Manifest) -> Self {
        let declared = manifest.declared_use.as_ref();
        let identities = manifest.identities.iter().map(|it| IdentityGrant {
            identity: it.id.to_string(),
            client_id: it.client_id().to_owned(),
            grant_type: declared.and_then(|it| it.grant.clone()),
            max_token_ttl: it.max_token_ttl,
            refresh: it.refresh.as_ref().is_some_and(|it| it.allowed),
            scopes: it.scopes.iter().map(|it| (it.name.clone(), it.uses.clone())).collect(),
            auth: Some(it.auth),
            keys_at: it.jwks.as_ref().map(ToString::to_string),
        });
        let events = manifest.events.iter().map(|it| EventGrant {
            id: it.id.to_string(),
            types: it.types.iter().cloned().collect(),
            fields: it.fields.iter().cloned().collect(),
            endpoint: it.endpoint.to_string(),
        });
        let webhooks = manifest.webhooks.iter().map(|it| CallGrant {
            id: it.id.to_string(),
            url: it.url.to_string(),
            may_cause: it.may_cause.iter().cloned().collect(),
        });
        let callbacks = manifest.callbacks.iter().map(|it| CallGrant {
            id: it.id.to_string(),
            url: it.url.to_string(),
            may_cause: BTreeSet::new(),
        });
        let automations = manifest.automations.iter().map(|it| AutomationGrant {
            id: it.id.to_string(),
            may_cause: it.may_cause.iter().cloned().collect(),
            limits: it.limits.clone(),
        });
        Self {
            integration: manifest.integration.id.clone(),
            environment: manifest.environment,
            paths: manifest.paths(),
            identities: identities.collect(),
            events: events.collect(),
            calls: webhooks.chain(callbacks).collect(),
            automations: automations.collect(),
            networks: declared.map(|it| it.networks.clone()).unwrap_or_default(),
            hours: declared.and_then(|it| it.hours.clone()),
            max_per_hour: declared.and_then(|it| it.max_per_hour),
            fail_mode: manifest.revocation.fail_mode,
            max_stale: manifest.revocation.max_stale,
        }
    }

    /// The same without these scopes: what a reviewer right-sized.
    pub fn without(mut self, scopes: &BTreeSet<ScopeName>) -> Self {
        for identity in &mut self.identities {
            identity.scopes.retain(|name, _| !scopes.contains(name));
        }
        self
    }
}
