//! Everything of a partner's that can be looked at: what lies here, what is published, what was logged.

use std::path::PathBuf;
use std::sync::Arc;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Delivery;
use serde_json::{Value, json};

use crate::drill::rotation;
use crate::granted::tenants;
use crate::live::ask::Ask;
use crate::talk::{Means, Talk};

/// One thing to look at.
#[derive(Debug)]
pub(super) struct Material {
    /// Its address, or what it is.
    pub(super) name: String,
    pub(super) kind: &'static str,
    /// Its place in the manifest.
    pub(super) place: String,
    pub(super) content: Content,
}

/// Where it is.
#[derive(Debug)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    /// A folder that holds the image of this reference.
    Image(PathBuf),
    /// A repository, with its whole history.
    Repository(PathBuf),
}

/// The manifest itself; it says nothing of what a partner does.
pub(super) const MANIFEST: &str = "manifest";
pub(super) const REPOSITORY: &str = "repository";
pub(super) const IMAGE: &str = "image";
pub(super) const PUBLISHED: &str = "published document";
pub(super) const LOG: &str = "log";

/// Gathers everything that can be looked at; what cannot be had is written down.
pub(super) async fn gather(talk: &mut Talk, manifest: &Manifest) -> Vec<Material> {
    let Some(means) = talk.means() else { return Vec::new() };
    let mut all = Vec::new();
    local(talk, &means, manifest, &mut all);
    let text = serde_json::to_vec_pretty(manifest).unwrap_or_default();
    all.push(Material {
        name: "the manifest".to_owned(),
        kind: MANIFEST,
        place: String::new(),
        content: Content::Bytes(text),
    });
    published(talk, &means, manifest, &mut all).await;
    logs(talk, &means, manifest, &mut all).await;
    all
}

fn unavailable(talk: &mut Talk, kind: &str, name: &str, place: &str, why: &str) {
    let value = json!({"kind": kind, "name": name, "place": place, "error": why});
    talk.fact("unavailable", "run", value);
}

fn local(talk: &mut Talk, means: &Means, manifest: &Manifest, all: &mut Vec<Material>) {
    let Some(source) = &manifest.source else { return };
    let repositories = source.repositories.iter().map(ToString::to_string).enumerate();
    let repositories = repositories.map(|(at, it)| (REPOSITORY, format!("repositories[{at}]"), it));
    let images = source.images.iter().cloned().enumerate();
    let images = images.map(|(at, it)| (IMAGE, format!("images[{at}]"), it));
    for (kind, place, name) in repositories.chain(images) {
        let place = format!("source.{place}");
        let Some(path) = means.sources.get(&name) else {
            unavailable(talk, kind, &name, &place, "no copy of it lies on this machine");
            continue;
        };
        let content = match kind {
            IMAGE => Content::Image(path.clone()),
            _ => Content::Repository(path.clone()),
        };
        all.push(Material { name, kind, place, content });
    }
}

/// The key sets. Their bytes are looked at and not written down: they may hold what they should not.
async fn published(
    talk: &mut Talk,
    means: &Arc<Means>,
    manifest: &Manifest,
    all: &mut Vec<Material>,
) {
    let mut seen = Vec::new();
    for (index, identity) in manifest.identities.iter().enumerate() {
        let Some(url) = identity.jwks.as_ref().map(ToString::to_string) else { continue };
        if seen.contains(&url) {
            continue;
        }
        seen.push(url.clone());
        let place = format!("identity[{index}].jwks");
        let answer = means.client.send(Ask::get(url.as_str()), talk.now()).await;
        let is_set = answer.json().is_some_and(|it| it.get("keys").is_some_and(Value::is_array));
        if !answer.is_success() {
            unavailable(talk, PUBLISHED, &url, &place, &answer.words());
        } else if !is_set {
            unavailable(talk, PUBLISHED, &url, &place, "it is no key set");
        }
        if answer.is_success() {
            let content = Content::Bytes(answer.body);
            all.push(Material { name: url, kind: PUBLISHED, place, content });
        }
    }
}

/// What the partner logged: pushed to a tenant of ours, or fetched from it.
async fn logs(talk: &mut Talk, means: &Arc<Means>, manifest: &Manifest, all: &mut Vec<Material>) {
    let place = "logging".to_owned();
    if manifest.logging.delivery == Delivery::Push {
        for (tenant, platform) in tenants(means) {
            let name = format!("the log pushed to the {tenant} tenant");
            match platform.pushed_log(&manifest.integration.id).await {
                Ok(lines) => {
                    let (place, content) = (place.clone(), Content::Bytes(lines));
                    all.push(Material { name, kind: LOG, place, content });
                }
                Err(it) => {
                    unavailable(talk, LOG, &name, &place, &format!("{it}: {}", it.source));
                }
            }
        }
        return;
    }
    let Some(url) = manifest.logging.source.as_ref().map(ToString::to_string) else { return };
    let secret = rotation::secret(manifest, &means.secrets);
    let answer = means.client.send(Ask::get(url.as_str()).bearer(secret), talk.now()).await;
    if answer.is_success() {
        let content = Content::Bytes(answer.body);
        all.push(Material { name: url, kind: LOG, place, content });
    } else {
        unavailable(talk, LOG, &url, &place, &answer.words());
    }
}
