//! One look at one host: right requests first, then everything that must be refused, then right again.

use std::sync::Arc;

use countersign_model::check::Entry;
use countersign_model::check::transcript::FailureKind;

use super::suites::{Family, OFFERS, weak};
use crate::live::ask::{Ask, Received};
use crate::live::client::Located;
use crate::live::handshake::Offer;
use crate::live::heard::Heard;
use crate::live::hello::{Hello, SSL30, TLS10, TLS11, TLS12};
use crate::live::hosts::Host;
use crate::talk::Talk;

/// The header with which a host keeps browsers away from plain HTTP (RFC 6797).
pub(super) const HSTS: &str = "strict-transport-security";

/// What was seen of this host. It is looked at once in a run, and every check sees the same.
pub(super) async fn look(talk: &Talk, host: &Host) -> Vec<Entry> {
    let Some(means) = talk.means() else { return Vec::new() };
    let (check, name) = (talk.transcript().check.clone(), host.name());
    let looking = means.looks.once(&name, || async {
        let mut own = Talk::live(&check, &name, Arc::clone(&means));
        whole(&mut own, host).await;
        own.finish().entries
    });
    looking.await
}

async fn whole(talk: &mut Talk, host: &Host) {
    // Somebody who is not there has nothing to compare a refusal with.
    if !serves(talk, host).await {
        return;
    }
    let Some(located) = talk.locate("located", &host.host, host.port).await else { return };
    let is_new =
        matches!(talk.handshake("control", &located, Offer::Tls13).await, Some(Heard::Finished(_)));
    let older = talk.hello("control-12", &located, &Hello::careful()).await;
    if !is_new {
        talk.handshake("control-any", &located, Offer::Careful).await;
        if older.is_none_or(|it| is_silent(&it)) {
            return;
        }
    }
    old(talk, &located).await;
    suites(talk, &located).await;
    talk.hello("compression", &located, &compressing()).await;
    if is_new {
        hybrid(talk, &located).await;
    }
    talk.plain("plain", &host.host, path(&host.url)).await;
    if is_new {
        talk.handshake("closing", &located, Offer::Tls13).await;
    } else {
        talk.hello("closing", &located, &Hello::careful()).await;
    }
}

/// Whether an answer in HTTP may be waited for; asks for something that is there and something that is not.
async fn serves(talk: &mut Talk, host: &Host) -> bool {
    let declared = talk.send("http.declared", Ask::get(host.url.as_str())).await;
    if let Some((kind, _)) = &declared.failure {
        // Bad certificates and answers that break off leave something to look at.
        return matches!(
            kind,
            FailureKind::Closed | FailureKind::Protocol | FailureKind::Tls | FailureKind::TooLarge
        );
    }
    let Some(name) = talk.fresh_name("countersign-nowhere-") else { return false };
    let nowhere = Ask::get(host.at(&format!("/{name}")));
    let absent = talk.send("http.nowhere", nowhere.clone()).await;
    // Some applications answer every page with their start page, and nobody answers every POST.
    if absent.is_success() {
        talk.send("http.nowhere-post", Ask { method: "POST".to_owned(), ..nowhere }).await;
    }
    if host.is_browser && ![&declared, &absent].into_iter().any(is_kept) {
        talk.send("http.root", Ask::get(host.at("/"))).await;
    }
    true
}

fn is_kept(received: &Received) -> bool {
    received.headers.iter().any(|(name, _)| name == HSTS)
}

/// What is silent once is silent again: nobody waits for it three times.
fn is_silent(heard: &Heard) -> bool {
    matches!(heard, Heard::Failed { .. })
}

async fn old(talk: &mut Talk, located: &Located) {
    for (label, hello) in old_hellos() {
        if talk.hello(label, located, &hello).await.is_none_or(|it| is_silent(&it)) {
            return;
        }
    }
}

/// Hellos that offer one old version and what is older, each with suites of its time.
fn old_hellos() -> [(&'static str, Hello); 3] {
    [
        ("old.tls11", Hello::new("TLS 1.1 and older", TLS11, SUITES_OF_OLD).hostile()),
        ("old.tls10", Hello::new("TLS 1.0 and older", TLS10, SUITES_OF_OLD).hostile()),
        ("old.ssl30", Hello::new("SSL 3.0 only", SSL30, SUITES_OF_OLD).hostile()),
    ]
}

/// Offers families of weak suites; what was taken is left out of the next offer, until nothing is taken.
async fn suites(talk: &mut Talk, located: &Located) {
    for (label, families) in OFFERS {
        let mut left = families.to_vec();
        while !left.is_empty() {
            let Some(heard) = talk.hello(label, located, &offer(&left)).await else { return };
            if is_silent(&heard) {
                return;
            }
            let Heard::Hello(chosen) = heard else { break };
            let Some((taken, _)) = weak(chosen.suite) else { break };
            let before = left.len();
            left.retain(|it| it.name != taken.name);
            // An answer that was not offered: asking again would never end.
            if left.len() == before {
                break;
            }
        }
    }
}

fn offer(families: &[&Family]) -> Hello {
    let names: Vec<&str> = families.iter().map(|it| it.name).collect();
    let suites: Vec<u16> = families.iter().flat_map(|it| it.suites()).collect();
    Hello::new(format!("TLS 1.2 with {} alone", names.join(", ")), TLS12, suites).hostile()
}

fn compressing() -> Hello {
    let careful = Hello::careful();
    Hello::new("TLS 1.2 with compression", TLS12, careful.suites).compressing().hostile()
}

/// A refusal counts when it comes twice: one may be chance.
async fn hybrid(talk: &mut Talk, located: &Located) {
    let first = talk.handshake("hybrid", located, Offer::Hybrid).await;
    if first.is_some_and(|it| it.is_refused()) {
        talk.handshake("hybrid-again", located, Offer::Hybrid).await;
    }
}

/// The path of an address, without the query.
fn path(url: &str) -> &str {
    let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|it| &rest[it..]));
    let path = path.unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or("/")
}

/// ECDHE, DHE and RSA with AES-CBC, 3DES and RC4: what such servers take.
const SUITES_OF_OLD: [u16; 15] = [
    0xc00a, 0xc014, 0xc009, 0xc013, 0x0039, 0x0033, 0x0035, 0x002f, 0xc008, 0xc012, 0x0016, 0x000a,
    0xc011, 0x0005, 0x0004,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offer_that_must_be_refused_needs_the_partners_consent() {
        for (_, hello) in old_hellos() {
            assert!(hello.hostile && hello.version < TLS12, "{}", hello.offers);
        }
        for (_, families) in OFFERS {
            assert!(offer(families).hostile);
        }
        assert!(compressing().hostile && !Hello::careful().hostile);
        let words: Vec<String> = OFFERS.iter().map(|it| offer(it.1).offers).collect();
        insta::assert_snapshot!(words.join("\n"), @r"
        TLS 1.2 with RSA key exchange, static Diffie-Hellman alone
        TLS 1.2 with CBC alone
        TLS 1.2 with 3DES and DES, RC4, NULL, anonymous, EXPORT alone
        ");
    }

    #[test]
    fn a_path_is_asked_for_without_its_query() {
        for (url, expected) in [
            ("https://a.example", "/"),
            ("https://a.example/", "/"),
            ("https://a.example:8443/b/c?d=/e#f", "/b/c"),
            ("nonsense", "/"),
        ] {
            assert_eq!(path(url), expected, "{url}");
        }
    }
}
