//! Do its access tokens say what a receiver has to check?
//!
//! A receiver can only hold against a token what the token says: whose it is, for whom, until when, and which one.
//! We read a token that a right request got. A signed token has to bear the claims of RFC 9068. An opaque one says
//! nothing itself; there the answer of introspection has to tell its end, its client and its scope.
//!
//! Source: RFC 9068, sections 2.1, 2.2 and 2.2.3; RFC 7662, section 2.2; OAU-21.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::check::{Judgement, Transcript};
use serde_json::{Map, Value, json};

use crate::check::{Info, Stage};
use crate::probe::authz::read::{body, granted, no_control, nobody, words};
use crate::probe::authz::{ServerCheck, Visit, subjects};
use crate::probe::token::says;

/// Do its access tokens say what a receiver has to check?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "states_required_claims_in_access_tokens",
        case: Some("OAU-21"),
        controls: &["CTS-CRD-02"],
        question: "Do its access tokens say what a receiver has to check?",
        sends: "A right request for a token, which is read; where it is opaque, it is introspected.",
        passes: "A signed token is of type `at+jwt` and bears `iss`, `exp`, `aud`, `sub`, `client_id`, `iat`, `jti`, and `scope` when one was asked for. For an opaque one introspection tells `exp`, `client_id` and `scope`. An opaque token of a server without introspection is not asked.",
        risk: "A receiver cannot tell a token for it from a token for somebody else, or an ID token from an access token.",
        fix: "Issue access tokens in the form of RFC 9068, or tell their end, client and scope at introspection.",
        source: "RFC 9068, sections 2.1, 2.2 and 2.2.3; RFC 7662, section 2.2.",
    },
    stage: Stage::Probe,
    subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge,
};

const CLAIMS: [&str; 7] = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];
const TOLD: [&str; 2] = ["exp", "client_id"];

async fn talk(visit: &mut Visit<'_>) {
    let Some(party) = visit.party(|_| true).await else { return };
    let Some(tokens) = visit.tokens("control", &party).await else { return };
    visit.talk.setting("asked_scope", !party.scopes.is_empty());
    let Some((header, claims)) = parts(&tokens.access) else {
        visit.talk.fact("token", "server", json!({ "signed": false }));
        visit.introspect("introspected", &party, &tokens.access).await;
        return;
    };
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    let names: Vec<&String> = claims.keys().collect();
    let fact = json!({
        "signed": true, "typ": header.get("typ"), "alg": header.get("alg"), "claims": names,
        "own_issuer": issuer == visit.server.issuer,
    });
    visit.talk.fact("token", "server", fact);
}

/// Header and claims of a signed token; nothing for whatever else it may be.
pub(crate) fn parts(token: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
    if TOKEN_BYTES_MAX < token.len() || token.split('.').count() != 3 {
        return None;
    }
    let mut parts = token.split('.').map(|it| {
        let bytes = URL_SAFE_NO_PAD.decode(it.trim_end_matches('=')).ok()?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
    });
    let (header, claims) = (parts.next()??, parts.next()??);
    header.contains_key("alg").then_some((header, claims))
}

const TOKEN_BYTES_MAX: usize = 64 * 1024;

fn judge(transcript: &Transcript) -> Judgement {
    if let Some(judgement) = nobody(transcript) {
        return judgement;
    }
    if !transcript.exchange("control").is_some_and(granted) {
        return no_control(transcript, "control", "a right request for a token");
    }
    let asked = transcript.settings.get("asked_scope") == Some(&Value::Bool(true));
    let Some(token) = transcript.fact("token") else {
        return Judgement::inconclusive("the token was not read");
    };
    let judgement =
        if says(Some(token), "signed") { signed(token, asked) } else { opaque(transcript, asked) };
    match transcript.text("repeat.control") {
        Some(it) => judgement.repeat(it),
        None => judgement,
    }
}

fn signed(token: &Value, asked: bool) -> Judgement {
    let claims = crate::granted::words(token, "/claims");
    let typ = token.get("typ").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let typed = ["at+jwt", "application/at+jwt"].contains(&typ.as_str());
    let wanted = CLAIMS.into_iter().chain(asked.then_some("scope"));
    let missing: Vec<&str> = wanted.filter(|it| !claims.contains(it)).collect();
    let has = if claims.is_empty() { "no claims".to_owned() } else { claims.join(", ") };
    let observed = format!("typ `{typ}`; {has}");
    let sentence = if !typed {
        "an access token does not say that it is one".to_owned()
    } else if !missing.is_empty() {
        format!("an access token does not say {}", missing.join(", "))
    } else if !says(Some(token), "own_issuer") {
        "an access token names another issuer".to_owned()
    } else {
        return Judgement::pass("access tokens say what a receiver has to check")
            .observed(observed)
            .expected(WANTED);
    };
    Judgement::fail(sentence).observed(observed).expected(WANTED)
}

fn opaque(transcript: &Transcript, asked: bool) -> Judgement {
    let expected = "introspection tells the end, the client and the scope of an opaque token";
    if transcript.text("lacks") == Some("introspection_endpoint") {
        let sentence = "its tokens are opaque, and there is no introspection";
        return Judgement::not_applicable(sentence);
    }
    let Some(exchange) = transcript.exchange("introspected") else {
        return Judgement::inconclusive("the token was not introspected").expected(expected);
    };
    let told = body(exchange).filter(|it| exchange.answer.is_success() && says(Some(it), "active"));
    let Some(told) = told else {
        return Judgement::inconclusive(
            "introspection does not tell its client about its own token",
        )
        .observed(words(exchange))
        .expected(expected);
    };
    let wanted = TOLD.into_iter().chain(asked.then_some("scope"));
    let missing: Vec<&str> = wanted.filter(|it| told.get(it).is_none_or(Value::is_null)).collect();
    let members: Vec<&str> =
        told.as_object().into_iter().flatten().map(|it| it.0.as_str()).collect();
    let observed = format!("an opaque token; introspection tells {}", members.join(", "));
    if missing.is_empty() {
        return Judgement::pass("introspection says what a receiver has to check")
            .observed(observed)
            .expected(expected);
    }
    Judgement::fail(format!("nothing says {} of an opaque token", missing.join(", ")))
        .observed(observed)
        .expected(expected)
}

const WANTED: &str = "typ `at+jwt` with iss, exp, aud, sub, client_id, iat, jti, and scope";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, NotApplicable, Pass};

    fn begun() -> Sample {
        sample().setting("asked_scope", true).answered(
            "control",
            200,
            r#"{"access_token":"[secret 0]"}"#,
        )
    }

    fn signed(typ: &str, leave_out: &str) -> Sample {
        let names = CLAIMS.into_iter().chain(["scope"]).filter(|it| *it != leave_out);
        let names: Vec<&str> = names.collect();
        begun()
            .fact("token", json!({"signed": true, "typ": typ, "claims": names, "own_issuer": true}))
    }

    fn opaque(text: &str) -> Sample {
        begun().fact("token", json!({"signed": false})).answered("introspected", 200, text)
    }

    #[test]
    fn a_token_says_whose_it_is_and_until_when() {
        let table = [
            ("right", signed("at+jwt", ""), Pass),
            ("with the long type", signed("application/at+JWT", ""), Pass),
            ("type of any token", signed("JWT", ""), Fail),
            ("no id", signed("at+jwt", "jti"), Fail),
            ("no scope", signed("at+jwt", "scope"), Fail),
            (
                "opaque, told",
                opaque(r#"{"active":true,"exp":1,"client_id":"a","scope":"b"}"#),
                Pass,
            ),
            ("opaque, no end", opaque(r#"{"active":true,"client_id":"a","scope":"b"}"#), Fail),
            ("opaque, not told", opaque(r#"{"active":false}"#), Inconclusive),
            (
                "opaque, no introspection",
                begun()
                    .fact("token", json!({"signed": false}))
                    .setting("lacks", "introspection_endpoint"),
                NotApplicable,
            ),
            ("no token", sample().answered("control", 500, ""), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
    }

    #[test]
    fn only_a_signed_token_has_parts() {
        let encode = |it: &str| URL_SAFE_NO_PAD.encode(it);
        let token = format!("{}.{}.c2ln", encode(r#"{"alg":"EdDSA"}"#), encode(r#"{"iss":"a"}"#));
        assert!(parts(&token).is_some());
        for token in ["", "opaque", "a.b.c", "eyJ9.eyJ9.x", &"a".repeat(100_000)] {
            assert!(parts(token).is_none(), "{token}");
        }
    }
}
