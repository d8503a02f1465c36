//! A host that is right, for the tables that judges are tested with.

use countersign_model::check::Verdict::{self, Inconclusive};
use countersign_model::check::transcript::FailureKind;
use serde_json::{Value, json};

use super::Look;
use crate::live::heard::{Heard, Session};
use crate::live::wire::ServerHello;
use crate::sample::{Sample, judges, sample};

/// A host that nothing was looked at yet.
pub(super) fn host() -> Sample {
    sample()
        .setting("place", "event[0].endpoint")
        .setting("host", "events.acme.example")
        .setting("port", 443)
        .setting("browsers", false)
}

/// Answers in HTTP, and greets in TLS 1.3 and 1.2; without what is asked between that and the closing.
pub(super) fn opening() -> Sample {
    serving(host(), 405, 404)
        .fact("control", offer("TLS 1.3 only", &finished("X25519")))
        .fact("control-12", offer("TLS 1.2", &answered(0x0303, 0xc02f)))
}

/// The same for a server that speaks TLS 1.2 alone.
pub(super) fn older() -> Sample {
    serving(host(), 405, 404)
        .fact("control", offer("TLS 1.3 only", &alert()))
        .fact("control-12", offer("TLS 1.2", &answered(0x0303, 0xc02f)))
}

pub(super) fn serving(sample: Sample, declared: u16, nowhere: u16) -> Sample {
    sample.answered("http.declared", declared, "").answered("http.nowhere", nowhere, "")
}

pub(super) fn closing(sample: Sample) -> Sample {
    sample.fact("closing", offer("TLS 1.3 only", &finished("X25519")))
}

pub(super) fn closing_12(sample: Sample) -> Sample {
    sample.fact("closing", offer("TLS 1.2", &answered(0x0303, 0xc02f)))
}

pub(super) fn offer(offered: &str, heard: &Heard) -> Value {
    json!({ "offered": offered, "heard": heard })
}

pub(super) fn finished(group: &str) -> Heard {
    Heard::Finished(Session {
        version: "TLSv1_3".to_owned(),
        suite: "TLS13_AES_256_GCM_SHA384".to_owned(),
        group: group.to_owned(),
    })
}

pub(super) fn answered(version: u16, suite: u16) -> Heard {
    Heard::Hello(hello(version, suite))
}

pub(super) fn hello(version: u16, suite: u16) -> ServerHello {
    ServerHello {
        version,
        suite,
        compression: 0,
        renegotiation_info: true,
        extensions: vec![0xff01],
    }
}

pub(super) fn alert() -> Heard {
    Heard::Alert { description: 70 }
}

pub(super) fn silent() -> Heard {
    Heard::failed(FailureKind::Timeout, "no answer within 3s")
}

/// What holds for every check of the family: `between` is what a right host does between the controls.
pub(super) fn nobody_passes_by_accident(check: &Look, between: fn(Sample) -> Sample) {
    let down = host().silent("http.declared", FailureKind::Connect);
    let hangs = host().silent("http.declared", FailureKind::Timeout);
    let half = host().silent("http.declared", FailureKind::Closed);
    let greeted = |it: Sample| {
        it.fact("control", offer("TLS 1.3 only", &finished("X25519")))
            .fact("control-12", offer("TLS 1.2", &answered(0x0303, 0xc02f)))
    };
    let served = |declared, nowhere| greeted(serving(host(), declared, nowhere));
    let table: Vec<(&str, Sample, Verdict)> = vec![
        ("right", closing(between(opening())), Verdict::Pass),
        ("nothing", sample(), Inconclusive),
        ("down", down, Inconclusive),
        ("hangs", hangs, Inconclusive),
        ("breaks off", closing(between(greeted(half))), Inconclusive),
        ("500 to all", closing(between(served(500, 500))), Inconclusive),
        ("429 to all", closing(between(served(429, 429))), Inconclusive),
        (
            "200 to all",
            closing(between(served(200, 200).answered("http.nowhere-post", 200, ""))),
            Inconclusive,
        ),
        (
            "a start page for every page",
            closing(between(served(200, 200).answered("http.nowhere-post", 405, ""))),
            Verdict::Pass,
        ),
        ("gone afterwards", between(opening()), Inconclusive),
        (
            "silent afterwards",
            between(opening()).fact("closing", offer("TLS 1.3 only", &silent())),
            Inconclusive,
        ),
        (
            "may not be looked at",
            host()
                .answered("http.declared", 200, "")
                .fact("located", json!({ "error": "private" })),
            Inconclusive,
        ),
    ];
    judges(check, &table);
}
