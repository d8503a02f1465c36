//! Does the host stand an offer of a post-quantum key exchange?
//!
//! Browsers offer X25519MLKEM768 first, in a hello that no longer fits into one packet. Whether a host
//! takes it is told here and decides nothing; a host that breaks on the offer, instead of passing over
//! what it does not know, shuts out today's clients.
//!
//! Does a handshake of TLS 1.3 with key shares of X25519MLKEM768 and X25519. A refusal counts when it
//! comes twice.
//!
//! Source: RFC 8446, sections 4.2.7 and 9.3; Mozilla Server Side TLS 5.8; TLS-08.

use countersign_model::check::Judgement;

use super::Look;
use super::seen::{Seen, Told};
use crate::check::Info;
use crate::live::heard::Heard;

/// Does the host stand an offer of a post-quantum key exchange?
pub(crate) static CHECK: Look = Look { info: &INFO, reads: &["hybrid"], figures: &[], judge };

const INFO: Info = Info {
    name: "tolerates_post_quantum_offer",
    case: Some("TLS-08"),
    controls: &["CTS-NET-01"],
    question: "Does the host stand an offer of a post-quantum key exchange?",
    sends: "A handshake of TLS 1.3 with each host that the manifest names, with key shares of X25519MLKEM768 and X25519; once more where it is refused. Handshakes without it before and after.",
    passes: "The handshake comes to its end, with X25519MLKEM768 or with another group: which one is told for information. And the host answers in HTTP.",
    risk: "Today's browsers and libraries cannot connect, and nobody can move on to key exchanges that stand quantum computers.",
    fix: "Update the TLS library, and everything in front of it that reads hellos, so that unknown groups are passed over and hellos of more than one packet are read.",
    source: "RFC 8446, sections 4.2.7 and 9.3; Mozilla Server Side TLS 5.8; TLS-08.",
};

const GROUP: &str = "X25519MLKEM768";

fn judge(seen: Seen<'_>) -> Judgement {
    let expected = "a handshake that comes to its end, with X25519MLKEM768 or without";
    if let Some(judgement) = seen.unproven() {
        return judgement;
    }
    let offers: Vec<Told> = seen.offers("hybrid").collect();
    let Some(last) = offers.last().filter(|_| seen.speaks_13()) else {
        let sentence = "TLS 1.3 is not spoken, so that nothing post-quantum can be offered";
        return Judgement::inconclusive(sentence).expected(expected);
    };
    let first = offers.first().unwrap_or(last);
    match &last.heard {
        Heard::Finished(it) if offers.len() == 1 => {
            let sentence = if it.group == GROUP {
                "X25519MLKEM768 is taken"
            } else {
                "X25519MLKEM768 is passed over"
            };
            Judgement::pass(sentence).observed(it.group.clone()).expected(expected)
        }
        heard if heard.is_refused() && first.heard.is_refused() && 1 < offers.len() => {
            Judgement::fail("an offer of X25519MLKEM768 breaks the handshake")
                .observed(format!("{}, twice, while TLS 1.3 works without it", last.words()))
                .expected(expected)
                .repeat(seen.openssl("-tls1_3 -groups X25519MLKEM768:X25519"))
        }
        _ => Judgement::inconclusive("an offer of X25519MLKEM768 has no answer that says anything")
            .observed(offers.iter().map(Told::words).collect::<Vec<_>>().join(", "))
            .expected(expected),
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};

    use super::super::sample::{
        alert, closing, closing_12, finished, nobody_passes_by_accident, offer, older, opening,
        silent,
    };
    use super::*;
    use crate::sample::{Sample, judged, judges};

    fn with(sample: Sample, heard: &[&Heard]) -> Sample {
        let labels = ["hybrid", "hybrid-again"];
        labels.iter().zip(heard).fold(sample, |sample, (label, heard)| {
            sample.fact(label, offer("TLS 1.3 with a key share of X25519MLKEM768", heard))
        })
    }

    #[test]
    fn only_a_refusal_that_comes_twice_fails() {
        let no = &alert();
        let between = |heard: &[&Heard]| closing(with(opening(), heard));
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("taken", between(&[&finished("X25519MLKEM768")]), Pass),
            ("passed over", between(&[&finished("X25519")]), Pass),
            ("refused twice", between(&[no, no]), Fail),
            ("closed twice", between(&[&Heard::Closed, &Heard::Closed]), Fail),
            ("refused once", between(&[no]), Inconclusive),
            ("refused, then taken", between(&[no, &finished("X25519")]), Inconclusive),
            ("refused, then silent", between(&[no, &silent()]), Inconclusive),
            ("silent", between(&[&silent()]), Inconclusive),
            ("refused twice, and gone", with(opening(), &[no, no]), Inconclusive),
            ("1.2 alone", closing_12(older()), Inconclusive),
        ];
        judges(&CHECK, &table);
        nobody_passes_by_accident(&CHECK, |it| with(it, &[&finished("X25519")]));
        let judgement = judged(&CHECK, &between(&[no, no]));
        insta::assert_snapshot!(judgement.observed, @"TLS 1.3 with a key share of X25519MLKEM768: alert protocol_version, twice, while TLS 1.3 works without it");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"openssl s_client -connect events.acme.example:443 -servername events.acme.example -tls1_3 -groups X25519MLKEM768:X25519 </dev/null");
    }
}
