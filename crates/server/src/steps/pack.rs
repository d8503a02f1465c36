//! A pack: everything that somebody needs to verify one certification without us.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::check::Assessment;
use countersign_model::event::{Event, What};
use countersign_model::id::IntegrationId;
use countersign_model::registry::Record;
use countersign_seal::dsse::Envelope;
use countersign_seal::{Digest, digest_of};
use serde_json::Value;

use super::show;
use crate::app::{App, find};
use crate::pack::document::{
    ENTRIES_MAX, EVIDENCE_MAX, KEYS_SCHEMA, Keys, Logged, PACK_BYTES_MAX, PACK_SCHEMA, Pack, seal,
};
use crate::problem::Problem;

/// How often it is begun anew, when something happens to the integration meanwhile.
const TRIES_MAX: usize = 3;

/// The pack of the certificate that is in force, or was the last one.
pub async fn pack(app: &App, name: &str) -> Result<Vec<u8>, Problem> {
    for _ in 0..TRIES_MAX {
        if let Some(pack) = attempt(app, name).await? {
            let bytes = serde_json::to_vec(&pack).map_err(|it| Problem::broken(&it))?;
            return if bytes.len() <= PACK_BYTES_MAX { Ok(bytes) } else { Err(too_large()) };
        }
    }
    Err(Problem::moved("it changes faster than it can be packed; ask again"))
}

fn too_large() -> Problem {
    Problem::new(413, "too-large", "it has more evidence or entries than a pack holds")
}

/// None if something happened to the integration while it was packed.
async fn attempt(app: &App, name: &str) -> Result<Option<Pack>, Problem> {
    let published = app.book.published();
    let record = find(&published.registry, name)?.clone();
    let size = published.registry.size;
    let mut pack = documents(app, &record, size).await?;
    let entries = entries(app, &record.id, 0, size).await?;
    pack.sweeps = sweeps(app, &entries, &pack).await?;
    // From here on nothing is written, so that entries, proofs and status are of one moment.
    let writer = app.book.write().await?;
    let now = app.clock.now();
    let later = self::entries(app, &record.id, size, writer.registry().size).await?;
    if !later.is_empty() {
        return Ok(None);
    }
    let indices: Vec<u64> = entries.iter().map(|(index, _)| *index).collect();
    let proofs = writer.proofs(&indices)?;
    let proven = entries.iter().zip(&proofs);
    pack.entries = proven
        .map(|((_, bytes), proof)| Logged {
            entry: STANDARD.encode(bytes),
            proof: proof.to_string(),
        })
        .collect();
    pack.checkpoint = proofs.first().map(|it| it.checkpoint.to_string()).unwrap_or_default();
    pack.status_list = show::status_list(app)?;
    pack.keys = keys(app)?;
    seal(&mut pack, now.seconds(), &app.keys.certificate).map_err(|it| Problem::broken(&it))?;
    Ok(Some(pack))
}

async fn documents(app: &App, record: &Record, size: u64) -> Result<Pack, Problem> {
    let none = || Problem::unknown("certificate to export");
    let certificate = record.certificate.as_ref().ok_or_else(none)?;
    let decision: Envelope = app.book.document(certificate.envelope).await?;
    let (decided, _) = countersign_model::review::quorum::read(decision.unverified_payload())
        .map_err(|it| Problem::broken(&it))?;
    let assessment: Assessment = app.book.document(decided.assessment_digest).await?;
    if EVIDENCE_MAX < assessment.evidence.len() {
        return Err(too_large());
    }
    let mut evidence = Vec::with_capacity(assessment.evidence.len());
    let mut room = PACK_BYTES_MAX;
    for it in &assessment.evidence {
        let bytes = app.book.blob(it.digest).await?;
        room = room.checked_sub(bytes.len()).ok_or_else(too_large)?;
        evidence.push(serde_json::from_slice(&bytes).map_err(|it| Problem::broken(&it))?);
    }
    let manifest = manifest(app, record, certificate.manifest, size).await?;
    let token = app.book.blob(certificate.token).await?;
    Ok(Pack {
        schema: PACK_SCHEMA.to_owned(),
        integration: record.slug.clone(),
        manifest,
        baseline: app.book.document::<Value>(certificate.baseline).await?,
        assessment: app.book.document::<Value>(decided.assessment_digest).await?,
        evidence,
        diff: app.book.document::<Value>(decided.seen_diff).await?,
        decision,
        certificate: String::from_utf8_lossy(&token).into_owned(),
        status_list: String::new(),
        keys: keys(app)?,
        checkpoint: String::new(),
        entries: Vec::new(),
        sweeps: Vec::new(),
        seal: String::new(),
    })
}

/// The public keys of this server and its people.
pub fn keys(app: &App) -> Result<Keys, Problem> {
    Ok(Keys {
        schema: KEYS_SCHEMA.to_owned(),
        issuer: super::certify::issuer(app),
        certificate: app.keys.certificate.public(),
        snapshot: app.keys.snapshot.public(),
        log: show::vkey(app)?,
        approvers: app.book.published().registry.approvers.clone(),
    })
}

/// The entries about an integration and about people's keys, from one place up to another.
async fn entries(
    app: &App,
    id: &IntegrationId,
    from: u64,
    to: u64,
) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
    let mut found = Vec::new();
    let mut next = from;
    while next < to {
        let batch = app.book.entries(next, (to - next).min(BATCH)).await?;
        let Some((last, _)) = batch.last() else { break };
        next = last + 1;
        for (index, bytes) in batch {
            let event: Event = serde_json::from_slice(&bytes).map_err(|it| Problem::broken(&it))?;
            if event.what.integration().is_none_or(|it| it == id) {
                found.push((index, bytes));
            }
        }
        if ENTRIES_MAX < found.len() {
            return Err(too_large());
        }
    }
    Ok(found)
}

/// The evidence of later looks that the entries name after the assessment.
async fn sweeps(app: &App, entries: &[(u64, Vec<u8>)], pack: &Pack) -> Result<Vec<Value>, Problem> {
    let assessment = digest_of(&pack.assessment).map_err(|it| Problem::broken(&it))?;
    let (mut found, mut is_after) = (Vec::new(), false);
    for (_, bytes) in entries {
        let event: Event = serde_json::from_slice(bytes).map_err(|it| Problem::broken(&it))?;
        match event.what {
            What::Assessed { digest, .. } => is_after |= digest == assessment,
            What::Swept { digest, .. } if is_after => {
                found.push(app.book.document::<Value>(digest).await?);
            }
            _ => {}
        }
        if EVIDENCE_MAX < pack.evidence.len() + found.len() {
            return Err(too_large());
        }
    }
    Ok(found)
}

/// How many entries are read at once.
const BATCH: u64 = 1_000;

/// The text of the certified manifest, which may not be the newest one.
async fn manifest(
    app: &App,
    record: &Record,
    digest: Digest,
    size: u64,
) -> Result<String, Problem> {
    if record.submission.manifest == digest {
        return Ok(app.book.manifest(record.submission.blob).await?.1);
    }
    for (_, bytes) in entries(app, &record.id, 0, size).await? {
        let event: Event = serde_json::from_slice(&bytes).map_err(|it| Problem::broken(&it))?;
        if let What::Submitted { manifest, blob, .. } = event.what
            && manifest == digest
        {
            return Ok(app.book.manifest(blob).await?.1);
        }
    }
    Err(Problem::unknown("manifest under the certificate"))
}
