//! Does the host refuse every version before TLS 1.2?
//!
//! SSL 3.0, TLS 1.0 and TLS 1.1 are broken and withdrawn. A host that still speaks one of them lets an
//! attacker on the way talk both sides down to it.
//!
//! Sends three hellos: TLS 1.1 and older, TLS 1.0 and older, SSL 3.0 only.
//!
//! Source: RFC 9325, section 3.1.1; RFC 8996; TLS-01.

use countersign_model::check::Judgement;

use super::Look;
use super::seen::{Seen, Told};
use crate::check::Info;
use crate::live::heard::{Heard, version_name};
use crate::live::hello::{TLS10, TLS11, TLS12};

/// Does the host refuse every version before TLS 1.2?
pub(crate) static CHECK: Look = Look { info: &INFO, reads: &["old."], figures: &[], judge };

const INFO: Info = Info {
    name: "refuses_old_tls",
    case: Some("TLS-01"),
    controls: &["CTS-NET-01"],
    question: "Does the host refuse every version before TLS 1.2?",
    sends: "Three hellos to each host that the manifest names: TLS 1.1 and older, TLS 1.0 and older, SSL 3.0 only. Right hellos before and after.",
    passes: "Each of the three is refused by an alert or a closed connection, while TLS 1.2 or 1.3 is answered before and after and the host answers in HTTP.",
    risk: "An attacker on the way can talk both sides down to a version that can be broken, and read or change tokens and data.",
    fix: "Allow TLS 1.2 and 1.3 alone at this host and at everything in front of it (load balancer, CDN).",
    source: "RFC 9325, section 3.1.1; RFC 8996; TLS-01.",
};

const WANTED: [&str; 3] = ["old.tls11", "old.tls10", "old.ssl30"];

fn judge(seen: Seen<'_>) -> Judgement {
    let offers: Vec<Told> = seen.offers("old.").collect();
    let lines = || offers.iter().map(Told::words);
    let expected = "an alert or a closed connection for each";
    if let Some((told, version)) = offers.iter().find_map(|it| Some((it, spoken(it)?))) {
        let option = match version {
            TLS10 => "-tls1",
            TLS11 => "-tls1_1",
            _ => "-ssl3",
        };
        return Judgement::fail(format!("{} is spoken", version_name(version)))
            .observed(told.words())
            .expected(expected)
            .details(lines())
            .repeat(seen.openssl(&format!("{option} -cipher 'ALL:@SECLEVEL=0'")));
    }
    if let Some(judgement) = seen.unproven() {
        return judgement;
    }
    for label in WANTED {
        match offers.iter().find(|it| it.label == label) {
            Some(it) if it.heard.is_refused() => {}
            Some(it) => {
                let sentence = "an old hello has no answer that says anything";
                return Judgement::inconclusive(sentence).observed(it.words()).expected(expected);
            }
            None => {
                let sentence = "the check did not send what it wanted to send";
                return Judgement::inconclusive(sentence).expected(expected);
            }
        }
    }
    let words = lines().collect::<Vec<_>>().join(", ");
    Judgement::pass("no version before TLS 1.2 is spoken").observed(words).expected(expected)
}

/// The old version that was chosen. A newer one than was offered is an answer that no client can use.
fn spoken(told: &Told) -> Option<u16> {
    match &told.heard {
        Heard::Hello(it) if it.version < TLS12 => Some(it.version),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};

    use super::super::sample::{
        alert, answered, closing, closing_12, nobody_passes_by_accident, offer, older, opening,
        serving, silent,
    };
    use super::*;
    use crate::sample::{Sample, judged, judges};

    fn with(sample: Sample, answers: [&Heard; 3]) -> Sample {
        let offered = ["TLS 1.1 and older", "TLS 1.0 and older", "SSL 3.0 only"];
        let rows = WANTED.iter().zip(offered).zip(answers);
        rows.fold(sample, |sample, ((label, offered), heard)| {
            sample.fact(label, offer(offered, heard))
        })
    }

    #[test]
    fn an_old_version_that_is_spoken_fails() {
        let (no, old, odd) = (&alert(), &answered(0x0301, 0x002f), &answered(0x0303, 0xc02f));
        let between = |answers| closing(with(opening(), answers));
        let broken = with(serving(super::super::sample::host(), 500, 500), [old, old, no]);
        let nothing_newer = super::super::sample::host()
            .fact("control", offer("TLS 1.3 only", no))
            .fact("control-12", offer("TLS 1.2", no));
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("closed without a word", between([&Heard::Closed, no, no]), Pass),
            ("1.2 alone", closing_12(with(older(), [no, no, no])), Pass),
            ("1.0", between([old, old, no]), Fail),
            ("SSL 3.0", between([no, no, &answered(0x0300, 0x000a)]), Fail),
            ("1.1", between([&answered(0x0302, 0x002f), no, no]), Fail),
            ("old, and broken", broken, Fail),
            ("old, and nothing newer", with(nothing_newer, [old, old, no]), Fail),
            ("silent", between([no, &silent(), no]), Inconclusive),
            ("newer than offered", between([odd, no, no]), Inconclusive),
            ("not TLS", between([&Heard::Unreadable, no, no]), Inconclusive),
            ("cut off", closing(opening()), Inconclusive),
        ];
        judges(&CHECK, &table);
        nobody_passes_by_accident(&CHECK, |it| with(it, [&alert(), &Heard::Closed, &alert()]));
    }

    #[test]
    fn a_finding_says_how_to_repeat_it() {
        let old = answered(0x0301, 0x002f);
        let judgement = judged(&CHECK, &closing(with(opening(), [&old, &old, &alert()])));
        insta::assert_snapshot!(judgement.sentence, @"TLS 1.0 is spoken");
        insta::assert_snapshot!(judgement.observed, @"TLS 1.1 and older: TLS 1.0 with cipher suite 0x002f");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"openssl s_client -connect events.acme.example:443 -servername events.acme.example -tls1 -cipher 'ALL:@SECLEVEL=0' </dev/null");
        assert_eq!(judgement.place.as_deref(), Some("event[0].endpoint"));
    }
}
