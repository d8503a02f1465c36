//! Secrets in source at the whole sandbox: right partners pass, each wrong one is caught, and nobody
//! passes who cannot be looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::check::Verdict;
use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::manifests::{Version, manifest, text};
use countersign_sandbox::registration::clients;
use countersign_sandbox::{Fault, Kind};
use countersign_seal::Digest;

use crate::helper::{all_are, checked, checked_as, verdicts, world};

const LIVE: &str = "keeps_live_credentials_out_of_source";
const SECRETS: &str = "keeps_secrets_out_of_source";
const BOTH: [&str; 2] = [LIVE, SECRETS];

#[tokio::test(flavor = "multi_thread")]
async fn right_partners_pass_with_and_without_a_source() {
    let (world, _) = world();
    let mut seen = Vec::new();
    for kind in Kind::ALL {
        let evidence = checked(&world, kind, &BOTH).await;
        all_are(&evidence, Verdict::Pass);
        let observed = evidence.iter().map(|it| without_counts(&it.judgement.observed));
        seen.push(format!("{}\n{}", kind.slug(), observed.collect::<Vec<_>>().join("\n")));
    }
    insta::assert_snapshot!(seen.join("\n"), @r"
    acme-helpdesk
    read: 1 published document, 1 log (0 bytes), no source is declared
    looked for 1 key and 11 secrets; read: 1 published document, 1 log (0 bytes), no source is declared
    payrun-hr
    read: 1 published document, 1 log (0 bytes), no source is declared
    looked for 1 key and 11 secrets; read: 1 published document, 1 log (0 bytes), no source is declared; nothing is known of a key of x509:payrun-mtls
    northwind-resell
    read: 1 published document, 1 log (0 bytes), no source is declared
    looked for 1 key and 11 secrets; read: 1 published document, 1 log (0 bytes), no source is declared
    shiftly-planner
    read: 1 repository (2 commits, n files), 1 image (n files), 1 published document, 1 log (0 bytes)
    looked for 1 key and 11 secrets; read: 1 repository (2 commits, n files), 1 image (n files), 1 published document, 1 log (0 bytes)
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_secret_is_caught_and_never_shown() {
    let (world, _) = world();
    let mut seen = Vec::new();
    for fault in [Fault::SecretInOldCommit, Fault::LiveKeyInSource] {
        world.set_faults(Kind::Shiftly, [fault]).await.unwrap();
        let evidence = checked(&world, Kind::Shiftly, &BOTH).await;
        let findings = evidence.iter().map(|it| {
            let commit =
                it.judgement.observed.find(", commit ").unwrap_or(it.judgement.observed.len());
            let observed = without_counts(&it.judgement.observed[..commit]);
            format!("  {} | {observed}", it.judgement.sentence)
        });
        let findings: Vec<String> = findings.collect();
        seen.push(format!("{fault:?}\n{}\n{}", verdicts(&evidence), findings.join("\n")));
        let stored = serde_json::to_string(&evidence).unwrap();
        for secret in secrets_of(world.partner(Kind::Shiftly).source().unwrap()) {
            assert!(!stored.contains(&secret), "{fault:?} shows a secret");
        }
    }
    insta::assert_snapshot!(seen.join("\n\n"), @r"
    SecretInOldCommit
    keeps_secrets_out_of_source source: fail
    keeps_live_credentials_out_of_source source: pass
      a secret lies in the history of its source | AWS access key id (`aws-access-key-id`) in src/settings.py, line 1
      none of its live credentials lies in what could be looked at | looked for 1 key and 11 secrets; read: 1 repository (4 commits, n files), 1 image (n files), 1 published document, 1 log (0 bytes)

    LiveKeyInSource
    keeps_secrets_out_of_source source: fail
    keeps_live_credentials_out_of_source source: fail
      a secret lies in its source | private key (PEM, OpenSSH or PGP) (`private-key-pem`) in src/signing-key.pem, line 1; 2 in all
      a live credential lies in its source | private key (PEM, OpenSSH or PGP) (`private-key-pem`) in src/signing-key.pem, line 1; 2 in all
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_at_passes_nothing() {
    let (world, _) = world();
    let mut seen = Vec::new();
    for fault in [Fault::Down, Fault::AllErrors, Fault::AllSuccess, Fault::ClosesHalfWay] {
        world.set_faults(Kind::Acme, [fault]).await.unwrap();
        let evidence = checked(&world, Kind::Acme, &BOTH).await;
        all_are(&evidence, Verdict::Inconclusive);
        seen.push(format!("{fault:?}: {}", evidence[0].judgement.sentence));
    }
    let elsewhere = text(Kind::Shiftly, Version::Right).replace("planner.git", "other.git");
    let evidence = checked_as(&world, &elsewhere, &BOTH).await;
    all_are(&evidence, Verdict::Inconclusive);
    seen.push(format!("another repository: {}", evidence[0].judgement.sentence));
    let other = text(Kind::Shiftly, Version::Right).replace("@sha256:3e55", "@sha256:0000");
    let evidence = checked_as(&world, &other, &BOTH).await;
    all_are(&evidence, Verdict::Inconclusive);
    seen.push(format!("another image: {}", evidence[0].judgement.observed));
    insta::assert_snapshot!(seen.join("\n"), @r"
    Down: https://acme.example/.well-known/jwks.json could not be looked at
    AllErrors: https://acme.example/.well-known/jwks.json could not be looked at
    AllSuccess: https://acme.example/.well-known/jwks.json could not be looked at
    ClosesHalfWay: https://acme.example/.well-known/jwks.json could not be looked at
    another repository: https://git.shiftly.example/other.git could not be looked at
    another image: registry.shiftly.example/planner@sha256:0000d21bab04ec882766eb384556be221741a0b73e60dd67e5a5cc424a933010: no copy of it lies on this machine
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_secret_is_known_by_the_digest_that_the_platform_keeps() {
    let (world, _) = world();
    let secret = ["planner", "9f3kq", "zz71v"].join("-");
    let declared = manifest(Kind::Shiftly).unwrap();
    let mut client = clients(&declared).remove(0);
    client.client_id = "shiftly-legacy".to_owned();
    client.auth = "client_secret_basic".to_owned();
    client.jwks_uri = None;
    client.secret_sha256 = Some(Digest::of(secret.as_bytes()));
    world.tenant(Lane::Trial).register_client(client).unwrap();
    all_are(&checked(&world, Kind::Shiftly, &[LIVE]).await, Verdict::Pass);
    let source = world.partner(Kind::Shiftly).source().unwrap();
    let basic = STANDARD.encode(format!("shiftly-legacy:{secret}"));
    std::fs::write(source.join("notes.txt"), format!("call with {basic}\n")).unwrap();
    let evidence = checked(&world, Kind::Shiftly, &[LIVE]).await;
    all_are(&evidence, Verdict::Fail);
    insta::assert_snapshot!(evidence[0].judgement.observed, @"a live credential of this integration (`live-credential`) in notes.txt, line 1");
    assert!(!serde_json::to_string(&evidence).unwrap().contains(&basic));
}

/// Without the number of files, which depends on the git that made the repository.
fn without_counts(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let is_count = |at: usize| words.get(at + 1).is_some_and(|it| it.starts_with("files"));
    let shown = words.iter().enumerate().map(|(at, it)| {
        let cut = it.trim_start_matches('(');
        if is_count(at) { it.replace(cut, "n") } else { (*it).to_owned() }
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// What its history holds that nobody should read: long words in quotes, and lines of a key.
fn secrets_of(source: &std::path::Path) -> Vec<String> {
    let log = std::process::Command::new("git").args(["log", "-p"]).current_dir(source).output();
    let log = String::from_utf8(log.unwrap().stdout).unwrap();
    let added = log.lines().filter_map(|it| it.strip_prefix('+'));
    let words = added.flat_map(|it| it.split(['"', ' '])).filter(|it| {
        40 <= it.len() && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"+/=".contains(&it))
    });
    let words: Vec<String> = words.map(str::to_owned).collect();
    assert!(!words.is_empty());
    words
}
