//! From the known values to the types, with every section's first fault when it does not fit.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Segment, deserialize};

use super::Manifest;
use super::manifest::{
    Alert, AuthorizationServer, Automation, Callback, DataPath, DeclaredUse, Dependency, Effects,
    Environment, EventSubscription, EvidenceFile, Identity, Integration, Logging, Observation,
    Owners, Partner, Recertify, Resource, RevocationTerms, RulesOfEngagement, Source, Webhook,
};
use super::read::node::{join_index, join_key};
use super::words::ProfileRef;

/// Something that a type refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) message: String,
}

/// The manifest, or what each of its sections refuses.
pub(super) fn manifest(value: &Value) -> Result<Manifest, Vec<Fault>> {
    let whole = match deserialize::<_, Manifest>(value) {
        Ok(manifest) => return Ok(manifest),
        Err(error) => fault("", &error),
    };
    let sections = value.as_object().into_iter().flatten();
    let mut faults: Vec<_> = sections.flat_map(|(key, value)| section(key, value)).collect();
    if faults.is_empty() {
        faults.push(whole);
    }
    Err(faults)
}

fn section(key: &str, value: &Value) -> Vec<Fault> {
    match key {
        "manifest" => one::<u32>(key, value),
        "profile" => one::<ProfileRef>(key, value),
        "environment" => one::<Environment>(key, value),
        "integration" => one::<Integration>(key, value),
        "partner" => one::<Partner>(key, value),
        "owners" => one::<Owners>(key, value),
        "source" => one::<Source>(key, value),
        "identity" => each::<Identity>(key, value),
        "authorization_server" => each::<AuthorizationServer>(key, value),
        "callback" => each::<Callback>(key, value),
        "webhook" => each::<Webhook>(key, value),
        "event" => each::<EventSubscription>(key, value),
        "automation" => each::<Automation>(key, value),
        "effects" => one::<Effects>(key, value),
        "resource" => each::<Resource>(key, value),
        "data_path" => each::<DataPath>(key, value),
        "dependency" => each::<Dependency>(key, value),
        "declared_use" => one::<DeclaredUse>(key, value),
        "observation" => one::<Observation>(key, value),
        "rules_of_engagement" => one::<RulesOfEngagement>(key, value),
        "logging" => one::<Logging>(key, value),
        "alert" => each::<Alert>(key, value),
        "revocation" => one::<RevocationTerms>(key, value),
        "recertify" => one::<Recertify>(key, value),
        "evidence" => each::<EvidenceFile>(key, value),
        _ => Vec::new(),
    }
}

fn one<T: DeserializeOwned>(path: &str, value: &Value) -> Vec<Fault> {
    deserialize::<_, T>(value).err().map(|it| fault(path, &it)).into_iter().collect()
}

fn each<T: DeserializeOwned>(path: &str, value: &Value) -> Vec<Fault> {
    match value.as_array() {
        Some(items) => {
            let of_item = |(index, it)| one::<T>(&join_index(path, index), it);
            items.iter().enumerate().flat_map(of_item).collect()
        }
        None => one::<Vec<T>>(path, value),
    }
}

fn fault(base: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    let path = error.path().iter().fold(base.to_owned(), |path, it| match it {
        Segment::Seq { index } => join_index(&path, *index),
        Segment::Map { key } => join_key(&path, key),
        Segment::Enum { .. } | Segment::Unknown => path,
    });
    Fault { path, message: error.inner().to_string() }
}
