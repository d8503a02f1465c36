//! A token request of a copy, which proves itself with an assertion that it signs.
//!
//! Source: RFC 6749, section 4.4.2; RFC 7523, sections 2.2 and 3.

use std::collections::BTreeMap;

use countersign_model::time::Timestamp;
use countersign_seal::{Digest, jwt};
use serde_json::json;

use crate::live::entropy;
use crate::platform::{ClientCopy, PlatformFault, TokenRequest};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion lives.
const LIFE_SECONDS: i64 = 60;

/// The fields of the request. Fields of ours never stand in for those of the protocol.
pub(super) fn token_form(
    copy: &ClientCopy,
    request: &TokenRequest,
    endpoint: &str,
    now: Timestamp,
) -> Result<BTreeMap<String, String>, PlatformFault> {
    let no_chance = || PlatformFault::Settings("this machine gives no randomness".to_owned());
    let chance: [u8; 32] = entropy::random().ok_or_else(no_chance)?;
    let jti = Digest::of(&chance).hex();
    let assertion = assertion(copy, endpoint, now, &jti)?;
    let mut form = request.fields.clone();
    let mut set = |name: &str, value: &str| form.insert(name.to_owned(), value.to_owned());
    set("grant_type", request.grant.as_deref().unwrap_or("client_credentials"));
    set("client_id", &copy.client_id);
    set("client_assertion_type", ASSERTION_TYPE);
    set("client_assertion", &assertion);
    if let Some(scope) = &request.scope {
        set("scope", scope);
    }
    if let Some(token) = &request.refresh_token {
        set("refresh_token", token);
    }
    Ok(form)
}

fn assertion(
    copy: &ClientCopy,
    endpoint: &str,
    now: Timestamp,
    jti: &str,
) -> Result<String, PlatformFault> {
    let claims = json!({
        "iss": copy.client_id,
        "sub": copy.client_id,
        "aud": endpoint,
        "iat": now.seconds(),
        "exp": now.seconds() + LIFE_SECONDS,
        "jti": jti,
    });
    let kid = copy.public().key_id();
    jwt::sign("JWT", kid.as_str(), &claims, &copy.key)
        .map_err(|it| PlatformFault::Settings(format!("an assertion cannot be signed: {it}")))
}

#[cfg(test)]
mod tests {
    use countersign_seal::jwt::{Expect, VerifyingKey, check_times, verify};

    use super::*;
    use crate::platform::Seed;

    const ENDPOINT: &str = "https://test.id.example.com/oauth/token";

    #[test]
    fn a_copy_proves_itself_to_the_token_endpoint_once() {
        let copy = ClientCopy::new("acme.copy-1".to_owned(), Seed::new([7; 32]));
        let now = Timestamp::from_seconds(1_795_489_511);
        let request = TokenRequest {
            scope: Some("tickets:write".to_owned()),
            fields: [("actor", "robin"), ("client_assertion", "forged")]
                .map(|(name, it)| (name.to_owned(), it.to_owned()))
                .into(),
            ..TokenRequest::default()
        };
        let form = token_form(&copy, &request, ENDPOINT, now).unwrap();
        let again = token_form(&copy, &request, ENDPOINT, now).unwrap();
        let keys = [VerifyingKey::from_jwk(&copy.public().to_jwk()).unwrap()];
        let expect = Expect { audience: Some(ENDPOINT), ..Expect::default() };
        let verified = verify(&form["client_assertion"], &keys, expect).unwrap();
        assert_eq!(check_times(&verified.claims, now.seconds(), 0), Ok(()));
        assert_eq!(verified.claims["iss"], verified.claims["sub"]);
        assert_ne!(form["client_assertion"], again["client_assertion"], "each has its own `jti`");
        assert_eq!((form["actor"].as_str(), form["scope"].as_str()), ("robin", "tickets:write"));
        assert_eq!(form["grant_type"], "client_credentials");
    }
}
