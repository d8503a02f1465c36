//! Does the host refuse weak cipher suites?
//!
//! Some suites encrypt nothing, some can be broken, and some let whoever gets the key later read
//! everything that was recorded before. A host that takes one of them can be talked down to it.
//!
//! Offers TLS 1.2 with nothing but such suites: RSA key exchange and static Diffie-Hellman; CBC; RC4,
//! 3DES, NULL, EXPORT and anonymous ones. Families that are taken are left out of the next offer, so
//! that each one is named.
//!
//! Source: RFC 9325, sections 4.1 and 4.2; Mozilla Server Side TLS, intermediate; TLS-02.

use countersign_model::check::Judgement;

use super::Look;
use super::seen::{Seen, Told};
use super::suites::{Family, OFFERS, weak};
use crate::check::Info;
use crate::live::heard::Heard;

/// Does the host refuse weak cipher suites?
pub(crate) static CHECK: Look = Look { info: &INFO, reads: &["weak."], figures: &[], judge };

const INFO: Info = Info {
    name: "refuses_weak_cipher_suites",
    case: Some("TLS-02"),
    controls: &["CTS-NET-01"],
    question: "Does the host refuse weak cipher suites?",
    sends: "Hellos of TLS 1.2 to each host that the manifest names, with weak suites alone: RSA key exchange and static Diffie-Hellman; CBC; RC4, 3DES, DES, NULL, EXPORT and anonymous. What is taken is left out of the next one. Right hellos before and after.",
    passes: "Each is refused by an alert or a closed connection, while TLS 1.2 or 1.3 with modern suites is answered before and after and the host answers in HTTP.",
    risk: "An attacker on the way can talk both sides down to a suite that can be broken, or read later what was recorded today.",
    fix: "Allow ECDHE (or DHE) with AES-GCM or ChaCha20-Poly1305 alone, as the Mozilla intermediate profile does.",
    source: "RFC 9325, sections 4.1 and 4.2; Mozilla Server Side TLS, intermediate; TLS-02.",
};

fn judge(seen: Seen<'_>) -> Judgement {
    let offers: Vec<Told> = seen.offers("weak.").collect();
    let expected = "an alert or a closed connection for every weak suite";
    let taken: Vec<_> = offers.iter().filter_map(|it| Some((it, taken(it)?))).collect();
    if let Some((first, (family, suite))) = taken.first() {
        let names: Vec<&str> = taken.iter().map(|(_, (family, _))| family.name).collect();
        let options = format!("-tls1_2 -cipher '{}:@SECLEVEL=0'", family.openssl);
        return Judgement::fail(format!("weak cipher suites are taken: {}", names.join(", ")))
            .observed(format!("{suite} for `{}`", first.offered))
            .expected(expected)
            .details(taken.iter().map(|(_, (family, suite))| format!("{}: {suite}", family.name)))
            .repeat(seen.openssl(&options));
    }
    if let Some(judgement) = seen.unproven() {
        return judgement;
    }
    for (label, _) in OFFERS {
        match offers.iter().rfind(|it| it.label == *label) {
            Some(it) if it.heard.is_refused() => {}
            Some(it) => {
                let sentence = "a hello with weak suites has no answer that says anything";
                return Judgement::inconclusive(sentence).observed(it.words()).expected(expected);
            }
            None => {
                let sentence = "the check did not send what it wanted to send";
                return Judgement::inconclusive(sentence).expected(expected);
            }
        }
    }
    let words: Vec<String> = offers.iter().map(Told::words).collect();
    Judgement::pass("no weak cipher suite is taken").observed(words.join("; ")).expected(expected)
}

fn taken(told: &Told) -> Option<(&'static Family, &'static str)> {
    match &told.heard {
        Heard::Hello(it) => weak(it.suite),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};

    use super::super::sample::{
        alert, answered, closing, closing_12, nobody_passes_by_accident, offer, older, opening,
        silent,
    };
    use super::*;
    use crate::sample::{Sample, judged, judges};

    fn with(sample: Sample, answers: &[(&str, &Heard)]) -> Sample {
        answers.iter().fold(sample, |sample, (label, heard)| {
            sample.fact(label, offer(&format!("TLS 1.2 with {label}"), heard))
        })
    }

    fn refusing(sample: Sample) -> Sample {
        let no = &alert();
        with(sample, &[("weak.static", no), ("weak.cbc", no), ("weak.broken", no)])
    }

    #[test]
    fn a_weak_suite_that_is_taken_fails() {
        let no = &alert();
        let rsa = &answered(0x0303, 0x002f);
        let rc4 = &answered(0x0303, 0xc011);
        let null = &answered(0x0303, 0x003b);
        let modern = &answered(0x0303, 0xc02f);
        let between = |answers: &[_]| closing(with(opening(), answers));
        let some = [("weak.static", rsa), ("weak.static", no), ("weak.cbc", no)];
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("1.2 alone", closing_12(refusing(older())), Pass),
            ("RSA", between(&some), Fail),
            ("RC4", between(&[("weak.static", no), ("weak.cbc", no), ("weak.broken", rc4)]), Fail),
            ("NULL, and gone", with(opening(), &[("weak.broken", null)]), Fail),
            ("cut off", between(&[("weak.static", no), ("weak.cbc", no)]), Inconclusive),
            (
                "silent",
                between(&[("weak.static", no), ("weak.cbc", no), ("weak.broken", &silent())]),
                Inconclusive,
            ),
            (
                "what was not offered",
                between(&[("weak.static", modern), ("weak.cbc", no), ("weak.broken", no)]),
                Inconclusive,
            ),
        ];
        judges(&CHECK, &table);
        nobody_passes_by_accident(&CHECK, refusing);
    }

    #[test]
    fn a_finding_names_every_family_that_is_taken() {
        let (rsa, cbc) = (answered(0x0303, 0x002f), answered(0x0303, 0xc013));
        let answers = [("weak.static", &rsa), ("weak.static", &alert()), ("weak.cbc", &cbc)];
        let judgement = judged(&CHECK, &closing(with(opening(), &answers)));
        insta::assert_snapshot!(judgement.sentence, @"weak cipher suites are taken: RSA key exchange, CBC");
        insta::assert_snapshot!(judgement.observed, @"TLS_RSA_WITH_AES_128_CBC_SHA for `TLS 1.2 with weak.static`");
        insta::assert_snapshot!(judgement.details.join("\n"), @r"
        RSA key exchange: TLS_RSA_WITH_AES_128_CBC_SHA
        CBC: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
        ");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"openssl s_client -connect events.acme.example:443 -servername events.acme.example -tls1_2 -cipher 'kRSA:@SECLEVEL=0' </dev/null");
    }
}
