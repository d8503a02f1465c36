//! Does it refuse a client assertion that is wrong in one way?
//!
//! An assertion is a password for one server and one moment. One that is meant for another server, lives for an
//! hour, counts twice or is signed with a public key lets somebody else be the client.
//!
//! Source: RFC 7523, section 3; OpenID Connect Core 1.0, section 9; FAPI 2.0 Security Profile, section 5.3.2.1;
//! OAU-11.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::check::{Judgement, Transcript, Verdict};
use countersign_seal::SigningKey;
use serde_json::{Value, json};

use super::secret::with_key;
use crate::check::{Info, Stage};
use crate::live::entropy;
use crate::probe::authz::key::{ProofKey, signing_input};
use crate::probe::authz::party::{asserted, claims};
use crate::probe::authz::read::{granted, no_control, refuses_client};
use crate::probe::authz::{Form, Party, Proof, ServerCheck, Visit, between};
use crate::probe::refusal::{self, Refusals};

/// Does it refuse a client assertion that is wrong in one way?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "refuses_wrong_client_assertion",
        case: Some("OAU-11"),
        controls: &["CTS-AUT-01"],
        question: "Does it refuse a client assertion that is wrong in one way?",
        sends: "Right requests with an assertion that is meant for another server, or for a list of servers; that lives for an hour, or ended an hour ago; that came before; whose issuer or subject is somebody else; that another key signed; and that is signed with HS256 and the public key as secret.",
        passes: "`invalid_client` each time, while an assertion that is right is granted.",
        risk: "An assertion that another server saw, or one that was logged, makes its finder the client.",
        fix: "Take an assertion whose `aud` is this server alone, whose end is minutes away, whose `jti` is new, whose `iss` and `sub` are the client, and whose algorithm is that of the registered key.",
        source: "RFC 7523, section 3; OpenID Connect Core 1.0, section 9; FAPI 2.0 Security Profile, section 5.3.2.1.",
    },
    stage: Stage::Probe,
    subjects: with_key,
    talk: |visit| {
        Box::pin(async move {
            let Some(party) = visit.party(Party::has_key).await else { return };
            let Some(right) = visit.plain_form("control", &party).await else { return };
            let Proof::Key(key) = &party.proof else { return };
            let Some(forms) = wrong(visit, &party, key, &right) else {
                visit.talk.fact(
                    "chance",
                    "system",
                    json!({ "error": "no assertion could be made" }),
                );
                return;
            };
            // The one that will come again comes once before, and is right then.
            if let Some((_, form)) = forms.iter().find(|it| it.0 == REPLAYED) {
                visit.mint("first-use", form).await;
            }
            between(visit, &CASE, &party, forms).await;
        })
    },
    judge,
};

fn judge(transcript: &Transcript) -> Judgement {
    let judgement = refusal::judge(transcript, &CASE);
    // That an assertion is refused the second time says nothing if it was refused the first time.
    let used = transcript.exchange("first-use").is_some_and(granted);
    if judgement.verdict == Verdict::Pass && !used {
        return no_control(transcript, "first-use", "an assertion");
    }
    judgement
}

const REPLAYED: &str = "came-before";

const CASE: Refusals = Refusals {
    one: "a wrong client assertion",
    none: "no wrong client assertion",
    expected: "`invalid_client` each time",
    taken: granted,
    refused: refuses_client,
    breaking_fails: false,
};

/// One request for each way to be wrong.
fn wrong(
    visit: &Visit<'_>,
    party: &Party,
    key: &ProofKey,
    right: &Form,
) -> Option<Vec<(&'static str, Form)>> {
    let (id, audience, now) =
        (party.client_id.as_str(), visit.server.audience.as_str(), visit.talk.now());
    let form = |assertion: &str| asserted(right.clone(), id, assertion);
    let mut forms = Vec::new();
    for (name, change) in changes(visit.server.token_endpoint(), now.seconds()) {
        let mut wrong = claims(id, audience, now)?;
        for (member, value) in change {
            wrong[member] = value;
        }
        forms.push((name, form(&key.sign(&wrong)?)));
    }
    let own = claims(id, audience, now)?;
    let other = ProofKey::from(SigningKey::from_seed(entropy::random()?));
    forms.push(("another-key", form(&other.named(key.kid()).sign(&own)?)));
    for (name, secret) in secrets(key.public()) {
        let own = claims(id, audience, now)?;
        forms.push((name, form(&hs256(&key.header(), &own, &secret))));
    }
    forms.push((REPLAYED, form(&key.sign(&claims(id, audience, now)?)?)));
    Some(forms)
}

/// The claims that are wrong, by name.
fn changes(endpoint: &str, now: i64) -> Vec<(&'static str, Vec<(&'static str, Value)>)> {
    const ELSEWHERE: &str = "https://as.elsewhere.example";
    let other = format!("{ELSEWHERE}/token");
    vec![
        ("for-another-server", vec![("aud", json!(ELSEWHERE))]),
        ("for-a-list-of-servers", vec![("aud", json!([other, endpoint]))]),
        ("lives-for-an-hour", vec![("exp", json!(now + HOUR_SECONDS))]),
        (
            "ended-an-hour-ago",
            vec![("exp", json!(now - HOUR_SECONDS)), ("iat", json!(now - HOUR_SECONDS - 60))],
        ),
        ("issuer-is-somebody-else", vec![("iss", json!("somebody-else"))]),
        ("subject-is-somebody-else", vec![("sub", json!("somebody-else"))]),
    ]
}

/// What a server may take for a shared secret that verifies with the public key whatever comes.
fn secrets(public: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let text = public.get("x").and_then(Value::as_str).unwrap_or_default();
    let raw = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    vec![("hs256-with-public-key", raw), ("hs256-with-public-jwk", public.to_string().into_bytes())]
}

fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let mut header = header.clone();
    header["alg"] = "HS256".into();
    let input = signing_input(&header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}

const HOUR_SECONDS: i64 = 3_600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    const TOKEN: &str = r#"{"access_token":"[secret 0]"}"#;

    fn seen(first: u16, replayed: u16, text: &str) -> Sample {
        let body = |status| if status == 200 { TOKEN } else { r#"{"error":"invalid_client"}"# };
        sample()
            .setting("wrong", vec![REPLAYED])
            .answered("first-use", first, body(first))
            .answered("control", 200, TOKEN)
            .answered("wrong.came-before", replayed, text)
            .answered("closing", 200, TOKEN)
    }

    #[test]
    fn an_assertion_counts_once_and_only_where_it_was_right() {
        let refused = r#"{"error":"invalid_client"}"#;
        let table = [
            ("refused", seen(200, 401, refused), Pass),
            ("taken again", seen(200, 200, TOKEN), Fail),
            ("never taken", seen(401, 401, refused), Inconclusive),
            ("broken", seen(200, 500, ""), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }

    #[test]
    fn each_assertion_is_wrong_in_one_way() {
        let now = 1_795_489_511;
        let right =
            json!({"iss": "a", "sub": "a", "aud": "https://id.example.com", "exp": now + 60});
        let lines =
            changes("https://id.example.com/oauth/token", now).into_iter().map(|(name, it)| {
                let mut claims = right.clone();
                for (member, value) in it {
                    claims[member] = value;
                }
                format!("{name}: {claims}")
            });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
        for-another-server: {"aud":"https://as.elsewhere.example","exp":1795489571,"iss":"a","sub":"a"}
        for-a-list-of-servers: {"aud":["https://as.elsewhere.example/token","https://id.example.com/oauth/token"],"exp":1795489571,"iss":"a","sub":"a"}
        lives-for-an-hour: {"aud":"https://id.example.com","exp":1795493111,"iss":"a","sub":"a"}
        ended-an-hour-ago: {"aud":"https://id.example.com","exp":1795485911,"iat":1795485851,"iss":"a","sub":"a"}
        issuer-is-somebody-else: {"aud":"https://id.example.com","exp":1795489571,"iss":"somebody-else","sub":"a"}
        subject-is-somebody-else: {"aud":"https://id.example.com","exp":1795489571,"iss":"a","sub":"somebody-else"}
        "#);
    }
}
