//! Control of a host, proved by a token that we issued and its owner published there.
//!
//! A token names the day of its issue and is bound to one integration and one host under a key that
//! only the server holds: nobody can make one, and one host's token proves no other host. It needs
//! no storage, and ends by its own date.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use countersign_model::declare::manifest::HostProof;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::Digest;
use serde::{Deserialize, Serialize};

/// How long a token proves anything.
pub const PROOF_AGE_MAX: Period = Period::from_days(90);
/// What every token begins with.
const PREFIX: &str = "countersign-proof=";
/// How much of what a partner published is looked through.
const LINES_MAX: usize = 100;

/// Issues tokens, and knows them again.
#[derive(Clone)]
pub struct Proofs {
    key: [u8; 32],
}

impl fmt::Debug for Proofs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Proofs(..)")
    }
}

/// What has to be published where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The host whose control it proves.
    pub host: String,
    /// How.
    pub method: HostProof,
    /// Where: the address of a file, or the name of a TXT record.
    pub place: String,
    /// What: one line, or one record.
    pub text: String,
    /// Until when it proves anything.
    pub until: Timestamp,
}

impl fmt::Display for Challenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.method {
            HostProof::Dns => {
                write!(formatter, "publish the TXT record {} \"{}\"", self.place, self.text)
            }
            HostProof::WellKnown => {
                write!(formatter, "publish {} with the line {}", self.place, self.text)
            }
        }
    }
}

/// Why something that was published proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Its time is over.
    #[error("the token that is published there ended on {0}")]
    Ended(Timestamp),
    /// It was not issued here for this integration and this host.
    #[error("the token that is published there was not issued for this integration and this host")]
    Foreign,
    /// There is no token.
    #[error("no token of ours is published there")]
    Missing,
}

impl Proofs {
    /// With a key that is used for nothing else.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// What has to be published where, if it is published today.
    pub fn issue(
        &self,
        integration: &str,
        host: &str,
        method: HostProof,
        now: Timestamp,
    ) -> Challenge {
        let host = host.to_lowercase();
        let day = day(now);
        Challenge {
            text: format!("{PREFIX}{day}.{}", self.seal(integration, &host, &day).hex()),
            place: place(method, integration, &host),
            until: begin(&day).unwrap_or(now) + PROOF_AGE_MAX,
            host,
            method,
        }
    }

    /// Until when the best of the published tokens proves control of the host, or why none does.
    pub fn verify(
        &self,
        integration: &str,
        host: &str,
        published: &str,
        now: Timestamp,
    ) -> Result<Timestamp, Flaw> {
        let host = host.to_lowercase();
        let mut flaw = Flaw::Missing;
        let tokens = published.lines().take(LINES_MAX).map(|it| it.trim().trim_matches('"'));
        for token in tokens.filter_map(|it| it.strip_prefix(PREFIX)) {
            match self.one(integration, &host, token, now) {
                Ok(until) => return Ok(until),
                Err(it @ Flaw::Ended(_)) => flaw = it,
                Err(it) if flaw == Flaw::Missing => flaw = it,
                Err(_) => {}
            }
        }
        Err(flaw)
    }

    fn one(
        &self,
        integration: &str,
        host: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<Timestamp, Flaw> {
        let (day, given) = token.split_once('.').ok_or(Flaw::Foreign)?;
        let given = Digest::from_hex(given).map_err(|_| Flaw::Foreign)?;
        let ours = self.seal(integration, host, day);
        verify_slices_are_equal(ours.as_bytes(), given.as_bytes()).map_err(|_| Flaw::Foreign)?;
        let until = begin(day).ok_or(Flaw::Foreign)? + PROOF_AGE_MAX;
        if until <= now { Err(Flaw::Ended(until)) } else { Ok(until) }
    }

    fn seal(&self, integration: &str, host: &str, day: &str) -> Digest {
        // INVARIANT: neither a name, nor a host, nor a day holds a line feed.
        let message = format!("countersign host proof\n{integration}\n{host}\n{day}");
        Digest::keyed(&self.key, message.as_bytes())
    }
}

/// Where the proof of a host is looked for.
pub fn place(method: HostProof, integration: &str, host: &str) -> String {
    match method {
        HostProof::Dns => format!("_countersign-challenge.{host}"),
        HostProof::WellKnown => format!("https://{host}/.well-known/countersign/{integration}"),
    }
}

/// The day of a moment: `2026-11-24`.
fn day(now: Timestamp) -> String {
    now.to_string().chars().take(10).collect()
}

fn begin(day: &str) -> Option<Timestamp> {
    format!("{day}T00:00:00Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "events.acme.example";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_token_proves_one_host_of_one_integration_for_ninety_days() {
        let proofs = Proofs::new([1; 32]);
        let now = at("2026-11-24T03:05:11Z");
        let challenge = proofs.issue("acme", HOST, HostProof::WellKnown, now);
        assert_eq!(challenge.place, "https://events.acme.example/.well-known/countersign/acme");
        let text = challenge.text.as_str();
        let ended = Flaw::Ended(at("2027-02-22T00:00:00Z"));
        let forged = text.replace("2026-11-24", "2027-11-24");
        let noise = format!("# ours\n{}\n  \"{text}\"  \n", text.replace('4', "5"));
        let table = [
            ("as issued", &proofs, "acme", HOST, text, now, Ok(challenge.until)),
            ("in capitals", &proofs, "acme", "Events.ACME.example", text, now, Ok(challenge.until)),
            ("among others", &proofs, "acme", HOST, &noise, now, Ok(challenge.until)),
            ("of another one", &proofs, "other", HOST, text, now, Err(Flaw::Foreign)),
            ("of another host", &proofs, "acme", "acme.example", text, now, Err(Flaw::Foreign)),
            (
                "of another server",
                &Proofs::new([2; 32]),
                "acme",
                HOST,
                text,
                now,
                Err(Flaw::Foreign),
            ),
            ("with a later day", &proofs, "acme", HOST, &forged, now, Err(Flaw::Foreign)),
            ("nothing", &proofs, "acme", HOST, "hello", now, Err(Flaw::Missing)),
            ("half", &proofs, "acme", HOST, &text[..40], now, Err(Flaw::Foreign)),
            (
                "on its last day",
                &proofs,
                "acme",
                HOST,
                text,
                at("2027-02-21T23:59:59Z"),
                Ok(challenge.until),
            ),
            ("after it", &proofs, "acme", HOST, text, at("2027-02-22T00:00:00Z"), Err(ended)),
        ];
        for (row, proofs, integration, host, published, now, expected) in table {
            let got = proofs.verify(integration, host, published, now);
            assert_eq!(got, expected, "{row}");
        }
    }

    #[test]
    fn a_challenge_says_what_to_do() {
        let proofs = Proofs::new([1; 32]);
        let now = at("2026-11-24T03:05:11Z");
        let [file, record] = [HostProof::WellKnown, HostProof::Dns]
            .map(|it| proofs.issue("acme", HOST, it, now).to_string());
        let token = proofs.issue("acme", HOST, HostProof::Dns, now).text;
        assert_eq!(
            file,
            format!("publish https://{HOST}/.well-known/countersign/acme with the line {token}")
        );
        assert_eq!(
            record,
            format!("publish the TXT record _countersign-challenge.{HOST} \"{token}\"")
        );
        assert!(token.len() < 255, "a TXT string holds it");
    }
}
