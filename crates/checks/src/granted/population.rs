//! Everything that a platform holds, reconciled with everything that is known here.
//!
//! Each client is exactly one thing, so that the sums agree; what nobody answers for is left over.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::declare::Manifest;
use countersign_model::declare::adoption::Adoption;
use countersign_model::declare::words::Slug;
use countersign_model::time::{Period, Timestamp};
use serde::Serialize;

use super::clients;
use super::credential::{absent, undeclared};
use crate::platform::{Inventory, InventoryClient};

/// One manifest that is known here.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What it says.
    pub manifest: &'a Manifest,
    /// Whether its clients have to be at this platform: in production not before the certificate.
    pub is_due: bool,
}

/// By what clients are judged that nobody declared.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The moment.
    pub now: Timestamp,
    /// How long a client may be unused.
    pub idle: Period,
    /// Everybody who may own a client; none where no list was given.
    pub owners: Option<BTreeSet<String>>,
    /// Clients that somebody answers for until a date, by id.
    pub adopted: BTreeMap<String, Adoption>,
}

/// What one client is. The first that fits counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It came with the platform.
    BuiltIn,
    /// A throw-away copy, made for a drill.
    Copy,
    /// A manifest declares it.
    Declared,
    /// Somebody answers for it until a date.
    Grandfathered,
    /// Somebody answered for it until a date that is over: against CTS-GOV-02.
    Overdue,
    /// Nobody declared it, and its owner is gone.
    Orphaned,
    /// Nobody declared it, and it was not used for long.
    Dormant,
    /// Nobody declared it.
    Unknown,
}

impl Class {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::BuiltIn,
        Self::Copy,
        Self::Declared,
        Self::Grandfathered,
        Self::Overdue,
        Self::Orphaned,
        Self::Dormant,
        Self::Unknown,
    ];

    /// Whether nobody answers for it.
    pub fn is_unexplained(self) -> bool {
        matches!(self, Self::Overdue | Self::Orphaned | Self::Dormant | Self::Unknown)
    }
}

/// One client, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placed {
    /// Its id.
    pub client_id: String,
    /// What it is.
    pub class: Class,
    /// Why, in a few words.
    pub why: String,
    /// The integration that declares it, else the one that the platform files it under.
    pub integration: Option<String>,
    /// Who owns it, as the platform says.
    pub owner: Option<String>,
    /// When it last got a token.
    pub last_used: Option<Timestamp>,
}

/// A credential that is there or declared, and not both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Stray {
    /// Whose.
    pub client_id: String,
    /// Its id, or what is declared.
    pub credential: String,
}

/// A platform, reconciled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Population {
    /// Every client, by its id.
    pub clients: Vec<Placed>,
    /// How many of each class.
    pub counts: BTreeMap<Class, usize>,
    /// Clients that are declared and not there, each with its integration.
    pub phantoms: BTreeMap<String, String>,
    /// Credentials of declared clients that are not of the declared kind.
    pub undeclared_credentials: Vec<Stray>,
    /// Declared credentials that are not there.
    pub phantom_credentials: Vec<Stray>,
    /// Clients whose details cannot be read, with the reason.
    pub unread: Vec<(String, String)>,
}

impl Population {
    /// How many clients the platform holds.
    pub fn found(&self) -> usize {
        self.clients.len() + self.unread.len()
    }

    /// How many things nobody answers for: the figure that has to be zero.
    pub fn unexplained(&self) -> usize {
        let clients = self.clients.iter().filter(|it| it.class.is_unexplained()).count();
        let credentials = self.undeclared_credentials.len() + self.phantom_credentials.len();
        clients + self.phantoms.len() + credentials + self.unread.len()
    }
}

/// Reconciles what a platform holds with what is known here.
pub fn reconcile(inventory: &Inventory, known: &[Known<'_>], terms: &Terms) -> Population {
    let declared: BTreeMap<&str, &Slug> = known
        .iter()
        .flat_map(|it| clients(it.manifest).map(move |(_, one)| (one.client_id(), it)))
        .map(|(client, it)| (client, &it.manifest.integration.id))
        .collect();
    let mut population = Population { unread: inventory.unread.clone(), ..Population::default() };
    population.counts = Class::ALL.map(|it| (it, 0)).into();
    for client in &inventory.clients {
        let owner = declared.get(client.client_id.as_str()).copied();
        let (class, why) = place(client, owner, terms);
        *population.counts.entry(class).or_default() += 1;
        population.clients.push(Placed {
            client_id: client.client_id.clone(),
            class,
            why,
            integration: owner.map(ToString::to_string).or_else(|| client.integration.clone()),
            owner: client.owner.clone(),
            last_used: client.last_used,
        });
    }
    population.clients.sort_by(|a, b| a.client_id.cmp(&b.client_id));
    let listed: BTreeMap<&str, &InventoryClient> =
        inventory.clients.iter().map(|it| (it.client_id.as_str(), it)).collect();
    let unread: BTreeSet<&str> = inventory.unread.iter().map(|it| it.0.as_str()).collect();
    for it in known {
        for (_, identity) in clients(it.manifest) {
            let id = identity.client_id();
            if it.is_due && !listed.contains_key(id) && !unread.contains(id) {
                let slug = it.manifest.integration.id.to_string();
                population.phantoms.insert(id.to_owned(), slug);
            }
            let Some(there) = listed.get(id) else { continue };
            let stray = |it: String| Stray { client_id: id.to_owned(), credential: it };
            let beside = undeclared(identity, &there.credentials);
            population.undeclared_credentials.extend(beside.into_iter().map(stray));
            let lacks = absent(identity, &there.credentials);
            population.phantom_credentials.extend(lacks.into_iter().map(stray));
        }
    }
    for strays in [&mut population.undeclared_credentials, &mut population.phantom_credentials] {
        // The version that is certified and the one that is submitted may both say it.
        strays.sort();
        strays.dedup();
    }
    population
}

fn place(client: &InventoryClient, declared: Option<&Slug>, terms: &Terms) -> (Class, String) {
    if client.built_in {
        return (Class::BuiltIn, "it came with the platform".to_owned());
    }
    if let Some(original) = &client.copy_of {
        return (Class::Copy, format!("a drill's copy of {original}"));
    }
    if let Some(slug) = declared {
        return (Class::Declared, format!("declared by {slug}"));
    }
    if let Some(Adoption { owner, until }) = terms.adopted.get(&client.client_id) {
        return if terms.now < *until {
            (Class::Grandfathered, format!("adopted by {owner} until {until}"))
        } else {
            (
                Class::Overdue,
                format!("CTS-GOV-02: adopted by {owner} until {until}, and not declared"),
            )
        };
    }
    match &client.owner {
        None => return (Class::Orphaned, "it has no owner".to_owned()),
        Some(owner) if terms.owners.as_ref().is_some_and(|it| !it.contains(owner)) => {
            return (Class::Orphaned, format!("its owner {owner} is not on the list"));
        }
        Some(_) => {}
    }
    match client.last_used.or(client.created) {
        Some(last) if last + terms.idle <= terms.now => {
            let word = if client.last_used.is_some() { "last used" } else { "never used since" };
            (Class::Dormant, format!("{word} {last}"))
        }
        _ => (Class::Unknown, "nobody declared it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::declare::{Format, parse};

    use super::*;
    use crate::platform::{CredentialKind, InventoryCredential};

    const NOW: i64 = 1_795_000_000;

    fn credential(id: &str, kind: CredentialKind) -> InventoryCredential {
        InventoryCredential { id: id.to_owned(), kind, created: None, expires: None }
    }

    fn client(id: &str, change: impl Fn(&mut InventoryClient)) -> InventoryClient {
        let mut client = InventoryClient {
            client_id: id.to_owned(),
            owner: Some("lena".to_owned()),
            last_used: Some(Timestamp::from_seconds(NOW - 60)),
            ..InventoryClient::default()
        };
        change(&mut client);
        client
    }

    fn declared(change: impl Fn(&mut InventoryClient)) -> InventoryClient {
        client("acme-helpdesk", |it| {
            let jwks = "jwks:https://acme.example/.well-known/jwks.json";
            it.credentials = vec![credential(jwks, CredentialKind::JwksUri)];
            change(it);
        })
    }

    fn terms() -> Terms {
        let until = |days: i64| Timestamp::from_seconds(NOW + days * 86_400);
        let by = |until| Adoption { owner: "lena".to_owned(), until };
        Terms {
            now: Timestamp::from_seconds(NOW),
            idle: Period::from_days(45),
            owners: Some(["lena".to_owned()].into()),
            adopted: [("adopted".to_owned(), by(until(1))), ("over".to_owned(), by(until(0)))]
                .into(),
        }
    }

    fn reconciled(clients: Vec<InventoryClient>, is_due: bool) -> Population {
        let manifest = parse(crate::fact::SAAS, Format::Toml).unwrap().manifest;
        let inventory = Inventory { clients, unread: Vec::new() };
        reconcile(&inventory, &[Known { manifest: &manifest, is_due }], &terms())
    }

    #[test]
    fn each_client_is_exactly_one_thing_and_the_sums_agree() {
        let long_ago = Timestamp::from_seconds(NOW - 46 * 86_400);
        let table = [
            (declared(|_| {}), Class::Declared),
            (declared(|it| (it.owner, it.last_used) = (None, None)), Class::Declared),
            (client("realm-management", |it| it.built_in = true), Class::BuiltIn),
            (client("c.copy-1", |it| it.copy_of = Some("c".to_owned())), Class::Copy),
            (client("adopted", |it| it.owner = None), Class::Grandfathered),
            (client("over", |_| {}), Class::Overdue),
            (client("alone", |it| it.owner = None), Class::Orphaned),
            (client("left", |it| it.owner = Some("max".to_owned())), Class::Orphaned),
            (client("asleep", |it| it.last_used = Some(long_ago)), Class::Dormant),
            (
                client("never", |it| (it.last_used, it.created) = (None, Some(long_ago))),
                Class::Dormant,
            ),
            (client("new", |it| it.last_used = None), Class::Unknown),
        ];
        for (client, expected) in &table {
            let population = reconciled(vec![client.clone()], false);
            assert_eq!(population.clients[0].class, *expected, "{}", client.client_id);
            let unexplained = usize::from(expected.is_unexplained());
            assert_eq!(population.unexplained(), unexplained, "{}", client.client_id);
        }
        let all: Vec<_> = table.iter().skip(1).map(|it| it.0.clone()).collect();
        let population = reconciled(all, true);
        assert_eq!(population.counts.values().sum::<usize>(), population.found());
        assert_eq!(population.unexplained(), 6);
    }

    #[test]
    fn what_is_declared_and_not_there_is_a_phantom_once_it_is_due() {
        assert_eq!(reconciled(Vec::new(), false).unexplained(), 0);
        let population = reconciled(Vec::new(), true);
        assert_eq!(population.phantoms.keys().collect::<Vec<_>>(), ["acme-helpdesk"]);
        assert_eq!(population.unexplained(), 1);
    }

    #[test]
    fn a_credential_beside_the_declared_ones_and_one_that_is_missing_are_left_over() {
        let population = reconciled(
            vec![declared(|it| {
                it.credentials = vec![
                    credential("k9", CredentialKind::Key),
                    credential("secret-1", CredentialKind::Secret),
                ];
            })],
            true,
        );
        let names = |it: &[Stray]| it.iter().map(|it| it.credential.clone()).collect::<Vec<_>>();
        assert_eq!(names(&population.undeclared_credentials), ["k9", "secret-1"]);
        assert_eq!(
            names(&population.phantom_credentials),
            ["keys at https://acme.example/.well-known/jwks.json"]
        );
        assert_eq!(population.unexplained(), 3);
    }

    #[test]
    fn what_cannot_be_read_is_not_explained() {
        let inventory =
            Inventory { unread: vec![("x".into(), "403".into())], ..Inventory::default() };
        let population = reconcile(&inventory, &[], &terms());
        assert_eq!((population.found(), population.unexplained()), (1, 1));
    }
}
