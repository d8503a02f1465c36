//! The manifests of the partners, with windows of seconds.

use countersign_model::declare::{Format, Manifest, parse};

use crate::{Kind, StartError};

/// Whether a manifest is the one that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// It asks for one thing more than what was certified: another scope or another event.
    Changed,
    /// It asks for what it needs.
    Right,
    /// It asks for more than it needs, where the partner's fault shows in its manifest: ACME asks
    /// to read everybody. The other partners are wrong in what they do, not in what they declare.
    Wrong,
}

/// The manifest of a partner, as it is submitted.
pub fn text(kind: Kind, version: Version) -> String {
    let right = match kind {
        Kind::Acme => include_str!("../manifests/acme-helpdesk.toml"),
        Kind::Meridian => include_str!("../manifests/meridian-suite.toml"),
        Kind::Northwind => include_str!("../manifests/northwind-resell.toml"),
        Kind::Payrun => include_str!("../manifests/payrun-hr.toml"),
        Kind::Shiftly => include_str!("../manifests/shiftly-planner.toml"),
    };
    match (version, kind) {
        (Version::Wrong, Kind::Acme) => {
            right.replacen("[[callback]]", &format!("{OVER_BROAD}\n[[callback]]"), 1)
        }
        (Version::Changed, Kind::Shiftly) => right.replacen(
            "\"group.member.removed\"]",
            &format!("\"group.member.removed\", \"{ADDED_EVENT}\"]"),
            1,
        ),
        (Version::Changed, _) => {
            let added = added_scope(kind);
            let (name, call) = added.unwrap_or_default();
            let table = format!(
                "[[identity.scope]]\nname = \"{name}\"\nwhy  = \"Asked for later.\"\nuses = [\"{call}\"]\n\n"
            );
            right.replacen("[[identity.scope]]", &format!("{table}[[identity.scope]]"), 1)
        }
        (Version::Right | Version::Wrong, _) => right.to_owned(),
    }
}

/// The scope that the changed manifest asks for beside the certified ones, and its one use.
pub fn added_scope(kind: Kind) -> Option<(&'static str, &'static str)> {
    match kind {
        Kind::Acme | Kind::Meridian => Some(("groups:read", "GET /v1/groups/{id}/members")),
        Kind::Northwind => Some(("tenants:delete", "DELETE /v1/tenants/{id}")),
        Kind::Payrun => Some(("scim:users.read", "GET /scim/v2/Users/{id}")),
        Kind::Shiftly => None,
    }
}

/// The event that Shiftly's changed manifest asks for beside the certified ones.
pub const ADDED_EVENT: &str = "group.deleted";

/// The right manifest of a partner, read.
pub fn manifest(kind: Kind) -> Result<Manifest, StartError> {
    read(kind, Version::Right)
}

/// A version of the manifest of a partner, read.
pub fn read(kind: Kind, version: Version) -> Result<Manifest, StartError> {
    parse(&text(kind, version), Format::Toml)
        .map(|it| it.manifest)
        .map_err(|_| StartError::Manifest(kind.slug()))
}

/// The scope that is too broad for a help desk.
pub const OVER_BROAD_SCOPE: &str = "users:read.all";

const OVER_BROAD: &str = r#"[[identity.scope]]
name = "users:read.all"
why  = "Look up anybody, in case it is needed one day."
uses = ["GET /v1/users"]
"#;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::partner::clients;

    #[test]
    fn every_manifest_of_the_demo_is_one() {
        let mut declared = BTreeSet::new();
        for kind in Kind::EVERY {
            for version in [Version::Changed, Version::Right, Version::Wrong] {
                let parsed = parse(&text(kind, version), Format::Toml);
                let manifest = parsed.unwrap_or_else(|it| panic!("{kind:?}: {it:?}")).manifest;
                assert_eq!(manifest.integration.id.as_str(), kind.slug());
                declared.extend(manifest.identities.iter().map(|it| it.client_id().to_owned()));
            }
        }
        for client in clients() {
            assert!(declared.contains(client), "{client} works and is not declared");
        }
    }

    #[test]
    fn every_changed_manifest_is_another_one() {
        for kind in Kind::EVERY {
            let digest = |it| parse(&text(kind, it), Format::Toml).unwrap().digest;
            assert_ne!(digest(Version::Changed), digest(Version::Right), "{kind:?}");
        }
    }

    #[test]
    fn the_wrong_vendor_asks_for_one_scope_more() {
        let wrong = parse(&text(Kind::Acme, Version::Wrong), Format::Toml).unwrap().manifest;
        let right = manifest(Kind::Acme).unwrap();
        let names = |it: &Manifest| -> BTreeSet<String> {
            it.identities.iter().flat_map(|it| &it.scopes).map(|it| it.name.to_string()).collect()
        };
        let more: Vec<_> = names(&wrong).difference(&names(&right)).cloned().collect();
        assert_eq!(more, [OVER_BROAD_SCOPE]);
    }
}
