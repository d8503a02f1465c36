//! OpenSSL on both sides: as a server whose TLS is looked at, and as a client of our own old one.
//!
//! Its `s_server` still speaks what must be refused, so what the checks say of TLS is held against a
//! library that others wrote, and not against answers of ours.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use countersign_checks::harness::{Reaction, WrongName};
use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::{Clock as _, SystemClock};
use countersign_checks::run::{Limits, RunInput, look};
use countersign_checks::secrets::Secrets;
use countersign_model::declare::manifest::EventSubscription;
use countersign_model::declare::{Format, parse};
use countersign_sandbox::manifests::{Version, text};
use countersign_sandbox::{Authority, Kind, World};
use tempfile::TempDir;

const HOST: &str = "events.acme.example";
const CHECKS: [&str; 5] = [
    "refuses_old_tls",
    "refuses_weak_cipher_suites",
    "speaks_tls_1_3",
    "shows_good_certificate",
    "refuses_tls_compression",
];

fn openssl() -> Command {
    Command::new("openssl")
}

fn missing(error: &std::io::Error) -> String {
    format!("`openssl` is missing ({error}): apt-get install openssl")
}

/// `openssl s_server`, in front of something that answers 404 to everything. It ends when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Server {
    fn start((certificate, key): &(String, String), options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let mut child = openssl()
            .args(["s_server", "-accept", "127.0.0.1:0", "-4"])
            .arg("-cert")
            .arg(file("certificate.pem", certificate))
            .arg("-key")
            .arg(file("key.pem", key))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}", missing(&error)));
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended: {options:?}");
            if let Some(address) = line.trim().strip_prefix("ACCEPT ") {
                break address.parse().unwrap();
            }
        };
        let mut input = child.stdin.take().unwrap();
        // What it decrypts stands in its output, and what is put into it is encrypted.
        std::thread::spawn(move || {
            let mut is_request = false;
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|count| 0 < count) {
                is_request |= ["GET ", "POST "].iter().any(|it| line.starts_with(it.as_bytes()));
                if is_request && line == b"\r\n" {
                    is_request = false;
                    if input.write_all(NOT_FOUND).and_then(|()| input.flush()).is_err() {
                        return;
                    }
                }
                line.clear();
            }
        });
        Self { child, address, _folder: folder }
    }
}

const NOT_FOUND: &[u8] =
    b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_before = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What the checks of TLS say of it, one a line.
async fn report(authority: &Authority, server: &Server) -> String {
    let mut parsed = parse(&text(Kind::Acme, Version::Right), Format::Toml).unwrap();
    // One host alone: this one.
    let is_here = |it: &EventSubscription| it.endpoint.host() == HOST;
    parsed.manifest.events.retain(is_here);
    parsed.manifest.callbacks.clear();
    parsed.manifest.webhooks.clear();
    parsed.manifest.identities.clear();
    let only = CHECKS.iter().map(|it| (*it).to_owned()).collect();
    let input = RunInput {
        manifest: &parsed.manifest,
        manifest_digest: parsed.digest,
        only: Some(&only),
        settings: std::collections::BTreeMap::new(),
        talk: TalkConfig {
            resolve: [(HOST.to_owned(), server.address)].into(),
            ca: Some(authority.pem().as_bytes().to_vec()),
            proved: [HOST.to_owned()].into(),
            ..TalkConfig::default()
        },
        platform: None,
        harness: None,
        production: None,
        keeper: None,
        sources: std::collections::BTreeMap::new(),
        secrets: Secrets::new([]),
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: std::sync::Arc::new(SystemClock::start()),
        salt: [7; 32],
        collector: "test".to_owned(),
        limits: Limits { check: Duration::from_mins(1), ..Limits::default() },
    };
    let evidence = look(input).await.unwrap();
    let line = |it: &countersign_model::check::Evidence| {
        let (check, judgement) = (&it.transcript.check, &it.judgement);
        format!("    {check}: {}: {}", judgement.verdict.word(), judgement.sentence)
    };
    evidence.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_openssl_serves_is_judged_as_it_is_set_up() {
    let authority = Authority::new().unwrap();
    let hosts = [HOST.to_owned()];
    let (ec, rsa) = (authority.issue(&hosts).unwrap(), authority.issue_rsa(&hosts).unwrap());
    let modern = "ECDHE+AESGCM:ECDHE+CHACHA20";
    let and = |more: &str| format!("{modern}:{more}:@SECLEVEL=0");
    let (cbc, rsa_key, null, anonymous) = (
        and("ECDHE+AES"),
        and("AES128-GCM-SHA256"),
        and("ECDHE-ECDSA-NULL-SHA"),
        and("ADH+AESGCM"),
    );
    let table: [(&str, &(String, String), &[&str]); 8] = [
        ("modern suites alone", &ec, &["-no_tls1", "-no_tls1_1", "-cipher", modern]),
        ("the same, with an RSA key", &rsa, &["-no_tls1", "-no_tls1_1", "-cipher", modern]),
        ("TLS 1.0 and 1.1, too", &rsa, &["-cipher", &cbc]),
        ("CBC, too", &ec, &["-no_tls1", "-no_tls1_1", "-cipher", &cbc]),
        ("key exchange by RSA, too", &rsa, &["-no_tls1", "-no_tls1_1", "-cipher", &rsa_key]),
        ("no encryption, too", &ec, &["-no_tls1", "-no_tls1_1", "-cipher", &null]),
        ("nobody's certificate, too", &ec, &["-no_tls1", "-no_tls1_1", "-cipher", &anonymous]),
        ("TLS 1.2 alone", &ec, &["-tls1_2", "-cipher", modern]),
    ];
    let mut lines = Vec::new();
    for (row, certificate, options) in table {
        let server = Server::start(certificate, options);
        lines.push(format!("{row}\n{}", report(&authority, &server).await));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    modern suites alone
        refuses_old_tls: pass: no version before TLS 1.2 is spoken
        refuses_weak_cipher_suites: pass: no weak cipher suite is taken
        speaks_tls_1_3: pass: TLS 1.3 is spoken
        shows_good_certificate: pass: the certificate is good
        refuses_tls_compression: pass: nothing is compressed, and renegotiation is secure
    the same, with an RSA key
        refuses_old_tls: pass: no version before TLS 1.2 is spoken
        refuses_weak_cipher_suites: pass: no weak cipher suite is taken
        speaks_tls_1_3: pass: TLS 1.3 is spoken
        shows_good_certificate: pass: the certificate is good
        refuses_tls_compression: pass: nothing is compressed, and renegotiation is secure
    TLS 1.0 and 1.1, too
        refuses_old_tls: fail: TLS 1.1 is spoken
        refuses_weak_cipher_suites: fail: weak cipher suites are taken: CBC
        speaks_tls_1_3: pass: TLS 1.3 is spoken
        shows_good_certificate: pass: the certificate is good
        refuses_tls_compression: pass: nothing is compressed, and renegotiation is secure
    CBC, too
        refuses_old_tls: pass: no version before TLS 1.2 is spoken
        refuses_weak_cipher_suites: fail: weak cipher suites are taken: CBC
        speaks_tls_1_3: pass: TLS 1.3 is spoken
        shows_good_certificate: pass: the certificate is good
        refuses_tls_compression: pass: nothing is compressed, and renegotiation is secure
    key exchange by RSA, too
        refuses_old_tls: pass: no version before TLS 1.2 is spoken
        refuses_weak_cipher_suites: fail: weak cipher suites are taken: RSA key exchange
        speaks_tls_1_3: pass: TLS 1.3 is spoken
        shows_good_certificate: pass: the certificate is good
        refuses_tls_compression: pass: nothing is compressed, and renegotiation is secure
    no encryption, too
        refuses_old_tls: pass: no version before TLS 1.2 is spoken
        refuses_weak_cipher_suites: fail: weak cipher suites are taken: NULL
        speaks_tls_1_3: pass: TLS 1.3 is spoken
        shows_good_certificate: pass: the certificate is good
        refuses_tls_compression: pass: nothing is compressed, and renegotiation is secure
    nobody's certificate, too
        refuses_old_tls: pass: no version before TLS 1.2 is spoken
        refuses_weak_cipher_suites: fail: weak cipher suites are taken: anonymous
        speaks_tls_1_3: pass: TLS 1.3 is spoken
        shows_good_certificate: pass: the certificate is good
        refuses_tls_compression: pass: nothing is compressed, and renegotiation is secure
    TLS 1.2 alone
        refuses_old_tls: pass: no version before TLS 1.2 is spoken
        refuses_weak_cipher_suites: pass: no weak cipher suite is taken
        speaks_tls_1_3: fail: TLS 1.3 is not spoken
        shows_good_certificate: pass: the certificate is good
        refuses_tls_compression: pass: nothing is compressed, and renegotiation is secure
    ");
}

/// Lets `openssl s_client` greet the checker's own server under one of its names.
fn greet(world: &World, folder: &Path, name: WrongName, options: &[&str]) -> Output {
    let harness = world.harness().unwrap();
    let host = harness.host_named(name);
    let address = world.net().resolve[&host];
    let output = openssl()
        .args(["s_client", "-connect", &address.to_string(), "-servername", &host])
        .args(["-verify_hostname", &host, "-verify_return_error", "-CAfile"])
        .arg(folder.join("ca.pem"))
        .args(options)
        .stdin(Stdio::null())
        .output();
    output.unwrap_or_else(|error| panic!("{}", missing(&error)))
}

/// A world, and a folder with the certificate of its authority and the list of what it has revoked.
async fn world_and_folder() -> (World, TempDir) {
    let world = World::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), &world.net().ca_pem).unwrap();
    let client = world.net().client(None).unwrap();
    let list = client.get("http://ca.example.com/revoked.crl").send().await.unwrap();
    std::fs::write(folder.path().join("list.crl"), list.bytes().await.unwrap()).unwrap();
    (world, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_goes_on_in_tls_1_0_only_where_it_is_told_to() {
    let (world, folder) = world_and_folder().await;
    let harness = world.harness().unwrap();
    let any = "ALL:@SECLEVEL=0";
    // How old a version it takes without being told hangs on the distribution: nothing is asked of that.
    let table: [(&str, &[&str], Reaction); 4] = [
        ("TLS 1.2 and newer", &["-no_tls1", "-no_tls1_1"], Reaction::Refused(Some(70))),
        (
            "TLS 1.2 and newer, and any suite",
            &["-no_tls1", "-no_tls1_1", "-cipher", any],
            Reaction::Refused(Some(70)),
        ),
        ("TLS 1.0 alone", &["-tls1", "-cipher", any], Reaction::WentOn),
        ("TLS 1.0 and newer", &["-cipher", any], Reaction::WentOn),
    ];
    for (count, (row, options, expected)) in table.into_iter().enumerate() {
        let said = greet(&world, folder.path(), WrongName::OldTls, options);
        assert!(!said.status.success(), "{row}: nobody gets to a session");
        let host = harness.host_named(WrongName::OldTls);
        let has_come = || count < harness.knocks(&host).len();
        assert!(harness.wait(Duration::from_secs(10), has_come).await, "{row}");
        let knock = harness.knocks(&host).pop().unwrap();
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(knock.old_tls, Some(expected), "{row}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_finds_each_name_wrong_in_its_own_way() {
    let (world, folder) = world_and_folder().await;
    let list = folder.path().join("list.crl");
    let by_list = ["-CRL", list.to_str().unwrap(), "-CRLform", "DER", "-crl_check"];
    let own = world.harness().unwrap().named(WrongName::Revoked, SystemClock::start().now());
    assert_eq!(own.as_deref(), Ok("https://revoked.probe.example.com"));
    let table: [(WrongName, &[&str], &str); 5] = [
        (WrongName::Expired, &[], "certificate has expired"),
        (WrongName::SelfSigned, &[], "self-signed certificate"),
        (WrongName::WrongHost, &[], "hostname mismatch"),
        (WrongName::Revoked, &by_list, "certificate revoked"),
        (WrongName::Revoked, &[], ""),
    ];
    for (name, options, expected) in table {
        let said = greet(&world, folder.path(), name, options);
        assert_eq!(said.status.success(), expected.is_empty(), "{name:?}");
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(told.contains(expected), "{name:?}: {told}");
    }
}
