//! Single attempts over a path, and what each came to.

use countersign_model::declare::manifest::Identity;
use countersign_model::declare::words::Slug;
use serde_json::{Value, json};

use crate::platform::{
    Answer, ClientCopy, Platform, PlatformError, TokenAnswer, TokenRequest, WebhookCopy,
};

/// What an attempt came to, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Came {
    /// It went through.
    Open(String),
    /// It was refused.
    Shut(String),
    /// Neither: something broke, or said something else.
    Unclear(String),
    /// There is no way to try it.
    Unable(String),
}

impl Came {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    pub(crate) fn is_shut(&self) -> bool {
        matches!(self, Self::Shut(_))
    }

    /// As facts show it.
    pub(crate) fn value(&self, path: &str, after_ms: u64) -> Value {
        let (came, seen) = match self {
            Self::Open(seen) => (OPEN, seen),
            Self::Shut(seen) => (SHUT, seen),
            Self::Unclear(seen) => (UNCLEAR, seen),
            Self::Unable(seen) => (UNABLE, seen),
        };
        json!({ "path": path, "came": came, "seen": seen, "after_ms": after_ms })
    }
}

/// The word of an attempt that went through.
pub(crate) const OPEN: &str = "open";
/// The word of an attempt that was refused.
pub(crate) const SHUT: &str = "shut";
/// The word of an attempt that says nothing.
pub(crate) const UNCLEAR: &str = "unclear";
/// The word of an attempt that cannot be made.
pub(crate) const UNABLE: &str = "unable";

impl From<PlatformError> for Came {
    fn from(error: PlatformError) -> Self {
        let seen = format!("{error}: {}", error.source);
        if error.is_unable() { Self::Unable(seen) } else { Self::Unclear(seen) }
    }
}

/// What an answer comes to.
fn read(
    answer: Result<Answer, PlatformError>,
    open: impl Fn(u16) -> bool,
    shut: impl Fn(u16) -> bool,
) -> Came {
    let answer = match answer {
        Ok(it) => it,
        Err(error) => return error.into(),
    };
    let seen = match &answer.reason {
        Some(reason) => format!("HTTP {} {reason}", answer.status),
        None => format!("HTTP {}", answer.status),
    };
    match answer.status {
        it if open(it) => Came::Open(seen),
        it if shut(it) => Came::Shut(seen),
        _ => Came::Unclear(seen),
    }
}

fn success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// Asks for a token.
pub(crate) async fn mint(
    platform: &dyn Platform,
    copy: &ClientCopy,
    request: &TokenRequest,
) -> (Came, TokenAnswer) {
    match platform.request_token(copy, request).await {
        Ok(it) => {
            let error = it.error.as_deref().unwrap_or_default();
            let seen = format!("HTTP {} {error}", it.status);
            let came = match (&it.access_token, it.status) {
                (Some(_), _) => Came::Open(seen.trim_end().to_owned()),
                (None, 400 | 401 | 403) => Came::Shut(seen),
                (None, _) => Came::Unclear(seen),
            };
            (came, it)
        }
        Err(error) => (error.into(), TokenAnswer::default()),
    }
}

/// Uses a token for a call that the manifest declares.
pub(crate) async fn call(
    platform: &dyn Platform,
    token: &str,
    declared: Option<&(String, String)>,
) -> Came {
    let Some((method, path)) = declared else {
        return Came::Unable("the manifest declares no call for it".to_owned());
    };
    let answer = platform.use_token(token, method, path, None).await;
    // What is not there or makes no sense was let in all the same.
    let let_in = |it| (200..500).contains(&it) && ![401, 403, 407, 408, 429].contains(&it);
    read(answer, let_in, |it| matches!(it, 401 | 403))
}

/// Asks whether a token is active.
pub(crate) async fn introspect(platform: &dyn Platform, token: &str) -> Came {
    match platform.introspect(token).await {
        Ok(true) => Came::Open("introspection calls it active".to_owned()),
        Ok(false) => Came::Shut("introspection calls it inactive".to_owned()),
        Err(error) => error.into(),
    }
}

/// Uses a token, and asks about it: it is dead only where both say so.
pub(crate) async fn token(
    platform: &dyn Platform,
    token: &str,
    declared: Option<&(String, String)>,
) -> Came {
    let used = call(platform, token, declared).await;
    if used.is_open() {
        return used;
    }
    let asked = introspect(platform, token).await;
    match (used, asked) {
        (used @ Came::Shut(_), Came::Shut(_) | Came::Unable(_)) => used,
        (Came::Shut(_) | Came::Unable(_), asked) | (_, asked @ Came::Open(_)) => asked,
        (used, _) => used,
    }
}

/// Asks for a code at a redirect.
pub(crate) async fn authorize(platform: &dyn Platform, client: &str, redirect: &str) -> Came {
    let answer = platform.authorize(client, redirect).await;
    read(answer, |it| (200..400).contains(&it), |it| matches!(it, 400 | 401 | 403 | 404 | 422))
}

/// Calls in at a copy of a webhook.
pub(crate) async fn webhook(
    platform: &dyn Platform,
    integration: &Slug,
    copy: &WebhookCopy,
) -> Came {
    let answer = platform.call_webhook(integration, copy).await;
    read(answer, success, |it| matches!(it, 401 | 403 | 404 | 410))
}

/// Runs an automation with a token.
pub(crate) async fn job(
    platform: &dyn Platform,
    token: &str,
    integration: &Slug,
    job: &str,
) -> Came {
    let answer = platform.run_job_as(token, integration, job).await;
    read(answer, success, |it| matches!(it, 401 | 403))
}

/// A refusal of something that carries no credential at all.
pub(crate) fn knocked(answer: Result<Answer, PlatformError>) -> Came {
    read(answer, success, |it| matches!(it, 401 | 403 | 404))
}

/// A call that the manifest declares for an identity: one that only reads, where there is one.
pub(crate) fn declared_call(identity: &Identity) -> Option<(String, String)> {
    let uses = || identity.scopes.iter().flat_map(|it| &it.uses);
    let reads = |it: &&String| it.starts_with("GET ");
    filled(uses().find(reads).or_else(|| uses().next())?)
}

/// A call as manifests write it, with a name that nobody has in the place of each variable part.
pub(crate) fn filled(call: &str) -> Option<(String, String)> {
    let (method, path) = call.split_once(' ')?;
    let filled = path.trim().split('/').map(|it| if it.starts_with('{') { CANARY } else { it });
    Some((method.to_owned(), filled.collect::<Vec<_>>().join("/")))
}

/// What stands where a declared call has a variable part: nobody has this id.
const CANARY: &str = "countersign-canary";

#[cfg(test)]
mod tests {
    use countersign_model::declare::{Format, parse};

    use super::*;
    use crate::platform::PlatformFault;

    #[test]
    fn a_call_is_declared_and_reads_where_it_can() {
        let call = |text: &str| {
            let manifest = parse(text, Format::Toml).unwrap().manifest;
            declared_call(&manifest.identities[0]).map(|it| format!("{} {}", it.0, it.1))
        };
        let calls = [crate::fact::SAAS, crate::fact::PAYROLL, crate::fact::MARKETPLACE].map(call);
        let calls: Vec<String> = calls.into_iter().flatten().collect();
        insta::assert_snapshot!(calls.join("\n"), @r"
        GET /v1/users/countersign-canary
        POST /scim/v2/Users
        GET /v1/groups/countersign-canary/members
        ");
    }

    #[test]
    fn only_a_clear_refusal_is_one() {
        let answer = |status| Ok(Answer { status, reason: None });
        let call = |status| {
            let let_in = |it| (200..500).contains(&it) && ![401, 403, 407, 408, 429].contains(&it);
            read(answer(status), let_in, |it| matches!(it, 401 | 403))
        };
        for (status, expected) in [
            (200, OPEN),
            (404, OPEN),
            (401, SHUT),
            (403, SHUT),
            (429, UNCLEAR),
            (500, UNCLEAR),
            (503, UNCLEAR),
        ] {
            assert_eq!(call(status).value("p", 0)["came"], expected, "{status}");
        }
        let source = PlatformFault::Timeout { seconds: 5 };
        let error = PlatformError { action: "answer".to_owned(), source };
        assert_eq!(Came::from(error).value("p", 0)["came"], UNCLEAR);
        assert_eq!(Came::from(PlatformError::unable("do it")).value("p", 0)["came"], UNABLE);
    }
}
