use std::fmt::Write as _;
use std::sync::Arc;

use countersign_model::check::Verdict::{self, Fail, Inconclusive, Pass};
use countersign_model::declare::manifest::{Resource, TokenAlg, TokenType};
use countersign_model::time::Timestamp;
use serde_json::json;

use super::bench::Bench;
use super::hear::{Refuses, judge};
use crate::harness::{Certificates, Harness, HarnessConfig};
use crate::sample::{Sample, sample};

/// The checks that need nothing but a table.
const TABLES: &[&Refuses] = &[
    &super::unsigned::CHECK,
    &super::confused::CHECK,
    &super::forged::CHECK,
    &super::embedded::CHECK,
    &super::kid::CHECK,
    &super::kind::CHECK,
    &super::audience::CHECK,
    &super::issuer::CHECK,
    &super::time::CHECK,
    &super::critical::CHECK,
    &super::twice::CHECK,
    &super::costly::CHECK,
    &super::degenerate::CHECK,
    &super::format::CHECK,
];

fn resource(alg: TokenAlg) -> Resource {
    Resource {
        id: "api:orders".parse().unwrap(),
        call: "GET https://api.acme.example/orders".to_owned(),
        audience: "https://api.acme.example".to_owned(),
        other: None,
        scopes: vec!["orders:read".parse().unwrap()],
        token_type: TokenType::AtJwt,
        alg,
        secret_ref: None,
        jwks_max_age: None,
        production_call: None,
        revoke_by: Vec::new(),
    }
}

fn harness() -> Arc<Harness> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = "https://probe.example.com".to_owned();
    Harness::start(HarnessConfig { url, listener, certificates: Certificates::default() }).unwrap()
}

fn bench(alg: TokenAlg) -> Bench {
    Bench::sample(resource(alg), harness(), Timestamp::from_seconds(1_795_489_511))
}

/// What stands in a token, without what changes from run to run.
fn shown(bench: &Bench, how: &str) -> String {
    let kid = bench.signer.pair().map(|it| it.kid().to_owned()).unwrap_or_default();
    let how = how.replace(&kid, "KID").replace(bench.issuer.url(), "ISS");
    how.chars().take(200).collect()
}

#[tokio::test]
async fn every_token_is_wrong_in_its_own_way() {
    let mut text = String::new();
    let mut bench = bench(TokenAlg::Es256);
    let right = bench.right().unwrap().text;
    for check in TABLES {
        let _infallible = writeln!(text, "{}", check.info.name);
        for (name, make) in check.wrong.iter().chain(check.noted) {
            bench.label = (*name).to_owned();
            let token = make(&bench).unwrap_or_else(|| panic!("{name} is not made"));
            assert_ne!(token.text, right, "{name}");
            let _infallible =
                writeln!(text, "  {name}: {}", shown(&bench, &token.how).len().min(1));
        }
    }
    assert!(text.lines().count() > TABLES.len());
}

/// A round of a right token, every wrong one, and a right one.
fn round(check: &Refuses, control: u16, wrong: u16, closing: u16) -> Sample {
    let names: Vec<&str> = check.wrong.iter().map(|it| it.0).collect();
    let mut sample = sample()
        .setting("wrong", names.clone())
        .setting("issuer", "https://probe.example.com/issuer-acme")
        .answered("control", control, "");
    for name in names {
        sample = sample.answered(&format!("wrong.{name}"), wrong, "");
    }
    sample.answered("closing", closing, "")
}

#[test]
fn a_refusal_counts_only_between_two_right_tokens() {
    for check in TABLES {
        let broken = if check.case.breaking_fails { Fail } else { Inconclusive };
        let table: [(&str, Sample, Verdict); 7] = [
            ("right", round(check, 200, 401, 200), Pass),
            ("takes all", round(check, 200, 200, 200), Fail),
            ("breaks on wrong ones", round(check, 200, 500, 200), broken),
            ("refuses all", round(check, 401, 401, 401), Inconclusive),
            ("breaks on all", round(check, 500, 500, 500), Inconclusive),
            ("not found", round(check, 404, 404, 404), Inconclusive),
            ("no harness", sample().fact("harness", json!({"error": "none"})), Inconclusive),
        ];
        for (row, sample, verdict) in table {
            let got = judge(sample.transcript(), &check.case);
            assert_eq!(got.verdict, verdict, "{}: {row}: {got:?}", check.info.name);
        }
    }
}

#[test]
fn who_does_not_trust_the_issuer_is_told_how() {
    let check = &super::unsigned::CHECK;
    let judgement = judge(round(check, 401, 401, 401).transcript(), &check.case);
    insta::assert_snapshot!(judgement.details.join("\n"), @"the resource server has to trust the issuer `https://probe.example.com/issuer-acme` in this test; its keys are at `https://probe.example.com/issuer-acme/jwks`");
}
