//! Acts of a copy, and of whoever administers it: each once, each of another kind.

use countersign_model::declare::manifest::Identity;
use serde_json::json;

use super::find::{Book, Found};
use crate::drill::tries::{self, Came};
use crate::live::entropy;
use crate::platform::{ClientChange, ClientCopy, Platform, PlatformError, Seed, TokenRequest};
use crate::talk::Talk;

/// A scope that nobody has.
const NO_SCOPE: &str = "countersign:nobody-has-this";

/// Whoever acts.
pub(super) struct Actor<'a> {
    pub(super) platform: &'a dyn Platform,
    pub(super) identity: &'a Identity,
    pub(super) copy: ClientCopy,
}

/// What an act has to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    Open,
    Shut,
}

impl Actor<'_> {
    /// Does all of it, one after the other; each is a fact.
    pub(super) async fn act(&self, talk: &mut Talk) {
        let (platform, copy) = (self.platform, &self.copy);
        let token = self.first_token(talk).await;
        self.refusals(talk).await;
        if let Some(token) = &token {
            self.calls(talk, token).await;
        }
        self.change(talk, "tokens revoked", ClientChange::RevokeTokens).await;
        let new = self.other_key(talk).await;
        if let Some(new) = &new {
            self.ask(talk, "token with the new key", new, None, Wants::Open).await;
        }
        self.change(talk, "client disabled", ClientChange::Disable).await;
        // With the key that it has by now: it is refused for being disabled, and for nothing else.
        let key = new.as_ref().unwrap_or(copy);
        self.ask(talk, "refused while disabled", key, None, Wants::Shut).await;
        self.change(talk, "client enabled", ClientChange::Enable).await;
        let deleted = async {
            let done = platform.client(&copy.client_id, ClientChange::Delete).await;
            came(done, "deleted")
        };
        note(talk, "client deleted", (Book::Changes, true), Wants::Open, deleted).await;
    }

    async fn first_token(&self, talk: &mut Talk) -> Option<String> {
        self.ask(talk, "token granted", &self.copy, None, Wants::Open).await
    }

    async fn refusals(&self, talk: &mut Talk) {
        if let Some(seed) = entropy::random::<32>() {
            let stranger = ClientCopy::new(self.copy.client_id.clone(), Seed::new(seed));
            self.ask(talk, "refused for a wrong key", &stranger, None, Wants::Shut).await;
        }
        let scope = Some(NO_SCOPE);
        self.ask(talk, "refused for its scope", &self.copy, scope, Wants::Shut).await;
    }

    async fn calls(&self, talk: &mut Talk, token: &str) {
        let declared = tries::declared_call(self.identity);
        let call = tries::call(self.platform, token, declared.as_ref());
        note(talk, "API call", (Book::Uses, true), Wants::Open, call).await;
        let foreign = self.foreign_call().await;
        let call = tries::call(self.platform, token, foreign.as_ref());
        note(talk, "API call refused", (Book::Uses, false), Wants::Shut, call).await;
    }

    /// A call that needs a scope which it does not have; one that reads, where there is one.
    async fn foreign_call(&self) -> Option<(String, String)> {
        let known = self.platform.scopes().await.ok()?;
        let own = |name: &str| self.identity.scopes.iter().any(|it| it.name.as_str() == name);
        let foreign = known.iter().filter(|it| !own(it.0)).flat_map(|it| it.1);
        let reads = foreign.clone().find(|it| it.starts_with("GET "));
        tries::filled(reads.or_else(|| foreign.clone().next())?)
    }

    async fn ask(
        &self,
        talk: &mut Talk,
        name: &str,
        copy: &ClientCopy,
        scope: Option<&str>,
        wants: Wants,
    ) -> Option<String> {
        let request = TokenRequest { scope: scope.map(str::to_owned), ..TokenRequest::default() };
        let mut token = None;
        let asked = async {
            let (came, answer) = tries::mint(self.platform, copy, &request).await;
            token = answer.access_token;
            came
        };
        note(talk, name, (Book::Requests, wants == Wants::Open), wants, asked).await;
        token
    }

    async fn change(&self, talk: &mut Talk, name: &str, change: ClientChange) {
        let changed =
            async { came(self.platform.client(&self.copy.client_id, change).await, "done") };
        note(talk, name, (Book::Changes, true), Wants::Open, changed).await;
    }

    /// Gives it another key in the place of its own.
    async fn other_key(&self, talk: &mut Talk) -> Option<ClientCopy> {
        let new = ClientCopy::new(self.copy.client_id.clone(), Seed::new(entropy::random()?));
        let keys = json!({ "keys": [new.public().to_jwk()] });
        let mut is_done = false;
        let changed = async {
            let done = self.platform.replace_keys(&self.copy.client_id, &keys).await;
            is_done = done.is_ok();
            came(done, "replaced")
        };
        note(talk, "key replaced", (Book::Changes, true), Wants::Open, changed).await;
        is_done.then_some(new)
    }
}

fn came(done: Result<(), PlatformError>, word: &str) -> Came {
    match done {
        Ok(()) => Came::Open(word.to_owned()),
        Err(error) => error.into(),
    }
}

/// Does it, and writes down what it was, when, and whether it came as it should.
async fn note(
    talk: &mut Talk,
    name: &str,
    (book, granted): (Book, bool),
    wants: Wants,
    act: impl Future<Output = Came>,
) {
    let began = talk.now();
    let came = act.await;
    let ended = talk.now();
    let is_caused = match wants {
        Wants::Open => came.is_open(),
        Wants::Shut => came.is_shut(),
    };
    let seen = came.value(name, 0)["seen"].clone();
    let act = Found { name: name.to_owned(), book, granted, began, ended };
    let mut value = json!(act);
    value["caused"] = is_caused.into();
    value["seen"] = seen;
    talk.fact("act", "platform", value);
}
