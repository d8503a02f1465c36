//! Does it send codes only to the exact address that was registered?
//!
//! Whoever can bend the address gets the code: by another path at the same host, a host that looks like it,
//! another scheme or port. We bend a registered address in every known way.
//!
//! Source: RFC 9700, sections 2.1 and 4.1.3; OAU-04.

use countersign_model::check::{Exchange, Transcript};
use serde_json::Value;
use url::Url;

use super::flow::{Request, open};
use super::seen::{Seen, given, leads_to, seen};
use crate::check::{Info, Stage};
use crate::probe::agent::is_same;
use crate::probe::authz::{ServerCheck, Visit};
use crate::probe::refusal::{self, Refusals};

/// Does it send codes only to the exact address that was registered?
pub(crate) static CHECK: ServerCheck = ServerCheck {
    info: &Info {
        name: "sends_codes_only_to_registered_redirects",
        case: Some("OAU-04"),
        controls: &["CTS-AUT-03"],
        question: "Does it send codes only to the exact address that was registered?",
        sends: "Authorization requests with a registered address that was bent: more path, a host below, a host behind it, a query, `..%2f`, a name before `@`, another port, http, and letters that look alike. Nothing is ever sent to any of these addresses.",
        passes: "Each leads to a page with an error. No code, token or error is sent to a bent address.",
        risk: "An attacker who bends the address gets the codes, and with them the accounts.",
        fix: "Compare the whole address with the registered one, byte by byte, and show a page where they differ.",
        source: "RFC 9700, sections 2.1 and 4.1.3.",
    },
    stage: Stage::Probe,
    subjects: super::subjects,
    talk: |visit| Box::pin(talk(visit)),
    judge: |it: &Transcript| refusal::judge(it, &CASE),
};

const CASE: Refusals = Refusals {
    one: "an address that nobody registered",
    none: "no address that nobody registered",
    expected: "a page with an error, and no redirect to the bent address",
    taken,
    refused,
    breaking_fails: false,
};

async fn talk(visit: &mut Visit<'_>) {
    let Some(guest) = visit.guest(&[]).await else { return };
    let bent = bent(guest.redirect());
    let names: Vec<Value> = bent.iter().map(|it| it.0.into()).collect();
    visit.talk.setting("wrong", names);
    let Some(request) = Request::right(&guest) else { return };
    let stop = open(visit, "control", &guest, &request).await;
    if stop.parameter("code").is_none() {
        return;
    }
    for (name, address) in bent {
        let Some(request) = Request::right(&guest) else { return };
        let request = request.with("redirect_uri", &address);
        open(visit, &format!("wrong.{name}"), &guest, &request).await;
    }
    let Some(request) = Request::right(&guest) else { return };
    open(visit, "closing", &guest, &request).await;
}

/// An address, bent in every known way.
fn bent(address: &str) -> Vec<(&'static str, String)> {
    let Ok(url) = Url::parse(address) else { return Vec::new() };
    let host = url.host_str().unwrap_or_default().to_owned();
    let rest = &url[url::Position::BeforePath..];
    let port = url.port().map(|it| format!(":{it}")).unwrap_or_default();
    let at = |host: &str| format!("https://{host}{port}{rest}");
    let mark = if url.query().is_some() { '&' } else { '?' };
    let other_port = if url.port() == Some(8443) { 9443 } else { 8443 };
    let mut all = vec![
        ("more-path", format!("{}/more", address.trim_end_matches('/'))),
        ("up-and-away", format!("{}/..%2f..%2fmore", address.trim_end_matches('/'))),
        ("added-query", format!("{address}{mark}next=https%3A%2F%2F{ATTACKER}")),
        ("host-below", at(&format!("more.{host}"))),
        ("host-behind", at(&format!("{host}.{ATTACKER}"))),
        ("name-before-at", at(&format!("{host}@{ATTACKER}"))),
        ("other-port", format!("https://{host}:{other_port}{rest}")),
        ("plain-http", format!("http://{host}{port}{rest}")),
    ];
    if let Some(look_alike) = look_alike(&host) {
        all.push(("look-alike", at(&look_alike)));
    }
    all
}

/// The same host to the eye: one letter of another alphabet, as it goes over the wire.
fn look_alike(host: &str) -> Option<String> {
    let pairs = [('a', 'а'), ('e', 'е'), ('o', 'о'), ('c', 'с'), ('p', 'р'), ('x', 'х')];
    let (letter, other) = pairs.into_iter().find(|it| host.contains(it.0))?;
    let url = Url::parse(&format!("https://{}/", host.replacen(letter, &other.to_string(), 1)));
    url.ok()?.host_str().map(str::to_owned)
}

/// A host that nobody has (RFC 6761).
const ATTACKER: &str = "attacker.invalid";

/// A code or token goes anywhere, or anything goes to the bent address.
fn taken(exchange: &Exchange) -> bool {
    given(exchange) || is_bent(exchange)
}

fn is_bent(exchange: &Exchange) -> bool {
    let asked = Url::parse(&exchange.request.url).ok().and_then(|it| {
        let address = it.query_pairs().find(|it| it.0 == "redirect_uri")?.1.into_owned();
        Url::parse(&address).ok()
    });
    let is_wrong = exchange.label.starts_with("wrong.");
    match (leads_to(exchange), asked) {
        (Some(to), Some(asked)) => is_wrong && is_same(&to, &asked) && has_query(&to, &asked),
        _ => false,
    }
}

/// Where only the query was bent, it has to come back with it.
fn has_query(to: &Url, asked: &Url) -> bool {
    asked.query_pairs().all(|it| to.query_pairs().any(|other| other == it))
}

/// A page says no, or the registered address is told.
fn refused(exchange: &Exchange) -> bool {
    matches!(seen(exchange), Seen::Page(_) | Seen::Told(..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Sample, judged, judges, sample};
    use countersign_model::check::Verdict::{Fail, Inconclusive, Pass};

    #[test]
    fn an_address_is_bent_in_every_known_way() {
        let all = bent("https://app.acme.example/oauth/callback");
        let lines: Vec<String> = all.iter().map(|it| format!("{}: {}", it.0, it.1)).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        more-path: https://app.acme.example/oauth/callback/more
        up-and-away: https://app.acme.example/oauth/callback/..%2f..%2fmore
        added-query: https://app.acme.example/oauth/callback?next=https%3A%2F%2Fattacker.invalid
        host-below: https://more.app.acme.example/oauth/callback
        host-behind: https://app.acme.example.attacker.invalid/oauth/callback
        name-before-at: https://app.acme.example@attacker.invalid/oauth/callback
        other-port: https://app.acme.example:8443/oauth/callback
        plain-http: http://app.acme.example/oauth/callback
        look-alike: https://xn--pp-6kc.acme.example/oauth/callback
        ");
        assert!(bent("no address").is_empty());
        let other = bent("https://a.example:8443/back?x=1");
        assert!(other.iter().any(|it| it.1 == "https://a.example:9443/back?x=1"));
        assert!(other.iter().any(|it| it.1.contains("?x=1&next=")));
    }

    const CODE: &str = "https://app.acme.example/back?code=[secret 01]";

    fn seen(wrong: impl Fn(Sample) -> Sample) -> Sample {
        let begun = sample().setting("wrong", vec!["more-path"]).redirected("control", 302, CODE);
        wrong(begun).redirected("closing", 302, CODE)
    }

    fn to(address: &str, location: &str) -> Sample {
        let address: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
        let asked = format!("https://id.example.com/authorize?redirect_uri={address}");
        seen(|it| it.redirected_from("wrong.more-path", &asked, location))
    }

    #[test]
    fn nothing_goes_to_a_bent_address() {
        let bent = "https://app.acme.example/back/more";
        let back = "https://app.acme.example/back";
        let query = "https://app.acme.example/back?next=x";
        let table = [
            ("a page", seen(|it| it.answered("wrong.more-path", 400, "no")), Pass),
            ("a page with 200", seen(|it| it.answered("wrong.more-path", 200, "no")), Pass),
            ("the right one is told", to(bent, &format!("{back}?error=invalid_request")), Pass),
            ("a code", to(bent, &format!("{bent}?code=[secret 01]")), Fail),
            ("a code to the right one", to(bent, &format!("{back}?code=[secret 01]")), Fail),
            ("an error", to(bent, &format!("{bent}?error=invalid_request")), Fail),
            ("bare", to(bent, bent), Fail),
            ("an error with the query", to(query, &format!("{query}&error=no")), Fail),
            ("an error without it", to(query, &format!("{back}?error=no")), Pass),
            ("broken", seen(|it| it.answered("wrong.more-path", 500, "")), Inconclusive),
            ("nothing seen", sample(), Inconclusive),
        ];
        judges(&CHECK, &table);
        let judgement = judged(&CHECK, &table[3].1);
        insta::assert_snapshot!(judgement.sentence, @"an address that nobody registered is accepted");
    }
}
