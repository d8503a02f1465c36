//! One normal record for every log format.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;

use countersign_model::time::Timestamp;

use super::format::{self, About};
pub use super::line::{DEPTH_MAX, LINE_BYTES_MAX, LineError};

/// One token request, or one use of a token, as a log tells it. What the log does not tell is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record<'a> {
    /// What its line is written in.
    pub format: Option<&'static About>,
    /// What it tells of, where its format says so.
    pub told: Option<Told>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The source's own id of the event: one that comes twice was delivered twice.
    pub event_id: Option<Cow<'a, str>>,
    /// Who asked.
    pub client_id: Option<Cow<'a, str>>,
    /// The token's id.
    pub token_id: Option<Cow<'a, str>>,
    /// A digest of the token.
    pub token_hash: Option<Cow<'a, str>>,
    /// The session that the token belongs to.
    pub session_id: Option<Cow<'a, str>>,
    /// On whose behalf.
    pub actor: Option<Cow<'a, str>>,
    /// The account that the token stands for.
    pub subject: Option<Cow<'a, str>>,
    /// With which key or secret it asked.
    pub key_id: Option<Cow<'a, str>>,
    /// How it proved itself.
    pub auth: Option<Cow<'a, str>>,
    /// The OAuth grant type.
    pub grant: Option<Cow<'a, str>>,
    /// The scopes, as granted.
    pub scopes: Vec<Cow<'a, str>>,
    /// What the token is for.
    pub audience: Vec<Cow<'a, str>>,
    /// From where.
    pub ip: Option<IpAddr>,
    /// With which program.
    pub agent: Option<Cow<'a, str>>,
    /// From when the token counts.
    pub issued_at: Option<Timestamp>,
    /// Until when the token counts.
    pub expires_at: Option<Timestamp>,
    /// From when the token no longer counts, although it has not ended.
    pub revoked_at: Option<Timestamp>,
    /// The running number of the client's request.
    pub sequence: Option<u64>,
    /// What was done: a method, or a word of the source's own.
    pub action: Option<Cow<'a, str>>,
    /// With what it was done: a path, or a name of the source's own.
    pub resource: Option<Cow<'a, str>>,
    /// Whether it was granted.
    pub granted: bool,
    /// Members that are there and cannot be read.
    pub unreadable: BTreeSet<&'static str>,
    /// Everything else that the line carries, as text.
    pub fields: Fields<'a>,
}

/// Named texts, in the order in which they stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A request for a token.
    Request,
    /// A token's end before its time.
    Revocation,
    /// A use of a token; it may tell of the request as well.
    Use,
    /// Something else that the source writes down beside them.
    Aside,
}

impl<'a> Fields<'a> {
    /// The text of this name; the last one, where there are two.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|it| it.0 == name).map(|it| it.1.as_ref())
    }

    pub(super) fn insert(&mut self, name: Cow<'a, str>, text: Cow<'a, str>) {
        self.0.push((name, text));
    }

    /// Every name with its text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|it| (it.0.as_ref(), it.1.as_ref()))
    }
}

impl Record<'_> {
    /// Reads one line, in whatever format it is.
    pub fn parse(line: &[u8]) -> Result<Record<'_>, LineError> {
        format::read(line)
    }

    /// What the line tells of.
    pub fn told(&self) -> Told {
        self.told.unwrap_or_else(|| self.told_by_words())
    }

    fn told_by_words(&self) -> Told {
        let action = self.action.as_deref().unwrap_or_default().to_ascii_lowercase();
        let resource = self.resource.as_deref().unwrap_or_default();
        if ["revoke", "revoked", "revocation"].iter().any(|it| action.contains(it)) {
            return Told::Revocation;
        }
        if resource.ends_with("/token") {
            return Told::Request;
        }
        let of_token = action.starts_with("token.") || action.starts_with("token_");
        let asks = match action.as_str() {
            "" => resource.is_empty(),
            "grant" | "granted" | "issuance" | "issue" | "issued" | "mint" | "request"
            | "token" => true,
            _ => of_token && !["use", "introspect"].iter().any(|it| action.contains(it)),
        };
        if asks { Told::Request } else { Told::Use }
    }

    /// Whether a line tells how its token was issued.
    pub fn tells_of_issue(&self) -> bool {
        self.grant.is_some() || self.issued_at.is_some() || self.expires_at.is_some()
    }

    /// What two logs name the same token by: its id, else a digest of it.
    pub fn token(&self) -> Option<&str> {
        self.token_id.as_deref().or(self.token_hash.as_deref())
    }

    /// Why the source of this line cannot give a field; none where it can.
    pub fn cannot(&self, field: &str) -> Option<&'static str> {
        self.format?.cannot.iter().find(|it| it.0 == field).map(|it| it.1)
    }

    /// A field by the name that a manifest uses for it, when it has a value.
    pub fn has(&self, field: &str) -> bool {
        match field {
            "time" => self.time.is_some(),
            "client_id" => self.client_id.is_some(),
            "token_id" => self.token_id.is_some(),
            "token_hash" => self.token_hash.is_some(),
            "session_id" => self.session_id.is_some(),
            "actor" => self.actor.is_some(),
            "subject" => self.subject.is_some(),
            "key_id" | "kid" => self.key_id.is_some(),
            "auth" => self.auth.is_some(),
            "grant" => self.grant.is_some(),
            "scope" => !self.scopes.is_empty(),
            "audience" | "aud" => !self.audience.is_empty(),
            "ip" => self.ip.is_some(),
            "agent" | "user_agent" => self.agent.is_some(),
            "issued_at" => self.issued_at.is_some(),
            "expires_at" => self.expires_at.is_some(),
            "revoked_at" => self.revoked_at.is_some(),
            "seq" | "sequence" => self.sequence.is_some(),
            "action" | "method" => self.action.is_some(),
            "resource" | "path" => self.resource.is_some(),
            other => self.fields.get(other).is_some(),
        }
    }

    pub(super) fn odd(&mut self, name: &'static str, is_odd: bool) {
        if is_odd {
            self.unreadable.insert(name);
        }
    }

    /// The same, without the line that it was read from.
    pub fn into_owned(self) -> Record<'static> {
        let all = |it: Vec<Cow<'_, str>>| it.into_iter().filter_map(|it| owned(Some(it))).collect();
        let fields = self.fields.0.into_iter();
        Record {
            format: self.format,
            told: self.told,
            time: self.time,
            event_id: owned(self.event_id),
            client_id: owned(self.client_id),
            token_id: owned(self.token_id),
            token_hash: owned(self.token_hash),
            session_id: owned(self.session_id),
            actor: owned(self.actor),
            subject: owned(self.subject),
            key_id: owned(self.key_id),
            auth: owned(self.auth),
            grant: owned(self.grant),
            scopes: all(self.scopes),
            audience: all(self.audience),
            ip: self.ip,
            agent: owned(self.agent),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            sequence: self.sequence,
            action: owned(self.action),
            resource: owned(self.resource),
            granted: self.granted,
            unreadable: self.unreadable,
            fields: Fields(
                fields
                    .map(|(name, it)| (Cow::Owned(name.into_owned()), Cow::Owned(it.into_owned())))
                    .collect(),
            ),
        }
    }
}

fn owned(text: Option<Cow<'_, str>>) -> Option<Cow<'static, str>> {
    text.map(|it| Cow::Owned(it.into_owned()))
}
