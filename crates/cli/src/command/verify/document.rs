//! What kind of document a file is, and how that kind is verified.

use std::error::Error;
use std::path::Path;

use countersign_checks::{redact, replay};
use countersign_ledger::Checkpoint;
use countersign_model::certify::Claims;
use countersign_model::certify::certificate::CERTIFICATE_TYPE;
use countersign_model::check::Evidence;
use countersign_model::check::evidence::EVIDENCE_SCHEMA;
use countersign_model::enforce::snapshot::SNAPSHOT_TYPE;
use countersign_model::review::Approved;
use countersign_model::time::Timestamp;
use countersign_seal::dsse::Envelope;
use countersign_seal::json;
use countersign_seal::jwt::{self, Expect, VerifyingKey};
use countersign_server::pack::document::PACK_SCHEMA;
use countersign_server::pack::{Judges, Pins, Report, Word, verify as verify_pack};
use serde_json::Value;

use super::super::FILE_BYTES_MAX;
use super::snapshot;
use crate::exit::Exit;
use crate::failure::Failure;

/// Reads a file, bounded.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |it: &std::io::Error| {
        let mut failure = Failure::file("read", path, it);
        if it.kind() == std::io::ErrorKind::NotFound {
            failure.exit = Exit::Usage;
        }
        failure
    };
    let length = std::fs::metadata(path).map_err(|it| failed(&it))?.len();
    if FILE_BYTES_MAX < length {
        let text = format!("`{}` is larger than 64 MiB", path.display());
        return Err(Failure::new(Exit::Usage, text));
    }
    std::fs::read(path).map_err(|it| failed(&it))
}

/// Verifies a document of any kind; what is none that is known does not verify.
pub(super) fn verify(bytes: &[u8], pins: &Pins, now: Timestamp) -> (&'static str, Report) {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
    let mut report = Report::default();
    if let Ok(value) = json::parse(bytes) {
        let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default();
        if schema == PACK_SCHEMA {
            return ("pack", verify_pack(bytes, pins, now, Judges::of_this_build()));
        }
        if schema == EVIDENCE_SCHEMA {
            evidence(value, &mut report);
            return ("evidence", report);
        }
        if value.get("payloadType").is_some() {
            return (envelope(bytes, pins, now, &mut report), report);
        }
        let what = if schema.is_empty() {
            "it names no schema".to_owned()
        } else {
            format!("its schema is `{schema}`")
        };
        report.add(
            "document",
            Word::Fails,
            format!("it is no document that is known here: {what}"),
        );
        return ("unknown", report);
    }
    if text.split('.').count() == 3 && jwt::unverified_header(text).is_ok() {
        certificate(text, pins, now, &mut report);
        return ("certificate", report);
    }
    if text.contains("\n\n\u{2014} ") {
        checkpoint(bytes, pins, &mut report);
        return ("checkpoint", report);
    }
    let what = "neither JSON, nor a token, nor a signed note";
    report.add("document", Word::Fails, format!("it is no document that is known here: {what}"));
    ("unknown", report)
}

fn evidence(value: Value, report: &mut Report) {
    let evidence: Evidence = match serde_json::from_value(value) {
        Ok(it) => it,
        Err(error) => {
            report.add("evidence", Word::Fails, format!("it cannot be read: {error}"));
            return;
        }
    };
    let verdict = evidence.judgement.verdict.word();
    match replay::judge_again(&evidence) {
        None => {
            let text = format!("this build knows no check `{}`", evidence.transcript.check);
            report.add("judgement", Word::NotChecked, text);
        }
        Some(again) if again == evidence.judgement => {
            report.add(
                "judgement",
                Word::Holds,
                format!("judged again, with the same verdict: {verdict}"),
            );
        }
        Some(again) => {
            let text = format!("it says {verdict}, its transcript says {}", again.verdict.word());
            report.add("judgement", Word::Fails, text);
        }
    }
    match redact::shown(&evidence.transcript).first() {
        None => report.add("redaction", Word::Holds, "it shows nothing that looks like a secret"),
        Some(place) => report.add(
            "redaction",
            Word::Fails,
            format!("it shows what looks like a secret: {place}"),
        ),
    }
    report.add(
        "origin",
        Word::OwnWord,
        "evidence alone carries no signature; a pack shows who approved it",
    );
}

/// A signed decision, or a signed snapshot.
fn envelope(bytes: &[u8], pins: &Pins, now: Timestamp, report: &mut Report) -> &'static str {
    let envelope = match Envelope::parse(bytes) {
        Ok(it) => it,
        Err(error) => {
            report.add("envelope", Word::Fails, chain(&error));
            return "envelope";
        }
    };
    if envelope.payload_type() == SNAPSHOT_TYPE {
        snapshot::verify(bytes, &envelope, pins, report);
        return "snapshot";
    }
    let Some(approvers) = &pins.approvers else {
        report.add(
            "people",
            Word::NotChecked,
            "it holds no keys; name them: --keys FILE, or --approver",
        );
        return "decision";
    };
    match Approved::check(&envelope, approvers) {
        Err(error) => report.add("people", Word::Fails, chain(&error)),
        Ok(approved) => {
            let decision = approved.decision();
            let people = approved.people().len();
            let text = format!(
                "{people} people who are pinned signed that {} may act",
                decision.grant.integration
            );
            report.add("people", Word::Holds, text);
            let (from, to) = (decision.not_before, decision.not_after);
            let word = if approved.is_current(now) { Word::Holds } else { Word::NotInForce };
            report.add("dates", word, format!("from {from} to {to}"));
        }
    }
    "decision"
}

fn certificate(token: &str, pins: &Pins, now: Timestamp, report: &mut Report) {
    let Some(key) = pins.certificate else {
        report.add(
            "signature",
            Word::NotChecked,
            "it holds no key; name it: --keys FILE, or --certificate-key",
        );
        return;
    };
    let expect =
        Expect { typ: Some(CERTIFICATE_TYPE), issuer: pins.issuer.as_deref(), audience: None };
    let verified = jwt::verify(token, &[VerifyingKey::ed25519(key)], expect);
    let claims = verified
        .map_err(|it| chain(&it))
        .and_then(|it| serde_json::from_value::<Claims>(it.claims).map_err(|it| chain(&it)));
    match claims {
        Err(error) => report.add("signature", Word::Fails, error),
        Ok(claims) => {
            let text = format!(
                "{} of {} is signed by {}",
                claims.bound.certificate, claims.sub, claims.iss
            );
            report.add("signature", Word::Holds, text);
            let (from, to) =
                (Timestamp::from_seconds(claims.iat), Timestamp::from_seconds(claims.exp));
            let word = if now < to { Word::Holds } else { Word::NotInForce };
            report.add("dates", word, format!("from {from} to {to}"));
            let text = format!(
                "entry {} of {} says whether it still counts",
                claims.status.status_list.idx, claims.status.status_list.uri
            );
            report.add("status", Word::NotChecked, text);
        }
    }
}

fn checkpoint(bytes: &[u8], pins: &Pins, report: &mut Report) {
    let Some(key) = &pins.log else {
        report.add(
            "signature",
            Word::NotChecked,
            "it holds no key; name it: --keys FILE, or --vkey",
        );
        return;
    };
    match Checkpoint::open(&String::from_utf8_lossy(bytes), key) {
        Err(error) => report.add("signature", Word::Fails, chain(&error)),
        Ok(it) => {
            let text =
                format!("{} signed {} entries under the root {}", key.name(), it.size, it.root);
            report.add("signature", Word::Holds, text);
        }
    }
}

/// An error with its causes.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(it) = source {
        text = format!("{text}: {it}");
        source = it.source();
    }
    text
}
