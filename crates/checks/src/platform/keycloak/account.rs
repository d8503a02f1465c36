//! The two accounts of the connector, and the tokens that they show.
//!
//! Each is a client of the realm with a service account; none of them is a person.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::platform::{PlatformFault, Seed};

/// A token is renewed so long before its end, in milliseconds; sooner where it lives shortly.
const BEFORE_END_MS: u64 = 20_000;

/// What an account proves itself with.
#[derive(Clone)]
pub enum Proof {
    /// A key (RFC 7523), which grows from this.
    Key(Seed),
    /// A secret.
    Secret(Zeroizing<String>),
}

impl fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Proof(..)")
    }
}

/// An account of ours at the realm.
#[derive(Clone)]
pub struct Account {
    /// Its client id.
    pub client_id: String,
    /// What it proves itself with.
    pub proof: Proof,
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Account({})", self.client_id)
    }
}

/// In whose name a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// In that of whoever may kill.
    Killer,
    /// In that of whoever may read.
    Reader,
}

impl Who {
    /// What it does: `kills`.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Killer => "kills",
            Self::Reader => "reads",
        }
    }
}

/// A token of ours.
pub(super) struct Pass {
    pub(super) token: Zeroizing<String>,
    renew_at_ms: u64,
    /// How far the server's clock is ahead of ours, in seconds.
    pub(super) ahead_seconds: i64,
}

/// An account and its present token. Whoever waits for the token waits for the one request.
pub(super) struct Session {
    pub(super) account: Account,
    pub(super) pass: Mutex<Option<Pass>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account.fmt(formatter)
    }
}

impl Session {
    pub(super) fn new(account: Account) -> Self {
        Self { account, pass: Mutex::new(None) }
    }
}

impl Pass {
    /// From what the token endpoint answered.
    pub(super) fn parse(
        answer: &Value,
        now_ms: u64,
        now_seconds: i64,
    ) -> Result<Self, PlatformFault> {
        let unreadable = |it: &str| PlatformFault::Unreadable(it.to_owned());
        let token = answer.get("access_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| unreadable("it grants and names no token"))?;
        let life_ms = answer.get("expires_in").and_then(Value::as_u64).unwrap_or(60) * 1_000;
        let issued = claims(token).and_then(|it| it.get("iat")?.as_i64());
        Ok(Self {
            token: Zeroizing::new(token.to_owned()),
            renew_at_ms: now_ms + life_ms - BEFORE_END_MS.min(life_ms / 2),
            ahead_seconds: issued.map_or(0, |it| it - now_seconds),
        })
    }

    /// The token, as long as it is fresh.
    pub(super) fn token(&self, now_ms: u64) -> Option<Zeroizing<String>> {
        (now_ms < self.renew_at_ms).then(|| self.token.clone())
    }
}

/// What a token says, whoever signed it: only to read what its issuer told us itself.
pub(super) fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(life: u64, issued: i64) -> Value {
        let payload = URL_SAFE_NO_PAD.encode(json!({ "iat": issued }).to_string());
        json!({ "access_token": format!("e30.{payload}.x"), "expires_in": life })
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        for (life, fresh_ms) in [(300, 280_000), (60, 40_000), (10, 5_000), (0, 0)] {
            let pass = Pass::parse(&answer(life, 7), 1_000, 7).unwrap();
            assert!(fresh_ms == 0 || pass.token(1_000 + fresh_ms - 1).is_some(), "{life}");
            assert!(pass.token(1_000 + fresh_ms).is_none(), "{life}");
        }
    }

    #[test]
    fn the_servers_clock_is_read_from_its_token() {
        assert_eq!(Pass::parse(&answer(60, 107), 0, 100).unwrap().ahead_seconds, 7);
        let opaque = json!({ "access_token": "opaque", "expires_in": 60 });
        assert_eq!(Pass::parse(&opaque, 0, 100).unwrap().ahead_seconds, 0);
        assert!(Pass::parse(&json!({ "expires_in": 60 }), 0, 100).is_err());
    }
}
