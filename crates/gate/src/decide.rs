//! The decision: every call has an answer, and whatever is unknown is denied.

use std::time::Duration;

use countersign_model::declare::manifest::FailMode;
use countersign_model::declare::path::PathKind;
use countersign_model::enforce::grant::IdentityGrant;
use countersign_model::enforce::snapshot::Standing;
use countersign_model::enforce::{Call, Reason};
use countersign_model::time::Timestamp;

use crate::freshness::Freshness;
use crate::network;
use crate::path::{is_normal, is_use};
use crate::snapshot::{Entry, Snapshot};

/// Proof that a call was admitted. [`admit`] is its only source.
#[derive(Debug)]
pub struct Permit<'a> {
    pub(crate) entry: &'a Entry,
    stale: bool,
}

impl Permit<'_> {
    /// Whether the lease was over, and the owner's written choice let it stand all the same.
    pub fn is_stale(&self) -> bool {
        self.stale
    }
}

/// Admits or denies one call, but for its rate.
///
/// Total: every input has an answer. `age` is how long ago the gate heard from its server, none
/// where that is not known. The cheapest and deadliest questions come first.
pub fn admit<'a>(
    call: &Call,
    snapshot: &'a Snapshot,
    age: Option<Duration>,
    now: Timestamp,
) -> Result<Permit<'a>, Reason> {
    let entry = snapshot.entry(&call.client);
    // Whom the gate does not know, nobody chose best-effort for.
    let chosen =
        entry.map_or((FailMode::Strict, None), |it| (it.grant.fail_mode, it.grant.max_stale));
    let freshness = Freshness::at(age, snapshot.lease, chosen.0, chosen.1);
    if freshness == Freshness::Over {
        return Err(Reason::Stale);
    }
    let Some(entry) = entry else {
        let elsewhere = snapshot.elsewhere.contains(&call.client);
        return Err(if elsewhere { Reason::WrongEnvironment } else { Reason::Uncertified });
    };
    let until = match entry.standing {
        Standing::Revoked => return Err(Reason::Revoked),
        Standing::Suspended { .. } => return Err(Reason::Suspended),
        Standing::Lapsed => return Err(Reason::Lapsed),
        Standing::Good { until } => until,
    };
    if now < entry.not_before {
        return Err(Reason::NotYetValid);
    }
    if entry.not_after <= now || until <= now {
        return Err(Reason::Lapsed);
    }
    if entry.watermark.is_some_and(|it| is_withdrawn(call, it)) {
        return Err(Reason::CredentialRevoked);
    }
    if !is_bounded(call) {
        return Err(Reason::Malformed);
    }
    inside(call, entry)?;
    surroundings(call, entry, now)?;
    Ok(Permit { entry, stale: freshness == Freshness::Standing })
}

/// Whether the credential of a call was issued at or before a watermark, in whole seconds.
///
/// A call that uses a credential and does not say how old it is cannot show that it is younger.
fn is_withdrawn(call: &Call, watermark: Timestamp) -> bool {
    let uses_one = match call.kind {
        PathKind::TokenUse | PathKind::AssertionIn => true,
        PathKind::TokenMint => call.grant_type.as_deref() == Some(REFRESH),
        PathKind::CallIn | PathKind::EventOut | PathKind::Automation => false,
    };
    call.issued_at.map_or(uses_one, |it| it.seconds() <= watermark.seconds())
}

/// Whether everything in a call has a size that a gate looks at.
pub(crate) fn is_bounded(call: &Call) -> bool {
    let short = |it: &String| it.len() <= WORD_BYTES_MAX;
    let long = |it: &String| it.len() <= ADDRESS_BYTES_MAX;
    short(&call.client)
        && call.scopes.len() <= WORDS_MAX
        && call.scopes.iter().all(short)
        && call.causes.len() <= WORDS_MAX
        && call.causes.keys().all(short)
        && [
            &call.grant_type,
            &call.method,
            &call.subject,
            &call.event,
            &call.auth,
            &call.credential,
        ]
        .into_iter()
        .flatten()
        .all(short)
        && [&call.path, &call.url, &call.keys_at].into_iter().flatten().all(long)
}

const REFRESH: &str = "refresh_token";
const WORD_BYTES_MAX: usize = 1_024;
const ADDRESS_BYTES_MAX: usize = 8_192;
const WORDS_MAX: usize = 256;

/// Whether the call lies inside what its kind may do.
fn inside(call: &Call, entry: &Entry) -> Result<(), Reason> {
    match call.kind {
        PathKind::TokenMint => token_mint(call, entry),
        PathKind::TokenUse => token_use(call, entry),
        PathKind::AssertionIn => subject(call, entry).map(drop),
        PathKind::CallIn => call_in(call, entry),
        PathKind::EventOut => event_out(call, entry),
        PathKind::Automation => automation(call, entry),
    }
}

/// The certified path that the call names.
fn subject<'c>(call: &'c Call, entry: &Entry) -> Result<&'c str, Reason> {
    let subject = call.subject.as_deref().ok_or(Reason::Malformed)?;
    let known = entry.grant.paths.iter().any(|it| it.kind == call.kind && it.subject == subject);
    if known { Ok(subject) } else { Err(Reason::UnknownWord) }
}

fn identity<'a>(call: &Call, entry: &'a Entry) -> Result<&'a IdentityGrant, Reason> {
    let identity = entry.grant.identities.iter().find(|it| it.client_id == call.client);
    let identity = identity.ok_or(Reason::Uncertified)?;
    let known =
        entry.grant.paths.iter().any(|it| it.kind == call.kind && it.subject == identity.identity);
    if known { Ok(identity) } else { Err(Reason::OutsidePath) }
}

fn token_mint(call: &Call, entry: &Entry) -> Result<(), Reason> {
    let identity = proven(call, entry)?;
    if call.scopes.is_empty() {
        // Some platforms read "none" as "all": whoever asks has to say what will be in the token.
        return Err(Reason::Malformed);
    }
    let known = |it: &String| identity.scopes.keys().any(|name| name.as_str() == it);
    if !call.scopes.iter().all(known) {
        return Err(Reason::OutsideScope);
    }
    let grant = call.grant_type.as_deref().ok_or(Reason::Malformed)?;
    let refreshes = grant == REFRESH;
    if refreshes && !identity.refresh {
        return Err(Reason::OutsideScope);
    }
    if !refreshes && identity.grant_type.as_deref().is_some_and(|it| it != grant) {
        return Err(Reason::OutsideScope);
    }
    let ttl = call.ttl_seconds.ok_or(Reason::Malformed)?;
    if identity.max_token_ttl.seconds() < ttl { Err(Reason::OutsideScope) } else { Ok(()) }
}

/// The identity behind a token, where nothing says that it can do more than was certified.
fn proven<'a>(call: &Call, entry: &'a Entry) -> Result<&'a IdentityGrant, Reason> {
    let identity = identity(call, entry)?;
    if !is_certified_credential(call, identity) {
        return Err(Reason::OutsideCredential);
    }
    match entry.held.get(&call.client) {
        Some(hold) if hold.denies(call, identity) => Err(Reason::Drifted),
        _ => Ok(identity),
    }
}

/// Whether a client proved itself as it was certified to, where the platform tells.
fn is_certified_credential(call: &Call, identity: &IdentityGrant) -> bool {
    let way = match (&call.auth, identity.auth) {
        (Some(now), Some(certified)) => now == certified.word(),
        _ => true,
    };
    let place = match (&call.keys_at, &identity.keys_at) {
        (Some(now), Some(certified)) => now == certified,
        _ => true,
    };
    way && place
}

fn token_use(call: &Call, entry: &Entry) -> Result<(), Reason> {
    let identity = proven(call, entry)?;
    let method = call.method.as_deref().ok_or(Reason::Malformed)?;
    let path = call.path.as_deref().ok_or(Reason::Malformed)?;
    if !is_normal(path) {
        return Err(Reason::Malformed);
    }
    if call.scopes.is_empty() {
        return Err(Reason::OutsideScope);
    }
    let granted = |scope: &String| identity.scopes.iter().find(|it| it.0.as_str() == scope);
    if call.scopes.iter().any(|it| granted(it).is_none()) {
        return Err(Reason::OutsideScope);
    }
    let mut uses = call.scopes.iter().filter_map(granted).flat_map(|it| it.1);
    if uses.any(|it| is_use(it, method, path)) { Ok(()) } else { Err(Reason::OutsidePath) }
}

fn call_in(call: &Call, entry: &Entry) -> Result<(), Reason> {
    let subject = subject(call, entry)?;
    let grant = entry.grant.calls.iter().find(|it| it.id == subject).ok_or(Reason::UnknownWord)?;
    if call.url.as_ref().is_some_and(|it| *it != grant.url) {
        return Err(Reason::OutsidePath);
    }
    let known = call.causes.keys().all(|it| grant.may_cause.contains(it));
    if known { Ok(()) } else { Err(Reason::UnknownWord) }
}

fn event_out(call: &Call, entry: &Entry) -> Result<(), Reason> {
    let subject = subject(call, entry)?;
    let grant = entry.grant.events.iter().find(|it| it.id == subject).ok_or(Reason::UnknownWord)?;
    let event = call.event.as_ref().ok_or(Reason::Malformed)?;
    if call.url.as_ref().is_some_and(|it| *it != grant.endpoint) {
        return Err(Reason::OutsidePath);
    }
    if grant.types.contains(event) { Ok(()) } else { Err(Reason::UnknownWord) }
}

fn automation(call: &Call, entry: &Entry) -> Result<(), Reason> {
    let subject = subject(call, entry)?;
    let grant = entry.grant.automations.iter().find(|it| it.id == subject);
    let grant = grant.ok_or(Reason::UnknownWord)?;
    for (outcome, number) in &call.causes {
        if !grant.may_cause.contains(outcome) {
            return Err(Reason::UnknownWord);
        }
        if grant.limits.get(outcome).is_some_and(|it| it < number) {
            return Err(Reason::OverRate);
        }
    }
    Ok(())
}

/// Networks and hours bind what the partner does, not what we send.
fn surroundings(call: &Call, entry: &Entry, now: Timestamp) -> Result<(), Reason> {
    if call.kind == PathKind::EventOut {
        return Ok(());
    }
    if !entry.networks.is_empty() && call.kind != PathKind::Automation {
        let ip = call.ip.ok_or(Reason::Malformed)?;
        if !network::contains(&entry.networks, ip) {
            return Err(Reason::OutsideNetwork);
        }
    }
    match &entry.hours {
        Some(hours) if !hours.contains(now) => Err(Reason::OutsideHours),
        _ => Ok(()),
    }
}
