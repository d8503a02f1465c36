//! Auditing: what is verified without a server, and what gates are asked.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::snapshot::Approver;
use countersign_model::id::DecisionId;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::PublicKey;

/// `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Packs, certificates, signed decisions, snapshots, evidence, checkpoints.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The keys to trust (`countersign.keys/1`), got another way than the documents.
    #[arg(long)]
    pub keys: Option<PathBuf>,
    /// The log's verifier key, `name+hash+key`, or a file that holds it.
    #[arg(long)]
    pub vkey: Option<String>,
    /// The key that signs certificates, status and packs.
    #[arg(long)]
    pub certificate_key: Option<PublicKey>,
    /// A person whose approval counts, with their key: `per_…=ed25519:…`; name each of them.
    #[arg(long, value_parser = approver)]
    pub approver: Vec<Approver>,
    /// The moment at which dates are judged, RFC 3339; now when left out.
    #[arg(long)]
    pub at: Option<Timestamp>,
}

fn approver(text: &str) -> Result<Approver, String> {
    let (person, key) = text.split_once('=').ok_or("it is not PERSON=KEY")?;
    let person = person.parse().map_err(|it| format!("{it}"))?;
    let key = key.parse().map_err(|it| format!("`{key}` is no key: {it}"))?;
    Ok(Approver { person, key })
}

/// `gate`.
#[derive(Debug, Subcommand)]
pub(crate) enum GateVerb {
    /// List the gates that a server knows: `countersign gate list`.
    List,
    /// Ask how far each gate has come: `countersign gate status`.
    Status {
        /// One gate; all when left out.
        gate: Option<String>,
    },
    /// Ask a gate about one call, or about one of its answers again: `countersign gate decide --gate URL --integration acme-helpdesk --path event-out --subject sub:user.lifecycle --event user.locked`.
    Decide(Box<DecideArgs>),
}

/// `gate decide`.
#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// Where the gate answers AuthZEN; `--token-file` names a token that it knows.
    #[arg(long)]
    pub gate: String,
    /// An answer of this gate that is asked again: `dec_…`.
    #[arg(long, conflicts_with_all = ["integration", "client", "path"])]
    pub replay: Option<DecisionId>,
    /// Who acts, by the integration's name.
    #[arg(long)]
    pub integration: Option<String>,
    /// Who acts, by the client id at the platform.
    #[arg(long, conflicts_with = "integration")]
    pub client: Option<String>,
    /// The kind of call: token-mint, token-use, assertion-in, call-in, event-out or automation.
    #[arg(long, required_unless_present = "replay", value_parser = path_kind)]
    pub path: Option<PathKind>,
    /// Scopes that are asked for or needed.
    #[arg(long, value_delimiter = ',')]
    pub scope: Vec<String>,
    /// The OAuth grant of a token-mint.
    #[arg(long, default_value = "client_credentials")]
    pub grant_type: String,
    /// The life of the token of a token-mint.
    #[arg(long, default_value = "60s")]
    pub ttl: Period,
    /// The call of a token-use: `POST /v1/tickets`.
    #[arg(long)]
    pub endpoint: Option<String>,
    /// The manifest's id of the webhook, callback, subscription or job.
    #[arg(long)]
    pub subject: Option<String>,
    /// The kind of event of an event-out.
    #[arg(long)]
    pub event: Option<String>,
    /// What the call would cause, with its number: `account-disable=3`.
    #[arg(long, value_parser = cause)]
    pub cause: Vec<(String, u32)>,
    /// Where the call comes from.
    #[arg(long)]
    pub ip: Option<IpAddr>,
    /// When its credential was issued, RFC 3339.
    #[arg(long)]
    pub issued: Option<Timestamp>,
}

fn path_kind(text: &str) -> Result<PathKind, String> {
    PathKind::from_word(text).ok_or_else(|| "it is no kind of call".to_owned())
}

fn cause(text: &str) -> Result<(String, u32), String> {
    let (name, number) = text.split_once('=').ok_or("it is not OUTCOME=NUMBER")?;
    Ok((name.to_owned(), number.parse().map_err(|it| format!("{it}"))?))
}
