//! Step 4, review: two people sign the same bytes.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::check::Assessment;
use countersign_model::declare::words::ScopeName;
use countersign_model::enforce::Grant;
use countersign_model::event::What;
use countersign_model::id::{DecisionId, PersonId};
use countersign_model::registry::{AssessmentRecord, Record};
use countersign_model::require::Catalogue;
use countersign_model::review::decision::{DECISION_SCHEMA, Decision, Verb};
use countersign_model::review::quorum::APPROVERS_MIN;
use countersign_seal::dsse::{Envelope, Signature};
use countersign_seal::{Digest, PublicKey};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, find, new_decision};
use crate::book::{BookError, Draft};
use crate::problem::Problem;

/// What a person sends to decide.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// `approve`, `right-size`, `rotate`, `reassign` or `disable`.
    #[schema(value_type = String)]
    pub verb: Verb,
    /// Why.
    pub reason: String,
    /// Digest of the difference that was on the screen.
    #[schema(value_type = String)]
    pub seen_diff_digest: Digest,
    /// Scopes that are asked for and not granted.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub without: BTreeSet<ScopeName>,
    /// The signature over the packet's payload, where the verb grants.
    #[serde(default)]
    pub signature: Option<SentSignature>,
}

/// A signature over the packet's payload.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SentSignature {
    /// A hint.
    pub keyid: String,
    /// Base64.
    pub sig: String,
}

/// What would be decided about the current assessment: always the same bytes for the same assessment.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) decision: Decision,
    pub(crate) payload: Vec<u8>,
}

/// Makes the statement that people sign.
pub(crate) async fn packet(
    app: &App,
    record: &Record,
    without: &BTreeSet<ScopeName>,
) -> Result<Packet, Problem> {
    let assessed = current(record)?;
    let (parsed, _) = app.book.manifest(record.submission.blob).await?;
    let assessment: Assessment = app.book.document(assessed.digest).await?;
    let grant = Grant::compile(&parsed.manifest);
    let asked: BTreeSet<&ScopeName> =
        grant.identities.iter().flat_map(|it| it.scopes.keys()).collect();
    if let Some(scope) = without.iter().find(|it| !asked.contains(it)) {
        return Err(Problem::new(422, "unknown-scope", format!("`{scope}` is not asked for")));
    }
    let profile = Catalogue::embedded().profile(record.submission.profile.as_str());
    let own = parsed.manifest.recertify.max_age;
    let max_age = profile.map_or(own, |it| it.max_age.min(own));
    let words: Vec<&str> = without.iter().map(ScopeName::as_str).collect();
    let seed = Digest::of(format!("{}\0{}", assessed.id, words.join("\0")).as_bytes());
    let mut entropy = [0; 10];
    entropy.copy_from_slice(&seed.as_bytes()[..10]);
    let decision = Decision {
        schema: DECISION_SCHEMA.to_owned(),
        decision: DecisionId::new(assessment.finished, entropy),
        integration: record.id.clone(),
        assessment: assessed.id.clone(),
        assessment_digest: assessed.digest,
        baseline: assessed.baseline,
        seen_diff: assessed.diff,
        profile: record.submission.profile.clone(),
        tier: record.submission.tier,
        waivers: assessed.outcomes.iter().filter_map(|it| it.waiver.clone()).collect(),
        removed_scopes: without.clone(),
        grant: grant.without(without),
        not_before: assessment.finished,
        not_after: assessment.finished + max_age,
    };
    let payload = decision.statement(record.submission.manifest).map_err(BookError::from)?;
    Ok(Packet { decision, payload })
}

/// The newest assessment, of the newest manifest.
pub(crate) fn current(record: &Record) -> Result<&AssessmentRecord, Problem> {
    record.assessment.as_ref().filter(|it| it.manifest == record.submission.manifest).ok_or_else(
        || Problem::new(409, "not-assessed", "there is no assessment of the current manifest"),
    )
}

/// The packet as it travels.
pub async fn show(app: &App, name: &str, without: &BTreeSet<ScopeName>) -> Result<Value, Problem> {
    let published = app.book.published();
    let record = find(&published.registry, name)?;
    let packet = packet(app, record, without).await?;
    let assessed = current(record)?;
    let diff: Value = app.book.document(assessed.diff).await?;
    let assessment: Assessment = app.book.document(assessed.digest).await?;
    let decided = record
        .decisions
        .iter()
        .map(|it| json!({ "person": it.person, "verb": it.verb, "at": it.at, "decision": it.id }));
    Ok(json!({
        "integration": record.id,
        "slug": record.slug,
        "assessment": assessed.id,
        "assessment_digest": assessed.digest,
        "seen_diff_digest": assessed.diff,
        "diff": diff,
        "payload_type": Decision::payload_type(),
        "payload": STANDARD.encode(&packet.payload),
        "decided_so_far": decided.collect::<Vec<_>>(),
        "summary": assessment.summary,
        "findings": assessment.findings,
        "sweeps": super::sweep::shown(record, app.clock.now()),
        "valid": { "from": packet.decision.not_before, "to": packet.decision.not_after },
    }))
}

/// Writes one person's decision down.
pub async fn decide(
    app: &App,
    by: &PersonId,
    name: &str,
    request: &DecisionRequest,
) -> Result<Value, Problem> {
    if request.reason.trim().is_empty() {
        return Err(Problem::new(422, "reason", "a decision needs a reason"));
    }
    if (request.verb == Verb::RightSize) == request.without.is_empty() {
        let text = "`right-size` names scopes to leave out, and no other verb does";
        return Err(Problem::new(422, "without", text));
    }
    let mut writer = app.book.write().await?;
    let now = app.clock.now();
    let record = find(writer.registry(), name)?;
    if record.submission.requester == *by {
        return Err(Problem::new(
            403,
            "requester",
            "the person who asked for it may not decide on it",
        ));
    }
    let assessed = current(record)?;
    if assessed.diff != request.seen_diff_digest {
        return Err(Problem::moved("what you saw is not what is there now"));
    }
    let mut draft = Draft::default();
    let reason = draft.document(&json!({
        "reason": request.reason, "salt": app.keys.salt.digest("reason", &now.to_string()),
    }))?;
    let mut what = What::Decided {
        integration: record.id.clone(),
        decision: new_decision(now)?,
        verb: request.verb,
        assessment: assessed.id.clone(),
        statement: None,
        envelope: None,
        key: None,
        seen_diff: assessed.diff,
        reason,
    };
    let mut people = 1;
    let mut needed = 1;
    if request.verb.grants() {
        if assessed.outcomes.iter().any(countersign_model::check::ControlOutcome::blocks) {
            return Err(Problem::new(409, "not-ready", "something required does not hold"));
        }
        if let Some(why) = record.swept_away(now).first() {
            return Err(super::sweep::in_the_way(why));
        }
        if record.decisions.iter().any(|it| it.person == *by && it.verb.grants()) {
            return Err(Problem::new(
                403,
                "one-person-twice",
                "you have approved it; somebody else is needed",
            ));
        }
        let packet = packet(app, record, &request.without).await?;
        let digest = Digest::of(&packet.payload);
        let mut signed = match gathered(record, digest) {
            Some(it) => app.book.document(it).await?,
            None => Envelope::new(Decision::payload_type(), packet.payload.clone())
                .map_err(|it| Problem::broken(&it))?,
        };
        let approvers = &writer.registry().approvers;
        let keys = approvers.iter().filter(|it| it.person == *by).map(|it| it.key);
        let signer = attach(&mut signed, request.signature.as_ref(), &keys.collect::<Vec<_>>())?;
        let all: Vec<PublicKey> = approvers.iter().map(|it| it.key).collect();
        let signers = signed.verify(&all, 1).map(|it| it.signers).unwrap_or_default();
        let who: BTreeSet<_> =
            signers.iter().filter_map(|it| writer.registry().person_of(*it)).collect();
        (people, needed) = (who.len(), APPROVERS_MIN);
        let signed = draft.document(&signed)?;
        if let What::Decided { decision, statement, envelope, key, .. } = &mut what {
            *decision = packet.decision.decision;
            (*statement, *envelope, *key) = (Some(digest), Some(signed), Some(signer));
        }
    }
    let What::Decided { decision, .. } = &what else { return Err(Problem::unknown("decision")) };
    let answer = json!({ "decision": decision, "people": people, "needed": needed });
    draft.event(now, Some(by), what);
    writer.commit(draft, now).await?;
    Ok(answer)
}

/// The envelope with the most signatures over these bytes.
pub(crate) fn gathered(record: &Record, statement: Digest) -> Option<Digest> {
    let mine = record.decisions.iter().rev().filter(|it| it.verb.grants());
    mine.into_iter().find(|it| it.statement == Some(statement)).and_then(|it| it.envelope)
}

fn attach(
    envelope: &mut Envelope,
    sent: Option<&SentSignature>,
    keys: &[PublicKey],
) -> Result<PublicKey, Problem> {
    let bad = |text: &str| Problem::new(422, "bad-signature", text);
    let sent = sent.ok_or_else(|| bad("an approval needs your signature"))?;
    let sig = STANDARD.decode(&sent.sig).map_err(|_| bad("the signature is not base64"))?;
    let mut alone = Envelope::new(envelope.payload_type(), envelope.unverified_payload().to_vec())
        .map_err(|it| Problem::broken(&it))?;
    let one = |keyid: String| Signature { keyid, sig: sig.clone() };
    alone.attach(one(String::new())).map_err(|it| Problem::broken(&it))?;
    let verified = alone
        .verify(keys, 1)
        .map_err(|_| bad("it is not a signature of your enrolled key over these bytes"))?;
    let key = verified.signers.first().copied().ok_or_else(|| bad("nobody signed"))?;
    envelope.attach(one(key.key_id().to_string())).map_err(|it| Problem::broken(&it))?;
    Ok(key)
}
