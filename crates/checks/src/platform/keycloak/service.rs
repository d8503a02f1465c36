//! The service account of a client, and the roles that it has by itself, by its groups and by other roles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use countersign_model::time::Timestamp;
use serde::Deserialize;

use super::fault::Role as Needed;
use super::wire::Wire;
use crate::platform::PlatformFault;

/// How many roles are followed from one account.
const ROLES_MAX: usize = 5_000;

type Done<T> = Result<T, PlatformFault>;

/// The account with which a client acts by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServiceAccount {
    pub(super) created: Option<Timestamp>,
    /// `payroll-writer` of the realm, `account.view-profile` of a client.
    pub(super) roles: BTreeSet<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct User {
    id: String,
    created_timestamp: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Role {
    id: String,
    name: String,
    composite: bool,
    client_role: bool,
    /// The client that it is a role of, by its inner id.
    container_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mappings {
    realm_mappings: Vec<Role>,
    client_mappings: BTreeMap<String, ClientMappings>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClientMappings {
    mappings: Vec<Role>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Group {
    id: String,
    path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    client_id: String,
}

/// What was learned of roles, clients and groups while one list was read.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Client ids by inner id.
    clients: Mutex<BTreeMap<String, String>>,
    /// What a role brings with it, by its inner id.
    composites: Mutex<BTreeMap<String, Vec<Role>>>,
    /// The roles of a group, by its inner id.
    groups: Mutex<BTreeMap<String, Vec<Role>>>,
}

fn known<T: Clone>(map: &Mutex<BTreeMap<String, T>>, id: &str) -> Option<T> {
    map.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
}

fn keep<T>(map: &Mutex<BTreeMap<String, T>>, id: &str, it: T) {
    map.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), it);
}

impl Book {
    /// Notes the name of a client.
    pub(super) fn note(&self, id: &str, client_id: &str) {
        keep(&self.clients, id, client_id.to_owned());
    }

    /// The client id of an inner id, as long as there is such a client.
    pub(super) async fn client(&self, wire: &Wire, id: &str) -> Done<Option<String>> {
        if let Some(it) = known(&self.clients, id) {
            return Ok(Some(it).filter(|it| !it.is_empty()));
        }
        let name = match wire.read::<Named>(&["clients", id], &[], Needed::ViewClients).await {
            Ok(it) => it.client_id,
            Err(PlatformFault::Refused { status: 404, .. }) => String::new(),
            Err(it) => return Err(it),
        };
        self.note(id, &name);
        Ok(Some(name).filter(|it| !it.is_empty()))
    }

    async fn name(&self, wire: &Wire, role: &Role) -> Done<String> {
        if !role.client_role {
            return Ok(role.name.clone());
        }
        let client = self.client(wire, &role.container_id).await?;
        Ok(format!("{}.{}", client.unwrap_or_else(|| role.container_id.clone()), role.name))
    }

    async fn brought_by(&self, wire: &Wire, role: &Role) -> Done<Vec<Role>> {
        if let Some(it) = known(&self.composites, &role.id) {
            return Ok(it);
        }
        let path = ["roles-by-id", &role.id, "composites"];
        let roles: Vec<Role> = wire.read(&path, &[], Needed::ViewRealm).await?;
        keep(&self.composites, &role.id, roles.clone());
        Ok(roles)
    }

    async fn of_group(&self, wire: &Wire, id: &str) -> Done<Vec<Role>> {
        if let Some(it) = known(&self.groups, id) {
            return Ok(it);
        }
        let mappings: Mappings =
            wire.read(&["groups", id, "role-mappings"], &[], Needed::ViewUsers).await?;
        let roles = mappings.all();
        keep(&self.groups, id, roles.clone());
        Ok(roles)
    }

    /// The service account of a client, by the client's inner id.
    pub(super) async fn account(&self, wire: &Wire, id: &str) -> Done<ServiceAccount> {
        let path = ["clients", id, "service-account-user"];
        let user: User = wire.read(&path, &[], Needed::ViewClients).await?;
        let path = ["users", &user.id, "role-mappings"];
        let mappings: Mappings = wire.read(&path, &[], Needed::ViewUsers).await?;
        let path = ["users", &user.id, "groups"];
        let groups: Vec<Group> = wire.read(&path, &[], Needed::ViewUsers).await?;
        let mut open = mappings.all();
        let mut roles = BTreeSet::new();
        for it in groups {
            open.extend(self.of_group(wire, &it.id).await?);
            roles.insert(format!("group:{}", it.path));
        }
        let mut seen = BTreeSet::new();
        while let Some(role) = open.pop() {
            if !seen.insert(role.id.clone()) {
                continue;
            }
            if ROLES_MAX < seen.len() {
                let why = format!("its service account has more than {ROLES_MAX} roles");
                return Err(PlatformFault::Unreadable(why));
            }
            if role.composite {
                open.extend(self.brought_by(wire, &role).await?);
            }
            roles.insert(self.name(wire, &role).await?);
        }
        let created = user.created_timestamp.map(Timestamp::from_millis);
        Ok(ServiceAccount { created, roles })
    }
}

impl Mappings {
    fn all(self) -> Vec<Role> {
        let clients = self.client_mappings.into_values().flat_map(|it| it.mappings);
        self.realm_mappings.into_iter().chain(clients).collect()
    }
}
