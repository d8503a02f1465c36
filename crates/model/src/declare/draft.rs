//! A draft of a manifest for a client that a platform holds and nobody declared.
//!
//! What the platform knows is filled in; what it cannot know is marked, and people replace the mark.

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::Diagnostic;
use super::answers::{Answers, Holds, PartnerKind};
use super::manifest::Environment;
use super::parse::{Format, read};
use super::template::init;
use super::words::Slug;
use crate::certify::baseline::Granted;

/// What stands where the platform cannot know.
///
/// In two halves: the word itself stands nowhere in this source.
pub const MARK: &str = concat!("TO", "DO");

/// A commented manifest that can be read; its owners, purpose and the reasons of its scopes are to be written.
pub fn draft(
    client_id: &str,
    granted: &Granted,
    environment: Environment,
) -> Result<String, Vec<Diagnostic>> {
    let id = slug(client_id);
    let owner = granted.owner.clone().filter(|it| it.contains('@'));
    let open = |who: &str| format!("{MARK}-{who}@example.com");
    let answers = Answers {
        kind: PartnerKind::Other,
        name: client_id.chars().take(120).collect(),
        domain: format!("{id}.example"),
        business_owner: owner.unwrap_or_else(|| open("business")),
        technical_owner: open("technical"),
        backup_owner: None,
        holds: vec![Holds::OauthClient],
        revoke: Vec::new(),
        id,
    };
    let text = init(&answers)?;
    let Ok(mut document) = text.parse::<DocumentMut>() else { return Ok(text) };
    document["environment"] = value(match environment {
        Environment::Production => "production",
        Environment::Sandbox => "sandbox",
    });
    document["integration"]["purpose"] =
        value(format!("{MARK}: say in one sentence what it is for."));
    if let Some(identity) =
        document["identity"].as_array_of_tables_mut().and_then(|it| it.get_mut(0))
    {
        fill(identity, client_id, granted);
    }
    if !granted.redirect_uris.is_empty() {
        document["callback"] = Item::ArrayOfTables(callbacks(granted));
    }
    let head = format!(
        "# Drafted from what the platform holds of `{client_id}`. Every {MARK} is yours, and so are the\n\
         # addresses at `.example`: the platform cannot know them.\n"
    );
    let text = format!("{head}{document}");
    read(&text, Format::Toml).map(|_| text)
}

fn fill(identity: &mut Table, client_id: &str, granted: &Granted) {
    identity["client_id"] = value(client_id);
    let auth = match granted.auth.as_str() {
        "client_secret_basic" | "client_secret_post" => granted.auth.as_str(),
        _ => "private_key_jwt",
    };
    identity["auth"] = value(auth);
    let published = granted.keys.iter().find_map(|it| it.strip_prefix("jwks:"));
    match published {
        Some(it) => identity["jwks"] = value(it),
        None if auth != "private_key_jwt" => drop(identity.remove("jwks")),
        None => {}
    }
    if 0 < granted.token_ttl_seconds {
        identity["max_token_ttl"] = value(format!("{}s", granted.token_ttl_seconds));
    }
    let mut scopes = ArrayOfTables::new();
    for scope in &granted.scopes {
        let mut table = Table::new();
        table["name"] = value(scope);
        table["why"] = value(format!("{MARK}: say what this scope is needed for."));
        table["uses"] = value(Array::from_iter([format!("GET /{MARK}")]));
        scopes.push(table);
    }
    identity["scope"] = Item::ArrayOfTables(scopes);
}

fn callbacks(granted: &Granted) -> ArrayOfTables {
    let mut all = ArrayOfTables::new();
    for (number, address) in granted.redirect_uris.iter().enumerate() {
        let mut table = Table::new();
        table["id"] = value(format!("cb:{}", number + 1));
        table["kind"] = value("oauth-redirect");
        table["url"] = value(address);
        table["revoke_by"] = value(Array::from_iter(["redirect-removal"]));
        all.push(table);
    }
    all
}

/// The nearest name that an integration may have.
fn slug(client_id: &str) -> Slug {
    let mut text = String::new();
    for letter in client_id.to_lowercase().chars() {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
            text.push(letter);
        } else if !text.is_empty() && !text.ends_with('-') {
            text.push('-');
        }
    }
    let text = text.trim_start_matches(|it: char| !it.is_ascii_lowercase());
    let text: String = text.chars().take(32).collect();
    let text = text.trim_end_matches('-');
    let named = [text.to_owned(), format!("client-{text}"), "client-draft".to_owned()];
    let mut known = named.iter().filter_map(|it| it.parse().ok());
    #[expect(clippy::expect_used, reason = "the last name is one")]
    known.next().expect("`client-draft` is a name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_read_and_says_what_the_platform_cannot_know() {
        let granted = Granted {
            enabled: true,
            auth: "client_secret_basic".to_owned(),
            scopes: ["users:read".to_owned()].into(),
            redirect_uris: ["https://app.example.com/cb".to_owned()].into(),
            token_ttl_seconds: 900,
            ..Granted::default()
        };
        for client in ["legacy-sync", "Legacy_Sync 2", "17", "ü", "a.b:c/d", &"x".repeat(200)] {
            let text = draft(client, &granted, Environment::Sandbox).unwrap();
            let manifest = read(&text, Format::Toml).unwrap().manifest;
            assert_eq!(manifest.identities[0].client_id(), client);
            assert_eq!(manifest.identities[0].max_token_ttl.seconds(), 900);
            assert_eq!(manifest.callbacks.len(), 1);
            assert!(manifest.integration.purpose.starts_with(MARK));
            assert_eq!(manifest.environment, Environment::Sandbox);
            assert!(manifest.owners.business.starts_with(MARK), "{}", manifest.owners.business);
            assert_eq!(manifest.identities[0].scopes[0].name.as_str(), "users:read");
        }
        assert_eq!(slug("Legacy_Sync 2").as_str(), "legacy-sync-2");
    }
}
