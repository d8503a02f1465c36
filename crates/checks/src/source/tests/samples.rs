use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::{ALNUM, BASE32, BASE64, HEX, URL, key, random, rules_in, rules_of, scanner};
use crate::source::{LiveCredentials, Weight};

fn pem(label: &str, lines: u64, line_end: &str) -> String {
    let body: Vec<String> = (0..lines).map(|it| random(it + 7, BASE64, 64)).collect();
    let body = body.join(line_end);
    format!("-----BEGIN {label}-----{line_end}{body}{line_end}-----END {label}-----{line_end}")
}

fn jwt(header: &str, claims: &str, signature_bytes: usize) -> String {
    let signature: Vec<u8> = random(3, ALNUM, signature_bytes).into_bytes();
    let parts = [header.as_bytes(), claims.as_bytes(), &signature];
    parts.map(|it| URL_SAFE_NO_PAD.encode(it)).join(".")
}

#[test]
fn every_format_is_found_by_its_own_rule() {
    let alnum = |length| random(1, ALNUM, length);
    let hex = |length| random(2, HEX, length);
    let url = |length| random(3, URL, length);
    let base32 = |length| random(4, BASE32, length);
    let base64 = |length| random(5, BASE64, length);
    let bech32 = random(6, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58);
    let digits = random(7, "0123456789", 12);
    // In parts, so that this file itself holds no secret.
    let (phrase, moon) = (["tr4vel", "light"].join("-"), ["s4ilor", "moon"].join("!"));
    for (rule, text) in [
        ("private-key-pem", pem("RSA PRIVATE KEY", 25, "\n")),
        ("private-key-pem", pem("PRIVATE KEY", 1, "\n")),
        ("private-key-pem", pem("EC PRIVATE KEY", 3, "\r\n")),
        ("private-key-pem", pem("OPENSSH PRIVATE KEY", 6, "\n")),
        ("private-key-pem", pem("PGP PRIVATE KEY BLOCK", 30, "\n")),
        ("private-key-pem", format!("key: |\n  {}", pem("PRIVATE KEY", 4, "\n  "))),
        ("private-key-pem", format!("\"{}\"", pem("PRIVATE KEY", 26, "\\n"))),
        ("private-key-pem", format!("{{\"private_key\": \"{}\"}}", pem("PRIVATE KEY", 26, "\\n"))),
        ("age-secret-key", format!("AGE-SECRET-KEY-1{bech32}")),
        ("webhook-signing-secret", format!("whsec_{}", base64(32))),
        ("webhook-signing-key", format!("whsk_{}", base64(86))),
        ("jwk-private", format!("{{\"kty\":\"EC\",\"x\":\"{0}\",\"d\":\"{0}\"}}", url(43))),
        ("aws-access-key-id", format!("id = AKIA{}", base32(16))),
        ("aws-secret-access-key", format!("aws_secret_access_key = {}", base64(40))),
        ("aws-secret-access-key", format!("\"SecretAccessKey\": \"{}\"", base64(40))),
        ("azure-storage-key", format!("AccountKey={}==;EndpointSuffix=x", base64(86))),
        ("azure-shared-access-key", format!("SharedAccessKey={}=", base64(43))),
        ("azure-client-secret", format!("secret: {}8Q~{}", alnum(3), alnum(34))),
        ("google-api-key", format!("key=AIza{}&q=1", url(35))),
        ("google-oauth-client-secret", format!("GOCSPX-{}", url(28))),
        ("google-oauth-access-token", format!("ya29.{}", url(120))),
        ("github-token", format!("ghp_{}", alnum(36))),
        ("github-token", format!("https://x:gho_{}@github.com/a/b", alnum(36))),
        ("github-token", format!("token=ghs_{}", alnum(36))),
        ("github-token", format!("ghr_{}", alnum(76))),
        ("github-fine-grained-token", format!("github_pat_{}_{}", alnum(22), alnum(59))),
        ("gitlab-token", format!("glpat-{}", url(20))),
        ("slack-token", format!("xoxb-{digits}-{digits}-{}", alnum(24))),
        ("slack-app-token", format!("xapp-1-A{digits}-{digits}-{}", hex(64))),
        (
            "slack-webhook",
            format!("https://hooks.slack.com/services/T{0}/B{0}/{1}", base32(8), alnum(24)),
        ),
        ("stripe-key", format!("sk_live_{}", alnum(24))),
        ("stripe-key", format!("rk_live_{}", alnum(99))),
        ("twilio-api-key", format!("SK{}", hex(32))),
        ("twilio-auth-token", format!("TWILIO_AUTH_TOKEN={}", hex(32))),
        ("sendgrid-api-key", format!("SG.{}.{}", url(22), url(43))),
        ("mailgun-api-key", format!("key-{}", hex(32))),
        ("npm-token", format!("//registry/:_authToken=npm_{}", alnum(36))),
        ("pypi-token", format!("password = pypi-{}", url(160))),
        ("docker-hub-token", format!("dckr_pat_{}", url(27))),
        ("openai-api-key", format!("sk-proj-{}T3BlbkFJ{}", alnum(40), alnum(40))),
        ("anthropic-api-key", format!("sk-ant-api03-{}", url(95))),
        ("shopify-token", format!("shpat_{}", hex(32))),
        ("databricks-token", format!("dapi{}", hex(32))),
        ("digitalocean-token", format!("dop_v1_{}", hex(64))),
        ("vault-token", format!("hvs.{}", url(90))),
        ("telegram-bot-token", format!("123{}:AA{}", &digits[..7], url(33))),
        ("json-web-token", jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"svc-payroll"}"#, 32)),
        ("json-web-token", jwt(r#"{"alg":"RS256"}"#, r#"{"sub":"svc-payroll"}"#, 256)),
        (
            "basic-authorization",
            format!("Authorization: Basic {}", STANDARD.encode(format!("svc:{phrase}"))),
        ),
        (
            "docker-registry-auth",
            format!("{{\"auth\": \"{}\"}}", STANDARD.encode(format!("bot:{phrase}"))),
        ),
        ("bearer-token", format!("-H 'Authorization: Bearer {}'", alnum(40))),
        ("address-with-password", format!("postgres://payroll:{phrase}@db.acme.example/pay")),
        ("address-with-password", format!("mongodb+srv://app:{moon}@cluster0.acme.example")),
        ("address-with-password", format!("redis://:{moon}@cache:6379")),
        ("curl-user", format!("curl -s -u svc:{phrase} https://acme.example")),
        ("netrc-password", format!("machine x\n login svc\n password {phrase}")),
        ("connection-string-password", format!("Server=db;User Id=pay;Password={phrase};")),
        ("xml-secret", format!("<password>{}</password>", alnum(16))),
        ("quoted-secret", format!("client_secret = \"{}\"", alnum(32))),
        ("quoted-secret", format!("const apiKey: string = '{}';", hex(32))),
        ("quoted-secret", format!("\"db_password\" => \"{}\"", alnum(14))),
        ("quoted-secret", format!("  \"clientSecret\": \"{}\",", alnum(40))),
        ("quoted-secret", format!("config.set_token(\"{}\")", alnum(24))),
        ("quoted-secret", format!("password = \"{}\"", ["Sup3rS3cr", "!tOne"].concat())),
        ("plain-secret", format!("DB_PASSWORD={}", alnum(16))),
        ("plain-secret", format!("export API_TOKEN={} # prod", alnum(24))),
        ("plain-secret", format!("spring.datasource.password={}", alnum(16))),
        ("plain-secret", format!("  client_secret: {}\n", alnum(32))),
        ("plain-secret", format!("GET /v1?api_key={}&page=2", alnum(24))),
        ("plain-secret", format!("{{\"Env\":[\"PATH=/bin\",\"DB_PASSWORD={}\"]}}", alnum(20))),
        ("plain-secret", format!("deploy --password {} --yes", alnum(20))),
    ] {
        assert_eq!(rules_in(&text), [rule], "in {text}");
        let quiet_around = format!("fn main() {{}}\n// {text}\nlet x = 1;\n");
        assert_eq!(rules_in(&quiet_around), [rule], "in a comment: {text}");
    }
}

#[test]
fn an_encrypted_key_and_an_expired_token_weigh_less() {
    let openssh = |cipher: &str| {
        let mut body = b"openssh-key-v1\0\0\0\0".to_vec();
        body.push(u8::try_from(cipher.len()).unwrap());
        body.extend(cipher.bytes());
        body.extend(random(9, ALNUM, 300).bytes());
        let label = "OPENSSH PRIVATE KEY";
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(body))
    };
    let rsa = pem("RSA PRIVATE KEY", 25, "\n");
    let (head, body) = rsa.split_once('\n').unwrap();
    let header = r#"{"alg":"HS256"}"#;
    for (text, expected) in [
        (pem("ENCRYPTED PRIVATE KEY", 20, "\n"), Weight::Low),
        (
            format!("{head}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{body}"),
            Weight::Low,
        ),
        (openssh("aes256-ctr"), Weight::Low),
        (openssh("none"), Weight::High),
        (rsa.clone(), Weight::High),
        (jwt(header, r#"{"exp":1700000000}"#, 32), Weight::Low),
        (jwt(header, r#"{"exp":1900000000}"#, 32), Weight::High),
    ] {
        let report = scanner().at(1_800_000_000).scan_bytes("a", text.as_bytes());
        let weights: Vec<Weight> = report.findings.iter().map(|it| it.weight).collect();
        assert_eq!(weights, [expected], "of {text}");
    }
}

#[test]
fn a_finding_says_where_and_not_what() {
    let secret = random(11, ALNUM, 32);
    let text = format!("a\nb = 1\n  client_secret = \"{secret}\"\n");
    let report = scanner().scan_bytes("conf/app.py", text.as_bytes());
    let finding = report.findings.first().unwrap();
    assert_eq!((finding.line, finding.column), (3, 20));
    assert_eq!(finding.redacted, format!("{}… (32 bytes)", &secret[..4]));
    assert_eq!(finding.keyed_digest, key().digest(secret.as_bytes()));
    assert_eq!(finding.live, None);
    let written = serde_json::to_string(&report).unwrap();
    assert!(!written.contains(&secret) && !format!("{report:?}").contains(&secret));
    assert_eq!(serde_json::from_str::<crate::source::ScanReport>(&written).unwrap(), report);
    assert!(report.is_complete());
}

#[test]
fn a_live_credential_is_told_from_another_secret() {
    let (live, other) = (random(12, ALNUM, 32), random(13, ALNUM, 32));
    let credentials = LiveCredentials::new(&key(), &[live.as_bytes(), b"correct horse"]).unwrap();
    let scanner = scanner().with_live(credentials);
    let basic = STANDARD.encode(format!("client:{live}"));
    let text = format!(
        "secret = \"{other}\"\nsecret = \"{live}\"\nAuthorization: Basic {basic}\nsay correct horse\n"
    );
    let report = scanner.scan_bytes("a", text.as_bytes());
    let seen: Vec<_> = report
        .findings
        .iter()
        .map(|it| (it.rule.as_str(), it.line, it.live, it.keyed_digest))
        .collect();
    let named = |it: &str| key().digest(it.as_bytes());
    assert_eq!(
        seen,
        [
            ("quoted-secret", 1, Some(false), named(&other)),
            ("quoted-secret", 2, Some(true), named(&live)),
            ("basic-authorization", 3, Some(true), named(&live)),
            ("live-credential", 4, Some(true), named("correct horse")),
        ]
    );
}

#[test]
fn a_mark_in_front_hides_nothing() {
    let text = format!("\u{feff}Password={};", random(14, ALNUM, 20));
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [text.clone().into_bytes(), little, big] {
        assert_eq!(rules_of(&scanner().scan_bytes("a", &bytes)), ["plain-secret"]);
    }
}

#[test]
fn a_secret_on_the_edge_of_a_piece_is_seen_once() {
    let secret = format!("token = \"{}\"", super::github_token(15));
    for before in [(1 << 20) - 60, (1 << 20) - 20, 1 << 20, (1 << 20) + 48 * 1024 - 20] {
        let text = format!("{}\n{secret}\n{}", "x ".repeat(before / 2), "y ".repeat(100_000));
        let report = scanner().scan_bytes("a", text.as_bytes());
        assert_eq!(super::told(&report), "github-token a:2:10", "behind {before} bytes");
        assert_eq!(report.scanned_bytes, text.len() as u64);
    }
}
