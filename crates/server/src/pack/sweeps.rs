//! Evidence of later looks: each is the one that its entry names, is judged right, and shows no secrets.

use countersign_checks::redact;
use countersign_model::check::Evidence;
use countersign_seal::digest_of;
use serde::Deserialize as _;

use super::document::Pack;
use super::history::History;
use super::report::Report;
use super::verify::Judges;

/// Says nothing where nobody looked again since the assessment, and the pack claims nothing.
pub(crate) fn check(pack: &Pack, history: &History, judges: Judges, report: &mut Report) {
    if !history.sweeps.is_empty() || !pack.sweeps.is_empty() {
        report.take("sweeps", looked(pack, history, judges));
    }
}

fn looked(pack: &Pack, history: &History, judges: Judges) -> Result<((), String), String> {
    let (has, wants) = (pack.sweeps.len(), history.sweeps.len());
    if has != wants {
        return Err(format!("{has} later looks are here, and the log names {wants}"));
    }
    let mut unknown = 0_usize;
    for ((id, digest), value) in history.sweeps.iter().zip(&pack.sweeps) {
        let evidence =
            Evidence::deserialize(value).map_err(|it| format!("{id} cannot be read: {it}"))?;
        if evidence.id != *id || digest_of(value).map_err(|it| it.to_string())? != *digest {
            return Err(format!("{id} is not the one that the log names"));
        }
        match (judges.again)(&evidence) {
            None => unknown += 1,
            Some(again) if again == evidence.judgement => {}
            Some(again) => {
                let (then, now) = (evidence.judgement.verdict.word(), again.verdict.word());
                return Err(format!("{id} says {then}, its transcript says {now}"));
            }
        }
        if let Some(place) = redact::shown(&evidence.transcript).first() {
            return Err(format!("{id} shows what looks like a secret: {place}"));
        }
    }
    let words = match unknown {
        0 => "judged again, with the same verdict".to_owned(),
        _ => format!("{unknown} of them not known to this build"),
    };
    Ok(((), format!("{has} later looks are those that the log names; {words}")))
}
