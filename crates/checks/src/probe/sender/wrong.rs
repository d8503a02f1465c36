//! Addresses that a sender must not deliver to, and what shows that it did.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use countersign_model::time::Timestamp;

use super::ear::Ear;
use crate::harness::{Booth, Harness, Reaction, Reply, Seen, WrongName};

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// 127.0.0.1 as one number.
    Decimal,
    /// Its certificate has expired.
    Expired,
    /// 127.0.0.1.
    Loopback,
    /// `[::1]`.
    LoopbackV6,
    /// 127.0.0.1 in the clothes of IPv6.
    MappedV6,
    /// Where clouds keep credentials.
    Metadata,
    /// `localhost`.
    Localhost,
    /// A name of ours that leads to loopback.
    NameInward,
    /// No TLS.
    NoTls,
    /// It speaks TLS 1.0 alone.
    OldTls,
    /// Its certificate bears another name.
    OtherHost,
    /// A network of one's own.
    Private,
    /// It redirects to another address of ours.
    Redirects,
    /// It redirects to loopback.
    RedirectsInward,
    /// Its certificate was revoked.
    Revoked,
    /// Its certificate is vouched for by nobody.
    SelfSigned,
}

impl Wrong {
    /// In a word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Decimal => "decimal-address",
            Self::Expired => "expired",
            Self::Loopback => "loopback",
            Self::LoopbackV6 => "loopback-v6",
            Self::MappedV6 => "loopback-mapped-to-v6",
            Self::Metadata => "metadata-service",
            Self::Localhost => "localhost",
            Self::NameInward => "name-that-leads-inward",
            Self::NoTls => "no-tls",
            Self::OldTls => "old-tls",
            Self::Private => "private-network",
            Self::Redirects => "redirect",
            Self::RedirectsInward => "redirect-inward",
            Self::Revoked => "revoked",
            Self::SelfSigned => "self-signed",
            Self::OtherHost => "wrong-host",
        }
    }

    /// The name below ours where that is so.
    pub(crate) fn named(self) -> Option<WrongName> {
        match self {
            Self::Expired => Some(WrongName::Expired),
            Self::OldTls => Some(WrongName::OldTls),
            Self::OtherHost => Some(WrongName::WrongHost),
            Self::Revoked => Some(WrongName::Revoked),
            Self::SelfSigned => Some(WrongName::SelfSigned),
            _ => None,
        }
    }
}

/// An address that was made for one wrong delivery.
pub(super) struct Trap {
    pub(super) name: &'static str,
    /// The addresses to register.
    pub(super) urls: Vec<String>,
    /// What counts who comes; none, where nobody of ours is there.
    catch: Catch,
    /// Stands where the sender may come, and leads on.
    _lure: Option<Booth>,
}

enum Catch {
    Booth(Booth),
    Clear(String),
    Ear(Ear),
    Nobody,
    /// Where nothing but TLS 1.0 is spoken, and how many had come there before.
    OldTls(usize),
}

/// Why there is no address to try, for people.
pub(super) type Lacking = String;

impl Trap {
    /// Makes one, where our side has what it takes.
    pub(super) async fn set(
        wrong: Wrong,
        harness: &Harness,
        (stem, now): (&str, Timestamp),
    ) -> Result<Self, Lacking> {
        let name = wrong.name();
        let booth = format!("{stem}-{name}");
        let ear = |it: IpAddr| async move { Ear::open(it).await };
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let at = |host: &str, ear: Option<Ear>| {
            let port = ear.as_ref().map_or(443, |it| it.port);
            (format!("https://{host}:{port}/{booth}"), ear.map_or(Catch::Nobody, Catch::Ear))
        };
        let (url, catch) = match wrong {
            Wrong::Decimal => at("2130706433", ear(local).await),
            Wrong::Loopback => at("127.0.0.1", ear(local).await),
            Wrong::LoopbackV6 => at("[::1]", ear(IpAddr::V6(Ipv6Addr::LOCALHOST)).await),
            Wrong::MappedV6 => at("[::ffff:127.0.0.1]", ear(local).await),
            Wrong::Localhost => at("localhost", ear(local).await),
            Wrong::NameInward => at(&format!("inward.{}", harness.host()), ear(local).await),
            Wrong::Private => at("10.0.0.1", None),
            Wrong::Metadata => at("169.254.169.254", None),
            Wrong::Expired
            | Wrong::OldTls
            | Wrong::OtherHost
            | Wrong::Revoked
            | Wrong::SelfSigned => {
                let lacking = || "there is no such name".to_owned();
                let named = wrong.named().ok_or_else(lacking)?;
                let origin = harness.named(named, now).map_err(|it| it.to_string())?;
                let catch = match wrong {
                    Wrong::OldTls => Catch::OldTls(harness.old_tls(0).len()),
                    _ => Catch::Booth(harness.open(&booth, taken)),
                };
                (format!("{origin}/{booth}"), catch)
            }
            Wrong::NoTls => return Ok(Self::in_the_clear(name, harness, &booth)),
            Wrong::Redirects | Wrong::RedirectsInward => {
                return Ok(Self::redirecting(wrong, harness, &booth, ear(local).await));
            }
        };
        Ok(Self { name, urls: vec![url], catch, _lure: None })
    }

    /// Without TLS where our own server is, and where servers without TLS usually are.
    fn in_the_clear(name: &'static str, harness: &Harness, booth: &str) -> Self {
        let lure = harness.open(booth, taken);
        let bare = harness.url().replacen("https://", "http://", 1);
        let mut urls = vec![format!("{bare}/{booth}")];
        if !bare.trim_start_matches("http://").contains(':') {
            urls.push(format!("{bare}:443/{booth}"));
        }
        Self { name, urls, catch: Catch::Clear(booth.to_owned()), _lure: Some(lure) }
    }

    fn redirecting(wrong: Wrong, harness: &Harness, booth: &str, ear: Option<Ear>) -> Self {
        let inside = format!("{booth}-inside");
        let (to, catch) = if let (Wrong::RedirectsInward, Some(ear)) = (wrong, ear) {
            (format!("https://127.0.0.1:{}/{inside}", ear.port), Catch::Ear(ear))
        } else {
            let stand = harness.open(&inside, taken);
            (stand.url().to_owned(), Catch::Booth(stand))
        };
        let status = if wrong == Wrong::Redirects { 302 } else { 307 };
        let lure = harness.open(booth, move |_: &Seen| Reply { status, ..Reply::redirect(&to) });
        let urls = vec![lure.url().to_owned()];
        Self { name: wrong.name(), urls, catch, _lure: Some(lure) }
    }

    /// How often somebody came.
    pub(super) fn hits(&self, harness: &Harness) -> u64 {
        match &self.catch {
            Catch::Booth(it) => it.seen().len() as u64,
            Catch::Clear(name) => harness.in_the_clear(name),
            Catch::Ear(it) => it.count(),
            Catch::Nobody => 0,
            Catch::OldTls(before) => count(harness, *before, Reaction::WentOn),
        }
    }

    /// How many did something of which nobody can tell what it was.
    pub(super) fn unclear(&self, harness: &Harness) -> u64 {
        match &self.catch {
            Catch::OldTls(before) => count(harness, *before, Reaction::Unclear),
            _ => 0,
        }
    }

    /// Whether a delivery would be seen: at our own server always, at ports of this machine where
    /// the sender runs on it too.
    pub(super) fn would_show(&self, same_machine: bool) -> bool {
        match self.catch {
            Catch::Booth(_) | Catch::Clear(_) | Catch::OldTls(_) => true,
            Catch::Ear(_) => same_machine,
            Catch::Nobody => false,
        }
    }
}

/// How many of those who came since then did this in TLS 1.0.
pub(crate) fn count(harness: &Harness, before: usize, reaction: Reaction) -> u64 {
    harness.old_tls(before).iter().filter(|it| **it == reaction).count() as u64
}

pub(super) fn taken(_: &Seen) -> Reply {
    Reply::status(204)
}
