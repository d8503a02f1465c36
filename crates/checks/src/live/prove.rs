//! Asks each host whether the partner controls it, before anything hostile may go there.

use countersign_model::declare::manifest::HostProof;
use countersign_model::time::Timestamp;
use futures_util::future::join_all;

use super::ask::Ask;
use super::client::Client;
use super::proof::{Challenge, place};

/// What was seen at a host that is not proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproved {
    /// What has to be published there.
    pub challenge: Challenge,
    /// What was seen there.
    pub observed: String,
}

impl Client {
    /// Asks every host that may get hostile requests for its proof: how many were asked, and those
    /// that prove nothing. Without rules of engagement nobody is asked.
    pub async fn prove(&self, now: Timestamp) -> (u32, Vec<Unproved>) {
        let is_open = |it: &&String| !self.is_own(it) && self.is_proved(it).is_err();
        let unknown = self.hosts.iter().filter(is_open);
        let asked = join_all(unknown.map(|host| self.prove_one(host, now))).await;
        let asked: Vec<Option<Unproved>> = asked.into_iter().flatten().collect();
        let count = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        (count, asked.into_iter().flatten().collect())
    }

    /// None where nobody can be asked, none inside where it is proved.
    async fn prove_one(&self, host: &str, now: Timestamp) -> Option<Option<Unproved>> {
        let (rules, proofs) = (self.rules.as_ref()?, self.proofs.as_ref()?);
        let place = place(rules.proof, &self.integration, host);
        let published = match rules.proof {
            HostProof::Dns => self.dns.txt(&place).await,
            HostProof::WellKnown => {
                let answer = self.send(Ask::get(place.as_str()), now).await;
                if answer.is_success() {
                    Ok(String::from_utf8_lossy(&answer.body).into_owned())
                } else {
                    Err(answer.words())
                }
            }
        };
        let verified = published.and_then(|it| {
            let verified = proofs.verify(&self.integration, host, &it, now);
            verified.map_err(|it| it.to_string())
        });
        let Err(observed) = verified else {
            self.stand(host, Ok(()));
            return Some(None);
        };
        let challenge = proofs.issue(&self.integration, host, rules.proof, now);
        self.stand(host, Err(challenge.to_string()));
        Some(Some(Unproved { challenge, observed }))
    }
}
