//! Does the host serve nothing without TLS?
//!
//! A request that goes to port 80 once, by an old link or a typing error, carries its tokens past
//! everybody on the way; and whoever sits there can answer instead. A host that sends browsers to HTTPS
//! and tells them to stay there (HSTS) closes that gap for people.
//!
//! Asks for a declared path on port 80, and reads HSTS from answers over HTTPS at hosts that browsers
//! are sent to.
//!
//! Source: RFC 9325, section 3.2; RFC 6797; TLS-06.

use countersign_model::check::transcript::FailureKind;
use countersign_model::check::{Answer, Exchange, Judgement};
use url::Url;

use super::Look;
use super::look::HSTS;
use super::seen::{Seen, told};
use crate::check::Info;

/// Does the host serve nothing without TLS?
pub(crate) static CHECK: Look = Look { info: &INFO, reads: &["plain"], figures: &[], judge };

const INFO: Info = Info {
    name: "serves_nothing_without_tls",
    case: Some("TLS-06"),
    controls: &["CTS-NET-01"],
    question: "Does the host serve nothing without TLS?",
    sends: "One request without TLS to port 80 of each host that the manifest names, and requests over HTTPS.",
    passes: "Port 80 is closed, or sends the caller to HTTPS at the same host (301 or 308) with no data. Hosts of callbacks answer over HTTPS with Strict-Transport-Security of 31536000 seconds or more.",
    risk: "Tokens and data of one stray request can be read and changed by everybody on the way.",
    fix: "Close port 80, or answer everything on it with 308 to https:// at the same host; send `Strict-Transport-Security: max-age=31536000` at hosts that browsers see.",
    source: "RFC 9325, section 3.2; RFC 6797; TLS-06.",
};

/// A year.
const HSTS_SECONDS_MIN: u64 = 31_536_000;
/// What a server may say beside "moved" without telling anything.
const MOVED_BYTES_MAX: u64 = 2_048;

fn judge(seen: Seen<'_>) -> Judgement {
    let expected = "port 80 closed, or 301 or 308 to https:// at the same host with no data";
    let Some(plain) = seen.answers("plain").next() else {
        return seen.unproven().unwrap_or_else(|| {
            Judgement::inconclusive("the check did not send what it wanted to send")
        });
    };
    let host = seen.0.text("host").unwrap_or_default();
    let repeat = format!("curl -i '{}'", plain.request.url);
    match port(plain, host) {
        Port::Served(sentence) => {
            return Judgement::fail(sentence)
                .observed(format!("{} for {}", told(&plain.answer), plain.request.url))
                .expected(expected)
                .repeat(repeat);
        }
        Port::Unclear => {
            return Judgement::inconclusive("port 80 has no answer that says anything")
                .observed(format!("{} for {}", told(&plain.answer), plain.request.url))
                .expected(expected)
                .repeat(repeat);
        }
        Port::Closed | Port::Moved => {}
    }
    if let Some(judgement) = seen.unproven() {
        return judgement;
    }
    let mut observed = format!("{} on port 80", told(&plain.answer));
    if seen.0.settings.get("browsers") == Some(&true.into()) {
        let expected = "Strict-Transport-Security with max-age of 31536000 or more";
        match kept(seen) {
            Some(seconds) if HSTS_SECONDS_MIN <= seconds => {
                observed = format!("{observed}, HSTS for {seconds} s");
            }
            Some(seconds) => {
                return Judgement::fail("browsers are told for too short a time to stay on HTTPS")
                    .observed(format!("max-age of {seconds}"))
                    .expected(expected)
                    .repeat(format!("curl -i 'https://{host}/'"));
            }
            None => {
                return Judgement::fail("browsers are not told to stay on HTTPS")
                    .observed("no Strict-Transport-Security in any answer over HTTPS")
                    .expected(expected)
                    .repeat(format!("curl -i 'https://{host}/'"));
            }
        }
    }
    Judgement::pass("nothing is served without TLS").observed(observed).expected(expected)
}

#[derive(Debug, PartialEq, Eq)]
enum Port {
    Closed,
    Moved,
    Served(&'static str),
    Unclear,
}

fn port(plain: &Exchange, host: &str) -> Port {
    match &plain.answer {
        Answer::Failure { kind: FailureKind::Closed | FailureKind::Connect, .. } => Port::Closed,
        Answer::Failure { .. } | Answer::Response { status: 500.., .. } => Port::Unclear,
        Answer::Response { status: 301 | 308, headers, body } => {
            let value = |name: &str| {
                headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str()).unwrap_or_default()
            };
            let holds_data = MOVED_BYTES_MAX < body.bytes || value("content-type").contains("json");
            if !leads_home(value("location"), host) {
                Port::Served("port 80 does not lead to HTTPS at the same host")
            } else if holds_data {
                Port::Served("data is served without TLS")
            } else {
                Port::Moved
            }
        }
        answer if answer.is_success() => Port::Served("data is served without TLS"),
        Answer::Response { .. } => {
            Port::Served("port 80 answers without TLS, and does not lead to HTTPS for good")
        }
    }
}

fn leads_home(location: &str, host: &str) -> bool {
    Url::parse(location).is_ok_and(|it| {
        it.scheme() == "https" && it.host_str().is_some_and(|it| it.eq_ignore_ascii_case(host))
    })
}

/// The shortest time for which browsers are told to stay; none when nothing tells them.
fn kept(seen: Seen<'_>) -> Option<u64> {
    let headers = seen.answers("http.").filter_map(|it| match &it.answer {
        Answer::Response { headers, .. } => Some(headers),
        Answer::Failure { .. } => None,
    });
    // A browser reads the first of several (RFC 6797, section 8.1).
    let first = headers.filter_map(|it| it.iter().find(|(name, _)| name == HSTS));
    first.map(|(_, value)| seconds(value)).min()
}

/// The `max-age` of a policy; 0 when it has none, since browsers pay no heed to it then.
fn seconds(policy: &str) -> u64 {
    let mut directives = policy.split(';').filter_map(|it| it.split_once('='));
    let age = directives.find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"));
    age.and_then(|(_, value)| value.trim().trim_matches('"').parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};

    use super::super::sample::{closing, nobody_passes_by_accident, opening};
    use super::*;
    use crate::sample::{Sample, judged, judges};

    fn answering(status: u16, headers: &[(&str, &str)], text: &str) -> Sample {
        closing(opening().answered_with("plain", status, headers, text))
    }

    fn failing(kind: FailureKind) -> Sample {
        closing(opening().silent("plain", kind))
    }

    #[test]
    fn port_80_is_closed_or_leads_to_https() {
        let home = ("location", "https://events.acme.example/id");
        let moved = |location| answering(308, &[("location", location)], "");
        let page = "<html><body>301 Moved Permanently</body></html>";
        let long = "x".repeat(3_000);
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("closed", failing(FailureKind::Connect), Pass),
            ("hangs up", failing(FailureKind::Closed), Pass),
            ("308", answering(308, &[home], ""), Pass),
            ("301 with a page", answering(301, &[home, ("content-type", "text/html")], page), Pass),
            (
                "308 with data",
                answering(308, &[home, ("content-type", "application/json")], "{}"),
                Fail,
            ),
            ("308 with much", answering(308, &[home], &long), Fail),
            ("302", answering(302, &[home], ""), Fail),
            ("elsewhere", moved("https://login.example/"), Fail),
            ("look-alike", moved("https://events.acme.example.evil.example/"), Fail),
            ("still plain", moved("http://events.acme.example/id"), Fail),
            ("relative", moved("/id"), Fail),
            ("no location", answering(301, &[], ""), Fail),
            ("served", answering(200, &[], "{}"), Fail),
            ("refused without TLS", answering(401, &[], ""), Fail),
            ("breaks", answering(503, &[], ""), Inconclusive),
            ("silent", failing(FailureKind::Timeout), Inconclusive),
            ("not HTTP", failing(FailureKind::Protocol), Inconclusive),
            ("not mapped", failing(FailureKind::AddressRefused), Inconclusive),
            ("served, and gone", opening().answered("plain", 200, ""), Fail),
            ("cut off", closing(opening()), Inconclusive),
        ];
        judges(&CHECK, &table);
        nobody_passes_by_accident(&CHECK, |it| it.silent("plain", FailureKind::Connect));
    }

    #[test]
    fn browsers_are_told_to_stay() {
        let told = |values: &[&str]| {
            let sample = failing(FailureKind::Connect).setting("browsers", true);
            values.iter().fold(sample, |sample, value| {
                sample.answered_with("http.root", 200, &[(HSTS, value)], "")
            })
        };
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("a year", told(&["max-age=31536000"]), Pass),
            ("two", told(&["includeSubDomains; MAX-AGE=\"63072000\"; preload"]), Pass),
            ("not told", told(&[]), Fail),
            ("a month", told(&["max-age=2592000"]), Fail),
            ("taken back", told(&["max-age=31536000", "max-age=0"]), Fail),
            ("nonsense", told(&["max-age"]), Fail),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &told(&[]));
        insta::assert_snapshot!(judgement.sentence, @"browsers are not told to stay on HTTPS");
        let judgement = judged(&CHECK, &answering(200, &[], "{}"));
        insta::assert_snapshot!(judgement.observed, @"HTTP 200 for https://events.acme.example/id");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"curl -i 'https://events.acme.example/id'");
    }
}
