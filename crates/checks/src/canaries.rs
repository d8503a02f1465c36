//! Credentials of a copy that was offboarded: they are kept, and tried again long after.
//!
//! Whoever keeps them has to keep them sealed: until the copy is really gone, they open something.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::check::Evidence;
use countersign_model::check::verdict::Owed;
use countersign_model::declare::words::Slug;
use countersign_model::id::EvidenceId;
use countersign_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::check::Info;
use crate::drill::tries::{self, Came};
use crate::platform::{ClientCopy, Platform, Seed, SendingKey, TokenRequest, WebhookCopy};

/// The schema name of kept credentials.
pub const CANARIES_SCHEMA: &str = "countersign.canaries/1";

/// Credentials of a copy of a client, and of what was offboarded with it. They never show.
#[derive(Clone)]
pub struct Canaries {
    copy: ClientCopy,
    of: String,
    token: Option<(Zeroizing<String>, Option<Timestamp>)>,
    refresh: Option<Zeroizing<String>>,
    redirect: Option<String>,
    call: Option<(String, String)>,
    webhooks: Vec<WebhookCopy>,
}

impl std::fmt::Debug for Canaries {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Canaries of {}", self.copy.client_id)
    }
}

/// What a check hands over to whoever keeps it.
#[derive(Debug)]
pub(crate) struct Keeping {
    pub(crate) canaries: Canaries,
    pub(crate) began: Timestamp,
    pub(crate) until: Timestamp,
}

/// What is to be tried again, as a run hands it over.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The evidence that owes it.
    pub evidence: EvidenceId,
    /// The check.
    pub check: String,
    /// What was offboarded a copy of.
    pub subject: String,
    /// The controls that rest on it.
    pub controls: Vec<String>,
    /// When the copy ended.
    pub began: Timestamp,
    /// The looks that are owed, in their order.
    pub sweeps: Vec<Owed>,
    /// When the credentials are to be thrown away.
    pub until: Timestamp,
    /// The credentials.
    pub canaries: Canaries,
}

impl Kept {
    pub(crate) fn of(evidence: &Evidence, info: &Info, keeping: Keeping) -> Self {
        Self {
            evidence: evidence.id.clone(),
            check: evidence.transcript.check.clone(),
            subject: evidence.transcript.subject.clone(),
            controls: info.controls.iter().map(|it| (*it).to_owned()).collect(),
            began: keeping.began,
            sweeps: evidence.judgement.owed.clone(),
            until: keeping.until,
            canaries: keeping.canaries,
        }
    }
}

/// Kept credentials cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CanariesError {
    /// They are of another schema.
    #[error("they are not `{CANARIES_SCHEMA}`")]
    Schema,
    /// They are not what was written. What stands there is not repeated.
    #[error("they are not what was written")]
    Syntax,
}

/// As they are written: the one place where they stand in the clear, wiped when it is dropped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: String,
    client: String,
    of: String,
    seed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_ends: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirect: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    webhooks: Vec<WrittenWebhook>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWebhook {
    id: String,
    path: String,
    scheme: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl WrittenWebhook {
    fn of(copy: &WebhookCopy) -> Self {
        let secret = match &copy.key {
            SendingKey::Secret(it) => Some(it.as_str().to_owned()),
            SendingKey::Private(_) => None,
        };
        Self {
            id: copy.id.clone(),
            path: copy.path.clone(),
            scheme: copy.scheme.clone(),
            seed: copy.seed.as_ref().map(written),
            secret,
        }
    }

    fn read(&mut self) -> Result<WebhookCopy, CanariesError> {
        let (key, seed) = match (&self.seed, self.secret.take()) {
            (Some(text), None) => {
                let seed = seed(text)?;
                (SendingKey::Private(seed.key()), Some(seed))
            }
            (None, Some(secret)) => (SendingKey::Secret(Zeroizing::new(secret)), None),
            _ => return Err(CanariesError::Syntax),
        };
        let (id, path, scheme) = (self.id.clone(), self.path.clone(), self.scheme.clone());
        Ok(WebhookCopy { id, path, scheme, key, seed })
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        self.seed.zeroize();
        self.token.zeroize();
        self.refresh.zeroize();
        for it in &mut self.webhooks {
            it.seed.zeroize();
            it.secret.zeroize();
        }
    }
}

fn written(seed: &Seed) -> String {
    URL_SAFE_NO_PAD.encode(seed.bytes())
}

fn seed(text: &str) -> Result<Seed, CanariesError> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| CanariesError::Syntax)?);
    <[u8; 32]>::try_from(bytes.as_slice()).map(Seed::new).map_err(|_| CanariesError::Syntax)
}

impl Canaries {
    /// Those of a copy of a client, so far its key alone.
    pub fn new(copy: ClientCopy, of: impl Into<String>) -> Self {
        Self {
            copy,
            of: of.into(),
            token: None,
            refresh: None,
            redirect: None,
            call: None,
            webhooks: Vec::new(),
        }
    }

    /// With a token, and when it ends by itself.
    pub fn token(mut self, token: impl Into<String>, ends: Option<Timestamp>) -> Self {
        self.token = Some((Zeroizing::new(token.into()), ends));
        self
    }

    /// With a refresh token.
    pub fn refresh(mut self, token: Option<String>) -> Self {
        self.refresh = token.map(Zeroizing::new);
        self
    }

    /// With an address that its codes were sent to.
    pub(crate) fn redirect(mut self, redirect: Option<String>) -> Self {
        self.redirect = redirect;
        self
    }

    /// With a call that its token was good for: method and path.
    pub(crate) fn call(mut self, method: &str, path: &str) -> Self {
        self.call = Some((method.to_owned(), path.to_owned()));
        self
    }

    /// With a copy of a webhook that was offboarded with it.
    pub(crate) fn webhook(&mut self, copy: WebhookCopy) {
        self.webhooks.push(copy);
    }

    /// The call that its token was good for: method and path.
    pub(crate) fn usual_call(&self) -> Option<(&str, &str)> {
        self.call.as_ref().map(|it| (it.0.as_str(), it.1.as_str()))
    }

    /// The copy's id.
    pub fn client(&self) -> &str {
        &self.copy.client_id
    }

    /// Whose copy it was.
    pub fn of(&self) -> &str {
        &self.of
    }

    pub(crate) fn webhook_ids(&self) -> impl Iterator<Item = &str> {
        self.webhooks.iter().map(|it| it.id.as_str())
    }

    /// As they are sealed: canonical enough for whoever seals them, and wiped when dropped.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
        let text = |it: &Zeroizing<String>| it.as_str().to_owned();
        let document = Written {
            schema: CANARIES_SCHEMA.to_owned(),
            client: self.copy.client_id.clone(),
            of: self.of.clone(),
            seed: written(&self.copy.seed),
            token: self.token.as_ref().map(|it| text(&it.0)),
            token_ends: self.token.as_ref().and_then(|it| it.1),
            refresh: self.refresh.as_ref().map(text),
            redirect: self.redirect.clone(),
            call: self.call.clone(),
            webhooks: self.webhooks.iter().map(WrittenWebhook::of).collect(),
        };
        // Large enough that nothing is copied to a larger one and left behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(BYTES_USUAL));
        serde_json::to_writer(&mut *bytes, &document)?;
        Ok(bytes)
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanariesError> {
        let mut read: Written = serde_json::from_slice(bytes).map_err(|_| CanariesError::Syntax)?;
        if read.schema != CANARIES_SCHEMA {
            return Err(CanariesError::Schema);
        }
        let webhooks = read.webhooks.iter_mut().map(WrittenWebhook::read);
        let webhooks = webhooks.collect::<Result<_, _>>()?;
        Ok(Self {
            copy: ClientCopy::new(read.client.clone(), seed(&read.seed)?),
            of: read.of.clone(),
            token: read.token.take().map(|it| (Zeroizing::new(it), read.token_ends)),
            refresh: read.refresh.take().map(Zeroizing::new),
            redirect: read.redirect.take(),
            call: read.call.take(),
            webhooks,
        })
    }

    /// What must never be written down.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let token = self.token.iter().map(|it| it.0.as_str());
        let shared = self.webhooks.iter().filter_map(|it| match &it.key {
            SendingKey::Secret(text) => Some(text.as_str()),
            SendingKey::Private(_) => None,
        });
        token.chain(self.refresh.iter().map(|it| it.as_str())).chain(shared)
    }

    /// Tries each of them once, and says what each came to. A refresh token that is taken is followed by
    /// the next one; a token whose own time is over is named so.
    pub(crate) async fn try_all(
        &mut self,
        platform: &dyn Platform,
        (integration, now): (&Slug, Timestamp),
    ) -> Vec<(String, Came)> {
        let mut all = Vec::new();
        if let Some((token, ends)) = &self.token {
            let is_over = ends.is_some_and(|it| it <= now);
            let name = if is_over { "its token, whose own time is over" } else { "its token" };
            let came = tries::token(platform, token, self.call.as_ref()).await;
            all.push((name.to_owned(), came));
        }
        let (minted, _) = tries::mint(platform, &self.copy, &TokenRequest::default()).await;
        all.push(("its key".to_owned(), minted));
        if let Some(token) = &self.refresh {
            let request = TokenRequest {
                grant: Some("refresh_token".to_owned()),
                refresh_token: Some(token.as_str().to_owned()),
                ..TokenRequest::default()
            };
            let (refreshed, answer) = tries::mint(platform, &self.copy, &request).await;
            if let Some(next) = answer.refresh_token {
                self.refresh = Some(Zeroizing::new(next));
            }
            all.push(("its refresh token".to_owned(), refreshed));
        }
        if let Some(redirect) = &self.redirect {
            let came = tries::authorize(platform, &self.copy.client_id, redirect).await;
            all.push(("a code at its redirect".to_owned(), came));
        }
        for webhook in &self.webhooks {
            let came = tries::webhook(platform, integration, webhook).await;
            all.push((format!("the key of its webhook {}", webhook.id), came));
        }
        all
    }
}

/// How much most of them take.
const BYTES_USUAL: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn canaries() -> Canaries {
        let copy = ClientCopy::new("acme.copy-1".to_owned(), Seed::new([7; 32]));
        let mut canaries = Canaries::new(copy, "acme")
            .token("first-canary-secret", Some(Timestamp::from_seconds(9)))
            .refresh(Some("second-canary-secret".to_owned()))
            .redirect(Some("https://acme.example/cb".to_owned()))
            .call("GET", "/v1/users/nobody");
        let webhook = |key: SendingKey, seed: Option<Seed>| WebhookCopy {
            id: "hook:a.copy-1".to_owned(),
            path: "/hooks/acme".to_owned(),
            scheme: "standard-webhooks".to_owned(),
            key,
            seed,
        };
        let seed = Seed::new([8; 32]);
        canaries.webhook(webhook(SendingKey::Private(seed.key()), Some(seed)));
        let secret = Zeroizing::new("third-canary-secret".to_owned());
        canaries.webhook(webhook(SendingKey::Secret(secret), None));
        canaries
    }

    #[test]
    fn they_read_back_as_they_were_written_and_never_show() {
        let before = canaries();
        let bytes = before.to_bytes().unwrap();
        assert!(bytes.len() < BYTES_USUAL);
        let after = Canaries::from_bytes(&bytes).unwrap();
        assert_eq!(*after.to_bytes().unwrap(), *bytes);
        assert_eq!(after.copy.public(), before.copy.public());
        assert_eq!(after.secrets().collect::<Vec<_>>(), before.secrets().collect::<Vec<_>>());
        let shown = format!("{before:?} {:?} {:?}", before.copy, before.webhooks);
        assert!(
            !shown.contains("secret") && !shown.contains(&written(&before.copy.seed)),
            "{shown}"
        );
    }

    #[test]
    fn what_is_not_what_was_written_is_refused_without_repeating_it() {
        let text = String::from_utf8(canaries().to_bytes().unwrap().to_vec()).unwrap();
        let table = [
            (String::new(), "they are not what was written"),
            (text.replace("\"of\"", "\"off\""), "they are not what was written"),
            (
                text.replace(&written(&Seed::new([8; 32])), "c2hvcnQ"),
                "they are not what was written",
            ),
            (text.replace("canaries/1", "canaries/2"), "they are not `countersign.canaries/1`"),
        ];
        for (text, expected) in table {
            assert_eq!(Canaries::from_bytes(text.as_bytes()).unwrap_err().to_string(), expected);
        }
    }
}
