//! Is the host's certificate good, and managed well?
//!
//! A certificate that nobody can trust teaches people to look away; one with a weak key or digest can be
//! forged; one that is about to run out, or runs for years, shows that nobody renews it by machine.
//!
//! Does one handshake, keeps what is shown, and sends nothing over it.
//!
//! Source: RFC 9325, section 4.5; RFC 9525; Mozilla Server Side TLS, intermediate; TLS-04. The days
//! are policy.

use countersign_model::check::Judgement;
use countersign_model::time::Period;

use super::Look;
use super::seen::{Seen, Told};
use crate::check::Info;
use crate::live::certificate::{Certificate, Shown};

/// Is the host's certificate good, and managed well?
pub(crate) static CHECK: Look =
    Look { info: &INFO, reads: &[], figures: &[DAYS_LEFT, LIFETIME], judge };

const INFO: Info = Info {
    name: "shows_good_certificate",
    case: Some("TLS-04"),
    controls: &["CTS-NET-01"],
    question: "Is the host's certificate good, and managed well?",
    sends: "One handshake with each host that the manifest names.",
    passes: "The chain leads to a trusted authority and is for this host; keys are RSA of 2048 bits, P-256 or longer; signatures use SHA-256 or longer; enough days are left (`min_days_left`), and it does not run for longer than `max_cert_days`. And the host answers in HTTP.",
    risk: "Somebody else can stand in for the host, or the host fails on the day when its certificate runs out.",
    fix: "Get a certificate of a public authority for this name, serve it with its intermediates, and renew it by machine (ACME).",
    source: "RFC 9325, section 4.5; RFC 9525; Mozilla Server Side TLS, intermediate; TLS-04.",
};

const DAYS_LEFT: &str = "CTS-NET-01.min_days_left";
const LIFETIME: &str = "CTS-NET-01.max_cert_days";
/// What holds where a profile says nothing: the policy of this case, and that of browsers.
const DAYS_LEFT_DEFAULT: u64 = 14;
const LIFETIME_DEFAULT: u64 = 398;

fn judge(seen: Seen<'_>) -> Judgement {
    let figure = |name, default| {
        let declared = seen.0.settings.get(name).and_then(serde_json::Value::as_u64);
        declared.unwrap_or(default)
    };
    let (left, lifetime) =
        (figure(DAYS_LEFT, DAYS_LEFT_DEFAULT), figure(LIFETIME, LIFETIME_DEFAULT));
    let expected = format!(
        "a trusted chain for this host, RSA >= 2048 or P-256 and longer, SHA-256 and longer, {left} days left or more, a lifetime of {lifetime} days at most"
    );
    let offers: Vec<Told> = seen.offers("control").collect();
    let found = offers.iter().find_map(|it| Some((it, it.shown.as_ref()?)));
    let Some((told, shown)) = found else {
        let words: Vec<String> = offers.iter().map(Told::words).collect();
        return seen.unproven().unwrap_or_else(|| {
            Judgement::inconclusive("no certificate was shown")
                .observed(words.join(", "))
                .expected(&expected)
        });
    };
    let problems = problems(told, shown, (left, lifetime));
    if let Some(first) = problems.first() {
        return Judgement::fail(first.clone())
            .observed(words(shown))
            .expected(expected)
            .details(problems.clone())
            .repeat(seen.openssl("-showcerts"));
    }
    match seen.unproven() {
        Some(judgement) => judgement,
        None => {
            Judgement::pass("the certificate is good").observed(words(shown)).expected(expected)
        }
    }
}

fn problems(told: &Told, shown: &Shown, (left, lifetime): (u64, u64)) -> Vec<String> {
    let Some(own) = shown.chain.first() else {
        return vec!["the certificate cannot be read".to_owned()];
    };
    let mut problems = Vec::new();
    let mut add = |is_wrong: bool, sentence: String| {
        if is_wrong {
            problems.push(sentence);
        }
    };
    add(own.until < told.at, format!("the certificate has run out on {}", day(own)));
    let problem = shown.problem.as_deref().unwrap_or_default();
    add(!problem.is_empty(), format!("the certificate is not trusted for this host: {problem}"));
    for one in shown.chain.iter().filter(|it| !it.is_root) {
        let whose = if one == own { "the certificate" } else { "a certificate of the chain" };
        let key = if one.key_bits == 0 || one.key.contains('-') || one.key.starts_with("Ed") {
            one.key.clone()
        } else {
            format!("{} of {} bits", one.key, one.key_bits)
        };
        add(!has_strong_key(one), format!("{whose} has a weak key: {key}"));
        let digest = &one.digest;
        add(!has_strong_digest(one), format!("{whose} is signed with a weak digest: {digest}"));
    }
    // What signed itself is nobody's chain, but its key counts when it is the server's own.
    add(own.is_root && !has_strong_key(own), "the certificate has a weak key".to_owned());
    let days_left = own.until.since(told.at).seconds() / DAY;
    let is_short = told.at <= own.until && own.until.since(told.at) < Period::from_days(left);
    add(is_short, format!("the certificate has {days_left} days left, fewer than {left}"));
    let runs = own.until.since(own.from);
    // A day is 86,400 seconds, the last second included.
    let is_long = Period::from_days(lifetime) < runs;
    let days = runs.seconds().div_ceil(DAY);
    add(is_long, format!("the certificate runs for {days} days, more than {lifetime}"));
    problems
}

fn has_strong_key(one: &Certificate) -> bool {
    match one.key.as_str() {
        "RSA" => 2048 <= one.key_bits,
        "P-256" | "P-384" | "P-521" | "Ed25519" | "Ed448" => true,
        _ => false,
    }
}

fn has_strong_digest(one: &Certificate) -> bool {
    ["SHA-256", "SHA-384", "SHA-512", "Ed25519", "Ed448"].contains(&one.digest.as_str())
}

fn words(shown: &Shown) -> String {
    let Some(own) = shown.chain.first() else { return "no certificate".to_owned() };
    let names = own.names.join(", ");
    format!(
        "a certificate for {names}, {} of {} bits, signed with {}, from {} until {}, by {}",
        own.key, own.key_bits, own.digest, own.from, own.until, own.issuer
    )
}

fn day(own: &Certificate) -> String {
    own.until.to_string().chars().take(10).collect()
}

const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};
    use countersign_model::time::Timestamp;
    use serde_json::json;

    use super::super::sample::{
        closing, closing_12, finished, host, nobody_passes_by_accident, older, opening, serving,
        silent,
    };
    use super::*;
    use crate::sample::{Sample, judged, judges};

    const NOW: i64 = 1_795_489_511;

    fn good() -> Certificate {
        let days = |count: i64| Timestamp::from_seconds(NOW + count * 86_400);
        Certificate {
            sha256: "00".repeat(32),
            names: vec!["events.acme.example".to_owned()],
            issuer: "CN=Sandbox authority".to_owned(),
            from: days(-10),
            until: days(80),
            key: "P-256".to_owned(),
            key_bits: 256,
            digest: "SHA-256".to_owned(),
            is_root: false,
        }
    }

    fn showing(sample: Sample, label: &str, shown: &Shown) -> Sample {
        let value = json!({
            "offered": "TLS 1.3 only", "heard": finished("X25519"), "shown": shown,
        });
        sample.fact(label, value)
    }

    fn with(change: impl FnOnce(&mut Certificate)) -> Sample {
        let mut own = good();
        change(&mut own);
        let shown = Shown { problem: None, chain: vec![own, good()] };
        closing(showing(serving(host(), 405, 404), "control", &shown))
            .setting(DAYS_LEFT, 14)
            .setting(LIFETIME, 100)
    }

    fn at(days: i64) -> Timestamp {
        Timestamp::from_seconds(NOW + days * 86_400)
    }

    #[test]
    fn one_flaw_is_enough() {
        let untrusted = Shown { problem: Some("unknown issuer".to_owned()), chain: vec![good()] };
        let mut short = good();
        short.key_bits = 1024;
        short.key = "RSA".to_owned();
        let chained = Shown { problem: None, chain: vec![good(), short.clone()] };
        let root = Certificate { is_root: true, digest: "SHA-1".to_owned(), ..good() };
        let rooted = Shown { problem: None, chain: vec![good(), root] };
        let control = |shown| closing(showing(serving(host(), 405, 404), "control", shown));
        let unfinished = serving(host(), 405, 404).fact(
            "control",
            json!({ "offered": "TLS 1.3 only", "heard": silent(), "shown": untrusted }),
        );
        let none = Shown { problem: None, chain: Vec::new() };
        let table: Vec<(&str, Sample, Verdict)> = vec![
            ("good", with(|_| {}), Pass),
            ("RSA", with(|it| (it.key, it.key_bits) = ("RSA".to_owned(), 2048)), Pass),
            ("short RSA", with(|it| (it.key, it.key_bits) = ("RSA".to_owned(), 2047)), Fail),
            ("short curve", with(|it| it.key = "P-224".to_owned()), Fail),
            ("unknown key", with(|it| it.key = "1.2.840.10040.4.1".to_owned()), Fail),
            ("SHA-1", with(|it| it.digest = "SHA-1".to_owned()), Fail),
            ("14 days left", with(|it| it.until = at(14)), Pass),
            ("13 days left", with(|it| it.until = at(13)), Fail),
            ("run out", with(|it| it.until = at(-1)), Fail),
            ("100 days", with(|it| (it.from, it.until) = (at(-20), at(80))), Pass),
            ("101 days", with(|it| (it.from, it.until) = (at(-21), at(80))), Fail),
            ("untrusted", control(&untrusted), Fail),
            ("untrusted, and silent", unfinished, Fail),
            ("weak in the chain", control(&chained), Fail),
            ("SHA-1 at the root", control(&rooted), Pass),
            ("unreadable", control(&none), Fail),
            ("nothing shown", closing(opening()), Inconclusive),
            (
                "1.2 alone",
                closing_12(showing(
                    older(),
                    "control-any",
                    &Shown { problem: None, chain: vec![good()] },
                )),
                Pass,
            ),
        ];
        judges(&CHECK, &table);
        nobody_passes_by_accident(&CHECK, |it| {
            showing(it, "control-any", &Shown { problem: None, chain: vec![good()] })
        });
    }

    #[test]
    fn a_finding_names_every_flaw() {
        let sample = with(|it| {
            (it.from, it.until) = (at(-395), at(5));
            it.digest = "SHA-1".to_owned();
        });
        let judgement = judged(&CHECK, &sample);
        insta::assert_snapshot!(judgement.details.join("\n"), @r"
        the certificate is signed with a weak digest: SHA-1
        the certificate has 5 days left, fewer than 14
        the certificate runs for 400 days, more than 100
        ");
        insta::assert_snapshot!(judgement.observed, @"a certificate for events.acme.example, P-256 of 256 bits, signed with SHA-1, from 2025-10-25T03:05:11.000Z until 2026-11-29T03:05:11.000Z, by CN=Sandbox authority");
        insta::assert_snapshot!(judgement.repeat.unwrap(), @"openssl s_client -connect events.acme.example:443 -servername events.acme.example -showcerts </dev/null");
    }
}
