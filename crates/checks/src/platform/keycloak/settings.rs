//! What a realm settles for all of its clients.

use serde::Deserialize;

/// The lives of tokens and sessions, and the role that every account has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Lifespans {
    pub(super) access_token_lifespan: u64,
    pub(super) access_token_lifespan_for_implicit_flow: u64,
    pub(super) sso_session_max_lifespan: u64,
    pub(super) client_session_max_lifespan: u64,
    pub(super) offline_session_max_lifespan_enabled: bool,
    pub(super) offline_session_max_lifespan: u64,
}

/// What a realm writes down of what happens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Recording {
    pub(super) events_enabled: bool,
    pub(super) enabled_event_types: Vec<String>,
    pub(super) admin_events_enabled: bool,
}

/// Kinds of event without which a record of token requests has holes.
const NEEDED: [&str; 4] =
    ["CLIENT_LOGIN", "CLIENT_LOGIN_ERROR", "CODE_TO_TOKEN", "CODE_TO_TOKEN_ERROR"];

impl Recording {
    /// What is missing for a record of token requests, and what would mend it.
    pub(super) fn lacks_tokens(&self) -> Option<String> {
        if !self.events_enabled {
            return Some("the realm keeps no user events: switch on `Realm settings`, `Events`, `User events settings`, `Save events`".to_owned());
        }
        let is_kept = |it: &str| {
            self.enabled_event_types.is_empty()
                || self.enabled_event_types.iter().any(|kept| kept == it)
        };
        let missing: Vec<&str> = NEEDED.into_iter().filter(|it| !is_kept(it)).collect();
        (!missing.is_empty()).then(|| {
            format!(
                "the realm does not keep events of the types {}: add them to its saved types",
                missing.join(", ")
            )
        })
    }

    /// The same for a record of what administrators change.
    pub(super) fn lacks_admin(&self) -> Option<String> {
        (!self.admin_events_enabled).then(|| {
            "the realm keeps no admin events: switch on `Realm settings`, `Events`, `Admin events settings`, `Save events` and `Include representation`".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_that_writes_nothing_down_says_what_to_switch_on() {
        let off = Recording::default();
        assert!(off.lacks_tokens().unwrap().contains("Save events"));
        assert!(off.lacks_admin().unwrap().contains("Include representation"));
        let some = Recording {
            events_enabled: true,
            enabled_event_types: vec!["CLIENT_LOGIN".to_owned()],
            admin_events_enabled: true,
        };
        assert!(some.lacks_tokens().unwrap().contains("CODE_TO_TOKEN_ERROR"));
        assert_eq!(some.lacks_admin(), None);
        assert_eq!(Recording { enabled_event_types: Vec::new(), ..some }.lacks_tokens(), None);
    }
}
