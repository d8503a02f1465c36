//! Clients that act through a browser, and invitations for those that register themselves.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::party::{Party, Proof};
use super::visit::{Guests, Visit};
use crate::platform::{FrontCopy, FrontTrait, Login};
use crate::undo::Undo;

/// A client that gets codes, and who can sign in there.
#[derive(Debug, Clone)]
pub(crate) struct Guest {
    /// The client.
    pub(crate) party: Party,
    /// The test person, where there is one.
    pub(crate) login: Option<Login>,
    /// Whether it is known to have to push its requests.
    pub(crate) must_push: bool,
    /// How long its codes live, where that was said.
    pub(crate) code_life_ms: Option<u64>,
    /// How long the codes of the client live that it is a copy of.
    pub(crate) code_life_ms_of_original: Option<u64>,
}

impl Guest {
    /// Where its codes are sent.
    pub(crate) fn redirect(&self) -> &str {
        self.party.redirect.as_deref().unwrap_or_default()
    }
}

/// What a client that registers itself needs.
#[derive(Debug, Clone)]
pub(crate) struct Invited {
    /// The initial access token, where one is needed.
    pub(crate) token: Option<String>,
    /// A redirect address that the server knows of another client.
    pub(crate) redirect: String,
}

impl Visit<'_> {
    /// A client that gets codes and has these traits, as far as the server lets us choose. Why there is
    /// none is written down.
    pub(crate) async fn guest(&mut self, traits: &[FrontTrait]) -> Option<Guest> {
        match self.look_for_guest(traits).await {
            Ok(it) => Some(it),
            Err(error) => {
                self.talk.fact("setup", "manifest", json!({ "error": error }));
                None
            }
        }
    }

    /// The same, where it does not matter if there is none; every trait has to be there.
    pub(crate) async fn guest_if_any(&mut self, traits: &[FrontTrait]) -> Option<Guest> {
        let short = traits.contains(&FrontTrait::ShortLived);
        if short && matches!(self.guests, Guests::Declared(..)) {
            return None;
        }
        self.look_for_guest(traits).await.ok()
    }

    /// A client that proves itself, where there is one.
    pub(crate) async fn confidential_guest(&mut self) -> Option<Guest> {
        let guest = self.guest_if_any(&[]).await?;
        (!guest.party.is_public()).then_some(guest)
    }

    /// A client that can push requests, one that has to where we can choose.
    pub(crate) async fn pushing_guest(&mut self) -> Option<Guest> {
        self.guest(&[FrontTrait::MustPush]).await
    }

    /// What a client needs to register itself. That it cannot be had is written down.
    pub(crate) async fn invited(&mut self) -> Option<Invited> {
        let found = match &self.guests {
            Guests::Copies(platform, _, redirect) => {
                let token = platform.invitation().await;
                let token = token.map_err(|it| format!("{it}: {}", it.source));
                token.map(|it| (it, redirect.clone()))
            }
            Guests::Declared(server, _) => {
                let means = self.talk.means();
                let held = |name: &str| means.as_ref()?.secrets.get(name).map(str::to_owned);
                let redirect = server.clients.iter().find_map(|it| it.redirect.as_ref());
                let redirect = redirect.map(ToString::to_string);
                match server.registration_ref.as_deref() {
                    Some(name) => match held(name) {
                        Some(it) => Ok((Some(it), redirect)),
                        None => Err(format!("no secret is held as `{name}`")),
                    },
                    None => Ok((None, redirect)),
                }
            }
        };
        let found = found.and_then(|(token, redirect)| {
            let redirect = redirect.ok_or("the manifest names no redirect to register")?;
            Ok(Invited { token, redirect })
        });
        match found {
            Ok(it) => {
                it.token.iter().for_each(|token| self.talk.hide(token));
                Some(it)
            }
            Err(error) => {
                self.talk.fact("setup", "server", json!({ "error": error }));
                None
            }
        }
    }

    async fn look_for_guest(&mut self, traits: &[FrontTrait]) -> Result<Guest, String> {
        let wanted: BTreeSet<FrontTrait> = traits.iter().copied().collect();
        if let Guests::Copies(platform, identity, redirect) = &self.guests {
            let made = platform.copy_front(identity.client_id(), &wanted).await;
            let made = made.map_err(|it| format!("{it}: {}", it.source))?;
            let id = made.copy.client_id.clone();
            self.talk.undo_later(Undo::DeleteCopy(id.clone()));
            let scopes = identity.scopes.iter().map(|it| it.name.to_string()).collect();
            let guest = copied(made, &wanted, redirect.as_deref(), scopes)?;
            let value = json!({ "client": id, "of": identity.client_id(), "traits": wanted });
            self.talk.fact("copy", "platform", value);
            return Ok(guest);
        }
        let is_public = wanted.contains(&FrontTrait::Public);
        let fits = |it: &Party| {
            it.redirect.is_some() && it.may("authorization_code") && (!is_public || it.is_public())
        };
        let party = self.look_for(fits).await?;
        self.settle(&party).await;
        let login = self.login().map(|(user, password)| Login { user, password });
        let demands = self.server.metadata.get("require_pushed_authorization_requests");
        let must_push = demands.and_then(Value::as_bool) == Some(true);
        Ok(Guest { party, login, must_push, code_life_ms: None, code_life_ms_of_original: None })
    }
}

fn copied(
    made: FrontCopy,
    traits: &BTreeSet<FrontTrait>,
    declared: Option<&str>,
    scopes: Vec<String>,
) -> Result<Guest, String> {
    let known = |it: &&String| declared.is_none_or(|declared| declared == it.as_str());
    let redirect = made.redirects.iter().find(known).or(made.redirects.first());
    let redirect = redirect.ok_or("the copy has no redirect address")?.clone();
    let is_public = traits.contains(&FrontTrait::Public);
    let proof = if is_public { Proof::None } else { Proof::Key(made.copy.key.into()) };
    let grants = ["authorization_code", "refresh_token"].map(str::to_owned);
    Ok(Guest {
        party: Party {
            client_id: made.copy.client_id,
            proof,
            redirect: Some(redirect),
            grants: grants.into(),
            scopes,
        },
        login: made.login,
        must_push: traits.contains(&FrontTrait::MustPush),
        code_life_ms: made.code_life_ms.filter(|_| traits.contains(&FrontTrait::ShortLived)),
        code_life_ms_of_original: made.code_life_ms_of_original,
    })
}
