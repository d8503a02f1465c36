//! An AuthZEN evaluation request, read as a call.
//!
//! Subject type `client`; the action's name is the kind of call; resource types `scope`,
//! `endpoint`, `event` and `workflow`; everything else stands in the context.
//!
//! Source: AuthZEN Authorization API 1.0, sections 5 and 6.

use std::collections::BTreeMap;
use std::net::IpAddr;

use countersign_model::declare::path::PathKind;
use countersign_model::enforce::Call;
use countersign_model::time::Timestamp;
use countersign_seal::json;
use serde_json::{Map, Value};

/// A request that is no evaluation request; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadRequest(String);

pub(crate) fn bad<T>(text: impl Into<String>) -> Result<T, BadRequest> {
    Err(BadRequest(text.into()))
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A call that a gate can decide.
    Call(Box<Call>),
    /// A well-formed question in words that no gate knows: the answer is no.
    UnknownWord,
}

/// The members of a request's body.
pub(crate) fn members(body: &[u8]) -> Result<Map<String, Value>, BadRequest> {
    match json::parse(body) {
        Ok(Value::Object(it)) => Ok(it),
        _ => bad("the body is not one JSON object whose members each stand once"),
    }
}

/// One question: its own members, and what stands in for the missing ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) own: &'a Map<String, Value>,
    pub(crate) defaults: Option<&'a Map<String, Value>>,
}

impl<'a> Question<'a> {
    /// A member as a whole: nothing is merged.
    fn get(self, member: &str) -> Option<&'a Value> {
        self.own.get(member).or_else(|| self.defaults.and_then(|it| it.get(member)))
    }
}

/// Reads a question. Members that nobody knows are ignored; known ones of a wrong type are refused.
pub(crate) fn read(request: Question<'_>) -> Result<Asked, BadRequest> {
    let subject = Named::read(request, "subject", "id")?;
    let action = Named::read(request, "action", "name")?;
    let resource = Named::read(request, "resource", "id")?;
    let Some(subject_type) = subject.kind else { return bad("`subject.type` is missing") };
    let Some(resource_type) = resource.kind else { return bad("`resource.type` is missing") };
    let context = Context(object(request.get("context"), "context")?);
    let facts = context.read()?;
    let Some(kind) = PathKind::from_word(action.name) else { return Ok(Asked::UnknownWord) };
    if subject_type != "client" {
        return Ok(Asked::UnknownWord);
    }
    let mut call = Call { kind, client: subject.name.to_owned(), ..facts };
    if place(&mut call, resource_type, resource.name)? {
        Ok(Asked::Call(Box::new(call)))
    } else {
        Ok(Asked::UnknownWord)
    }
}

/// Puts the resource where the call's kind has it; no if that kind has no such resource.
fn place(call: &mut Call, resource: &str, id: &str) -> Result<bool, BadRequest> {
    match (call.kind, resource) {
        (PathKind::TokenMint | PathKind::TokenUse, "scope") => {
            for scope in id.split(' ').filter(|it| !it.is_empty()) {
                if !call.scopes.iter().any(|it| it == scope) {
                    call.scopes.push(scope.to_owned());
                }
            }
        }
        (PathKind::TokenUse, "endpoint") => {
            // `POST /v1/tickets` or `/v1/tickets`; a path holds no space.
            let (method, path) = match id.split_once(' ') {
                Some((method, path)) => (Some(method), path),
                None => (None, id),
            };
            if let Some(method) = method {
                agree(&mut call.method, method, "method")?;
            }
            agree(&mut call.path, path, "path")?;
        }
        (PathKind::AssertionIn | PathKind::CallIn, "endpoint")
        | (PathKind::Automation, "workflow") => agree(&mut call.subject, id, "subject")?,
        (PathKind::EventOut, "event") => agree(&mut call.event, id, "event")?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Two places for one fact have to say the same.
fn agree(place: &mut Option<String>, value: &str, name: &str) -> Result<(), BadRequest> {
    match place {
        Some(known) if known != value => {
            bad(format!("`context.{name}` and `resource.id` contradict each other"))
        }
        _ => {
            *place = Some(value.to_owned());
            Ok(())
        }
    }
}

/// A subject, an action or a resource.
struct Named<'a> {
    kind: Option<&'a str>,
    name: &'a str,
}

impl<'a> Named<'a> {
    fn read(request: Question<'a>, member: &str, name: &str) -> Result<Self, BadRequest> {
        let it = match request.get(member) {
            None => return bad(format!("`{member}` is missing")),
            Some(Value::Object(it)) => it,
            Some(_) => return bad(format!("`{member}` is not an object")),
        };
        object(it.get("properties"), &format!("{member}.properties"))?;
        let text = |field: &str| match it.get(field) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.as_str())),
            Some(_) => bad(format!("`{member}.{field}` is not a text")),
        };
        match text(name)? {
            Some(found) => Ok(Self { kind: text("type")?, name: found }),
            None => bad(format!("`{member}.{name}` is missing")),
        }
    }
}

pub(crate) fn object<'a>(
    value: Option<&'a Value>,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, BadRequest> {
    match value {
        None => Ok(None),
        Some(Value::Object(it)) => Ok(Some(it)),
        Some(_) => bad(format!("`{name}` is not an object")),
    }
}

/// The facts around a call.
struct Context<'a>(Option<&'a Map<String, Value>>);

impl<'a> Context<'a> {
    /// A call with everything that the context says, and neither kind nor client yet.
    fn read(&self) -> Result<Call, BadRequest> {
        let mut call = Call::new(PathKind::TokenUse, String::new());
        call.scopes = self.words()?;
        call.grant_type = self.text("grant_type")?;
        call.ttl_seconds = match self.get("ttl_seconds") {
            None => None,
            Some(it) => Some(it.as_u64().ok_or_else(|| wrong("ttl_seconds", "whole seconds"))?),
        };
        call.method = self.text("method")?;
        call.path = self.text("path")?;
        call.subject = self.text("subject")?;
        call.event = self.text("event")?;
        call.url = self.text("url")?;
        call.auth = self.text("auth")?;
        call.keys_at = self.text("keys_at")?;
        call.credential = self.text("credential")?;
        call.causes = self.causes()?;
        call.ip = match self.text("ip")? {
            None => None,
            Some(it) => Some(it.parse::<IpAddr>().map_err(|_| wrong("ip", "an address"))?),
        };
        call.issued_at = match self.get("iat") {
            None => None,
            Some(it) => {
                let seconds = it.as_i64().ok_or_else(|| wrong("iat", "seconds since 1970"))?;
                Some(Timestamp::from_seconds(seconds))
            }
        };
        Ok(call)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.and_then(|it| it.get(name))
    }

    fn text(&self, name: &str) -> Result<Option<String>, BadRequest> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(it)) => Ok(Some(it.clone())),
            Some(_) => Err(wrong(name, "a text")),
        }
    }

    /// `scope` as OAuth writes it, and `scopes` as a list.
    fn words(&self) -> Result<Vec<String>, BadRequest> {
        let mut words = Vec::new();
        if let Some(text) = self.text("scope")? {
            words.extend(text.split(' ').filter(|it| !it.is_empty()).map(str::to_owned));
        }
        match self.get("scopes") {
            None => {}
            Some(Value::Array(list)) => {
                for it in list {
                    let word = it.as_str().ok_or_else(|| wrong("scopes", "a list of texts"))?;
                    words.push(word.to_owned());
                }
            }
            Some(_) => return Err(wrong("scopes", "a list of texts")),
        }
        Ok(words)
    }

    fn causes(&self) -> Result<BTreeMap<String, u32>, BadRequest> {
        let wrong = || wrong("causes", "an object of whole numbers");
        let Some(it) = self.get("causes") else { return Ok(BTreeMap::new()) };
        let causes = it.as_object().ok_or_else(wrong)?.iter();
        let number = |it: &Value| it.as_u64().and_then(|it| u32::try_from(it).ok());
        causes.map(|(name, it)| Ok((name.clone(), number(it).ok_or_else(wrong)?))).collect()
    }
}

fn wrong(name: &str, what: &str) -> BadRequest {
    BadRequest(format!("`context.{name}` is not {what}"))
}
