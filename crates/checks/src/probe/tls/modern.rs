//! Does the host speak TLS 1.3?
//!
//! TLS 1.3 removed everything that was broken in the versions before, encrypts the certificate, and
//! is the only version that new key exchanges are made for.
//!
//! Does one handshake that offers TLS 1.3 alone.
//!
//! Source: RFC 9325, section 3.1.1; Mozilla Server Side TLS, intermediate; TLS-03.

use countersign_model::check::Judgement;

use super::Look;
use super::seen::Seen;
use crate::check::Info;
use crate::live::heard::Heard;

/// Does the host speak TLS 1.3?
pub(crate) static CHECK: Look = Look { info: &INFO, reads: &[], figures: &[], judge };

const INFO: Info = Info {
    name: "speaks_tls_1_3",
    case: Some("TLS-03"),
    controls: &["CTS-NET-01"],
    question: "Does the host speak TLS 1.3?",
    sends: "Two handshakes with each host that the manifest names, which offer TLS 1.3 alone, and a hello of TLS 1.2 to compare with.",
    passes: "Both handshakes come to their end, and the host answers in HTTP.",
    risk: "Connections stay on a version whose safety hangs on every setting being right.",
    fix: "Allow TLS 1.3 at this host and at everything in front of it (load balancer, CDN).",
    source: "RFC 9325, section 3.1.1; Mozilla Server Side TLS, intermediate; TLS-03.",
};

fn judge(seen: Seen<'_>) -> Judgement {
    let expected = "a handshake with TLS 1.3 alone";
    let Some(control) = seen.offer("control") else {
        return seen.unproven().unwrap_or_else(|| {
            Judgement::inconclusive("the check did not send what it wanted to send")
        });
    };
    match &control.heard {
        Heard::Finished(_) => match seen.unproven() {
            Some(judgement) => judgement,
            None if seen.speaks_13() => Judgement::pass("TLS 1.3 is spoken")
                .observed(control.heard.words())
                .expected(expected),
            None => Judgement::inconclusive("TLS 1.3 is spoken at first, and not at last"),
        },
        heard if heard.is_refused() && seen.speaks_12() => match seen.offer("closing") {
            Some(it) if it.heard.is_taken() => Judgement::fail("TLS 1.3 is not spoken")
                .observed(format!("{}, while TLS 1.2 is answered", control.words()))
                .expected(expected)
                .repeat(seen.openssl("-tls1_3")),
            _ => Judgement::inconclusive("the host is gone before the look was over")
                .observed(control.words())
                .expected(expected),
        },
        _ => Judgement::inconclusive("TLS 1.3 has no answer that says anything")
            .observed(control.words())
            .expected(expected),
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive};

    use super::super::sample::{
        alert, answered, closing, closing_12, host, nobody_passes_by_accident, offer, older,
        opening, serving, silent,
    };
    use super::*;
    use crate::sample::{Sample, judged, judges};

    #[test]
    fn only_a_finished_handshake_passes() {
        let with = |control: &Heard, older: &Heard| {
            serving(host(), 405, 404)
                .fact("control", offer("TLS 1.3 only", control))
                .fact("control-12", offer("TLS 1.2", older))
        };
        let (twelve, no) = (&answered(0x0303, 0xc02f), &alert());
        let odd = &Heard::Broken { detail: "invalid signature".to_owned() };
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("1.2 alone", closing_12(older()), Fail),
            ("closed on 1.3", closing_12(with(&Heard::Closed, twelve)), Fail),
            ("1.2 alone, then gone", older(), Inconclusive),
            ("nothing", with(no, no), Inconclusive),
            ("silent on 1.3", closing_12(with(&silent(), twelve)), Inconclusive),
            ("no agreement", closing_12(with(odd, twelve)), Inconclusive),
            ("1.3 at first only", closing_12(opening()), Inconclusive),
        ];
        judges(&CHECK, &table);
        nobody_passes_by_accident(&CHECK, |it| it);
        let judgement = judged(&CHECK, &closing_12(older()));
        insta::assert_snapshot!(judgement.observed, @"TLS 1.3 only: alert protocol_version, while TLS 1.2 is answered");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"openssl s_client -connect events.acme.example:443 -servername events.acme.example -tls1_3 </dev/null");
        insta::assert_snapshot!(judged(&CHECK, &closing(opening())).observed, @"TLSv1_3 with TLS13_AES_256_GCM_SHA384 and X25519");
    }
}
