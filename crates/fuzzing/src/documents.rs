//! Documents: manifests, records, envelopes, tokens, pages and what source is full of.

use std::sync::LazyLock;

use countersign_checks::fuzz::{lines_joined, log_formats};
use countersign_checks::log::record::Record;
use countersign_checks::probe::agent::{jar::Jar, page as html};
use countersign_checks::registry::CHECKS;
use countersign_checks::replay::judge_again;
use countersign_checks::source::{DigestKey, RuleSet, Scanner};
use countersign_gate::{Pins, Snapshot};
use countersign_ledger::{Note, Resource};
use countersign_model::check::Evidence;
use countersign_model::declare::manifest::Environment;
use countersign_model::declare::{Format, parse};
use countersign_model::enforce::snapshot::{Lane, SNAPSHOT_TYPE};
use countersign_model::review::Approved;
use countersign_seal::dsse::Envelope;
use countersign_seal::jwk;
use countersign_seal::jwt::{Expect, VerifyingKey, check_times, unverified_header, verify};
use countersign_seal::keyfile::KeyFile;
use countersign_seal::status_list::{Claim, StatusList};
use countersign_seal::{Digest, SigningKey};

#[expect(clippy::expect_used, reason = "a target that cannot be set up must not pass")]
static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    Scanner::new(DigestKey::new(b"a key for fuzzing, thirty-two by")).expect("our rules")
});

/// Archives in archives: tar, zip, gzip, zstd; bounded in depth, size and ratio.
pub fn archive(bytes: &[u8]) {
    let _report = SCANNER.scan_bytes("sample", bytes);
}

/// Signed notes and checkpoints, as other people's logs write them.
pub fn checkpoint(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _note = Note::parse(text);
    }
}

/// DSSE envelopes, and the decision in them.
pub fn envelope(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::parse(bytes) {
        assert!(Approved::check(&envelope, &[]).is_err(), "nobody is enrolled");
    }
}

/// Stored evidence, judged again: by its own check, and by some that its digest chooses.
pub fn evidence(bytes: &[u8]) {
    let Ok(mut evidence) = serde_json::from_slice::<Evidence>(bytes) else { return };
    assert_eq!(judge_again(&evidence), judge_again(&evidence), "judging is repeatable");
    let chosen = usize::from(Digest::of(bytes).as_bytes()[0]) % CHECKS.len();
    for check in CHECKS.iter().cycle().skip(chosen).take(OTHER_JUDGES) {
        check.info().name.clone_into(&mut evidence.transcript.check);
        assert_eq!(judge_again(&evidence), judge_again(&evidence), "judging is repeatable");
    }
}

/// Key files and key sets.
pub fn keys(bytes: &[u8]) {
    let _file = KeyFile::parse(bytes);
    for key in jwk::parse_set(bytes).unwrap_or_default() {
        assert!(!key.verifies(b"a message", &[0; 64]), "nobody signed it");
    }
}

/// Lines of logs: read as what they look like, and by every format whether it fits or not.
pub fn log_line(bytes: &[u8]) {
    let _record = Record::parse(bytes);
    log_formats(bytes);
}

/// Manifests in TOML and JSON.
pub fn manifest(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for format in [Format::Toml, Format::Json] {
            let _parsed = parse(text, format);
        }
    }
}

/// Pages with forms, and cookies, as a user agent meets them.
pub fn page(bytes: &[u8]) {
    for form in html::forms(bytes) {
        let _pairs = form.pairs(Some(("name", "password")));
    }
    let at = "https://id.example.com/a/b".parse();
    if let (Ok(text), Ok(at)) = (std::str::from_utf8(bytes), at) {
        let mut jar = Jar::default();
        jar.keep(&at, &[("set-cookie".to_owned(), text.to_owned())]);
        let _header = jar.header(&at);
    }
}

/// Rule files of scanners.
pub fn rules(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _rules = RuleSet::from_gitleaks(text);
    }
}

/// Snapshots, as a gate is offered them: whole ones, and bytes that the right key signed.
pub fn snapshot(bytes: &[u8]) {
    let key = SigningKey::from_seed([7; 32]);
    let pins = Pins {
        lane: Lane::Certified,
        environment: Environment::Production,
        snapshot_key: key.public(),
        certificate_key: key.public(),
        issuer: "https://countersign.example".to_owned(),
        approvers: Vec::new(),
    };
    let _offered = Snapshot::check(bytes, &pins, 0);
    let signed = Envelope::sign(SNAPSHOT_TYPE, bytes.to_vec(), &key);
    if let Some(signed) = signed.ok().and_then(|it| serde_json::to_vec(&it).ok()) {
        let _signed = Snapshot::check(&signed, &pins, 0);
    }
}

/// The claim of a status list, as it stands in a token.
pub fn status_list(bytes: &[u8]) {
    let Ok(claim) = serde_json::from_slice::<Claim>(bytes) else { return };
    if let Ok(list) = StatusList::from_claim(&claim) {
        let (_first, _last) = (list.get(0), list.get(list.entries().saturating_sub(1)));
        assert!(list.get(list.entries()).is_err(), "nothing stands behind the end");
    }
}

/// Paths of tiles: what is read is what would be written.
pub fn tile_path(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(resource) = text.parse::<Resource>()
    {
        assert_eq!(resource.to_string(), text);
    }
}

/// Compact tokens. Lines are joined as well, so that seeds need not look like live ones.
pub fn token(bytes: &[u8]) {
    let key = VerifyingKey::ed25519(SigningKey::from_seed([7; 32]).public());
    let joined = lines_joined(bytes);
    for token in [String::from_utf8_lossy(bytes).as_ref(), joined.as_str()] {
        let _header = unverified_header(token);
        let verified = verify(token, std::slice::from_ref(&key), Expect::default());
        if let Ok(verified) = verified {
            let _times = check_times(&verified.claims, 1_795_489_511, 60);
        }
        assert!(verify(token, &[], Expect::default()).is_err(), "without keys nothing verifies");
    }
}

/// How many judges beside its own read a transcript: they stand whatever was seen by others.
const OTHER_JUDGES: usize = 8;
