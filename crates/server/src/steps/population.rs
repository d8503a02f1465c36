//! What a platform holds, reconciled with every manifest that is known here.

use std::collections::{BTreeMap, BTreeSet};

use countersign_checks::granted::population::{Class, Known, Population, Terms, reconcile};
use countersign_checks::platform::Inventory;
use countersign_model::declare::{Manifest, draft};
use countersign_model::require::Catalogue;
use countersign_model::require::threshold::Bound;
use countersign_model::require::tier::Tier;
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

use crate::app::App;
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
    /// Clients that somebody answers for until a moment, by id: RFC 3339.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub adopted: BTreeMap<String, Timestamp>,
    /// How many days a client may be unused; the catalogue's figure for a standard integration when left out.
    #[serde(default)]
    pub idle_days: Option<u32>,
}

/// Reconciles one platform, and drafts a manifest for each client that nobody declared.
pub async fn import(app: &App, asked: &ImportRequest) -> Result<Value, Problem> {
    let tenant = match asked.platform.as_str() {
        "production" => Tenant::Production,
        "test" => Tenant::Test,
        _ => return Err(Problem::new(400, "platform", "`platform` is `production` or `test`")),
    };
    let inventory = app.world.inventory(tenant).await;
    let inventory = inventory.map_err(|it| Problem::new(502, "unreachable", it.0))?;
    let population = population(app, tenant, &inventory, asked).await?;
    let mut drafts = Vec::new();
    for placed in &population.clients {
        let is_open = placed.class.is_unexplained() || placed.class == Class::Grandfathered;
        let client = inventory.clients.iter().find(|it| it.client_id == placed.client_id);
        let Some(client) = client.filter(|_| is_open) else { continue };
        let mut granted = client.granted.clone();
        granted.owner.clone_from(&client.owner);
        drafts.push(match draft::draft(&client.client_id, &granted) {
            Ok(text) => json!({ "client_id": client.client_id, "manifest": text }),
            Err(problems) => json!({
                "client_id": client.client_id,
                "error": problems.iter().map(|it| it.message.clone()).collect::<Vec<_>>(),
            }),
        });
    }
    let mut document = json!(population);
    if let Some(it) = document.as_object_mut() {
        it.insert("schema".to_owned(), "countersign.import/1".into());
        it.insert("platform".to_owned(), asked.platform.clone().into());
        it.insert("at".to_owned(), json!(app.clock.now()));
        it.insert("found".to_owned(), population.found().into());
        it.insert("unexplained".to_owned(), population.unexplained().into());
        it.insert("drafts".to_owned(), drafts.into());
    }
    Ok(document)
}

/// How many clients the production platform holds, how many are known here, and how many things nobody
/// answers for. None where it does not tell.
pub async fn figures(app: &App) -> Option<Value> {
    let inventory = app.world.inventory(Tenant::Production).await.ok()?;
    let asked = ImportRequest::default();
    let population = population(app, Tenant::Production, &inventory, &asked).await.ok()?;
    let count = |class: Class| population.counts.get(&class).copied().unwrap_or_default();
    // What came with the platform, and what drills made, is nobody's integration.
    let found = population.found() - count(Class::BuiltIn) - count(Class::Copy);
    Some(json!({
        "found": found, "known": count(Class::Declared), "unexplained": population.unexplained(),
    }))
}

async fn population(
    app: &App,
    tenant: Tenant,
    inventory: &Inventory,
    asked: &ImportRequest,
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
        adopted: asked.adopted.clone(),
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
