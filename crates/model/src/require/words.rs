//! Words of scopes, calls and data classes, and what they say about power.
//!
//! General lists, not vendors' tables: a scope that nobody has seen before is judged by its verb
//! and its object.

/// Verbs that only look.
pub(super) const READ: &[&str] = &[
    "browse",
    "count",
    "describe",
    "download",
    "export",
    "fetch",
    "get",
    "head",
    "introspect",
    "list",
    "lookup",
    "options",
    "query",
    "read",
    "readable",
    "reader",
    "readonly",
    "receive",
    "ro",
    "search",
    "subscribe",
    "view",
    "viewer",
    "watch",
];

/// Verbs that change something.
pub(super) const WRITE: &[&str] = &[
    "activate",
    "add",
    "append",
    "approve",
    "archive",
    "assign",
    "block",
    "cancel",
    "change",
    "close",
    "control",
    "create",
    "deactivate",
    "delete",
    "deploy",
    "deprovision",
    "destroy",
    "disable",
    "dispatch",
    "edit",
    "editor",
    "enable",
    "erase",
    "exec",
    "execute",
    "grant",
    "impersonate",
    "impersonation",
    "import",
    "insert",
    "invite",
    "invoke",
    "issue",
    "lock",
    "maintain",
    "manage",
    "manager",
    "mint",
    "modify",
    "move",
    "patch",
    "post",
    "provision",
    "publish",
    "purge",
    "put",
    "register",
    "remove",
    "replace",
    "reset",
    "restore",
    "revoke",
    "rotate",
    "run",
    "rw",
    "send",
    "set",
    "sign",
    "submit",
    "suspend",
    "sync",
    "transfer",
    "trigger",
    "unblock",
    "unlock",
    "unsuspend",
    "update",
    "upload",
    "upsert",
    "write",
    "writer",
];

/// Verbs that decide about access by themselves, whatever they are said of.
pub(super) const ACCESS: &[&str] = &[
    "activate",
    "deactivate",
    "deprovision",
    "disable",
    "enable",
    "grant",
    "impersonate",
    "impersonation",
    "lock",
    "lockout",
    "provision",
    "revoke",
    "signin",
    "suspend",
    "unlock",
    "unsuspend",
];

/// Who may do what: changing these is critical.
pub(super) const IDENTITY: &[&str] = &[
    "account",
    "acl",
    "app",
    "application",
    "authenticator",
    "client",
    "consent",
    "directory",
    "entitlement",
    "federation",
    "group",
    "iam",
    "identity",
    "idp",
    "member",
    "membership",
    "mfa",
    "oauth",
    "oidc",
    "permission",
    "policy",
    "principal",
    "privilege",
    "role",
    "saml",
    "scim",
    "session",
    "sso",
    "trust",
    "user",
];

/// What opens doors but is worth little to look at: changing these is critical.
pub(super) const KEYS: &[&str] =
    &["apikey", "cert", "certificate", "gpg", "jwks", "key", "kms", "ssh", "token"];

/// What opens doors to whoever reads it.
pub(super) const SECRETS: &[&str] = &[
    "cookie",
    "credential",
    "otp",
    "passkey",
    "passphrase",
    "password",
    "secret",
    "totp",
    "vault",
];

/// What runs: changing these is critical.
pub(super) const PRODUCTION: &[&str] = &[
    "actions",
    "cloud",
    "cluster",
    "code",
    "compute",
    "deployment",
    "dns",
    "firewall",
    "infra",
    "infrastructure",
    "instance",
    "k8s",
    "kubernetes",
    "package",
    "pipeline",
    "prod",
    "production",
    "registry",
    "release",
    "repo",
    "repository",
    "server",
    "terraform",
    "workflow",
];

/// What may be read at the lowest tier: ids, who is in which group, and what is public.
pub(super) const LOW: &[&str] = &[
    "catalog",
    "catalogue",
    "group",
    "id",
    "locale",
    "member",
    "membership",
    "metadata",
    "product",
    "public",
    "schema",
    "state",
    "status",
    "time",
    "timestamp",
    "type",
    "version",
];

/// What a reader of data may learn at the lowest tier, as the last word of its class: `user-id`, `event.time`.
pub(super) const LABELS: &[&str] =
    &["id", "locale", "schema", "time", "timestamp", "type", "version"];

/// Ids that say who somebody is outside of here: `passport-id`.
pub(super) const CIVIL: &[&str] = &[
    "bank",
    "driver",
    "government",
    "insurance",
    "licence",
    "license",
    "medical",
    "national",
    "passport",
    "patient",
    "personal",
    "social",
    "tax",
];

/// Words that say whose, or which part; never the object itself.
pub(super) const FILLERS: &[&str] = &[
    "a",
    "all",
    "api",
    "as",
    "basic",
    "by",
    "for",
    "me",
    "my",
    "of",
    "org",
    "organisation",
    "organization",
    "own",
    "self",
    "tenant",
    "the",
    "v1",
    "v2",
    "v3",
    "v4",
];

/// Splits at everything that is not a letter, a digit or `*`, and inside `camelCase`; lowercase.
pub(super) fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut was_lower = false;
    for it in text.chars() {
        let joins = it.is_alphanumeric();
        if !joins || (it.is_uppercase() && was_lower) {
            words.push(std::mem::take(&mut word));
        }
        if it == '*' {
            words.push("*".to_owned());
        } else if joins {
            word.extend(it.to_lowercase());
        }
        was_lower = it.is_lowercase() || it.is_ascii_digit();
    }
    words.push(word);
    words.retain(|it| !it.is_empty());
    words
}

/// Whether a word, or its singular, is in a list.
pub(super) fn is_in(word: &str, list: &[&str]) -> bool {
    let one = word.strip_suffix('s').filter(|it| !it.ends_with('s'));
    let policy = word.strip_suffix("ies").map(|it| format!("{it}y"));
    list.contains(&word)
        || one.is_some_and(|it| list.contains(&it))
        || policy.is_some_and(|it| list.contains(&it.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_split_into_words() {
        let table = [
            ("scim:users.write", "scim users write"),
            ("Directory.ReadWrite.All", "directory read write all"),
            ("GET /v1/groups/{id}/members", "get v1 groups id members"),
            ("tenants/*", "tenants *"),
            ("k8s_clusters", "k8s clusters"),
            ("::", ""),
        ];
        for (text, words) in table {
            assert_eq!(words_of(text).join(" "), words, "splitting {text:?}");
        }
    }

    #[test]
    fn plurals_are_their_singular() {
        for word in ["policies", "policy", "users", "groups", "repositories"] {
            assert!(is_in(word, IDENTITY) || is_in(word, PRODUCTION), "looking for {word:?}");
        }
        assert!(!is_in("access", &["acces"]));
    }
}
