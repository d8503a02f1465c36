//! Does it register clients only for whom it invited, and fetch nothing that a stranger names?
//!
//! Whoever registers a client chooses where codes go and which keys count. A server that registers anybody, believes
//! any statement, or fetches addresses before it knows who asks is open to the whole world.
//!
//! Source: RFC 7591, sections 2.3, 3 and 5; OAU-19.

use countersign_model::check::{Exchange, Judgement, Transcript, Verdict};
use countersign_seal::SigningKey;
use serde_json::{Value, json};

use super::invited::{made, remove, right, send};
use crate::check::{Info, Stage};
use crate::harness::{Reply, Seen};
use crate::live::entropy;
use crate::probe::authz::key::ProofKey;
use crate::probe::authz::read::{body, nobody};
use crate::probe::authz::{ServerCheck, Visit};
use crate::probe::refusal::{self, Refusals};

/// Does it register clients only for whom it invited, and fetch nothing that a stranger names?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "gates_client_registration",
        case: Some("OAU-19"),
        controls: &["CTS-AUT-05"],
        question: "Does it register clients only for whom it invited, and fetch nothing that a stranger names?",
        sends: "Registrations between two right ones: without an initial access token, with keys at an address of ours; with a software statement of a signer that nobody knows; with keys at 169.254.169.254; and with a redirect over http. Whatever is registered is deleted again.",
        passes: "The first is refused with 401 and nothing is fetched for it, the others with an error of RFC 7591.",
        risk: "Anybody makes a client that the server trusts, or makes the server call its own network.",
        fix: "Demand an initial access token, believe only known signers, take https redirects and public addresses alone, and fetch nothing while registering.",
        source: "RFC 7591, sections 2.3, 3 and 5.",
    },
    stage: Stage::Probe,
    subjects: super::registering,
    talk: |visit| Box::pin(talk(visit)),
    judge,
};

const CASE: Refusals = Refusals {
    one: "a registration that nobody should get",
    none: "no registration that nobody should get",
    expected: "401, or invalid_redirect_uri, invalid_client_metadata or a refused software statement",
    taken: registered,
    refused,
    breaking_fails: false,
};
const ENDPOINT: &str = "registration_endpoint";

fn registered(exchange: &Exchange) -> bool {
    let has_id = body(exchange).is_some_and(|it| it.get("client_id").is_some());
    exchange.answer.is_success() && has_id
}

/// 401 and 403 say that nobody was invited; an error of RFC 7591 says what is wrong.
fn refused(exchange: &Exchange) -> bool {
    let code = body(exchange).and_then(|it| Some(it.get("error")?.as_str()?.to_owned()));
    match exchange.answer.status() {
        Some(401 | 403) => exchange.label == "wrong.no-token",
        Some(400) => code.is_some_and(|it| CODES.contains(&it.as_str())),
        _ => false,
    }
}

const CODES: [&str; 6] = [
    "invalid_client_metadata",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_software_statement",
    "invalid_token",
    "unapproved_software_statement",
];

async fn talk(visit: &mut Visit<'_>) {
    let Some(endpoint) = visit.endpoint(ENDPOINT) else { return };
    let Some(invited) = visit.invited().await else { return };
    let token = invited.token.as_deref();
    let right = right(&invited.redirect);
    let Some(statement) = statement() else { return };
    let names = ["no-token", "forged-statement", "private-keys", "plain-redirect"];
    visit.talk.setting("wrong", names.to_vec());
    let post = ("POST", endpoint.as_str());
    let answer = send(visit, "control", post, (token, Some(&right))).await;
    let Some(first) = made(&answer) else { return };
    remove(visit, "undone", &first).await;
    let with = |name: &str, value: Value| {
        let mut wrong = right.clone();
        wrong[name] = value;
        wrong
    };
    let keys = |url: &str| {
        let mut wrong = with("jwks_uri", url.into());
        wrong["token_endpoint_auth_method"] = "private_key_jwt".into();
        wrong
    };
    stranger(visit, post, &keys).await;
    let plain = invited.redirect.replacen("https://", "http://", 1);
    let wrong = [
        ("forged-statement", with("software_statement", statement.into())),
        ("private-keys", keys("https://169.254.169.254/jwks.json")),
        ("plain-redirect", with("redirect_uris", json!([plain]))),
    ];
    for (name, wrong) in wrong {
        attempt(visit, name, post, (token, &wrong)).await;
    }
    let answer = send(visit, "closing", post, (token, Some(&right))).await;
    if let Some(it) = made(&answer) {
        remove(visit, "undone", &it).await;
    }
}

/// Somebody without a token, whose keys lie at a booth of ours: who fetches them says so there.
async fn stranger(visit: &mut Visit<'_>, post: (&str, &str), keys: &impl Fn(&str) -> Value) {
    let harness = visit.talk.means().and_then(|it| it.harness.as_ref().map(std::sync::Arc::clone));
    let name = visit.talk.fresh_name("keys-").unwrap_or_default();
    let answer = |_: &Seen| Reply::json(&json!({ "keys": [] }));
    let booth = harness.map(|it| it.open(&name, answer));
    let url = booth.as_ref().map_or_else(
        || "https://keys.attacker.invalid/jwks.json".to_owned(),
        |it| format!("{}/jwks.json", it.url()),
    );
    attempt(visit, "no-token", post, (None, &keys(&url))).await;
    if let Some(booth) = booth {
        let fetches = booth.seen().len();
        visit.talk.fact("fetched", "harness", json!({ "fetches": fetches }));
    }
}

async fn attempt(
    visit: &mut Visit<'_>,
    name: &str,
    post: (&str, &str),
    (token, wrong): (Option<&str>, &Value),
) {
    let answer = send(visit, &format!("wrong.{name}"), post, (token, Some(wrong))).await;
    if let Some(it) = made(&answer) {
        remove(visit, "undone", &it).await;
    }
}

/// A software statement of a signer that nobody knows.
fn statement() -> Option<String> {
    let key: ProofKey = SigningKey::from_seed(entropy::random()?).into();
    key.sign(&json!({
        "iss": "https://publisher.attacker.invalid",
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "client_name": "Countersign probe",
    }))
}

fn judge(transcript: &Transcript) -> Judgement {
    if let Some(it) = not_offered(transcript) {
        return it.expected(CASE.expected);
    }
    let fetches = transcript.fact("fetched").and_then(|it| it.get("fetches")?.as_u64());
    let judgement = refusal::judge(transcript, &CASE);
    match (fetches, judgement.verdict) {
        // Somebody fetched what a stranger named: that was seen, whatever else was.
        (Some(1..), Verdict::Pass | Verdict::Inconclusive) => {
            Judgement::fail("an address that a stranger names is fetched")
                .observed(
                    "the keys of a registration without a token were asked for at our address",
                )
                .expected("401, and nothing fetched")
                .repeat(transcript.text("repeat.no-token").unwrap_or_default())
        }
        (None, Verdict::Pass) => {
            let observed = format!("{}; fetches could not be seen", judgement.observed);
            judgement.observed(observed)
        }
        _ => judgement,
    }
}

/// A server without a registration is not asked, where its metadata was read.
pub(super) fn not_offered(transcript: &Transcript) -> Option<Judgement> {
    if nobody(transcript).is_some() || transcript.text("lacks") != Some(ENDPOINT) {
        return None;
    }
    Some(match transcript.exchange("metadata").and_then(body) {
        Some(_) => Judgement::not_applicable("no client can register itself there")
            .observed(format!("its metadata has no `{ENDPOINT}`")),
        None => Judgement::inconclusive("its metadata could not be read"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};

    const MADE: &str = r#"{"client_id":"dyn-1"}"#;

    fn seen(token: u16, statement: (u16, &str), fetches: u64) -> Sample {
        let error = |code: &str| json!({ "error": code }).to_string();
        let text = |status| if status == 201 { MADE.to_owned() } else { error("invalid_token") };
        let answer = match statement {
            (201, _) => MADE.to_owned(),
            (_, code) => error(code),
        };
        sample()
            .setting("wrong", vec!["no-token", "forged-statement"])
            .answered("control", 201, MADE)
            .answered("wrong.no-token", token, &text(token))
            .fact("fetched", json!({ "fetches": fetches }))
            .answered("wrong.forged-statement", statement.0, &answer)
            .answered("closing", 201, MADE)
    }

    #[test]
    fn only_who_was_invited_registers() {
        let no = (400, "unapproved_software_statement");
        let lacks = sample().answered("metadata", 200, r#"{"issuer":"i"}"#);
        let table = [
            ("right", seen(401, no, 0), Pass),
            ("anybody", seen(201, no, 0), Fail),
            ("any statement", seen(401, (201, ""), 0), Fail),
            ("fetched for a stranger", seen(401, no, 1), Fail),
            ("another error", seen(401, (400, "odd"), 0), Inconclusive),
            ("the token is refused", seen(401, (401, "invalid_token"), 0), Inconclusive),
            ("broken", seen(500, no, 0), Inconclusive),
            ("not offered", lacks.setting("lacks", ENDPOINT), NotApplicable),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[3].1);
        insta::assert_snapshot!(judgement.sentence, @"an address that a stranger names is fetched");
    }
}
