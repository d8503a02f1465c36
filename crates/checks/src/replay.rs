//! Judges stored evidence again, without the partner.

use countersign_model::check::{Evidence, Judgement};
use countersign_model::declare::Manifest;

use crate::check::{NO_SUBJECT, conclude};
use crate::{registry, settings};

/// Judges stored evidence again; none if the check is not known here.
///
/// The same transcript gives the same judgement. Nothing of the stored judgement is believed.
pub fn judge_again(evidence: &Evidence) -> Option<Judgement> {
    let check = registry::find(&evidence.transcript.check)?;
    Some(conclude(check, &evidence.transcript))
}

/// What a check has to look at in a manifest; none if the check is not known here.
///
/// An empty list means that it does not apply, and only then may a transcript say so.
pub fn subjects(check: &str, manifest: &Manifest) -> Option<Vec<String>> {
    registry::find(check).map(|it| it.subjects(manifest))
}

/// What is wrong with the frame of a transcript: a subject that the manifest does not have, or a
/// figure that its profile does not ask. None if nothing is, or if the check is not known here.
pub fn misframed(evidence: &Evidence, manifest: &Manifest) -> Option<String> {
    let transcript = &evidence.transcript;
    let subjects = subjects(&transcript.check, manifest)?;
    let says_none = transcript.settings.contains_key(NO_SUBJECT);
    if says_none && !subjects.is_empty() {
        return Some("it says that the manifest has nothing to look at, and it has".to_owned());
    }
    if !says_none && !subjects.contains(&transcript.subject) {
        return Some(format!("the manifest has no `{}` to look at", transcript.subject));
    }
    let asked = settings::of_manifest(manifest);
    let other = asked
        .iter()
        .find(|(name, value)| transcript.settings.get(*name).is_some_and(|it| it != *value));
    other.map(|(name, value)| format!("`{name}` is not {value}, as the profile asks"))
}

#[cfg(test)]
mod tests {
    use countersign_model::check::{Transcript, Verdict};
    use countersign_model::declare::{Format, parse};
    use countersign_model::id::EvidenceId;
    use countersign_model::time::Timestamp;
    use countersign_seal::Digest;
    use serde_json::json;

    use super::*;
    use crate::registry::CHECKS;

    fn evidence(check: &str, judgement: Judgement) -> Evidence {
        Evidence {
            schema: "countersign.evidence/1".to_owned(),
            id: EvidenceId::new(Timestamp::from_seconds(0), [1; 10]),
            judge: "1".to_owned(),
            collector: "server".to_owned(),
            at: Timestamp::from_seconds(0),
            transcript: Transcript::new(check, "manifest", Digest::of(b"manifest")),
            judgement,
        }
    }

    fn manifest() -> Manifest {
        let text = include_str!("../../../spec/vectors/manifest/saas.toml");
        parse(text, Format::Toml).unwrap().manifest
    }

    #[test]
    fn an_empty_transcript_never_passes_whatever_is_stored_beside_it() {
        for check in CHECKS.iter() {
            let name = check.info().name;
            for stored in [Judgement::pass("yes"), Judgement::not_applicable("nothing to see")] {
                let again = judge_again(&evidence(name, stored)).unwrap();
                assert_ne!(again.verdict, Verdict::Pass, "{name}");
                assert_ne!(again.verdict, Verdict::NotApplicable, "{name}");
            }
        }
        assert!(judge_again(&evidence("believes_everything", Judgement::pass("yes"))).is_none());
    }

    #[test]
    fn not_applicable_holds_only_where_the_manifest_has_nothing_to_look_at() {
        let manifest = manifest();
        for check in CHECKS.iter() {
            let name = check.info().name;
            let mut silent = evidence(name, Judgement::not_applicable("nothing to see"));
            silent.transcript.settings.insert(NO_SUBJECT.to_owned(), json!(true));
            let verdict = judge_again(&silent).unwrap().verdict;
            assert_eq!(verdict, Verdict::NotApplicable, "{name}");
            let applies = !check.subjects(&manifest).is_empty();
            assert_eq!(misframed(&silent, &manifest).is_some(), applies, "{name}");
        }
    }

    #[test]
    fn a_figure_that_the_profile_does_not_ask_is_seen() {
        let manifest = manifest();
        let (name, _) = settings::of_manifest(&manifest).into_iter().next().unwrap();
        let check = CHECKS.iter().find(|it| it.subjects(&manifest).contains(&"manifest".into()));
        let mut odd = evidence(check.unwrap().info().name, Judgement::pass("yes"));
        assert_eq!(misframed(&odd, &manifest), None);
        odd.transcript.settings.insert(name.clone(), json!("whatever suits"));
        assert!(misframed(&odd, &manifest).unwrap().contains(&name));
        odd.transcript.settings.clear();
        odd.transcript.subject = "hook:elsewhere".to_owned();
        let text = "the manifest has no `hook:elsewhere` to look at";
        assert_eq!(misframed(&odd, &manifest).as_deref(), Some(text));
    }
}
