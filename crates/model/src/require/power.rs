//! How much an integration can do, by everything that its manifest declares.

use super::scope::{Power, call_power, data_tier, outcome_power, scope_power};
use super::tier::Tier;
use crate::declare::manifest::Manifest;

/// One thing that an integration can do, and the tier that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The tier that it asks for.
    pub tier: Tier,
    /// The manifest's id of what can do it: `sa:payrun-scim`.
    pub subject: String,
    /// The scope, call, outcome or class of data, as it is written.
    pub word: String,
    /// What that is: `scope`, `use`, `outcome`, `data` or `silence`.
    pub kind: &'static str,
}

/// The tier that follows from what a manifest declares.
///
/// The declared tier may be stricter, never lower.
pub fn computed_tier(manifest: &Manifest) -> Tier {
    reasons(manifest).first().map_or(Tier::Standard, |it| it.tier)
}

/// Everything that asks for a tier, the strictest first, otherwise in the manifest's order.
pub fn reasons(manifest: &Manifest) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |tier, subject: &dyn ToString, word: &str, kind| {
        reasons.push(Reason { tier, subject: subject.to_string(), word: word.to_owned(), kind });
    };
    for identity in &manifest.identities {
        for scope in &identity.scopes {
            let name = scope.name.as_str();
            add(scope_power(name).tier, &identity.id, name, "scope");
            for call in &scope.uses {
                if let Some(power) = call_power(call) {
                    add(power.tier, &identity.id, call, "use");
                }
            }
        }
        // What is not said to be bounded is not taken to be harmless.
        if identity.scopes.is_empty() {
            add(Tier::Elevated, &identity.id, "no scope", "silence");
        }
    }
    for webhook in &manifest.webhooks {
        for outcome in &webhook.may_cause {
            add(outcome_power(outcome).tier, &webhook.id, outcome, "outcome");
        }
    }
    for automation in &manifest.automations {
        for outcome in &automation.may_cause {
            add(outcome_power(outcome).tier, &automation.id, outcome, "outcome");
        }
    }
    for event in &manifest.events {
        for field in &event.fields {
            add(data_tier(field), &event.id, field, "data");
        }
    }
    for path in &manifest.data_paths {
        for class in &path.data_classes {
            add(data_tier(class), &path.id, class, "data");
        }
    }
    reasons.sort_by_key(|it| std::cmp::Reverse(it.tier));
    reasons
}

/// Whether a class of data opens doors to whoever reads it.
pub fn is_secret_grade(class: &str) -> bool {
    data_tier(class) == Tier::Critical
}

/// Whether anything that a manifest declares changes users, roles, clients or credentials.
pub fn writes_identity(manifest: &Manifest) -> bool {
    let scopes = manifest.identities.iter().flat_map(|it| &it.scopes);
    let scoped = scopes.flat_map(|scope| {
        let calls = scope.uses.iter().filter_map(|it| call_power(it));
        calls.chain([scope_power(scope.name.as_str())])
    });
    let webhooks = manifest.webhooks.iter().flat_map(|it| &it.may_cause);
    let automations = manifest.automations.iter().flat_map(|it| &it.may_cause);
    let caused = webhooks.chain(automations).map(|it| outcome_power(it));
    scoped.chain(caused).any(|it: Power| it.writes_identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::require::capability::{Capability, capabilities_of};
    use crate::require::profile::Section;

    /// A manifest with nothing in it that could do anything, and these parts.
    fn manifest(parts: &str) -> Manifest {
        let base = r#"
            manifest = 1
            profile = "saas-vendor@1"
            environment = "sandbox"
            [integration]
            id = "acme"
            name = "Acme"
            purpose = "Help."
            tier = "standard"
            [partner]
            name = "Acme"
            domain = "acme.example"
            technical_contact = "dev@acme.example"
            incident_contact = "tel:+49-30-5550-0199"
            [owners]
            business = "a@example.com"
            technical = "b@example.com"
            [logging]
            delivery = "push"
            max_delay = "5m"
            fields = ["time"]
            retention = "400d"
            [revocation]
            deny_within = "5s"
            prove_within = "60s"
            fail_mode = "strict"
            drill_every = "90d"
            message = "Paused."
            [recertify]
            max_age = "90d"
            on = []
        "#;
        toml::from_str(&format!("{base}\n{parts}")).unwrap_or_else(|it| panic!("{it}\n{parts}"))
    }

    fn client(more: &str, scopes: &[(&str, &str)]) -> String {
        let mut text = format!(
            "[[identity]]\nid = \"oauth:acme\"\nkind = \"oauth-client\"\nauth = \"private_key_jwt\"\n\
             holder = \"partner\"\nstored_in = \"vault\"\nmax_token_ttl = \"10m\"\n\
             rotate_every = \"90d\"\n{more}\n"
        );
        text.extend(scopes.iter().map(|(name, call)| {
            let uses = if call.is_empty() { String::new() } else { format!("{call:?}") };
            format!("[[identity.scope]]\nname = {name:?}\nwhy = \"w\"\nuses = [{uses}]\n")
        }));
        text
    }

    const SIGNED: &str =
        r#"signing = { scheme = "standard-webhooks", key = "ed25519", replay_window = "5m" }"#;

    fn webhook(outcome: &str) -> String {
        format!(
            "[[webhook]]\nid = \"hook:a\"\ndirection = \"in\"\nurl = \"https://id.example.com/h\"\n\
             may_cause = [{outcome:?}]\n{SIGNED}\n"
        )
    }

    fn event(field: &str) -> String {
        format!(
            "[[event]]\nid = \"sub:a\"\ndirection = \"out\"\ntypes = [\"t\"]\n\
             endpoint = \"https://acme.example/e\"\nfields = [\"event.time\", {field:?}]\n{SIGNED}\n"
        )
    }

    fn data(class: &str) -> String {
        format!(
            "[[data_path]]\nid = \"dp:a\"\ndirection = \"out\"\ndata_classes = [{class:?}]\n\
             endpoint = \"https://acme.example\"\nregion = \"eu\"\n"
        )
    }

    fn job(outcome: &str) -> String {
        format!("[[automation]]\nid = \"job:a\"\nschedule = \"daily\"\nmay_cause = [{outcome:?}]\n")
    }

    #[test]
    fn the_tier_is_that_of_the_most_powerful_thing_declared() {
        let groups = ("groups:read", "GET /v1/groups/{id}/members");
        let tickets = ("tickets:write", "POST /v1/tickets");
        let table = [
            ("nothing at all", String::new(), Tier::Standard),
            ("a client without scopes", client("", &[]), Tier::Elevated),
            ("reads groups", client("", &[groups]), Tier::Standard),
            ("reads groups, gets ids", client("", &[groups]) + &event("user.id"), Tier::Standard),
            (
                "reads groups, gets names",
                client("", &[groups]) + &event("user.email"),
                Tier::Elevated,
            ),
            ("reads groups, sees orders", client("", &[groups]) + &data("order"), Tier::Elevated),
            (
                "reads groups, sees secrets",
                client("", &[groups]) + &data("api-key"),
                Tier::Critical,
            ),
            ("writes tickets", client("", &[tickets]), Tier::Elevated),
            (
                "creates tenants",
                client("", &[("tenants:create", "POST /v1/tenants")]),
                Tier::Elevated,
            ),
            ("writes users", client("", &[groups, ("scim:users.write", "")]), Tier::Critical),
            (
                "a harmless name for more",
                client("", &[("help:read", "DELETE /v1/users/{id}")]),
                Tier::Critical,
            ),
            ("asks for an unlock", webhook("unlock-request"), Tier::Elevated),
            ("unlocks", webhook("account-unlock"), Tier::Critical),
            ("a job that ends accounts", job("account-disable"), Tier::Critical),
            ("a job that gives roles", job("role-assign"), Tier::Critical),
            ("a job that opens tickets", job("ticket-create"), Tier::Elevated),
        ];
        for (what, parts, tier) in table {
            assert_eq!(computed_tier(&manifest(&parts)), tier, "{what}");
        }
    }

    #[test]
    fn the_reasons_begin_with_the_strictest() {
        let parts = client("", &[("groups:read", ""), ("users:manage", "GET /v1/users/{id}")]);
        let lines: Vec<String> = reasons(&manifest(&parts))
            .iter()
            .map(|it| format!("{} {} {} `{}`", it.tier, it.subject, it.kind, it.word))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        critical oauth:acme scope `users:manage`
        elevated oauth:acme use `GET /v1/users/{id}`
        standard oauth:acme scope `groups:read`
        ");
    }

    #[test]
    fn capabilities_follow_from_what_is_declared() {
        let callback = "[[callback]]\nid = \"cb:a\"\nkind = \"oauth-redirect\"\nurl = \"https://acme.example/cb\"\n";
        let refresh = "refresh = { allowed = true, rotate = true, max_age = \"8h\" }";
        let table = [
            (String::new(), "*"),
            (client("", &[("tickets:write", "")]), "* oauth_client"),
            (client("", &[("scim:users.read", "")]), "* oauth_client scim"),
            (client("", &[("users:manage", "")]), "* oauth_client writes_identity"),
            (client("", &[("u:w", "PATCH /scim/v2/Users/{id}")]), "* oauth_client scim writes_identity"),
            (client("", &[]) + callback, "* oauth_client user_delegated"),
            (
                client(refresh, &[]) + callback,
                "* oauth_client stores_customer_credentials user_delegated",
            ),
            (webhook("ticket-create"), "* webhook_sender"),
            (event("user.id"), "* webhook_receiver"),
            (event("user.id").replace("standard-webhooks", "set"), "* set_receiver webhook_receiver"),
            (client("", &[]).replace("private_key_jwt", "tls_client_auth"), "* mtls oauth_client"),
            (client("", &[]).replace("\"partner\"", "\"platform\""), "* oauth_client resource_server"),
            (
                client("issuer = \"https://id.acme.example\"", &[]).replace("oauth-client", "federation-trust"),
                "* oauth_as workload_federation",
            ),
            (
                client("issuer = \"https://token.actions.example\"", &[])
                    .replace("oauth-client", "workload")
                    .replace("private_key_jwt", "federated"),
                "* ci_cd workload_federation workload_identity",
            ),
            (
                client("", &[]).replace("oauth-client", "api-key").replace("private_key_jwt", "api-key"),
                "* api_key",
            ),
            (
                "[[dependency]]\nname = \"Cloud\"\nholds = [\"refresh-token\"]\nfor = \"an AI model\"\n".to_owned(),
                "* agentic stores_customer_credentials",
            ),
        ];
        for (parts, expected) in table {
            let words: Vec<&str> =
                capabilities_of(&manifest(&parts)).into_iter().map(Capability::word).collect();
            assert_eq!(words.join(" "), expected, "for\n{parts}");
        }
    }

    #[test]
    fn a_profile_names_the_sections_that_are_missing() {
        let profile = crate::require::Catalogue::embedded().profile("payroll-partner@1").unwrap();
        let missing = profile.missing_sections(&manifest(&client("", &[])));
        let headings: Vec<&str> = missing.into_iter().map(Section::heading).collect();
        assert_eq!(headings, ["[identity.offboarding]", "[identity.rotation]"]);
    }
}
