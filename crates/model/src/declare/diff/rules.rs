//! What a difference means: its kind, the trigger that it pulls, and whether it widens.

use serde_json::Value;

use super::change::{ChangeKind, ManifestChange};
use super::walk::At;
use crate::declare::digest::name_of;
use crate::require::Tier;
use crate::time::Period;

/// When a difference lets the integration do, reach or keep more than before.
#[derive(Clone, Copy)]
enum Widens {
    Always,
    /// When something is there that was not.
    Appeared,
    /// When something is gone that was there.
    Gone,
    Never,
    /// When it may now, or now there is no limit: a number or a length is raised, or gone.
    Raised,
}

use ChangeKind as Kind;
use Widens::{Always, Appeared, Gone, Never, Raised};

/// One row: where, what it is, which trigger, when it widens, and whether it is only that when it widens.
type Row = (&'static str, Kind, Option<&'static str>, Widens);

/// The first row whose pattern is the path without names, or a part of it that ends at a dot or bracket.
const ROWS: &[Row] = &[
    ("integration.tier", Kind::TierLowered, None, Never),
    ("integration.purpose", Kind::DeclaredUseChanged, Some("declared-use-changed"), Never),
    ("partner.domain", Kind::PublisherChanged, Some("publisher-changed"), Always),
    ("partner.technical_contact", Kind::Other, None, Never),
    ("partner.incident_contact", Kind::Other, None, Never),
    ("partner", Kind::PublisherChanged, Some("publisher-changed"), Never),
    ("owners", Kind::OwnerChanged, Some("owner-changed"), Never),
    ("identity[].scope[].uses", Kind::ScopeChanged, Some("scope-changed"), Appeared),
    ("identity[].scope[].", Kind::ScopeChanged, Some("scope-changed"), Never),
    ("identity[].scope[]", Kind::ScopeAdded, Some("scope-added"), Appeared),
    ("identity[].issuer", Kind::KeyChanged, Some("issuer-changed"), Always),
    ("identity[].auth", Kind::KeyChanged, Some("key-changed"), Always),
    ("identity[].client_id", Kind::KeyChanged, Some("key-changed"), Always),
    ("identity[].jwks", Kind::KeyChanged, Some("key-changed"), Always),
    ("identity[].kind", Kind::KeyChanged, Some("key-changed"), Always),
    ("identity[].subject", Kind::KeyChanged, Some("key-changed"), Always),
    ("identity[].holder", Kind::KeyChanged, Some("key-changed"), Never),
    ("identity[].loaded_by", Kind::KeyChanged, Some("key-changed"), Never),
    ("identity[].stored_in", Kind::KeyChanged, Some("key-changed"), Never),
    ("identity[].max_token_ttl", Kind::LifetimeRaised, Some("limit-raised"), Raised),
    ("identity[].refresh", Kind::LifetimeRaised, Some("limit-raised"), Raised),
    ("identity[].rotate_every", Kind::LifetimeRaised, Some("limit-raised"), Raised),
    ("identity[].revoke_by", Kind::RevocationChanged, None, Never),
    ("identity[].rotation", Kind::RevocationChanged, None, Never),
    ("identity[].offboarding", Kind::RevocationChanged, None, Never),
    ("identity[]", Kind::IdentityAdded, Some("key-changed"), Appeared),
    ("authorization_server[].revoke_by", Kind::RevocationChanged, None, Never),
    ("authorization_server[].scopes", Kind::ScopeAdded, Some("scope-added"), Appeared),
    ("authorization_server[].issuer", Kind::KeyChanged, Some("issuer-changed"), Always),
    ("authorization_server[].client", Kind::Other, None, Never),
    ("authorization_server[].login", Kind::Other, None, Never),
    ("authorization_server[].resource", Kind::Other, None, Never),
    ("authorization_server[].registration", Kind::KeyChanged, Some("issuer-changed"), Raised),
    ("authorization_server[]", Kind::IdentityAdded, Some("issuer-changed"), Appeared),
    ("callback[].revoke_by", Kind::RevocationChanged, None, Never),
    ("callback[].landing", Kind::Other, None, Never),
    ("callback[].start", Kind::Other, None, Never),
    ("callback[]", Kind::CallbackChanged, Some("callback-changed"), Appeared),
    ("webhook[].may_cause", Kind::LimitRaised, Some("limit-raised"), Appeared),
    ("webhook[].revoke_by", Kind::RevocationChanged, None, Never),
    ("webhook[].signing.replay_window", Kind::LifetimeRaised, Some("limit-raised"), Raised),
    ("webhook[].signing", Kind::KeyChanged, Some("key-changed"), Always),
    ("webhook[].retry_every", Kind::Other, None, Never),
    ("webhook[].auth_ref", Kind::Other, None, Never),
    ("webhook[].register", Kind::Other, None, Never),
    ("webhook[].trigger", Kind::Other, None, Never),
    ("webhook[].unregister", Kind::Other, None, Never),
    ("webhook[]", Kind::EndpointChanged, Some("endpoint-changed"), Appeared),
    ("event[].types", Kind::EventTypeAdded, Some("event-type-added"), Appeared),
    ("event[].fields", Kind::DataPathChanged, Some("data-path-added"), Appeared),
    ("event[].revoke_by", Kind::RevocationChanged, None, Never),
    ("event[].disable", Kind::RevocationChanged, None, Never),
    ("event[].signing.next_key.call", Kind::EndpointChanged, Some("endpoint-changed"), Always),
    ("event[].signing.next_key", Kind::RevocationChanged, None, Never),
    ("event[].signing", Kind::KeyChanged, Some("key-changed"), Always),
    ("event[].retry_every", Kind::Other, None, Never),
    ("event[].stream.canary", Kind::Other, None, Never),
    ("event[].stream.within", Kind::LifetimeRaised, Some("limit-raised"), Raised),
    ("event[].stream", Kind::KeyChanged, Some("key-changed"), Always),
    ("event[]", Kind::EndpointChanged, Some("endpoint-changed"), Appeared),
    ("automation[].revoke_by", Kind::RevocationChanged, None, Never),
    ("automation[].schedule", Kind::DeclaredUseChanged, Some("declared-use-changed"), Always),
    ("automation[].limits", Kind::LimitRaised, Some("limit-raised"), Raised),
    ("automation[]", Kind::LimitRaised, Some("limit-raised"), Appeared),
    ("effects.url", Kind::EndpointChanged, Some("endpoint-changed"), Never),
    ("resource[].revoke_by", Kind::RevocationChanged, None, Never),
    ("resource[].scopes", Kind::ScopeChanged, Some("scope-changed"), Gone),
    ("resource[].audience", Kind::KeyChanged, Some("key-changed"), Always),
    ("resource[].token_type", Kind::KeyChanged, Some("key-changed"), Always),
    ("resource[].alg", Kind::KeyChanged, Some("key-changed"), Always),
    ("resource[].secret_ref", Kind::KeyChanged, Some("key-changed"), Always),
    ("resource[]", Kind::EndpointChanged, Some("endpoint-changed"), Appeared),
    ("data_path[].", Kind::DataPathChanged, Some("data-path-added"), Appeared),
    ("data_path[]", Kind::DataPathAdded, Some("data-path-added"), Appeared),
    ("dependency[].for", Kind::Other, Some("subprocessor-added"), Never),
    ("dependency[]", Kind::SubprocessorAdded, Some("subprocessor-added"), Appeared),
    ("revocation.max_stale", Kind::LifetimeRaised, Some("limit-raised"), Raised),
    ("revocation", Kind::RevocationChanged, None, Never),
];

/// The rows of `[declared_use]` and `[recertify]`, whose keys narrow what would be free without them.
const NARROWING: [Row; 5] = [
    ("declared_use.networks", Kind::NetworkAdded, Some("network-added"), Appeared),
    ("declared_use.max_per_hour", Kind::LimitRaised, Some("limit-raised"), Raised),
    ("declared_use.must_carry", Kind::DeclaredUseChanged, Some("declared-use-changed"), Gone),
    ("declared_use", Kind::DeclaredUseChanged, Some("declared-use-changed"), Always),
    ("recertify.max_age", Kind::LifetimeRaised, Some("limit-raised"), Raised),
];

/// The difference at `at`, named.
pub(super) fn classify(at: &At, before: Option<&Value>, after: Option<&Value>) -> ManifestChange {
    let row = ROWS.iter().chain(&NARROWING).find(|it| covers(it.0, &at.pattern));
    let (_, kind, trigger, widens) = *row.unwrap_or(&("", Kind::Other, None, Never));
    let widens = match widens {
        Always => true,
        Appeared => after.is_some(),
        Gone => after.is_none(),
        Never => false,
        Raised => raised(before, after),
    };
    let (kind, trigger, widens) = settle(at, (kind, trigger, widens), (before, after));
    let shown = |it: Option<&Value>| it.map(text);
    ManifestChange {
        kind,
        path: at.path.clone(),
        before: shown(before),
        after: shown(after),
        trigger,
        widens,
    }
}

/// What a row says only of one direction of a difference is put right for the other.
fn settle(
    at: &At,
    (kind, trigger, widens): (Kind, Option<&'static str>, bool),
    (before, after): (Option<&Value>, Option<&Value>),
) -> (Kind, Option<&'static str>, bool) {
    let tier =
        |it: Option<&Value>| it.and_then(Value::as_str).and_then(|it| it.parse::<Tier>().ok());
    let removed = after.is_none();
    match kind {
        Kind::TierLowered if tier(before) <= tier(after) => (Kind::Other, None, false),
        Kind::LifetimeRaised | Kind::LimitRaised if !widens && at.pattern != "automation[]" => {
            (Kind::Other, None, false)
        }
        Kind::LimitRaised if removed && at.pattern == "automation[]" => (Kind::Other, None, false),
        Kind::ScopeAdded if removed => (Kind::ScopeRemoved, None, false),
        Kind::IdentityAdded if removed => (Kind::IdentityRemoved, None, false),
        Kind::IdentityAdded
            if !["authorization_server[]", "identity[]"].contains(&at.pattern.as_str()) =>
        {
            (Kind::Other, None, false)
        }
        Kind::DataPathAdded if removed => (Kind::DataPathRemoved, None, false),
        Kind::DataPathChanged if removed => (Kind::DataPathChanged, None, false),
        Kind::EventTypeAdded | Kind::SubprocessorAdded if removed => (Kind::Other, None, false),
        Kind::NetworkAdded if at.pattern == "declared_use.networks" && !is_text(before, after) => {
            // All networks appear or vanish at once: without any, every network is allowed.
            (Kind::DeclaredUseChanged, Some("declared-use-changed"), removed)
        }
        Kind::NetworkAdded if removed => {
            (Kind::DeclaredUseChanged, Some("declared-use-changed"), false)
        }
        Kind::DeclaredUseChanged if at.pattern.starts_with("declared_use") && before.is_none() => {
            // A new rule where there was none narrows.
            (kind, trigger, false)
        }
        Kind::RevocationChanged => (kind, None, false),
        kind => (kind, trigger, widens),
    }
}

/// Whether a list's single word is meant, and not the whole list.
fn is_text(before: Option<&Value>, after: Option<&Value>) -> bool {
    before.or(after).is_some_and(Value::is_string)
}

/// Whether `pattern` is the place itself, or holds it.
fn covers(row: &str, pattern: &str) -> bool {
    pattern
        .strip_prefix(row)
        .is_some_and(|rest| rest.is_empty() || row.ends_with('.') || rest.starts_with(['.', '[']))
}

/// A number, a length of time or a yes that is more than before; no limit is more than any.
fn raised(before: Option<&Value>, after: Option<&Value>) -> bool {
    let period = |it: &Value| it.as_str().and_then(|it| it.parse::<Period>().ok());
    match (before, after) {
        (Some(before), Some(after)) => {
            if let (Some(before), Some(after)) = (period(before), period(after)) {
                before < after
            } else if let (Some(before), Some(after)) = (before.as_i64(), after.as_i64()) {
                before < after
            } else {
                true
            }
        }
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn text(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => name_of(value).map_or_else(|| value.to_string(), str::to_owned),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN_MAX {
        text
    } else {
        text.chars().take(SHOWN_MAX).chain(['…']).collect()
    }
}

const SHOWN_MAX: usize = 200;
