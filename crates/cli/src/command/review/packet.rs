//! A packet: what would be decided. It is shown from the very bytes that are signed.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::check::Summary;
use countersign_model::declare::words::ScopeName;
use countersign_model::review::decision::Decision;
use countersign_model::review::quorum;
use countersign_seal::{Digest, digest_of};
use serde_json::Value;

use crate::client::Client;
use crate::command::{diff, list, sweeps, text};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::page::{beside, moment, table};

/// What would be decided.
#[derive(Debug)]
pub(crate) struct Packet {
    /// As it came.
    pub(crate) document: Value,
    /// The bytes that a signature covers.
    pub(crate) payload: Vec<u8>,
    /// What those bytes say.
    pub(crate) decision: Decision,
    /// The manifest that they are about.
    pub(crate) manifest: Digest,
}

/// Fetches a packet, and holds what it shows against the bytes that are to be signed.
pub(crate) async fn fetch(
    client: &Client,
    target: &str,
    without: &[String],
) -> Result<Packet, Failure> {
    let query =
        if without.is_empty() { String::new() } else { format!("?without={}", without.join(",")) };
    open(client.get(&format!("/v1/reviews/{target}{query}")).await?, without)
}

fn open(document: Value, without: &[String]) -> Result<Packet, Failure> {
    let wrong = |it: &str| Failure::new(Exit::Integrity, it.to_owned()).help("sign nothing");
    let payload = STANDARD
        .decode(text(&document, "payload"))
        .map_err(|_| wrong("the packet holds no readable statement"))?;
    let (decision, manifest) = quorum::read(&payload)
        .map_err(|it| wrong("the packet's statement is no decision").because(&it))?;
    let whole = digest_of(&document["diff"])
        .map_err(|it| wrong("the difference cannot be digested").because(&it))?;
    if decision.seen_diff != whole {
        return Err(wrong("the difference that is shown is not the one that would be signed"));
    }
    let asked: BTreeSet<&str> = without.iter().map(String::as_str).collect();
    let removed: BTreeSet<&str> = decision.removed_scopes.iter().map(ScopeName::as_str).collect();
    if asked != removed {
        return Err(wrong("the statement leaves out other scopes than you asked for"));
    }
    Ok(Packet { document, payload, decision, manifest })
}

impl Packet {
    /// The packet as people read it: today, and if they agree.
    pub(crate) fn lines(&self, target: &str) -> Vec<String> {
        let decision = &self.decision;
        let mut lines = vec![
            format!("{target} · {} · profile {}", decision.tier, decision.profile),
            format!("  assessment {}", decision.assessment),
            format!("  manifest   {}", self.manifest),
            String::new(),
        ];
        lines.extend(table(&["SCOPE", "TODAY", "IF YOU AGREE"], &self.scopes()));
        lines.push(String::new());
        lines.extend(self.powers());
        lines.push(format!(
            "  valid      {} to {}",
            moment(&decision.not_before.to_string()),
            moment(&decision.not_after.to_string())
        ));
        lines.push(String::new());
        lines.push("  changes".to_owned());
        let changes = diff::changes(&self.document["diff"]);
        lines.extend(changes.iter().map(|it| format!("  {it}")));
        lines.push(String::new());
        lines.extend(self.checked());
        lines.extend(self.decided());
        lines.push(String::new());
        lines.push(format!(
            "decide: countersign review {target} --decide approve -r WHY --key FILE"
        ));
        lines.push("    or: right-size --without SCOPE, rotate, reassign, disable".to_owned());
        lines
    }

    /// Each scope with what holds for it today and what would.
    fn scopes(&self) -> Vec<Vec<String>> {
        let words = |it: &Value| -> BTreeSet<String> {
            let clients = it.as_object().into_iter().flatten();
            let scopes = clients.flat_map(|(_, it)| list(it, "scopes"));
            scopes.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let diff = &self.document["diff"];
        let today = words(&diff["baseline"]["granted"]);
        let granted = words(&diff["granted"]);
        let then: BTreeSet<String> = self
            .decision
            .grant
            .identities
            .iter()
            .flat_map(|it| it.scopes.keys().map(ToString::to_string))
            .collect();
        let all: BTreeSet<&String> = today.iter().chain(&granted).chain(&then).collect();
        all.into_iter()
            .map(|scope| {
                let now = if today.contains(scope) { "certified" } else { "-" };
                let agreed = match (then.contains(scope), granted.contains(scope)) {
                    (true, _) if today.contains(scope) => "stays",
                    (true, _) => "NEW: admitted",
                    (false, true) => "denied, though the platform grants it",
                    (false, false) => "denied",
                };
                vec![scope.clone(), now.to_owned(), agreed.to_owned()]
            })
            .collect()
    }

    /// What it could do beside calling with its scopes.
    fn powers(&self) -> Vec<String> {
        let grant = &self.decision.grant;
        let mut lines = Vec::new();
        let mut row = |name: &str, words: Vec<String>| {
            if !words.is_empty() {
                lines.extend(beside(&format!("  {name:<11}"), &words.join(", ")));
            }
        };
        row("paths", grant.paths.iter().map(ToString::to_string).collect());
        row("receives", grant.events.iter().flat_map(|it| it.types.iter().cloned()).collect());
        row("calls in", grant.calls.iter().map(|it| it.url.clone()).collect());
        row("automates", grant.automations.iter().map(|it| it.id.clone()).collect());
        row("from", grant.networks.clone());
        let lifetimes = grant.identities.iter().map(|it| it.max_token_ttl).max();
        row("tokens", lifetimes.map(|it| format!("live {it} at most")).into_iter().collect());
        lines
    }

    /// What the checks found, and what is excepted.
    fn checked(&self) -> Vec<String> {
        let counts = serde_json::from_value::<Summary>(self.document["summary"].clone());
        let counts = counts.unwrap_or_default();
        let mut lines = vec![format!(
            "  checks     {} of {} controls pass, {} not applicable, {} waived, {} fail",
            counts.pass, counts.total, counts.not_applicable, counts.waived, counts.fail
        )];
        for finding in list(&self.document, "findings") {
            let lead = if finding["blocks"] == true { "  ▲ " } else { "  - " };
            let text = format!("{}: {}", text(finding, "check"), text(finding, "sentence"));
            lines.extend(beside(lead, &text));
        }
        for it in sweeps::drills(list(&self.document, "sweeps")) {
            lines.extend(beside("  offboarded ", &it));
        }
        let waivers: Vec<String> = self.decision.waivers.iter().map(ToString::to_string).collect();
        if !waivers.is_empty() {
            lines.extend(beside("  waivers    ", &waivers.join(", ")));
        }
        lines
    }

    fn decided(&self) -> Vec<String> {
        let so_far = list(&self.document, "decided_so_far");
        if so_far.is_empty() {
            return vec!["  decided    nobody yet; two people are needed".to_owned()];
        }
        let line = |it: &Value| {
            let (verb, person) = (text(it, "verb"), text(it, "person"));
            format!("  decided    {verb} by {person}, {}", moment(text(it, "at")))
        };
        so_far.iter().map(line).collect()
    }
}
