//! The people of the demo. Each acts over the server's API with a token and a key of their own.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_seal::SigningKey;
use serde_json::Value;

use crate::client::Client;
use crate::command::review;
use crate::exit::Exit;
use crate::failure::Failure;

/// How long one request may take: a run of checks is the longest.
const REQUEST_MAX: Duration = Duration::from_mins(1);

/// Somebody who acts.
#[derive(Debug)]
pub(crate) struct Person {
    client: Client,
    key: Option<SigningKey>,
}

/// The people, by name.
#[derive(Debug)]
pub(crate) struct Cast(BTreeMap<String, Person>);

impl Cast {
    /// People at a server: name, token, and a key where they sign.
    pub(crate) fn new(
        base: &str,
        people: impl IntoIterator<Item = (String, String, Option<SigningKey>)>,
    ) -> Result<Self, Failure> {
        let mut cast = BTreeMap::new();
        for (name, token, key) in people {
            cast.insert(name, Person { client: Client::new(base, token, REQUEST_MAX)?, key });
        }
        Ok(Self(cast))
    }

    fn person(&self, name: &str) -> Result<&Person, Failure> {
        let missing = || Failure::new(Exit::Broken, format!("the stage has no `{name}`"));
        self.0.get(name).ok_or_else(missing)
    }

    /// The connection of one person.
    pub(crate) fn client(&self, name: &str) -> Result<&Client, Failure> {
        Ok(&self.person(name)?.client)
    }

    /// Somebody reads.
    pub(crate) async fn get(&self, name: &str, path: &str) -> Result<Value, Failure> {
        self.client(name)?.get(path).await
    }

    /// Somebody sends.
    pub(crate) async fn post(
        &self,
        name: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        self.client(name)?.post(path, body).await
    }

    /// Somebody reads the packet and approves exactly its bytes.
    pub(crate) async fn approve(&self, name: &str, target: &str) -> Result<Value, Failure> {
        let person = self.person(name)?;
        let packet = review::fetch(&person.client, target, &[]).await?;
        let reason = "every required control holds";
        let key = person.key.as_ref();
        let decided = review::Deciding { target, verb: "approve", reason, without: &[] };
        review::decide(&person.client, &packet, decided, key).await
    }
}
