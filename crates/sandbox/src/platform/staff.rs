//! Who may read and who may change things, and what is written down of their changes.

use axum::http::{HeaderMap, StatusCode};
use countersign_checks::platform::AdminRecord;
use countersign_seal::Digest;

use super::problem::Problem;
use super::{Shared, api};
use crate::{AccessFault, clock};

/// Somebody who may change things, by name: a person, or the `killer` of a connector.
#[derive(Debug)]
pub(super) struct Administrator(String);

/// Whether a caller may read.
pub(super) fn is_reader(shared: &Shared, headers: &HeaderMap) -> bool {
    let given = api::text(headers).map(|it| Digest::of(it.as_bytes()));
    given.is_some_and(|it| it == shared.reader) || killer(shared, headers).is_ok()
}

/// Whether a caller may change things, and who it is.
pub(super) fn killer(shared: &Shared, headers: &HeaderMap) -> Result<Administrator, Problem> {
    let given = api::text(headers).map(|it| Digest::of(it.as_bytes()));
    let given = given.ok_or(Problem::unauthorized("unknown-caller"))?;
    if given == shared.killer {
        return Ok(Administrator("killer".to_owned()));
    }
    if given == shared.reader {
        return Err(Problem::new(StatusCode::FORBIDDEN, "only-reads"));
    }
    let pages = shared.book.open();
    let known = pages.administrators.get(&given).cloned();
    known.map(Administrator).ok_or(Problem::unauthorized("unknown-caller"))
}

/// What was changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Changed<'a> {
    /// A client, or something of one.
    Client(&'a str),
    /// Something else, by its id.
    Other(&'a str),
}

impl Administrator {
    /// Somebody who acts from inside, without a token.
    pub(super) fn inside(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Writes down what was done.
    pub(super) fn did(&self, shared: &Shared, action: &str, changed: Changed<'_>) {
        let (resource, client_id) = match changed {
            Changed::Client(it) => (it, Some(it.to_owned())),
            Changed::Other(it) => (it, None),
        };
        let untold = |it: &str| {
            let pages = shared.book.open();
            let client = pages.clients.get(it);
            client.is_some_and(|it| it.has(AccessFault::EnablesWithoutTrace))
        };
        if action == "enable-client" && client_id.as_deref().is_some_and(untold) {
            return;
        }
        let line = AdminRecord {
            time: clock::now(),
            actor: self.0.clone(),
            ip: None,
            action: action.to_owned(),
            resource: resource.to_owned(),
            client_id,
        };
        shared.book.open().logs.audit.push(line);
    }
}
