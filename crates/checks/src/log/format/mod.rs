//! What logs are written in: each line is recognised by what stands in it.

mod access;
mod cloudtrail;
mod entra;
mod github;
mod google;
mod keycloak;
mod ocsf;
mod okta;
mod own;

use std::borrow::Cow;
use std::fmt::Debug;
use std::net::IpAddr;

use countersign_model::time::Timestamp;

use super::line::{self, LineError};
use super::moment::{moment, moment_of};
use super::record::Record;
use super::tree::{Object, Value};

/// A format, and what it cannot tell.
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    /// Its name: `keycloak-events`.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Where it is described.
    pub source: &'static str,
    /// Fields of the normal record that its source never gives, each with the reason.
    pub cannot: &'static [(&'static str, &'static str)],
}

/// How lines of one format become records.
pub(super) trait Format: Debug + Sync {
    /// The format.
    fn about(&self) -> &'static About;

    /// Whether an object is a line of this format.
    fn fits(&self, object: &Object<'_>) -> bool;

    /// The record of an object that fits.
    fn record<'a>(&self, object: Object<'a>) -> Record<'a>;

    /// The record of a line that is no JSON; none where it is not of this format either.
    fn text<'a>(&self, _line: &'a str) -> Option<Result<Record<'a>, LineError>> {
        None
    }
}

/// Every format. The last one takes any object.
const FORMATS: &[&dyn Format] = &[
    &keycloak::Keycloak,
    &ocsf::Ocsf,
    &okta::Okta,
    &entra::SignIn,
    &entra::Graph,
    &cloudtrail::CloudTrail,
    &google::Google,
    &github::GitHub,
    &access::Nginx,
    &access::Envoy,
    &own::Own,
];

/// What is known of every format.
pub fn formats() -> impl Iterator<Item = &'static About> {
    FORMATS.iter().map(|it| it.about())
}

/// Has every format read a line, whether it fits or not; for fuzzing.
pub(crate) fn every(line: &[u8]) {
    for format in FORMATS {
        let _text = line::text(line).ok().and_then(|it| format.text(it));
        let _record = line::object(line).map(|it| format.record(it).into_owned());
    }
}

/// Reads one line, in whatever format it is.
pub(super) fn read(line: &[u8]) -> Result<Record<'_>, LineError> {
    if line.first() != Some(&b'{')
        && let text = line::text(line)?
        && let Some(read) = FORMATS.iter().find_map(|it| it.text(text))
    {
        return read;
    }
    let object = line::object(line)?;
    let format = FORMATS.iter().copied().find(|it| it.fits(&object)).unwrap_or(&own::Own);
    Ok(Record { format: Some(format.about()), ..format.record(object) })
}

impl<'a> Record<'a> {
    /// A record of something that was granted, as far as is known.
    fn granted() -> Self {
        Self { granted: true, ..Self::default() }
    }

    /// A moment of this value; what is there and is none is told.
    fn moment_of(&mut self, name: &'static str, value: &Value<'_>) -> Option<Timestamp> {
        let found = moment_of(value);
        self.odd(name, found.is_none() && value.text().is_some());
        found
    }

    /// A moment of this text.
    fn moment_in(&mut self, name: &'static str, text: &str) -> Option<Timestamp> {
        let found = moment(text);
        self.odd(name, found.is_none());
        found
    }

    /// Takes an address; what is there and is none is told.
    fn at_address(&mut self, text: Option<Cow<'a, str>>) {
        let Some(text) = text else { return };
        self.ip = address(&text);
        self.odd("ip", self.ip.is_none());
    }

    /// Keeps members that the normal record has no place for.
    fn keep(&mut self, object: &Object<'a>, names: &[&'static str]) {
        for name in names {
            if let Some(text) = object.text(name) {
                self.fields.insert(Cow::Borrowed(name), text);
            }
        }
    }

    fn numbered(&mut self, text: &str) {
        self.sequence = text.parse().ok();
        self.odd("seq", self.sequence.is_none());
    }
}

/// The path of an address or of a request target, without its query.
fn path(target: Cow<'_, str>) -> Cow<'_, str> {
    fn cut(target: &str) -> &str {
        let after = target.split_once("://").map_or(target, |it| it.1);
        let from = if after.len() == target.len() { 0 } else { after.find('/').unwrap_or(0) };
        after.get(from..).unwrap_or(after).split(['?', '#']).next().unwrap_or_default()
    }
    match target {
        Cow::Borrowed(it) => Cow::Borrowed(cut(it)),
        Cow::Owned(it) => Cow::Owned(cut(&it).to_owned()),
    }
}

/// An address, with or without a port: `192.0.2.9`, `192.0.2.9:443`, `[2001:db8::1]:443`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || text.strip_prefix('[')?.split_once(']')?.0.parse().ok();
    let port = || text.parse::<std::net::SocketAddr>().ok().map(|it| it.ip());
    text.parse().ok().or_else(port).or_else(bare)
}

#[cfg(test)]
mod tests;
