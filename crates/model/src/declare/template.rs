//! `init`: a commented manifest from the answers to four questions. It never asks for a secret.

use std::fmt::Write as _;

pub use super::answers::{Answers, Holds, PartnerKind};
use super::parse::{Format, read};
use super::{Diagnostic, validate::REVOKE_WORDS};

/// A commented manifest, or what in the answers keeps it from being one.
pub fn init(answers: &Answers) -> Result<String, Vec<Diagnostic>> {
    let text = Template { answers, out: String::new() }.write();
    read(&text, Format::Toml).map(|_| text)
}

struct Template<'a> {
    answers: &'a Answers,
    out: String,
}

impl Template<'_> {
    fn write(mut self) -> String {
        self.head();
        let mut holds = self.answers.holds.clone();
        holds.sort_unstable();
        holds.dedup();
        for it in &holds {
            match it {
                Holds::ApiKey | Holds::Certificate | Holds::OauthClient | Holds::ServiceAccount => {
                    self.identity(*it);
                }
                Holds::Webhook => self.webhook(),
                Holds::Events => self.events(),
            }
        }
        self.tail(&holds);
        self.out
    }

    fn line(&mut self, text: impl AsRef<str>) {
        self.out.push_str(text.as_ref());
        self.out.push('\n');
    }

    /// One `key = "value"` with a comment; the value is escaped.
    fn text(&mut self, key: &str, value: &str, comment: &str) {
        let value = toml_edit::Value::from(value).to_string();
        // A name with line breaks would be written over several lines: then no comment fits.
        let comment = if comment.is_empty() || value.contains('\n') {
            String::new()
        } else {
            format!("   # {comment}")
        };
        // Writing to a string cannot fail.
        let _infallible = writeln!(self.out, "{key} = {value}{comment}");
    }

    fn head(&mut self) {
        let own = self.answers;
        self.line(format!("#:schema {}", super::schema::SCHEMA_ID));
        self.line("# What this integration is, holds, needs, and how it can be cut.");
        self.line("# No secret belongs here: name the vault, never the value.");
        self.line("manifest = 1");
        let closest = if own.kind == PartnerKind::Other {
            "the closest one; see `countersign profile list`"
        } else {
            "the named set of checks that will judge this file"
        };
        self.text("profile", own.kind.profile(), closest);
        self.text("environment", "production", "production | sandbox");
        self.line("\n[integration]");
        self.text("id", own.id.as_str(), "");
        self.text("name", &own.name, "");
        self.text(
            "purpose",
            "Say in one sentence what it is for.",
            "the reviewer reads this first",
        );
        self.text(
            "tier",
            own.kind.tier(),
            "standard | elevated | critical; never lower than what it can do",
        );
        self.line("\n[partner]");
        self.text("name", &own.name, "the outside organisation");
        self.text("domain", &own.domain, "proved by a DNS record or a well-known file");
        self.text("technical_contact", &format!("integrations@{}", own.domain), "");
        self.text(
            "incident_contact",
            &format!("mailto:security@{}", own.domain),
            "must answer day and night; drills use it",
        );
        self.line("\n[owners]                # people on your side, never a mailing list");
        self.text("business", &own.business_owner, "");
        self.text("technical", &own.technical_owner, "");
        match &own.backup_owner {
            Some(backup) => self.text("backup", backup, ""),
            None => self.line("# backup = \"…\"         # who stands in"),
        }
    }

    fn identity(&mut self, holds: Holds) {
        let own = self.answers;
        let (prefix, kind, auth) = match holds {
            Holds::ServiceAccount => ("sa", "service-account", "private_key_jwt"),
            Holds::ApiKey => ("key", "api-key", "api-key"),
            Holds::Certificate => ("x509", "x509", "client-certificate"),
            Holds::Events | Holds::OauthClient | Holds::Webhook => {
                ("oauth", "oauth-client", "private_key_jwt")
            }
        };
        self.line("\n[[identity]]");
        self.text(
            "id",
            &format!("{prefix}:{}", own.id),
            "the part after the colon is its id at the platform",
        );
        self.text("kind", kind, "");
        self.text(
            "auth",
            auth,
            if holds == Holds::ApiKey {
                "a shared secret; not allowed for critical integrations"
            } else {
                ""
            },
        );
        match holds {
            Holds::Certificate => {
                self.text("issuer", "CN=Partner CA", "");
                self.text("subject", &format!("CN={}", own.id), "");
            }
            Holds::ApiKey => {}
            _ => self.text(
                "jwks",
                &format!("https://{}/.well-known/jwks.json", own.domain),
                "public keys only",
            ),
        }
        self.text("holder", "partner", "partner | platform");
        self.text(
            "stored_in",
            "name the vault",
            "where the credential lives; never the credential",
        );
        self.line("# loaded_by = \"workload-identity\"   # workload-identity | mounted-file | environment");
        let ttl = if holds == Holds::Certificate { "24h" } else { "10m" };
        self.text("max_token_ttl", ttl, "how long one token (or certificate) lives at most");
        self.text("rotate_every", if holds == Holds::Certificate { "24h" } else { "90d" }, "");
        self.revoke_by(holds);
        if matches!(holds, Holds::OauthClient | Holds::ServiceAccount | Holds::ApiKey) {
            self.line("\n[[identity.scope]]      # one for each scope, and none that nothing uses");
            self.text("name", "example:read", "as the platform spells it");
            self.text("why", "Say what this scope is needed for.", "");
            self.line("uses = [\"GET /v1/example/{id}\"]   # what the log is compared with");
        }
    }

    fn webhook(&mut self) {
        let own = self.answers;
        self.line("\n[[webhook]]             # they call us");
        self.text("id", &format!("hook:{}", own.id), "");
        self.text("direction", "in", "");
        self.text(
            "url",
            &format!("https://id.example.com/hooks/{}", own.id),
            "your own address; replace the host",
        );
        self.line("signing = { scheme = \"standard-webhooks\", key = \"ed25519\", replay_window = \"5m\", rotate_every = \"90d\" }");
        self.line("may_cause = []           # the access outcomes that it may influence; the gate refuses others");
        self.revoke_by(Holds::Webhook);
    }

    fn events(&mut self) {
        let own = self.answers;
        self.line("\n[[event]]               # we call them");
        self.text("id", &format!("sub:{}", own.id), "");
        self.text("direction", "out", "");
        self.line("types = [\"user.disabled\"]          # replace by what you send");
        self.text("endpoint", &format!("https://events.{}/in", own.domain), "");
        self.line("fields = [\"user.id\", \"event.type\", \"event.time\"]   # nothing else leaves");
        self.line("signing = { scheme = \"standard-webhooks\", key = \"ed25519\", replay_window = \"5m\", rotate_every = \"90d\" }");
        self.text("retry_every", "30s", "");
        self.line("disable = { within = \"5s\", drop_queued = true }");
        self.revoke_by(Holds::Events);
    }

    fn revoke_by(&mut self, holds: Holds) {
        let own = self.answers;
        let usual = holds.revoke_words();
        let chosen: Vec<_> =
            usual.iter().filter(|it| own.revoke.iter().any(|own| own == *it)).collect();
        let words: Vec<_> =
            if own.revoke.is_empty() { usual.iter().take(2).collect() } else { chosen };
        let list: Vec<_> = words.iter().map(|it| format!("\"{it}\"")).collect();
        let comment = if list.is_empty() {
            format!(
                "   # none yet, and a path that cannot be cut is not certified: {}",
                usual.join(" | ")
            )
        } else {
            String::new()
        };
        self.line(format!("revoke_by = [{}]{comment}", list.join(", ")));
    }

    fn tail(&mut self, holds: &[Holds]) {
        let own = self.answers;
        let (direction, host) = if holds.contains(&Holds::Events) {
            ("out", format!("https://events.{}", own.domain))
        } else {
            ("in", format!("https://{}", own.domain))
        };
        self.line("\n[[data_path]]           # one for each way that data takes");
        self.text("id", &format!("dp:{}", own.id), "");
        self.text("direction", direction, "seen from the platform");
        self.line("data_classes = [\"user-id\"]         # what kinds of data");
        self.text("endpoint", &host, "the other end");
        self.text("region", "eu-central-1", "where in the world it is kept");
        if own.kind == PartnerKind::Reseller {
            self.declared_use();
        }
        self.line("\n[rules_of_engagement]   # what hostile checks may do, and when");
        self.line("rate_per_second = 10");
        self.text("hours", "00:00-24:00 UTC", "");
        self.text("contact", &format!("security@{}", own.domain), "");
        self.text(
            "proof",
            "well-known",
            "well-known | dns: control of each host is proved this way",
        );
        self.line("\n[logging]");
        self.text("delivery", "push", "push | pull");
        self.text("max_delay", "5m", "");
        let order = if own.kind == PartnerKind::Reseller { "\"order_id\", " } else { "" };
        self.line(format!(
            "fields = [\"time\", \"client_id\", \"token_id\", \"actor\", {order}\"action\", \"resource\", \"ip\"]"
        ));
        self.text("retention", "400d", "");
        self.line("\n[[alert]]");
        self.text("signal", "token used from a network not seen before", "");
        self.text("to", &own.technical_owner, "who is told");
        self.text("within", "5m", "");
        self.line("\n[revocation]");
        self.text("deny_within", "5s", "on every path above");
        self.text("prove_within", "60s", "");
        self.text("fail_mode", "strict", "strict | best-effort (with max_stale)");
        self.text(
            "drill_every",
            if own.kind == PartnerKind::PayrollPartner { "30d" } else { "90d" },
            "",
        );
        self.text(
            "message",
            "This integration is suspended by your administrator.",
            "what users are told",
        );
        self.line("\n[recertify]             # what asks the question again");
        self.text("max_age", own.kind.max_age(), "");
        self.line("on = [\"scope-added\", \"endpoint-changed\", \"owner-changed\", \"key-changed\", \"data-path-added\", \"subprocessor-added\"]");
    }

    fn declared_use(&mut self) {
        self.line(
            "\n[declared_use]          # every token request in the log is held against this",
        );
        self.text("grant", "client_credentials", "");
        self.text("hours", "06:00-20:00 UTC, Mon-Fri", "");
        self.line("networks = [\"192.0.2.0/28\"]        # replace by theirs");
        self.line("max_per_hour = 120");
        self.line("must_carry = [\"order_id\", \"actor\"]   # who and why, on every request");
        self.line("\n[observation]           # the gate stays shut until this is met");
        self.text("window", "14d", "");
        self.line("minimum_requests = 500");
        for key in ["attributable", "time_bounded", "within_declared"] {
            self.text(key, "100%", "");
        }
        self.text("unexplained_gaps", "0m", "");
        self.text("where", "sandbox", "");
    }
}

/// Whether a word names a way to revoke that `init` may be given.
pub fn is_revoke_word(word: &str) -> bool {
    REVOKE_WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::declare::code::PreflightCode;

    fn answers() -> impl Strategy<Value = Answers> {
        let owner = "[a-z]{1,12}\\.[a-z]{1,12}@example\\.com";
        (
            (
                prop::sample::select(&PartnerKind::ALL[..]),
                "[a-z]{3,9}(-[a-z]{2,9}){0,2}(-[0-9]{1,4})?",
            ),
            ("[A-Za-z\"'\\\\#é€ ]{0,40}[A-Za-z\"]", "[a-z]{1,20}(\\.[a-z]{2,8}){1,3}"),
            (owner, owner, prop::option::of(owner)),
            prop::collection::vec(prop::sample::select(&Holds::ALL[..]), 0..8),
            prop::collection::vec(prop::sample::select(&REVOKE_WORDS[..]), 0..6),
        )
            .prop_map(
                |((kind, id), (name, domain), (business, technical, backup), holds, revoke)| {
                    Answers {
                        kind,
                        id: id.parse().unwrap(),
                        name,
                        domain: format!("{domain}.example"),
                        business_owner: business,
                        technical_owner: technical,
                        backup_owner: backup,
                        holds,
                        revoke: revoke.into_iter().map(str::to_owned).collect(),
                    }
                },
            )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn every_combination_of_answers_is_a_manifest(answers in answers()) {
            let text = init(&answers).map_err(|it| TestCaseError::fail(format!("{it:?}")))?;
            let manifest = read(&text, Format::Toml).unwrap().manifest;
            prop_assert_eq!(&manifest.integration.name, &answers.name);
            for kind in Holds::ALL {
                let prefix = match kind {
                    Holds::OauthClient => "oauth:",
                    Holds::ServiceAccount => "sa:",
                    Holds::ApiKey => "key:",
                    Holds::Certificate => "x509:",
                    Holds::Webhook => "hook:",
                    Holds::Events => "sub:",
                };
                let there = manifest.paths().iter().any(|it| it.subject.starts_with(prefix));
                prop_assert_eq!(there, answers.holds.contains(&kind), "{}", prefix);
            }
        }
    }

    #[test]
    fn answers_that_cannot_be_are_refused() {
        let good = Answers {
            kind: PartnerKind::SaasVendor,
            id: "acme-helpdesk".parse().unwrap(),
            name: "ACME".to_owned(),
            domain: "acme.example".to_owned(),
            business_owner: "lena@example.com".to_owned(),
            technical_owner: "omar@example.com".to_owned(),
            backup_owner: None,
            holds: vec![Holds::OauthClient],
            revoke: vec!["client-disable".to_owned()],
        };
        assert!(init(&good).unwrap().contains("revoke_by = [\"client-disable\"]\n"));
        let secret = format!("{}{}", "ghp_", "q7Zx2Lw9Rk4Tn8Vb3Mj6Ys1Hd5");
        for (answers, code) in [
            (Answers { domain: "acme".to_owned(), ..good.clone() }, PreflightCode::WrongValue),
            (Answers { name: " ".to_owned(), ..good.clone() }, PreflightCode::WrongValue),
            (Answers { name: secret, ..good.clone() }, PreflightCode::SecretLike),
        ] {
            assert_eq!(init(&answers).unwrap_err()[0].code, code);
        }
    }
}
