//! Manifest, baseline, assessment, decision and certificate: each names the one before by digest.

use countersign_model::certify::certificate::{CERTIFICATE_TYPE, Issuing};
use countersign_model::certify::{Baseline, Claims};
use countersign_model::check::Assessment;
use countersign_model::check::assessment::ASSESSMENT_SCHEMA;
use countersign_model::declare::{self, Parsed};
use countersign_model::enforce::Grant;
use countersign_model::review::Approved;
use countersign_model::time::Timestamp;
use countersign_seal::jwt::{self, Expect, VerifyingKey};
use countersign_seal::{Digest, digest_of};
use serde::Deserialize as _;

use super::document::Pack;
use super::pins::Trust;
use super::report::Report;
use crate::book::format_of;

/// What belongs together.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) parsed: Parsed,
    pub(crate) assessment: Assessment,
    pub(crate) assessment_digest: Digest,
    pub(crate) approved: Approved,
    pub(crate) claims: Claims,
}

/// Checks each, and that each is about the one before.
pub(crate) fn check(pack: &Pack, trust: &Trust, report: &mut Report) -> Option<Bound> {
    let parsed = report.take("manifest", manifest(pack));
    let approved = report.take("people", people(pack, trust));
    let claims = report.take("certificate", certificate(pack, trust));
    let (parsed, approved, claims) = (parsed?, approved?, claims?);
    let decided = report.take("decision", decision(pack, &parsed, &approved));
    let baseline = report.take("baseline", baseline(pack, &parsed, &approved));
    let assessment = report.take("assessment", assessment(pack, &parsed, &approved));
    let diff = report.take("diff", diff(pack, &approved));
    let issued = report.take("claims", issued(pack, &parsed, &approved, &claims));
    let (assessment, assessment_digest) = assessment?;
    decided.and(baseline).and(diff).and(issued)?;
    Some(Bound { parsed, assessment, assessment_digest, approved, claims })
}

fn manifest(pack: &Pack) -> Result<(Parsed, String), String> {
    let parsed = declare::parse(&pack.manifest, format_of(&pack.manifest)).map_err(|problems| {
        let first = problems.first().map_or_else(String::new, |it| it.message.clone());
        format!("the manifest cannot be read: {first}")
    })?;
    if parsed.manifest.integration.id != pack.integration {
        return Err("the manifest is another integration's".to_owned());
    }
    let text = format!("{} has the digest {}", pack.integration, parsed.digest);
    Ok((parsed, text))
}

fn people(pack: &Pack, trust: &Trust) -> Result<(Approved, String), String> {
    let approved = Approved::check(&pack.decision, &trust.approvers).map_err(|it| chain(&it))?;
    let whose = if trust.knows_people { "people who are pinned" } else { "people whom it names" };
    let text = format!("{} {whose} signed the same bytes", approved.people().len());
    Ok((approved, text))
}

fn certificate(pack: &Pack, trust: &Trust) -> Result<(Claims, String), String> {
    let key = VerifyingKey::ed25519(trust.certificate);
    let expect =
        Expect { typ: Some(CERTIFICATE_TYPE), issuer: Some(&trust.issuer), audience: None };
    let verified = jwt::verify(&pack.certificate, &[key], expect)
        .map_err(|it| format!("its signature does not verify: {it}"))?;
    let claims: Claims = serde_json::from_value(verified.claims)
        .map_err(|it| format!("its claims cannot be read: {it}"))?;
    let text = format!("{} is signed by {}", claims.bound.certificate, trust.issuer);
    Ok((claims, text))
}

fn decision(pack: &Pack, parsed: &Parsed, approved: &Approved) -> Result<((), String), String> {
    let decision = approved.decision();
    if approved.manifest() != parsed.digest {
        return Err("it is about another manifest".to_owned());
    }
    let declared = Grant::compile(&parsed.manifest).without(&decision.removed_scopes);
    if decision.grant != declared {
        return Err("it grants something else than the manifest declares".to_owned());
    }
    if decision.grant.integration != pack.integration {
        return Err("it is about another integration".to_owned());
    }
    let left = decision.removed_scopes.len();
    Ok((
        (),
        format!("it is about this manifest, and grants what that declares, less {left} scopes"),
    ))
}

fn baseline(pack: &Pack, parsed: &Parsed, approved: &Approved) -> Result<((), String), String> {
    let baseline = Baseline::deserialize(&pack.baseline)
        .map_err(|it| format!("the baseline cannot be read: {it}"))?;
    let digest = digest_of(&pack.baseline).map_err(|it| it.to_string())?;
    if baseline.manifest != parsed.digest {
        return Err("it is about another manifest".to_owned());
    }
    if digest != approved.decision().baseline {
        return Err("it is not the one that was approved".to_owned());
    }
    Ok(((), format!("what the platform granted was approved; clients: {}", baseline.granted.len())))
}

fn assessment(
    pack: &Pack,
    parsed: &Parsed,
    approved: &Approved,
) -> Result<((Assessment, Digest), String), String> {
    let found = Assessment::deserialize(&pack.assessment)
        .map_err(|it| format!("the assessment cannot be read: {it}"))?;
    let digest = digest_of(&pack.assessment).map_err(|it| it.to_string())?;
    let decision = approved.decision();
    if digest != decision.assessment_digest || found.id != decision.assessment {
        return Err("it is not the one that was approved".to_owned());
    }
    let same = found.schema == ASSESSMENT_SCHEMA
        && found.integration == decision.integration
        && found.manifest == parsed.digest
        && found.baseline == decision.baseline
        && found.profile == decision.profile
        && found.tier == decision.tier
        && found.environment == parsed.manifest.environment
        && found.profile == parsed.manifest.profile;
    if !same {
        return Err("it is about something else than was approved".to_owned());
    }
    let text = format!("{} of {} was approved", found.id, found.finished);
    Ok(((found, digest), text))
}

fn diff(pack: &Pack, approved: &Approved) -> Result<((), String), String> {
    let digest = digest_of(&pack.diff).map_err(|it| it.to_string())?;
    if digest == approved.decision().seen_diff {
        Ok(((), "the difference is the one that the approvers saw".to_owned()))
    } else {
        Err("the difference is not the one that the approvers saw".to_owned())
    }
}

/// The claims are those that follow from the approval, and no others.
fn issued(
    pack: &Pack,
    parsed: &Parsed,
    approved: &Approved,
    claims: &Claims,
) -> Result<((), String), String> {
    let decision = Digest::of(pack.decision.unverified_payload());
    if claims.bound.decision != decision {
        return Err("the certificate rests on another decision".to_owned());
    }
    let issuing = Issuing {
        issuer: claims.iss.clone(),
        certificate: claims.bound.certificate.clone(),
        log_index: claims.bound.log_index,
        status_index: claims.status.status_list.idx,
        decision,
        data_paths: parsed.manifest.data_paths.iter().map(|it| it.id.to_string()).collect(),
        // A keyed digest: only the issuer can make it.
        owner: claims.bound.owner,
        now: Timestamp::from_seconds(claims.iat),
    };
    if *claims == Claims::issue(approved, issuing) {
        Ok((
            (),
            "manifest, baseline, assessment, decision and certificate name each other".to_owned(),
        ))
    } else {
        Err("the certificate claims something else than was approved".to_owned())
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(it) = source {
        text = format!("{text}: {it}");
        source = it.source();
    }
    text
}
