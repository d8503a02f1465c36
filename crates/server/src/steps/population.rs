//! What a platform holds, reconciled with every manifest that is known here.

use std::collections::{BTreeMap, BTreeSet};

use countersign_checks::granted::population::{Class, Known, Placed, Population, Terms, reconcile};
use countersign_checks::platform::{Inventory, InventoryClient};
use countersign_model::declare::adoption::{ADOPTED_FOR_MAX, ADOPTED_SCHEMA, Adopted, Adoption};
use countersign_model::declare::manifest::Environment;
use countersign_model::declare::{Manifest, draft};
use countersign_model::event::What;
use countersign_model::id::PersonId;
use countersign_model::require::Catalogue;
use countersign_model::require::threshold::Bound;
use countersign_model::require::tier::Tier;
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

use crate::app::App;
use crate::book::Draft;
use crate::problem::Problem;
use crate::world::Tenant;

/// The control that says how long a credential may be unused.
const DORMANT: &str = "CTS-WDR-03";

/// What an import asks for.
#[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// `production` or `test`.
    pub platform: String,
    /// Everybody who may own a client; a client of anybody else is orphaned. Left out: nobody is compared.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub owners: Option<BTreeSet<String>>,
    /// Clients that somebody answers for until a moment, by id: `{"old-sync": {"owner": "lena", "until": "2027-02-23T00:00:00Z"}}`.
    /// They are kept, beside those that were adopted before; an owner alone may send new ones.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Object>)]
    pub adopted: BTreeMap<String, Adoption>,
    /// How many days a client may be unused; the catalogue's figure for a standard integration when left out.
    #[serde(default)]
    pub idle_days: Option<u32>,
    /// Whether the drafts are left out.
    #[serde(default)]
    pub without_drafts: bool,
}

/// What one platform is called.
fn tenant(name: &str) -> Result<Tenant, Problem> {
    match name {
        "production" => Ok(Tenant::Production),
        "test" => Ok(Tenant::Test),
        _ => Err(Problem::new(400, "platform", "`platform` is `production` or `test`")),
    }
}

/// What is adopted at a platform.
async fn adopted(app: &App, platform: &str) -> Result<BTreeMap<String, Adoption>, Problem> {
    let Some(digest) = app.book.published().registry.adopted.get(platform).copied() else {
        return Ok(BTreeMap::new());
    };
    let list: Adopted = app.book.document(digest).await?;
    Ok(list.clients)
}

/// Whether a request adopts what was not adopted just so.
pub async fn adopts_more(app: &App, asked: &ImportRequest) -> Result<bool, Problem> {
    tenant(&asked.platform)?;
    let known = adopted(app, &asked.platform).await?;
    Ok(asked.adopted.iter().any(|(client, it)| known.get(client) != Some(it)))
}

/// Writes down who answers for which client, beside who did before.
pub async fn adopt(app: &App, by: &PersonId, asked: &ImportRequest) -> Result<(), Problem> {
    let now = app.clock.now();
    for (client, it) in &asked.adopted {
        let sizes = [(&it.owner, OWNER_BYTES_MAX), (client, CLIENT_BYTES_MAX)];
        if sizes.iter().any(|(text, most)| text.trim().is_empty() || *most < text.len()) {
            return Err(Problem::new(400, "adopted", "a client or owner is empty or too long"));
        }
        if now + ADOPTED_FOR_MAX < it.until {
            let text = format!("`{client}` is adopted for more than 180 days");
            return Err(Problem::new(400, "adopted", text));
        }
    }
    let mut writer = app.book.write().await?;
    // As the writer sees it: nobody else's adoption is lost.
    let mut list = Adopted {
        schema: ADOPTED_SCHEMA.to_owned(),
        platform: asked.platform.clone(),
        clients: BTreeMap::new(),
    };
    if let Some(digest) = writer.registry().adopted.get(&asked.platform).copied() {
        list.clients = app.book.document::<Adopted>(digest).await?.clients;
    }
    list.clients.extend(asked.adopted.clone());
    if ADOPTED_MAX < list.clients.len() {
        return Err(Problem::new(400, "adopted", "too many clients are adopted: declare some"));
    }
    let mut draft = Draft::default();
    let platform = asked.platform.clone();
    let adopted = draft.document(&list)?;
    draft.event(now, Some(by), What::Adopted { platform, adopted });
    writer.commit(draft, now).await?;
    Ok(())
}

const OWNER_BYTES_MAX: usize = 200;
const CLIENT_BYTES_MAX: usize = 1_024;
const ADOPTED_MAX: usize = 20_000;

/// Reconciles one platform, and drafts a manifest for each client that nobody declared.
pub async fn import(app: &App, asked: ImportRequest) -> Result<Value, Problem> {
    let tenant = tenant(&asked.platform)?;
    let inventory = app.world.inventory(tenant).await;
    let inventory = inventory.map_err(|it| Problem::new(502, "unreachable", it.0))?;
    let adopted = adopted(app, &asked.platform).await?;
    let population = population(app, tenant, &inventory, &asked, adopted).await?;
    let (at, environment) = (app.clock.now(), app.config.environment);
    // Thousands of drafts take seconds, in which others want to be answered.
    let document = tokio::task::spawn_blocking(move || {
        let drafts = if asked.without_drafts {
            Vec::new()
        } else {
            drafts(&population, &inventory, environment)
        };
        let mut document = json!(population);
        if let Some(it) = document.as_object_mut() {
            it.insert("schema".to_owned(), "countersign.import/1".into());
            it.insert("platform".to_owned(), asked.platform.into());
            it.insert("at".to_owned(), json!(at));
            it.insert("found".to_owned(), population.found().into());
            it.insert("unexplained".to_owned(), population.unexplained().into());
            it.insert("drafts".to_owned(), drafts.into());
        }
        document
    });
    document.await.map_err(|it| Problem::broken(&it))
}

/// A draft for each client that nobody declared.
fn drafts(population: &Population, inventory: &Inventory, environment: Environment) -> Vec<Value> {
    let clients: BTreeMap<&str, &InventoryClient> =
        inventory.clients.iter().map(|it| (it.client_id.as_str(), it)).collect();
    let is_open = |it: &&Placed| it.class.is_unexplained() || it.class == Class::Grandfathered;
    let open = population.clients.iter().filter(is_open);
    open.filter_map(|it| clients.get(it.client_id.as_str()))
        .map(|client| {
            let mut granted = client.granted.clone();
            granted.owner.clone_from(&client.owner);
            match draft::draft(&client.client_id, &granted, environment) {
                Ok(text) => json!({ "client_id": client.client_id, "manifest": text }),
                Err(problems) => json!({
                    "client_id": client.client_id,
                    "error": problems.iter().map(|it| it.message.clone()).collect::<Vec<_>>(),
                }),
            }
        })
        .collect()
}

/// What was told of production last, when, and what was known here then.
#[derive(Debug)]
pub struct Figures {
    at: Timestamp,
    size: u64,
    told: Value,
}

/// For how long figures are told again without asking the platform: somebody may watch a status.
const FIGURES_FOR: Period = Period::from_seconds(5);

/// How many clients the production platform holds, how many are known here, how many things nobody
/// answers for, and who answers for what is adopted. None where it does not tell.
pub async fn figures(app: &App) -> Option<Value> {
    // One asks the platform; who comes meanwhile waits for the same answer.
    let mut last = app.figures.lock().await;
    let (now, size) = (app.clock.now(), app.book.published().registry.size);
    if let Some(it) = last.as_ref().filter(|it| it.size == size && now < it.at + FIGURES_FOR) {
        return Some(it.told.clone());
    }
    let inventory = app.world.inventory(Tenant::Production).await.ok()?;
    let asked = ImportRequest::default();
    let adopted = adopted(app, "production").await.ok()?;
    let by = adopted.clone();
    let population = population(app, Tenant::Production, &inventory, &asked, adopted).await.ok()?;
    let count = |class: Class| population.counts.get(&class).copied().unwrap_or_default();
    // What came with the platform, and what drills made, is nobody's integration.
    let found = population.found() - count(Class::BuiltIn) - count(Class::Copy);
    let is_adopted = |it: &&Placed| matches!(it.class, Class::Grandfathered | Class::Overdue);
    let adopted = population.clients.iter().filter(is_adopted).filter_map(|it| {
        let adoption = by.get(&it.client_id)?;
        let (owner, until) = (&adoption.owner, adoption.until);
        Some(json!({
            "client_id": it.client_id, "class": it.class, "owner": owner, "until": until,
        }))
    });
    let told = json!({
        "found": found, "known": count(Class::Declared), "unexplained": population.unexplained(),
        "counts": population.counts, "adopted": adopted.collect::<Vec<_>>(),
    });
    *last = Some(Figures { at: now, size, told: told.clone() });
    Some(told)
}

async fn population(
    app: &App,
    tenant: Tenant,
    inventory: &Inventory,
    asked: &ImportRequest,
    adopted: BTreeMap<String, Adoption>,
) -> Result<Population, Problem> {
    let published = app.book.published();
    let mut manifests: Vec<(Manifest, bool)> = Vec::new();
    for record in published.registry.integrations.values() {
        let certificate = record.certificate.as_ref().filter(|it| !it.revoked);
        let (submitted, _) = app.book.manifest(record.submission.blob).await?;
        let is_here = match tenant {
            Tenant::Production => certificate.is_some_and(|it| it.blob == record.submission.blob),
            Tenant::Test => !record.certificate.as_ref().is_some_and(|it| it.revoked),
        };
        manifests.push((submitted.manifest, is_here));
        let other = certificate.filter(|it| it.blob != record.submission.blob);
        if let Some(it) = other {
            let (certified, _) = app.book.manifest(it.blob).await?;
            manifests.push((certified.manifest, tenant == Tenant::Production));
        }
    }
    let known: Vec<Known<'_>> =
        manifests.iter().map(|(manifest, is_due)| Known { manifest, is_due: *is_due }).collect();
    let terms = Terms {
        now: app.clock.now(),
        idle: asked.idle_days.map_or_else(idle, |it| Period::from_days(u64::from(it))),
        owners: asked.owners.clone(),
        adopted,
    };
    Ok(reconcile(inventory, &known, &terms))
}

/// The catalogue's window for what nobody uses, of the lowest tier: nobody said how much an
/// undeclared client may do.
fn idle() -> Period {
    let control = Catalogue::embedded().control(DORMANT);
    let bound = control.and_then(|it| it.thresholds.get("idle_days")?.get(Tier::Standard));
    let days = match bound {
        Some(Bound::Integer(it)) => u64::try_from(*it).ok(),
        _ => None,
    };
    Period::from_days(days.unwrap_or(IDLE_DAYS))
}

const IDLE_DAYS: u64 = 45;
