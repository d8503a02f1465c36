//! How the connector asks: what every question of the administrators' API has in common.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use countersign_model::certify::baseline::Granted;
use countersign_model::declare::Manifest;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::SandboxPlatform;
use super::call::{Size, Who};
use super::read;
use crate::live::ask::Ask;
use crate::live::http::Raw;
use crate::platform::assertion::token_form;
use crate::platform::{
    Answer, ApiAnswer, ApiCall, ClientCopy, CopyTerms, FrontCopy, FrontTrait, Held, Manner,
    Objects, PlatformFault, TokenRequest,
};

impl SandboxPlatform {
    pub(super) async fn read(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, PlatformFault> {
        let ask = self.line.get(path, query, Who::Reader)?;
        read::json(&self.line.send(ask, None, Size::Answer).await?)
    }

    /// A record as JSON lines.
    pub(super) async fn lines(
        &self,
        name: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, PlatformFault> {
        let ask = self.line.get(&["admin", name], query, Who::Reader)?;
        let raw = self.line.send(ask, None, Size::Log).await?;
        read::is_success(&raw)?;
        // An empty record is one only if it says that it is one: whoever answers 200 to everything
        // has written down nothing.
        if !read::is_lines(&raw) {
            return Err(PlatformFault::Unreadable("its record is no JSON lines".to_owned()));
        }
        Ok(raw.body)
    }

    pub(super) async fn kill(&self, path: &[&str]) -> Result<Raw, PlatformFault> {
        let ask = self.line.new_ask("POST", path, Who::Killer)?;
        let raw = self.line.send(ask, None, Size::Answer).await?;
        read::is_success(&raw)?;
        Ok(raw)
    }

    /// Puts a document there.
    pub(super) async fn put(&self, path: &[&str], body: &Value) -> Result<(), PlatformFault> {
        let ask = self.line.new_ask("PUT", path, Who::Killer)?.json(body.to_string());
        let raw = self.line.send(ask, None, Size::Answer).await?;
        read::is_success(&raw)
    }

    pub(super) async fn held(&self, manifest: &Manifest) -> Result<Held, PlatformFault> {
        let mine = [("integration", manifest.integration.id.as_str())];
        let clients = self.read(&["admin", "clients"], &mine).await?;
        let subscriptions = self.read(&["admin", "subscriptions"], &mine).await?;
        read::held(manifest, clients, subscriptions)
    }

    pub(super) async fn form(
        &self,
        path: &[&str],
        form: &BTreeMap<String, String>,
        who: Who,
        from: Option<IpAddr>,
    ) -> Result<Raw, PlatformFault> {
        let mut ask = self.line.new_ask("POST", path, who)?;
        ask.body = Serializer::new(String::new()).extend_pairs(form).finish().into_bytes();
        let ask = ask.header("content-type", "application/x-www-form-urlencoded");
        self.line.send(ask, from, Size::Answer).await
    }

    pub(super) async fn use_at(
        &self,
        token: &str,
        method: &str,
        path: &str,
        from: Option<IpAddr>,
    ) -> Result<Answer, PlatformFault> {
        if !path.starts_with('/') {
            return Err(PlatformFault::Settings(format!("`{path}` is not a path")));
        }
        let ask = Ask::new(method, format!("{}{path}", self.issuer)).bearer(Some(token));
        let ask = match method {
            "PATCH" | "POST" | "PUT" => ask.json("{}"),
            _ => ask,
        };
        read::answer(&self.line.send(ask, from, Size::Answer).await?)
    }

    /// A copy on terms of its own.
    pub(super) async fn copied(
        &self,
        client: &str,
        terms: &CopyTerms,
    ) -> Result<ClientCopy, PlatformFault> {
        let ask = self.line.new_ask("POST", &["admin", "clients", client, "copy"], Who::Killer)?;
        let terms = json!({
            "token_ttl_seconds": terms.token_life_seconds, "max_per_hour": terms.tokens_per_hour,
        });
        let raw = self.line.send(ask.json(terms.to_string()), None, Size::Answer).await?;
        read::copy(&raw)
    }

    /// A copy whose front channel has these traits.
    pub(super) async fn front_copy(
        &self,
        client: &str,
        traits: &BTreeSet<FrontTrait>,
    ) -> Result<FrontCopy, PlatformFault> {
        let ask = self.line.new_ask("POST", &["admin", "front-copies", client], Who::Killer)?;
        let ask = ask.json(json!({ "traits": traits }).to_string());
        read::front_copy(&self.line.send(ask, None, Size::Answer).await?)
    }

    /// A call in a manner of our own.
    pub(super) async fn call_as(
        &self,
        token: &str,
        call: &ApiCall,
        manner: &Manner,
    ) -> Result<ApiAnswer, PlatformFault> {
        if !call.path.starts_with('/') {
            return Err(PlatformFault::Settings(format!("`{}` is not a path", call.path)));
        }
        let mut ask = Ask::new(&call.method, format!("{}{}", self.issuer, call.path));
        ask = ask.bearer(Some(token));
        if let Some(agent) = &manner.agent {
            ask = ask.header("user-agent", agent.as_str());
        }
        ask = match (&call.body, call.method.as_str()) {
            (Some(body), _) => ask.json(body.to_string()),
            (None, "PATCH" | "POST" | "PUT") => ask.json("{}"),
            (None, _) => ask,
        };
        let start = self.clock.monotonic_ms();
        let raw = self.line.send(ask, manner.from, Size::Answer).await?;
        let took_ms = self.clock.monotonic_ms().saturating_sub(start);
        read::api_answer(&raw, took_ms)
    }

    /// Objects that a client may reach, and others.
    pub(super) async fn tenant_objects(&self, client: &str) -> Result<Objects, PlatformFault> {
        read::parsed(self.read(&["admin", "objects"], &[("client", client)]).await?)
    }

    /// What one client is registered with; none where it is not known.
    pub(super) async fn registered(&self, client: &str) -> Result<Option<Granted>, PlatformFault> {
        read::registered(self.read(&["admin", "clients"], &[("client", client)]).await?)
    }

    /// The ceiling that is set for a client.
    pub(super) async fn ceiling(&self, client: &str) -> Result<Option<u32>, PlatformFault> {
        let listed = self.read(&["admin", "clients"], &[("client", client)]).await?;
        read::ceiling(&listed)
    }

    /// The page where people sign in.
    pub(super) async fn console(&self, copy: &ClientCopy) -> Result<Answer, PlatformFault> {
        let endpoint = format!("{}/oauth/token", self.issuer);
        let form = token_form(copy, &TokenRequest::default(), &endpoint, self.clock.now())?;
        read::answer(&self.form(&["console", "sign-in"], &form, Who::Nobody, None).await?)
    }
}
