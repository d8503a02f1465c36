//! What a scope or a call lets its holder do.

use super::tier::Tier;
use super::words::{
    ACCESS, CIVIL, FILLERS, IDENTITY, KEYS, LABELS, LOW, PRODUCTION, READ, SECRETS, WRITE, is_in,
    words_of,
};

/// What a scope, a call or an outcome lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Power {
    /// The tier that it asks for.
    pub tier: Tier,
    /// Whether it changes who may do what: users, roles, clients, groups, credentials.
    pub writes_identity: bool,
    /// Whether it has no bound: `*`, full access, administration.
    pub wildcard: bool,
    /// Whether it says that it reaches everything of the tenant: `….All`.
    pub tenant_wide: bool,
}

/// Judges a scope by its words.
///
/// A scope without a verb can do everything that there is to do with its object, except for those
/// that `OpenID Connect` and its servers define as claims.
pub fn scope_power(scope: &str) -> Power {
    let name = without_address(scope);
    if let Some(tier) = claim(name) {
        return Power { tier, writes_identity: false, wildcard: false, tenant_wide: false };
    }
    judge(&words_of(name), None)
}

/// Judges a call, `METHOD /path/{id}`: by its method and by the last thing that its path names.
pub fn call_power(call: &str) -> Option<Power> {
    let (method, path) = call.trim().split_once(' ')?;
    let path = without_address(path.trim());
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
    // The token endpoint is how it comes in, not what it may do.
    if segments.iter().any(|it| ["oauth", "oauth2", "openid-connect"].contains(it)) {
        return None;
    }
    let looks = ["get", "head", "options"].contains(&method.to_lowercase().as_str());
    segments.retain(|it| !it.starts_with('{') && !it.starts_with(':'));
    let is_verb = |it: &str| {
        let words = words_of(it);
        !words.is_empty() && words.iter().all(|it| is_in(it, READ) || is_in(it, WRITE))
    };
    let verb = segments.pop_if(|it| is_verb(it));
    let asks = verb.is_some_and(|it| words_of(it).iter().all(|it| is_in(it, READ)));
    let mut words = segments.last().map(|it| words_of(it)).unwrap_or_default();
    words.extend(verb.into_iter().flat_map(words_of));
    Some(judge(&words, Some(!looks && !asks)))
}

/// Judges an access outcome that a webhook or a job may cause: `account-disable`, `unlock-request`.
pub fn outcome_power(outcome: &str) -> Power {
    let words = words_of(outcome);
    // What is only asked for is decided by somebody else.
    let asked = words.last().is_some_and(|it| ["request", "requests"].contains(&it.as_str()));
    let mut power = judge(&words, Some(true));
    let decides = words.iter().any(|it| is_in(it, ACCESS) || it == "access" || it == "admin");
    if asked && !power.wildcard {
        power = Power { tier: Tier::Elevated, writes_identity: false, ..power };
    } else if decides {
        power = Power { tier: Tier::Critical, writes_identity: true, ..power };
    }
    power
}

/// Judges a class of data, or a field, by what it would tell its reader: `user-id`, `display-name`, `password-hash`.
pub fn data_tier(class: &str) -> Tier {
    let words = words_of(class);
    let last = words.last().map_or("", String::as_str);
    let any = |list: &[&str]| words.iter().any(|it| is_in(it, list));
    if words.is_empty() || words.iter().any(|it| it == "*") {
        Tier::Critical
    } else if any(CIVIL) {
        Tier::Elevated
    } else if is_in(last, LABELS) || any(&["public"]) || words.iter().all(|it| is_in(it, LOW)) {
        Tier::Standard
    } else if any(SECRETS) || any(KEYS) {
        Tier::Critical
    } else {
        Tier::Elevated
    }
}

/// Without scheme and host; what is left of an address that is nothing but a host is the host.
fn without_address(text: &str) -> &str {
    let Some((_, rest)) = text.split_once("://") else { return text };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if path.is_empty() { host } else { path }
}

/// Scopes that are defined as claims about the person who signs in.
fn claim(scope: &str) -> Option<Tier> {
    match scope {
        "acr" | "groups" | "offline_access" | "openid" | "roles" | "web-origins" | "basic" => {
            Some(Tier::Standard)
        }
        "address" | "email" | "microprofile-jwt" | "phone" | "profile" => Some(Tier::Elevated),
        _ => None,
    }
}

/// Judges words. `writes` is given where a method says it, and read from the verbs otherwise.
fn judge(words: &[String], writes: Option<bool>) -> Power {
    let any = |list: &[&str]| words.iter().any(|it| is_in(it, list));
    let has = |word: &str| words.iter().any(|it| it == word);
    let readonly = has("readonly") || has("ro");
    let reads = any(READ) || shows_a_claim(words);
    let writes = writes.unwrap_or(any(WRITE) || !reads) && !readonly;
    let objects: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|it| !is_in(it, READ) && !is_in(it, WRITE) && !is_in(it, FILLERS))
        .collect();
    let of = |list: &[&str]| objects.iter().any(|it| is_in(it, list));

    let administers =
        writes && any(&["admin", "administrator", "owner", "root", "sudo", "superuser"]);
    let bare = objects.is_empty() && (has("all") || has("api") || words.is_empty());
    let unbounded = has("*") || has("full") || has("default") || (writes && bare);
    let wildcard = unbounded || administers;
    let writes_identity = wildcard && (writes || has("*"))
        || writes
            && (of(IDENTITY) || of(KEYS) || of(SECRETS) || any(&["impersonate", "impersonation"]));
    let critical = wildcard || writes_identity || of(SECRETS) || writes && of(PRODUCTION);
    let last = objects.last().copied().unwrap_or_default();
    let low =
        !objects.is_empty() && objects.iter().all(|it| is_in(it, LOW)) || is_in(last, &["id"]);
    let tier = if critical {
        Tier::Critical
    } else if writes || !low {
        Tier::Elevated
    } else {
        Tier::Standard
    };
    Power { tier, writes_identity, wildcard, tenant_wide: has("all") || has("*") }
}

/// Whether a scope without a verb ends in something that can only be shown: `user:email`, `users.basic`.
fn shows_a_claim(words: &[String]) -> bool {
    const SHOWN: &[&str] =
        &["basic", "email", "id", "info", "name", "phone", "profile", "userinfo"];
    !words.iter().any(|it| is_in(it, WRITE)) && words.last().is_some_and(|it| is_in(it, SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_as_strict_as_its_verb_and_object() {
        use Tier::{Critical, Elevated, Standard};
        let table = [
            // changes identities
            ("scim:users.write", Critical),
            ("Directory.ReadWrite.All", Critical),
            ("RoleManagement.ReadWrite.Directory", Critical),
            ("AppRoleAssignment.ReadWrite.All", Critical),
            ("Application.ReadWrite.OwnedBy", Critical),
            ("users:manage", Critical),
            ("okta.users.manage", Critical),
            ("okta.clients.manage", Critical),
            ("user_impersonation", Critical),
            ("accounts:disable", Critical),
            ("group:add_member", Critical),
            ("https://www.googleapis.com/auth/admin.directory.group", Critical),
            ("policies.update", Critical),
            // administers, or has no bound
            ("admin:org", Critical),
            ("tenants-admin/*", Critical),
            ("*", Critical),
            ("tickets:*", Critical),
            ("api", Critical),
            ("all", Critical),
            ("sudo", Critical),
            ("https://graph.microsoft.com/.default", Critical),
            ("https://outlook.office.com/full_access_as_app", Critical),
            ("Sites.FullControl.All", Critical),
            // secrets, and what runs
            ("secrets:read", Critical),
            ("vault.read", Critical),
            ("credentials:rotate", Critical),
            ("keys:create", Critical),
            ("repo", Critical),
            ("workflow", Critical),
            ("write:packages", Critical),
            ("deployments:write", Critical),
            ("https://www.googleapis.com/auth/cloud-platform", Critical),
            // reads personal or business data, writes ordinary data
            ("users:read.basic", Elevated),
            ("User.Read.All", Elevated),
            ("scim:users.read", Elevated),
            ("https://www.googleapis.com/auth/admin.directory.user.readonly", Elevated),
            ("tenants:create", Elevated),
            ("tickets:write", Elevated),
            ("chat:write", Elevated),
            ("Mail.ReadWrite", Elevated),
            ("https://mail.google.com/", Elevated),
            ("https://www.googleapis.com/auth/drive.readonly", Elevated),
            ("https://www.googleapis.com/auth/drive", Elevated),
            ("read:org", Elevated),
            ("audit:read", Elevated),
            ("user:email", Elevated),
            ("email", Elevated),
            ("profile", Elevated),
            ("frobnicate", Elevated),
            ("frobs:write", Elevated),
            ("frobs:read", Elevated),
            ("groups:frobnicate", Critical),
            // public, ids, and who is in which group
            ("groups:read", Standard),
            ("GroupMember.Read.All", Standard),
            ("group.members.list", Standard),
            ("read_products", Standard),
            ("user-ids:read", Standard),
            ("status:read", Standard),
            ("openid", Standard),
            ("offline_access", Standard),
        ];
        for (scope, tier) in table {
            assert_eq!(scope_power(scope).tier, tier, "judging {scope:?}");
        }
    }

    #[test]
    fn a_wildcard_is_told_from_a_bounded_scope() {
        for scope in ["*", "users:*", "admin:org", "Files.FullControl.All", ".default", "api"] {
            assert!(scope_power(scope).wildcard, "judging {scope:?}");
        }
        for scope in ["tickets:write", "users:write", "api:read", "admin:read", "all:read"] {
            assert!(!scope_power(scope).wildcard, "judging {scope:?}");
        }
    }

    #[test]
    fn a_call_is_judged_by_its_method_and_the_last_thing_it_names() {
        let table = [
            ("POST /v1/tickets", Some(Tier::Elevated)),
            ("GET /v1/users/{id}", Some(Tier::Elevated)),
            ("GET /v1/groups/{id}/members", Some(Tier::Standard)),
            ("PATCH /scim/v2/Users/{id}", Some(Tier::Critical)),
            ("POST /v1/users/{id}/unlock", Some(Tier::Critical)),
            ("POST /v1/users/{id}/comments", Some(Tier::Elevated)),
            ("POST /v1/groups/search", Some(Tier::Standard)),
            ("DELETE https://api.example.com/v1/roles/{id}", Some(Tier::Critical)),
            ("POST /v1/tenants", Some(Tier::Elevated)),
            ("POST /oauth/token", None),
            ("nonsense", None),
        ];
        for (call, tier) in table {
            assert_eq!(call_power(call).map(|it| it.tier), tier, "judging {call:?}");
        }
    }

    #[test]
    fn an_outcome_that_decides_about_access_is_critical() {
        let table = [
            ("account-create", Tier::Critical),
            ("account-disable", Tier::Critical),
            ("role-assign", Tier::Critical),
            ("unlock", Tier::Critical),
            ("password-reset", Tier::Critical),
            ("*", Tier::Critical),
            ("unlock-request", Tier::Elevated),
            ("ticket-create", Tier::Elevated),
            ("note", Tier::Elevated),
        ];
        for (outcome, tier) in table {
            assert_eq!(outcome_power(outcome).tier, tier, "judging {outcome:?}");
        }
    }

    #[test]
    fn data_is_judged_by_what_it_tells() {
        let table = [
            ("group-id", Tier::Standard),
            ("user.id", Tier::Standard),
            ("event.time", Tier::Standard),
            ("public-price", Tier::Standard),
            ("token_id", Tier::Standard),
            ("group", Tier::Standard),
            ("employment-status", Tier::Elevated),
            ("passport-id", Tier::Elevated),
            ("health", Tier::Elevated),
            ("display-name", Tier::Elevated),
            ("staff-record", Tier::Elevated),
            ("order", Tier::Elevated),
            ("password-hash", Tier::Critical),
            ("api-key", Tier::Critical),
            ("session_cookies", Tier::Critical),
            ("", Tier::Critical),
        ];
        for (class, tier) in table {
            assert_eq!(data_tier(class), tier, "judging {class:?}");
        }
    }
}
