//! A registered webhook: what verifies its calls, and which messages it has seen.

use std::collections::{BTreeSet, VecDeque};

use countersign_checks::platform::Unproven;
use countersign_seal::Digest;
use countersign_seal::scheme::standard_webhooks::Key;
use countersign_seal::scheme::{
    Arrived, Facts, Place, Scheme, Verified, Verifier, WebhookError, Window,
};

use crate::registration::{CallerKey, WebhookRegistration, scheme_of};

/// A webhook as the platform keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) registration: WebhookRegistration,
    pub(super) scheme: &'static dyn Scheme,
    keys: Vec<Verifier>,
    /// Whether the partner's key is there: it may be taken away and given back.
    pub(crate) has_key: bool,
    /// Messages that were taken in, oldest first.
    seen: VecDeque<Message>,
    /// The webhook that this is a copy of: the gate knows it under that name.
    pub(crate) copy_of: Option<String>,
}

/// Why a registration is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// Without a key nothing verifies.
    #[error("no-key")]
    NoKey,
    /// A key cannot be read, or is of a kind that the scheme does not sign with.
    #[error("not-a-key-of-the-scheme")]
    NotAKey,
    /// The scheme signs a time, and nobody said how old it may be.
    #[error("no-tolerance")]
    NoTolerance,
    /// The scheme signs no time: there is nothing that could be too old.
    #[error("tolerance-without-a-signed-time")]
    NothingToTolerate,
    /// Nobody knows the scheme.
    #[error("unknown-scheme")]
    UnknownScheme,
}

/// One message, as far as it can be told from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    id: Option<String>,
    content: Digest,
}

/// What became of a verified message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// It came before.
    Again,
    /// It is new.
    New,
    /// Its id came before, with something else.
    WithUsedId,
}

impl Webhook {
    pub(crate) fn new(registration: WebhookRegistration) -> Result<Self, Unusable> {
        let scheme = scheme_of(registration.scheme).ok_or(Unusable::UnknownScheme)?;
        let facts = scheme.facts();
        match (facts.time, registration.tolerance_seconds) {
            (Some(_), None) => return Err(Unusable::NoTolerance),
            (None, Some(_)) => return Err(Unusable::NothingToTolerate),
            _ => {}
        }
        if registration.keys.is_empty() {
            return Err(Unusable::NoKey);
        }
        let keys = registration.keys.iter().map(|it| verifier(scheme, it));
        let keys = keys.collect::<Option<Vec<_>>>().ok_or(Unusable::NotAKey)?;
        let seen = VecDeque::new();
        Ok(Self { registration, scheme, keys, has_key: true, seen, copy_of: None })
    }

    /// The name under which the gate knows it.
    pub(crate) fn known_as(&self) -> &str {
        self.copy_of.as_deref().unwrap_or(&self.registration.id)
    }

    /// The path at which it is called.
    pub(super) fn path(&self) -> &str {
        let rest = self.registration.url.split_once("://").map_or("", |it| it.1);
        let path = rest.find('/').map_or("/", |it| &rest[it..]);
        path.split(['?', '#']).next().unwrap_or(path)
    }

    /// Whether one of its keys signed this, whether the partner's key was taken away or not.
    pub(super) fn verify(
        &self,
        arrived: &Arrived<'_>,
        now_seconds: i64,
    ) -> Result<Verified, WebhookError> {
        let tolerance_seconds = self.registration.tolerance_seconds.unwrap_or(0);
        self.scheme.verify(arrived, &self.keys, Window { now_seconds, tolerance_seconds })
    }

    /// What the signature of a verified message leaves open.
    pub(super) fn unproven(&self, verified: &Verified) -> BTreeSet<Unproven> {
        let facts = self.scheme.facts();
        let id = match &verified.id {
            None => Some(Unproven::NoId),
            Some(_) if !facts.id_signed => Some(Unproven::UnsignedId),
            Some(_) => None,
        };
        let time = facts.time.is_none().then_some(Unproven::NoTime);
        id.into_iter().chain(time).collect()
    }

    /// What tells a verified message from others.
    pub(super) fn message(&self, verified: Verified, body: &[u8]) -> Message {
        Message { id: verified.id, content: content(self.scheme, body) }
    }

    /// Takes a message in: it counts once.
    pub(super) fn remember(&mut self, message: Message) -> Came {
        let came = came(self.scheme.facts(), &self.seen, &message);
        if came == Came::New {
            if SEEN_MAX <= self.seen.len() {
                self.seen.pop_front();
            }
            self.seen.push_back(message);
        }
        came
    }
}

fn verifier(scheme: &dyn Scheme, key: &CallerKey) -> Option<Verifier> {
    let facts = scheme.facts();
    match key {
        CallerKey::Public(text) if facts.private => match Key::parse(text).ok()? {
            Key::Public(it) => Some(Verifier::Public(it)),
            Key::Secret(_) => None,
        },
        CallerKey::Secret(text) if facts.shared => scheme.secret(text).ok().map(Verifier::Shared),
        CallerKey::Public(_) | CallerKey::Secret(_) => None,
    }
}

/// The digest of what a message says, without its time: a retry that is signed anew says the same.
fn content(scheme: &dyn Scheme, body: &[u8]) -> Digest {
    if let Some(Place::Body(time)) = scheme.facts().time
        && let Some(serde_json::Value::Object(mut claims)) = scheme.payload(body)
    {
        claims.remove(time);
        return Digest::of(serde_json::Value::Object(claims).to_string().as_bytes());
    }
    Digest::of(body)
}

/// Where the id is not signed, anybody may change it for every repetition: the content tells.
fn came(facts: &Facts, seen: &VecDeque<Message>, message: &Message) -> Came {
    let is_same = |it: &&Message| it.content == message.content;
    let has_id = |it: &&Message| message.id.is_some() && it.id == message.id;
    if facts.id_signed && message.id.is_some() {
        return match seen.iter().find(has_id) {
            Some(it) if is_same(&it) => Came::Again,
            Some(_) => Came::WithUsedId,
            None => Came::New,
        };
    }
    if seen.iter().any(|it| is_same(&it)) {
        return Came::Again;
    }
    if seen.iter().any(|it| has_id(&it)) { Came::WithUsedId } else { Came::New }
}

const SEEN_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use countersign_model::declare::manifest::WebhookScheme;
    use countersign_seal::SigningKey;
    use countersign_seal::scheme::standard_webhooks::public_key_text;

    use super::*;

    fn registered(
        scheme: WebhookScheme,
        keys: Vec<CallerKey>,
        tolerance_seconds: Option<i64>,
    ) -> Result<(), Unusable> {
        let registration = WebhookRegistration {
            id: "hook:a".to_owned(),
            url: "https://id.example.com/hooks/acme/a?b".to_owned(),
            scheme,
            keys,
            tolerance_seconds,
        };
        Webhook::new(registration).map(|it| assert_eq!(it.path(), "/hooks/acme/a"))
    }

    #[test]
    fn a_registration_fits_its_scheme_or_is_refused() {
        let public =
            || CallerKey::Public(public_key_text(&SigningKey::from_seed([7; 32]).public()));
        let secret = || CallerKey::Secret("plainly-fake-0123456789abcdef".to_owned());
        let (github, set, slack) =
            (WebhookScheme::Github, WebhookScheme::Set, WebhookScheme::Slack);
        let table = [
            ("slack", registered(slack, vec![secret()], Some(300)), Ok(())),
            ("github", registered(github, vec![secret()], None), Ok(())),
            ("set", registered(set, vec![public()], Some(300)), Ok(())),
            ("no key", registered(slack, vec![], Some(300)), Err(Unusable::NoKey)),
            ("slack, public", registered(slack, vec![public()], Some(1)), Err(Unusable::NotAKey)),
            ("set, shared", registered(set, vec![secret()], Some(1)), Err(Unusable::NotAKey)),
            (
                "one good, one empty",
                registered(github, vec![secret(), CallerKey::Secret(String::new())], None),
                Err(Unusable::NotAKey),
            ),
            (
                "slack, no window",
                registered(slack, vec![secret()], None),
                Err(Unusable::NoTolerance),
            ),
            (
                "github, a window",
                registered(github, vec![secret()], Some(1)),
                Err(Unusable::NothingToTolerate),
            ),
        ];
        for (row, got, expected) in table {
            assert_eq!(got, expected, "{row}");
        }
        assert_eq!(format!("{:?}", secret()), "Secret(..)");
    }
}
