//! Does the host leave compression alone, and renegotiate safely or not at all?
//!
//! Compression inside TLS lets an attacker read secrets by the length of what is sent (CRIME). A
//! renegotiation that is not bound to what was before it lets somebody put words of their own before
//! those of another.
//!
//! Sends a hello of TLS 1.2 that offers DEFLATE beside no compression and says that it knows secure
//! renegotiation. What the answer shows is judged; no renegotiation is tried. TLS 1.3 has neither.
//!
//! Source: RFC 9325, sections 3.3 and 3.5; RFC 5746; TLS-07.

use countersign_model::check::Judgement;

use super::Look;
use super::seen::{Seen, Told};
use crate::check::Info;
use crate::live::heard::Heard;
use crate::live::hello::TLS13;
use crate::live::wire::ServerHello;

/// Does the host leave compression alone, and renegotiate safely or not at all?
pub(crate) static CHECK: Look = Look { info: &INFO, reads: &["compression"], figures: &[], judge };

const INFO: Info = Info {
    name: "refuses_tls_compression",
    case: Some("TLS-07"),
    controls: &["CTS-NET-01"],
    question: "Does the host leave compression alone, and renegotiate safely or not at all?",
    sends: "A hello of TLS 1.2 to each host that the manifest names, which offers DEFLATE and secure renegotiation. No renegotiation is tried. Right hellos before and after.",
    passes: "No compression is chosen and the answer shows secure renegotiation (RFC 5746); or TLS 1.3 is spoken alone, which has neither. And the host answers in HTTP.",
    risk: "Tokens can be guessed from the length of what is sent, or an attacker puts words of their own before a client's request.",
    fix: "Switch TLS compression off, and use a TLS library that knows RFC 5746 (every one since 2010).",
    source: "RFC 9325, sections 3.3 and 3.5; RFC 5746; TLS-07.",
};

fn judge(seen: Seen<'_>) -> Judgement {
    let expected = "no compression, and renegotiation_info in every answer of TLS 1.2";
    let offered = seen.offer("compression");
    let plain = seen.offer("control-12");
    let answers = || [offered.as_ref(), plain.as_ref()].into_iter().flatten();
    for told in answers() {
        let Some(hello) = older(told) else { continue };
        let sentence = match hello {
            it if it.compression != 0 => "TLS compression is chosen",
            it if !it.renegotiation_info => "secure renegotiation is not known",
            _ => continue,
        };
        return Judgement::fail(sentence)
            .observed(format!("{}: {}", told.offered, words(hello)))
            .expected(expected)
            .repeat(seen.openssl("-tls1_2 -comp"));
    }
    if let Some(judgement) = seen.unproven() {
        return judgement;
    }
    let Some(offered) = &offered else {
        return Judgement::inconclusive("the check did not send what it wanted to send");
    };
    let shown = answers().find_map(older).map(words);
    let is_alone = seen.speaks_13() && plain.as_ref().is_some_and(|it| it.heard.is_refused());
    match shown {
        _ if !(offered.heard.is_refused() || older(offered).is_some()) => {
            Judgement::inconclusive("an offer to compress has no answer that says anything")
                .observed(offered.words())
                .expected(expected)
        }
        Some(words) => Judgement::pass("nothing is compressed, and renegotiation is secure")
            .observed(words)
            .expected(expected),
        None if is_alone => Judgement::pass("TLS 1.3 is spoken alone, which has neither")
            .observed(offered.words())
            .expected(expected),
        None => Judgement::inconclusive("TLS 1.2 has no answer that says anything")
            .observed(offered.words())
            .expected(expected),
    }
}

/// An answer of TLS 1.2 or older.
fn older(told: &Told) -> Option<&ServerHello> {
    match &told.heard {
        Heard::Hello(it) if it.version < TLS13 => Some(it),
        _ => None,
    }
}

fn words(hello: &ServerHello) -> String {
    let compression = match hello.compression {
        0 => "no compression".to_owned(),
        1 => "DEFLATE".to_owned(),
        other => format!("compression {other}"),
    };
    let word = if hello.renegotiation_info { "with" } else { "without" };
    format!("{compression}, {word} renegotiation_info")
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};

    use super::super::sample::{
        alert, answered, closing, closing_12, finished, hello, host, nobody_passes_by_accident,
        offer, older, opening, serving, silent,
    };
    use super::*;
    use crate::sample::{Sample, judged, judges};

    fn with(sample: Sample, heard: &Heard) -> Sample {
        sample.fact("compression", offer("TLS 1.2 with compression", heard))
    }

    #[test]
    fn what_the_answer_shows_is_judged() {
        let secure = answered(0x0303, 0xc02f);
        let deflated = Heard::Hello(ServerHello { compression: 1, ..hello(0x0303, 0xc02f) });
        let bare = Heard::Hello(ServerHello { renegotiation_info: false, ..hello(0x0303, 0xc02f) });
        let between = |heard: &Heard| closing(with(opening(), heard));
        let newest = |heard: &Heard| {
            closing(with(
                serving(host(), 405, 404)
                    .fact("control", offer("TLS 1.3 only", &finished("X25519")))
                    .fact("control-12", offer("TLS 1.2", &alert())),
                heard,
            ))
        };
        let hidden = serving(host(), 405, 404)
            .fact("control", offer("TLS 1.3 only", &finished("X25519")))
            .fact("control-12", offer("TLS 1.2", &bare));
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("1.2 alone", closing_12(with(older(), &secure)), Pass),
            ("1.3 alone", newest(&alert()), Pass),
            ("refuses the offer", between(&alert()), Pass),
            ("compresses", between(&deflated), Fail),
            ("compresses, and gone", with(opening(), &deflated), Fail),
            ("insecure", between(&bare), Fail),
            ("insecure, and refuses the offer", closing(with(hidden, &alert())), Fail),
            ("silent", between(&silent()), Inconclusive),
            ("silent on 1.2", newest(&silent()), Inconclusive),
            ("cut off", closing(opening()), Inconclusive),
        ];
        judges(&CHECK, &table);
        nobody_passes_by_accident(&CHECK, |it| with(it, &answered(0x0303, 0xc02f)));
        let judgement = judged(&CHECK, &between(&deflated));
        insta::assert_snapshot!(judgement.observed, @"TLS 1.2 with compression: DEFLATE, with renegotiation_info");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"openssl s_client -connect events.acme.example:443 -servername events.acme.example -tls1_2 -comp </dev/null");
    }
}
