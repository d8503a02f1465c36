//! Is the secret that signs HS256 tokens strong?
//!
//! Whoever holds one token can try secrets against its signature at home, billions in an hour. The
//! same is done here with a short list of plain words and with names out of the manifest.
//!
//! Source: RFC 7518, section 3.2; RFC 8725, section 3.5; JWT-15.

use std::collections::BTreeSet;

use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Resource, TokenAlg};
use serde_json::{Value, json};

use super::bench::{Bench, Signer, Token, by, hs256};
use super::hear::{exclusive, judge, right, send, subjects};
use crate::check::{Check, Info, Stage};
use crate::probe::refusal::{Refusals, no, success};
use crate::talk::Talk;

pub(super) const CHECK: UsesStrongHmacSecret = UsesStrongHmacSecret;

/// Is the secret that signs HS256 tokens strong?
#[derive(Debug, Clone, Copy)]
pub(crate) struct UsesStrongHmacSecret;

const CASE: Refusals = Refusals {
    one: "a token keyed with a plain word",
    none: "no token keyed with a plain word",
    expected: "401 or 403, no word fits, and at least 256 bits",
    taken: success,
    refused: no,
    breaking_fails: false,
};

/// The words that are sent, each with its name; the last is the integration's own.
const SENT: [(&str, Option<&str>); 4] = [
    ("nothing", Some("")),
    ("secret", Some("secret")),
    ("tutorial", Some("your-256-bit-secret")),
    ("own-name", None),
];

#[async_trait::async_trait]
impl Check for UsesStrongHmacSecret {
    fn info(&self) -> &'static Info {
        &Info {
            name: "uses_strong_hmac_secret",
            case: Some("JWT-15"),
            controls: &["CTS-TOK-01"],
            question: "Is the secret that signs HS256 tokens strong?",
            sends: "A right token, then tokens keyed with nothing, with two words of tutorials and with the integration's own name, then a right token again. Some hundred plain words and names out of the manifest are tried against a signature here, without any further request.",
            passes: "Both right tokens are accepted and no other, no word fits, and the secret has at least 256 bits.",
            risk: "Whoever sees one token finds the secret, and writes tokens of their own.",
            fix: "Sign with ES256 or EdDSA; else share at least 32 random bytes.",
            source: "RFC 7518, section 3.2; RFC 8725, section 3.5; JWT-15.",
        }
    }

    fn stage(&self) -> Stage {
        Stage::Probe
    }

    fn subjects(&self, manifest: &Manifest) -> Vec<String> {
        subjects(manifest, is_shared)
    }

    fn exclusive(&self, _: &str, manifest: &Manifest) -> Option<String> {
        Some(exclusive(manifest))
    }

    async fn talk(&self, subject: &str, manifest: &Manifest, talk: &mut Talk) {
        let Some(mut bench) = Bench::set_up(subject, manifest, talk).await else { return };
        if !right(&mut bench, talk, "control").await {
            return;
        }
        let Signer::Shared(secret) = bench.signer.clone() else { return };
        let own = manifest.integration.id.to_string();
        talk.setting("wrong", SENT.map(|it| it.0).to_vec());
        for (name, word) in SENT {
            (bench.now, bench.label) = (talk.now(), name.to_owned());
            let word = word.unwrap_or(&own);
            if let Some(token) = keyed(&bench, word) {
                send(&bench, talk, (name, &token), None).await;
            }
        }
        let bits = secret.len() * 8;
        let words = words(manifest);
        let message = b"one token is enough";
        let signature = hs256(&secret, message);
        let place = words.iter().position(|it| hs256(it.as_bytes(), message) == signature);
        let place = place.map(|it| it + 1);
        talk.fact("tried", "check", json!({ "words": words.len(), "place": place, "bits": bits }));
        right(&mut bench, talk, "closing").await;
    }

    fn judge(&self, transcript: &Transcript) -> Judgement {
        let sent = judge(transcript, &CASE);
        if sent.verdict != Verdict::Pass {
            return sent;
        }
        let Some(fact) = transcript.fact("tried") else {
            return Judgement::inconclusive("no word was tried");
        };
        let number = |name: &str| fact.get(name).and_then(Value::as_u64);
        let (words, bits) = (number("words").unwrap_or_default(), number("bits"));
        let bits = bits.unwrap_or_default();
        let place = transcript.text("place").unwrap_or("resource");
        let judgement = if let Some(found) = number("place") {
            Judgement::fail("the secret of HS256 tokens stands in a short list of words")
                .observed(format!("it is the word with number {found} of {words}"))
        } else if bits < BITS_MIN {
            Judgement::fail("the secret of HS256 tokens is too short")
                .observed(format!("at most {bits} bits"))
        } else {
            Judgement::pass("the secret of HS256 tokens is in no short list, and long enough")
                .observed(format!("{words} words tried, none fits; at most {bits} bits"))
        };
        judgement.expected(format!("no word fits, and at least {BITS_MIN} bits")).at(place)
    }
}

fn is_shared(resource: &Resource) -> bool {
    resource.alg == TokenAlg::Hs256
}

/// A token keyed with a word.
fn keyed(bench: &Bench, word: &str) -> Option<Token> {
    let (header, claims) = (Value::Object(bench.header()), Value::Object(bench.claims()));
    let who = format!("HMAC-SHA256 keyed with `{word}`");
    by(&Signer::Shared(word.as_bytes().into()), &header.to_string(), &claims.to_string(), &who)
}

/// Plain words, and names out of the manifest with usual endings.
fn words(manifest: &Manifest) -> Vec<String> {
    let names = [
        manifest.integration.id.as_str(),
        &manifest.integration.name,
        &manifest.partner.name,
        &manifest.partner.domain,
    ];
    let mut stems: BTreeSet<String> = BTreeSet::new();
    for name in names {
        let name = name.to_lowercase();
        stems.extend(name.split(|it: char| !it.is_alphanumeric()).map(str::to_owned));
        stems.insert(name.replace(|it: char| !it.is_alphanumeric(), ""));
        stems.insert(name);
    }
    stems.retain(|it| 2 <= it.len());
    let mut words: Vec<String> = vec![String::new()];
    for word in PLAIN.split_whitespace() {
        words.extend([word.to_owned(), word.to_uppercase(), format!("{word}123")]);
        words.push(format!("{word}{word}"));
    }
    for stem in stems.iter().take(STEMS_MAX) {
        for ending in ["", "1", "123", "2025", "2026", "key", "secret", "jwt", "password"] {
            words.push(format!("{stem}{ending}"));
            words.extend(["-", "_"].map(|it| format!("{stem}{it}{ending}")));
        }
    }
    words
}

/// Words that stand in examples, tutorials and default settings.
const PLAIN: &str = "secret password changeme change-me changeit default example test testing demo dev \
    development production jwt jwt-secret jwt_secret jwtsecret mysecret my-secret my_secret mysecretkey \
    my-secret-key my_secret_key secretkey secret-key secret_key supersecret super-secret super_secret \
    supersecretkey super-secret-key topsecret top-secret shared sharedsecret shared-secret shared_secret \
    key private privatekey token tokensecret token-secret access_token_secret signing signingkey signing-key \
    hmac hs256 hs256-secret apikey api-key api_key app appsecret app-secret app_secret admin root user \
    your-256-bit-secret your-secret-key your_secret_key your-secret yoursecret your_jwt_secret \
    your-very-long-secret-key this-is-a-secret thisisasecret thisismysecret this_is_my_secret a-string-secret-at-least-256-bits-long \
    qwerty letmein welcome abc123 12345678 123456789 1234567890 0123456789abcdef 00000000 iloveyou \
    keyboardcat keyboard-cat shhhhh shhhh s3cr3t pa55word p4ssw0rd auth authsecret auth-secret oauth oidc \
    issuer client_secret clientsecret client-secret session sessionsecret session-secret cookie none null undefined";
const BITS_MIN: u64 = 256;
const STEMS_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    use super::*;
    use crate::sample::{Sample, judges, sample};

    fn seen(control: u16, wrong: u16, (place, bits): (Option<u64>, u64), closing: u16) -> Sample {
        let fact = json!({"words": 900, "place": place, "bits": bits});
        sample()
            .setting("wrong", vec!["secret"])
            .answered("control", control, "")
            .answered("wrong.secret", wrong, "")
            .fact("tried", fact)
            .answered("closing", closing, "")
    }

    #[test]
    fn a_secret_is_long_and_in_no_list() {
        let none = json!({"error": "the server holds no secret named `x`"});
        let table = [
            ("right", seen(200, 401, (None, 344), 200), Pass),
            ("a word", seen(200, 401, (Some(3), 344), 200), Fail),
            ("a word that was sent", seen(200, 200, (None, 344), 200), Fail),
            ("short", seen(200, 401, (None, 248), 200), Fail),
            ("refuses all", sample().answered("control", 401, ""), Inconclusive),
            ("breaks", seen(500, 500, (None, 344), 500), Inconclusive),
            ("no secret", sample().fact("setup", none), Inconclusive),
            ("nothing", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }

    #[test]
    fn the_list_holds_names_of_the_manifest_and_is_short() {
        let text = crate::fact::SAAS;
        let format = countersign_model::declare::Format::Toml;
        let manifest = countersign_model::declare::parse(text, format).unwrap().manifest;
        let words = words(&manifest);
        for word in ["secret", "acme-secret", "acme_jwt", "your-256-bit-secret", ""] {
            assert!(words.iter().any(|it| it == word), "{word}");
        }
        assert!(words.len() < 3_000, "{}", words.len());
    }
}
