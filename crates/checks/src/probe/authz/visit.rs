//! One visit at an authorization server: its clients, the tokens that it gives, what becomes of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{AuthorizationServer, Identity};
use countersign_model::time::Period;
use serde_json::{Value, json};

use super::form::Form;
use super::party::{Party, Proof};
use super::server::{Resource, Server, Side, discover};
use crate::live::ask::{Ask, Received};
use crate::platform::Platform;
use crate::probe::refusal::{Refusals, Wrong, round};
use crate::probe::token::Use;
use crate::talk::Talk;

/// One visit at an authorization server.
pub(crate) struct Visit<'a> {
    /// Where everything is written down.
    pub(crate) talk: &'a mut Talk,
    /// Whom we visit.
    pub(crate) server: Server,
    /// How soon trust that is withdrawn has to end.
    pub(crate) deny_within: Period,
    pub(super) guests: Guests<'a>,
    settled: bool,
}

/// Where the clients come from.
pub(super) enum Guests<'a> {
    /// Copies of this identity's client.
    Copies(Arc<dyn Platform>, &'a Identity, Option<String>),
    /// The test clients of the manifest; those whose index stands there are in use.
    Declared(&'a AuthorizationServer, BTreeSet<usize>),
}

/// What a token endpoint gave.
#[derive(Clone)]
pub(crate) struct Tokens {
    /// The access token.
    pub(crate) access: String,
    /// The refresh token, where there is one.
    pub(crate) refresh: Option<String>,
    /// How long it lives, in seconds, where that was said.
    pub(crate) expires_in: Option<u64>,
    /// The scope, where that was said.
    pub(crate) scope: Option<String>,
}

impl<'a> Visit<'a> {
    /// Finds the server of a subject, and reads what it publishes. None where that cannot be had; why
    /// is written down.
    pub(crate) async fn open(
        subject: &str,
        manifest: &'a Manifest,
        talk: &'a mut Talk,
    ) -> Option<Self> {
        let deny_within = manifest.revocation.deny_within;
        if let Some((index, server)) =
            manifest.authorization_servers.iter().enumerate().find(|it| it.1.id.as_str() == subject)
        {
            talk.setting("place", format!("authorization_server[{index}]"));
            let issuer = server.issuer.to_string();
            let metadata = discover(talk, &issuer).await?;
            let resource = server.resource.as_deref().and_then(Ask::parse);
            let resource = resource.map(|it| Resource { method: it.method, url: it.url });
            let server_ = Server {
                side: Side::Partner,
                audience: issuer.clone(),
                issuer,
                metadata,
                resource,
            };
            let guests = Guests::Declared(server, BTreeSet::new());
            return Some(Self { talk, server: server_, deny_within, guests, settled: false });
        }
        let (index, identity) = crate::granted::identity(manifest, subject)?;
        talk.setting("place", format!("identity[{index}]"));
        let platform = talk.platform()?;
        let Some(reach) = platform.reach() else {
            let error = "the platform gives no way to send requests to it";
            talk.fact("setup", "platform", json!({ "error": error }));
            return None;
        };
        let issuer = platform.issuer().to_owned();
        let metadata = discover(talk, &issuer).await?;
        let name = talk.fresh_name("canary-")?;
        let resource = Use::declared(identity, &name)
            .map(|it| Resource { method: it.method, url: format!("{}{}", reach.api, it.path) });
        let server =
            Server { side: Side::Platform, audience: issuer.clone(), issuer, metadata, resource };
        let redirect = manifest.callbacks.first().map(|it| it.url.to_string());
        let guests = Guests::Copies(platform, identity, redirect);
        Some(Self { talk, server, deny_within, guests, settled: false })
    }

    /// A client that nobody else uses during this visit and that fits. Why there is none is written down.
    pub(crate) async fn party(&mut self, fits: impl Fn(&Party) -> bool + Send) -> Option<Party> {
        match self.look_for(fits).await {
            Ok(party) => {
                self.settle(&party).await;
                Some(party)
            }
            Err(error) => {
                self.talk.fact("setup", "manifest", json!({ "error": error }));
                None
            }
        }
    }

    /// The same, where it does not matter if there is none. Copies all prove themselves with a key.
    pub(crate) async fn find(&mut self, fits: impl Fn(&Party) -> bool + Send) -> Option<Party> {
        if matches!(self.guests, Guests::Copies(..)) {
            return None;
        }
        let party = self.look_for(fits).await.ok()?;
        self.settle(&party).await;
        Some(party)
    }

    /// Some servers want their token endpoint as the audience of assertions, instead of their issuer.
    pub(super) async fn settle(&mut self, party: &Party) {
        let unknown = self.server.side == Side::Partner && !self.settled;
        if !unknown || !party.has_key() || !party.may("client_credentials") {
            return;
        }
        self.settled = true;
        for audience in [self.server.issuer.clone(), self.server.token_endpoint().to_owned()] {
            self.server.audience = audience;
            let Some(form) = self.right_form("settle", party).await else { return };
            if self.mint("settle", &form).await.is_some() {
                return;
            }
        }
        self.server.audience.clone_from(&self.server.issuer);
    }

    pub(super) async fn look_for(
        &mut self,
        fits: impl Fn(&Party) -> bool + Send,
    ) -> Result<Party, String> {
        let found = match &mut self.guests {
            Guests::Copies(platform, identity, redirect) => {
                let copy = self.talk.copy_client(platform.as_ref(), identity.client_id()).await;
                let copy = copy.ok_or("no copy of the client could be made")?;
                Ok(copied(copy, identity, redirect.clone()))
            }
            Guests::Declared(server, used) => {
                let means = self.talk.means();
                let secrets = means.as_ref().map(|it| &it.secrets);
                declared(server, used, secrets, &fits)
            }
        };
        let party = found?;
        if !fits(&party) {
            return Err("no client that this needs is there".to_owned());
        }
        if let Proof::Basic(secret) | Proof::Post(secret) = &party.proof {
            self.talk.hide(secret);
        }
        Ok(party)
    }

    /// Whether the manifest says that refresh tokens are replaced at each use.
    pub(crate) fn declares_rotation(&self) -> bool {
        match &self.guests {
            Guests::Copies(_, identity, _) => {
                identity.refresh.as_ref().is_some_and(|it| it.rotate == Some(true))
            }
            Guests::Declared(..) => false,
        }
    }

    /// What the manifest says that the server's clients may ask for.
    pub(crate) fn declared_scopes(&self) -> Vec<String> {
        match &self.guests {
            Guests::Copies(_, identity, _) => {
                identity.scopes.iter().map(|it| it.name.to_string()).collect()
            }
            Guests::Declared(server, _) => server.scopes.iter().map(ToString::to_string).collect(),
        }
    }

    /// How the canary person signs in, where the server has one: name and password.
    pub(crate) fn login(&mut self) -> Option<(String, String)> {
        let Guests::Declared(server, _) = &self.guests else { return None };
        let login = server.login.as_ref()?;
        let means = self.talk.means()?;
        let of = |name: &str| means.secrets.get(name).map(str::to_owned);
        let (user, password) = (of(&login.user_ref)?, of(&login.password_ref)?);
        self.talk.hide(&user);
        self.talk.hide(&password);
        Some((user, password))
    }

    /// A form for the token endpoint, with the proof of a client.
    pub(crate) fn token_form(&self, party: &Party, fields: &[(&str, &str)]) -> Option<Form> {
        self.proved(party, self.server.token_endpoint(), fields)
    }

    /// A form for any endpoint, with the proof of a client.
    pub(crate) fn proved(
        &self,
        party: &Party,
        endpoint: &str,
        fields: &[(&str, &str)],
    ) -> Option<Form> {
        let form = form_of(endpoint, fields);
        party.prove(form, &self.server.audience, self.talk.now())
    }

    /// An endpoint that the server may lack; that it does is written down.
    pub(crate) fn endpoint(&mut self, name: &str) -> Option<String> {
        let endpoint = self.server.endpoint(name).map(str::to_owned);
        if endpoint.is_none() {
            self.talk.setting("lacks", name);
        }
        endpoint
    }

    /// Posts a form to the token endpoint, and takes what it gives.
    pub(crate) async fn mint(&mut self, label: &str, form: &Form) -> Option<Tokens> {
        self.talk.setting(&format!("repeat.{label}"), form.by_hand());
        let answer = self.talk.send(label, form.ask()).await;
        let tokens = tokens(&answer)?;
        for token in [Some(&tokens.access), tokens.refresh.as_ref()].into_iter().flatten() {
            self.talk.hide(token);
        }
        Some(tokens)
    }

    /// The form of a right request for tokens, whatever the client may use.
    pub(crate) async fn right_form(&mut self, label: &str, party: &Party) -> Option<Form> {
        let form = self.plain_form(label, party).await?;
        party.prove(form, &self.server.audience, self.talk.now())
    }

    /// The same without the proof of the client.
    pub(crate) async fn plain_form(&mut self, label: &str, party: &Party) -> Option<Form> {
        if party.may("client_credentials") {
            let scope = party.plain_scopes().join(" ");
            let fields = [("grant_type", "client_credentials"), ("scope", scope.as_str())];
            return Some(form_of(self.server.token_endpoint(), &fields));
        }
        self.code_form(label, party).await
    }

    async fn code_form(&mut self, label: &str, party: &Party) -> Option<Form> {
        let scope = party.scopes.join(" ");
        let code = self.code(&format!("{label}-code"), party, &scope).await?;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.code.as_str()),
            ("redirect_uri", code.redirect.as_str()),
            ("code_verifier", code.verifier.as_str()),
        ];
        Some(form_of(self.server.token_endpoint(), &fields))
    }

    /// Gets tokens with a right request.
    pub(crate) async fn tokens(&mut self, label: &str, party: &Party) -> Option<Tokens> {
        let form = self.right_form(label, party).await?;
        self.mint(label, &form).await
    }

    /// Gets tokens with a refresh token among them.
    pub(crate) async fn refreshable(&mut self, label: &str, party: &Party) -> Option<Tokens> {
        let tokens = self.tokens(label, party).await?;
        if tokens.refresh.is_some() {
            return Some(tokens);
        }
        let can = party.may("authorization_code") && party.may("client_credentials");
        if can && let Some(form) = self.code_form(label, party).await {
            let form = party.prove(form, &self.server.audience, self.talk.now())?;
            let tokens = self.mint(label, &form).await?;
            if tokens.refresh.is_some() {
                return Some(tokens);
            }
        }
        self.talk.setting("no_refresh_token", true);
        None
    }

    /// Presents a refresh token as a client.
    pub(crate) async fn refresh(
        &mut self,
        label: &str,
        party: &Party,
        token: &str,
    ) -> Option<Tokens> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let form = self.token_form(party, &fields)?;
        self.mint(label, &form).await
    }

    /// Sends a wrong form, and writes down how to repeat it.
    pub(crate) async fn wrong(&mut self, name: &str, form: &Form) {
        self.talk.setting(&format!("repeat.{name}"), form.by_hand());
        self.talk.send(&format!("wrong.{name}"), form.ask().hostile()).await;
    }

    /// Asks as a client whether a token is alive.
    pub(crate) async fn introspect(
        &mut self,
        label: &str,
        party: &Party,
        token: &str,
    ) -> Option<Received> {
        self.post("introspection_endpoint", label, party, token).await
    }

    /// Revokes a token as a client.
    pub(crate) async fn revoke(
        &mut self,
        label: &str,
        party: &Party,
        token: &str,
    ) -> Option<Received> {
        self.post("revocation_endpoint", label, party, token).await
    }

    async fn post(
        &mut self,
        endpoint: &str,
        label: &str,
        party: &Party,
        token: &str,
    ) -> Option<Received> {
        let endpoint = self.endpoint(endpoint)?;
        let form = self.proved(party, &endpoint, &[("token", token)])?;
        self.talk.setting(&format!("repeat.{label}"), form.by_hand());
        Some(self.talk.send(label, form.ask()).await)
    }

    /// A second client, where there is one.
    pub(crate) async fn another(&mut self) -> Option<Party> {
        match self.guests {
            Guests::Copies(..) => self.party(|_| true).await,
            Guests::Declared(..) => self.find(|_| true).await,
        }
    }
}

/// A form with these fields, but for those that say nothing.
fn form_of(endpoint: &str, fields: &[(&str, &str)]) -> Form {
    fields.iter().fold(Form::new(endpoint), |form, it| form.with_some(it.0, it.1))
}

/// A right request of a client, wrong ones, and the right one again.
pub(crate) async fn between(
    visit: &mut Visit<'_>,
    case: &Refusals,
    party: &Party,
    wrong: Vec<(&'static str, Form)>,
) {
    let mut rights = Vec::new();
    for label in ["closing", "control"] {
        rights.extend(visit.right_form(label, party).await);
    }
    let wrong = wrong.into_iter().map(|(name, form)| Wrong {
        name: name.to_owned(),
        ask: form.ask(),
        repeat: form.by_hand(),
    });
    let right = |_: &mut Talk| rights.pop().map(|it| (it.ask(), it.by_hand()));
    round(visit.talk, case, right, wrong.collect()).await;
}

fn copied(
    copy: crate::platform::ClientCopy,
    identity: &Identity,
    redirect: Option<String>,
) -> Party {
    // What a platform registers for a declared client; a grant that it does not know is refused there.
    let mut grants = BTreeSet::from(["client_credentials".to_owned()]);
    if identity.refresh.as_ref().is_some_and(|it| it.allowed) {
        grants.insert("refresh_token".to_owned());
    }
    if redirect.is_some() {
        grants.insert("authorization_code".to_owned());
    }
    Party {
        client_id: copy.client_id,
        proof: Proof::Key(copy.key.into()),
        redirect,
        grants,
        scopes: identity.scopes.iter().map(|it| it.name.to_string()).collect(),
    }
}

fn declared(
    server: &AuthorizationServer,
    used: &mut BTreeSet<usize>,
    secrets: Option<&crate::secrets::Secrets>,
    fits: &impl Fn(&Party) -> bool,
) -> Result<Party, String> {
    let scopes: Vec<String> = server.scopes.iter().map(ToString::to_string).collect();
    let mut last = format!("`{}` declares no further test client that fits", server.id);
    for (index, client) in server.clients.iter().enumerate() {
        if used.contains(&index) {
            continue;
        }
        match Party::declared(client, &scopes, secrets) {
            Ok(party) if fits(&party) => {
                used.insert(index);
                return Ok(party);
            }
            Ok(_) => {}
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The tokens in an answer.
fn tokens(answer: &Received) -> Option<Tokens> {
    let value = answer.json().filter(|_| answer.is_success())?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Tokens {
        access: text("access_token").filter(|it| !it.is_empty())?,
        refresh: text("refresh_token").filter(|it| !it.is_empty()),
        expires_in: value.get("expires_in").and_then(Value::as_u64),
        scope: text("scope"),
    })
}
