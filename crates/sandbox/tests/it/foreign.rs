//! Partners that others wrote, so that the sandbox is not the only judge of what is right.
//!
//! Their libraries are installed into `target/foreign/partners` by npm and pip. What they honestly fail
//! stands in `docs/findings.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use countersign_checks::harness::{Certificates, Harness, HarnessConfig};
use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::SystemClock;
use countersign_checks::registry::CHECKS;
use countersign_checks::run::{Limits, RunInput, look};
use countersign_checks::secrets::Secrets;
use countersign_model::check::{Evidence, Verdict};
use countersign_model::declare::{Format, parse};
use countersign_sandbox::Authority;
use regex::Regex;

/// The integration of every manifest here.
const SLUG: &str = "foreign-partner";
const API_TOKEN: &str = concat!("plainly-fake-", "api-token-of-a-test");

/// A folder of its own with scripts, libraries and certificates, made once for all tests.
fn folder() -> PathBuf {
    static READY: Mutex<bool> = Mutex::new(false);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/foreign/partners");
    let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
    if *ready {
        return folder;
    }
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(&source).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let wanted: String = ["package.json", "requirements.txt"]
        .map(|it| std::fs::read_to_string(source.join(it)).unwrap())
        .concat();
    let mark = folder.join("installed");
    if std::fs::read_to_string(&mark).ok().as_deref() != Some(wanted.as_str()) {
        run(
            &folder,
            "npm",
            &["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"],
        );
        run(&folder, "python3", &["-m", "venv", "python"]);
        let pip = folder.join("python/bin/pip");
        run(&folder, &pip.display().to_string(), &["install", "-q", "-r", "requirements.txt"]);
        std::fs::write(mark, wanted).unwrap();
    }
    *ready = true;
    folder
}

fn run(folder: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| {
        panic!("`{program}` is missing ({error}): apt-get install nodejs npm python3 python3-venv")
    });
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

/// The authority of all these tests, and its certificate as a file.
fn authority() -> &'static (Authority, PathBuf) {
    static AUTHORITY: OnceLock<(Authority, PathBuf)> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let authority = Authority::new().unwrap();
        let file = folder().join(format!("authority-{}.pem", std::process::id()));
        std::fs::write(&file, authority.pem()).unwrap();
        (authority, file)
    })
}

/// A partner in a process of its own. It ends when it is dropped.
struct Foreign {
    child: Child,
    host: String,
    address: SocketAddr,
}

impl Foreign {
    /// Starts a script for a host with these settings.
    fn start(script: &str, host: &str, settings: &[(&str, &str)]) -> Self {
        let folder = folder();
        let (authority, authority_file) = authority();
        let (certificate, key) = authority.issue(&[host.to_owned()]).unwrap();
        let file = |name: &str, text: &str| {
            let file = folder.join(format!("{host}-{}.{name}.pem", std::process::id()));
            std::fs::write(&file, text).unwrap();
            file
        };
        let is_python = Path::new(script).extension().is_some_and(|it| it == "py");
        let program =
            if is_python { folder.join("python/bin/python") } else { PathBuf::from("node") };
        let mut child = Command::new(program)
            .arg(script)
            .current_dir(&folder)
            .env("CERTIFICATE", file("certificate", &certificate))
            .env("KEY", file("key", &key))
            .env("AUTHORITY", authority_file)
            .env("NODE_EXTRA_CA_CERTS", authority_file)
            .env("API_TOKEN", API_TOKEN)
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let port = loop {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "{script} ended before it listened");
            if let Some(port) = line.trim().strip_prefix("listening ") {
                break port.parse().unwrap();
            }
        };
        // What it says later is read and dropped, so that it never waits for a reader.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Self { child, host: host.to_owned(), address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ended_before = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The checker's own server, at a port of its own.
fn harness() -> Arc<Harness> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (certificate, key) = authority().0.issue(&["localhost".to_owned()]).unwrap();
    let certificates = Certificates::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    Harness::start(HarnessConfig { url, listener, certificates }).unwrap()
}

/// A manifest around what a partner is.
fn manifest(role: &str) -> String {
    format!(
        r#"manifest = 1
profile = "saas-vendor@1"
environment = "sandbox"

[integration]
id = "{SLUG}"
name = "Foreign Partner"
purpose = "Show what a partner built on somebody else's library does."
tier = "standard"

[partner]
name = "Foreign Partner"
domain = "foreign.example"
technical_contact = "platform@foreign.example"
incident_contact = "tel:+49-30-5550-0198"

[owners]
business = "lena.fischer@example.com"
technical = "omar.haddad@example.com"

{role}

[rules_of_engagement]
rate_per_second = 200
hours = "00:00-24:00 UTC"
contact = "platform@foreign.example"
proof = "well-known"

[logging]
delivery = "push"
max_delay = "5m"
fields = ["time"]
retention = "400d"

[revocation]
deny_within = "5s"
prove_within = "60s"
fail_mode = "strict"
drill_every = "90d"
message = "Closed."

[recertify]
max_age = "180d"
on = ["scope-added"]
"#
    )
}

/// What the checks of these cases say of a partner, one a line.
async fn report(
    partner: &Foreign,
    role: &str,
    cases: &[&str],
    secrets: &[(&str, &str)],
    harness: Option<Arc<Harness>>,
) -> String {
    report_but(partner, role, (cases, &[]), secrets, harness).await
}

/// The same, with some cases left out.
async fn report_but(
    partner: &Foreign,
    role: &str,
    (cases, left_out): (&[&str], &[&str]),
    secrets: &[(&str, &str)],
    harness: Option<Arc<Harness>>,
) -> String {
    let text = manifest(role);
    let parsed = parse(&text, Format::Toml).unwrap_or_else(|it| panic!("{it:?}"));
    let is_meant =
        |case: &str| cases.iter().any(|it| case.starts_with(it)) && !left_out.contains(&case);
    let only: BTreeSet<String> = CHECKS
        .iter()
        .map(|it| it.info())
        .filter(|it| it.case.is_some_and(is_meant))
        .map(|it| it.name.to_owned())
        .collect();
    assert!(!only.is_empty());
    let secrets = secrets.iter().chain(&[("foreign-effects", API_TOKEN)]);
    let input = RunInput {
        manifest: &parsed.manifest,
        manifest_digest: parsed.digest,
        only: Some(&only),
        settings: BTreeMap::new(),
        talk: TalkConfig {
            resolve: [(partner.host.clone(), partner.address)].into(),
            ca: Some(authority().0.pem().as_bytes().to_vec()),
            proved: [partner.host.clone()].into(),
            ..TalkConfig::default()
        },
        platform: None,
        harness,
        production: None,
        sources: BTreeMap::new(),
        secrets: Secrets::new(secrets.map(|it| (it.0.to_owned(), it.1.to_owned()))),
        waivers: Vec::new(),
        certified_since: None,
        observed_since: None,
        clock: Arc::new(SystemClock::start()),
        salt: [7; 32],
        collector: "test".to_owned(),
        limits: Limits { check: std::time::Duration::from_mins(2), ..Limits::default() },
        keeper: None,
    };
    let evidence = look(input).await.unwrap();
    let took = Regex::new(r"\d+ ms").unwrap();
    let mut lines = String::new();
    let applies = |it: &&Evidence| it.judgement.verdict != Verdict::NotApplicable;
    for one in evidence.iter().filter(applies) {
        let judgement = &one.judgement;
        let check = CHECKS.iter().find(|it| it.info().name == one.transcript.check).unwrap();
        let case = check.info().case.unwrap_or_default();
        let verdict = judgement.verdict.word();
        let name = check.info().name;
        let _infallible = writeln!(lines, "{case} {name}: {verdict}: {}", judgement.sentence);
        if judgement.verdict == Verdict::Fail {
            let _infallible =
                writeln!(lines, "    {}", took.replace_all(&judgement.observed, "N ms"));
        }
    }
    lines
}

fn receiver(secret_ref: &str) -> String {
    format!(
        r#"[[event]]
id = "sub:hooks"
direction = "out"
types = ["user.locked"]
endpoint = "https://hooks.foreign.example/hooks"
fields = ["user.id", "event.type", "event.time"]
signing = {{ scheme = "standard-webhooks", key = "hmac-sha256", replay_window = "5m", secret_ref = "{secret_ref}" }}
retry_every = "100ms"
revoke_by = ["subscription-disable"]

[effects]
kind = "feed"
url = "https://hooks.foreign.example/effects"
auth_ref = "foreign-effects"
settle = "200ms""#
    )
}

/// Thirty bytes that anybody can see are nobody's secret.
const SECRET: &str = concat!("whsec_", "cGxhaW5seS1mYWtlLXRlc3Qtc2VjcmV0LTAwMDAx");

async fn webhooks(script: &str, library: &str) -> String {
    let host = "hooks.foreign.example";
    let partner = Foreign::start(script, host, &[("SECRET", SECRET), ("LIBRARY", library)]);
    report(&partner, &receiver("foreign-hook"), &["WHK-"], &[("foreign-hook", SECRET)], None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_on_standardwebhooks_of_pypi() {
    insta::assert_snapshot!(webhooks("webhooks.py", "").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_on_standardwebhooks_of_npm() {
    insta::assert_snapshot!(webhooks("webhooks.mjs", "standardwebhooks").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_on_svix_of_npm() {
    insta::assert_snapshot!(webhooks("webhooks.mjs", "svix").await);
}

async fn resource(script: &str) -> String {
    let harness = harness();
    let issuer = format!("{}/issuer-{SLUG}", harness.url());
    let _opened = harness.issuer(SLUG);
    let audience = "https://api.foreign.example";
    let settings = [("ISSUER", issuer.as_str()), ("AUDIENCE", audience)];
    let partner = Foreign::start(script, "api.foreign.example", &settings);
    let role = r#"[[resource]]
id = "api:foreign-orders"
call = "GET https://api.foreign.example/orders"
audience = "https://api.foreign.example"
other = "https://other.foreign.example"
alg = "ES256"
jwks_max_age = "1s"
revoke_by = ["issuer-block"]"#;
    report(&partner, role, &["JWT-", "OAU-16"], &[], Some(harness)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_server_on_jose() {
    insta::assert_snapshot!(resource("resource.mjs").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_server_on_pyjwt() {
    insta::assert_snapshot!(resource("resource.py").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_on_openid_client() {
    let harness = harness();
    let origin = "https://app.foreign.example";
    let partner = Foreign::start("client.mjs", "app.foreign.example", &[("ORIGIN", origin)]);
    let role = r#"[[callback]]
id = "cb:oauth"
kind = "oauth-redirect"
url = "https://app.foreign.example/callback"
start = "GET https://app.foreign.example/login?issuer={issuer}"
revoke_by = ["redirect-removal"]"#;
    let cases = ["OAU-12", "OAU-13", "OAU-15", "OAU-18"];
    insta::assert_snapshot!(report(&partner, role, &cases, &[], Some(harness)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_server_on_oidc_provider() {
    let secret = concat!("plainly-fake-", "secret-of-a-test-client-");
    let (first, second) = (format!("{secret}first"), format!("{secret}second"));
    let origin = "https://login.foreign.example";
    let settings = [("ORIGIN", origin), ("CLIENT_SECRET", secret)];
    let partner = Foreign::start("provider.mjs", "login.foreign.example", &settings);
    let client = |name: &str| {
        format!(
            r#"
[[authorization_server.client]]
id = "client:{name}"
client_id = "{name}"
auth = "client_secret_basic"
auth_ref = "foreign-{name}"
redirect = "https://client.foreign.example/{name}/callback"
grants = ["authorization_code", "refresh_token", "client_credentials"]"#
        )
    };
    let role = format!(
        r#"[[authorization_server]]
id = "as:foreign"
issuer = "{origin}"
resource = "GET {origin}/api"
scopes = ["openid", "offline_access"]
login = {{ user_ref = "foreign-user", password_ref = "foreign-password" }}
revoke_by = ["issuer-block"]
{}
{}"#,
        client("first"),
        client("second"),
    );
    let secrets = [
        ("foreign-first", first.as_str()),
        ("foreign-second", second.as_str()),
        ("foreign-user", "canary"),
        ("foreign-password", "plainly-fake-password"),
    ];
    // OAU-07 waits out the longest life that a code may have: ten minutes at this tier.
    let cases = ["OAU-0", "OAU-10", "OAU-11", "OAU-14", "OAU-17", "OAU-19", "OAU-2", "REV-0"];
    let left_out = ["OAU-07"];
    insta::assert_snapshot!(report_but(&partner, &role, (&cases, &left_out), &secrets, None).await);
}
