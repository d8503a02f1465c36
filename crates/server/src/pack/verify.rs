//! Verifies a pack offline: everything in it against everything else, and against what is pinned.

use countersign_model::check::{Evidence, Judgement};
use countersign_model::declare::Manifest;
use countersign_model::time::Timestamp;
use countersign_seal::jwt::{self, Expect, VerifyingKey};
use countersign_seal::{Digest, digest_of, json};
use serde::Deserialize;
use serde_json::Value;

use super::document::{ENTRIES_MAX, EVIDENCE_MAX, PACK_BYTES_MAX, PACK_SCHEMA, Pack, SEAL_TYPE};
use super::pins::{Pins, Trust};
use super::report::{Report, Word};
use super::{bound, evidence, history, status, sweeps};

/// Who judges evidence again.
#[derive(Debug, Clone, Copy)]
pub struct Judges {
    /// What follows from a transcript; none for a check that is not known.
    pub again: fn(&Evidence) -> Option<Judgement>,
    /// What is wrong with a transcript's frame, held against the manifest.
    pub misframed: fn(&Evidence, &Manifest) -> Option<String>,
    /// What a check has to look at in a manifest; none for a check that is not known.
    pub subjects: fn(&str, &Manifest) -> Option<Vec<String>>,
}

impl Judges {
    /// Those of this build.
    pub fn of_this_build() -> Self {
        use countersign_checks::replay;
        Self {
            again: replay::judge_again,
            misframed: replay::misframed,
            subjects: replay::subjects,
        }
    }
}

/// Verifies a pack: against `pins` where something is pinned, at the moment `now`.
pub fn verify(bytes: &[u8], pins: &Pins, now: Timestamp, judges: Judges) -> Report {
    let mut report = Report::default();
    if let Some((pack, value)) = report.fails("document", read(bytes)) {
        each(&pack, &value, pins, &mut report, (now, judges));
    }
    report
}

fn each(
    pack: &Pack,
    value: &Value,
    pins: &Pins,
    report: &mut Report,
    (now, judges): (Timestamp, Judges),
) {
    let Some(trust) = Trust::of(&pack.keys, pins, report) else { return };
    let sealed = report.take("seal", sealed(pack, value, &trust));
    let Some(bound) = bound::check(pack, &trust, report) else {
        let text =
            "not looked at, since manifest, assessment, decision and certificate do not verify";
        for check in ["evidence", "outcomes", "log", "status"] {
            report.add(check, Word::NotChecked, text);
        }
        return;
    };
    let seen = evidence::check(pack, &bound, judges, report);
    let history = history::check(pack, &trust, &bound, report);
    if let (Some(_), Some(history)) = (&seen, &history) {
        let outcomes = evidence::outcomes(&bound, history);
        report.take("outcomes", outcomes);
    }
    if let Some(history) = &history {
        sweeps::check(pack, history, judges, report);
    }
    status::check(pack, &trust, (&bound, history.as_ref()), (sealed, now), report);
}

fn read(bytes: &[u8]) -> Result<(Pack, Value), String> {
    if PACK_BYTES_MAX < bytes.len() {
        return Err(format!("it is larger than {} MiB", PACK_BYTES_MAX >> 20));
    }
    let value = json::parse(bytes).map_err(|it| format!("it is not JSON: {it}"))?;
    let pack: Pack =
        Pack::deserialize(&value).map_err(|it| format!("it is not a whole pack: {it}"))?;
    if pack.schema != PACK_SCHEMA {
        return Err(format!("its schema is not `{PACK_SCHEMA}`"));
    }
    if ENTRIES_MAX < pack.entries.len() || EVIDENCE_MAX < pack.evidence.len() + pack.sweeps.len() {
        return Err("it holds more entries or evidence than a pack may".to_owned());
    }
    Ok((pack, value))
}

/// The claims of a seal.
#[derive(Debug, Deserialize)]
struct Sealed {
    iat: i64,
    pack: Digest,
}

/// When the server sealed exactly this document.
fn sealed(pack: &Pack, value: &Value, trust: &Trust) -> Result<(Timestamp, String), String> {
    let key = VerifyingKey::ed25519(trust.certificate);
    let expect = Expect { typ: Some(SEAL_TYPE), issuer: Some(&trust.issuer), audience: None };
    let verified = jwt::verify(&pack.seal, &[key], expect)
        .map_err(|it| format!("the server's seal does not verify: {it}"))?;
    let claims: Sealed = serde_json::from_value(verified.claims)
        .map_err(|it| format!("the seal cannot be read: {it}"))?;
    let mut rest = value.clone();
    if let Some(it) = rest.as_object_mut() {
        it.remove("seal");
    }
    let digest = digest_of(&rest).map_err(|it| format!("the pack has no canonical form: {it}"))?;
    if digest != claims.pack {
        return Err("the pack was changed after the server had sealed it".to_owned());
    }
    let at = Timestamp::from_seconds(claims.iat);
    Ok((at, format!("sealed by the server at {at}; nothing was changed since")))
}
