//! What the platform makes of webhooks that come in: each is verified by the scheme that it was
//! registered with, and what a scheme cannot say is written down as such.

use std::fmt::Write as _;

use countersign_checks::platform::{Platform as _, Presence, ReceivedCall};
use countersign_model::check::Verdict;
use countersign_model::declare::manifest::WebhookScheme;
use countersign_model::declare::words::Slug;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::time::Timestamp;
use countersign_sandbox::manifests::manifest;
use countersign_sandbox::registration::{CallerKey, WebhookRegistration};
use countersign_sandbox::{Kind, World};
use countersign_seal::SigningKey;
use countersign_seal::scheme::standard_webhooks::public_key_text;
use countersign_seal::scheme::{Draft, Facts, Place, SCHEMES, Scheme, Sealed, Signer};
use serde_json::{Value, json};

use crate::helper::{all_are, checked, connector, verdicts, world};

const TOLERANCE_SECONDS: i64 = 300;

fn meridian() -> Slug {
    "meridian-suite".parse().unwrap()
}

fn now_seconds() -> i64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// A partner's side of one webhook, with keys of its own.
struct Sender<'a> {
    world: &'a World,
    id: String,
    scheme: &'static dyn Scheme,
    key: Signer,
    url: String,
}

/// One message about to be sent.
struct Message<'m> {
    id: &'m str,
    about: &'m str,
    time_seconds: i64,
}

impl Sender<'_> {
    fn body(&self, message: &Message<'_>) -> Vec<u8> {
        let mut body = json!({ "type": "ticket.updated", "ticket": message.about });
        self.scheme.put_id(&mut body, message.id);
        body.to_string().into_bytes()
    }

    fn draft<'d>(&'d self, message: &'d Message<'_>, body: &'d [u8]) -> Draft<'d> {
        let time_seconds = message.time_seconds;
        Draft { method: "POST", url: &self.url, id: message.id, time_seconds, body }
    }

    fn sealed(&self, message: &Message<'_>, key: &Signer) -> Sealed {
        let body = self.body(message);
        self.scheme.sign(&self.draft(message, &body), &[key]).unwrap()
    }

    fn unsigned(&self, message: &Message<'_>) -> Sealed {
        let body = self.body(message);
        self.scheme.wrap(&self.draft(message, &body), &[])
    }

    /// The signature of one message on another one.
    fn tampered(&self, signed: &Message<'_>, sent: &Message<'_>) -> Sealed {
        let (first, second) = (self.body(signed), self.body(sent));
        let entry = self.scheme.entry(&self.draft(signed, &first), &self.key).unwrap();
        self.scheme.wrap(&self.draft(sent, &second), &[entry])
    }

    /// What the sender is answered, and what the platform wrote down.
    async fn send(&self, sealed: Sealed) -> String {
        let client = self.world.net().client(None).unwrap();
        let request = client.post(&self.url).header("content-type", self.scheme.content_type());
        let request =
            sealed.headers.iter().fold(request, |it, (name, value)| it.header(name, value));
        let answer = request.body(sealed.body).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        let word = [&body["code"], &body["status"]].into_iter().find_map(Value::as_str).unwrap();
        let since = Timestamp::from_seconds(0);
        let received = connector(self.world).received(&meridian(), since).await.unwrap();
        let last = received.last().unwrap();
        assert_eq!(last.webhook.as_deref(), Some(self.id.as_str()));
        assert_eq!(last.scheme.as_deref(), Some(self.scheme.name()));
        format!("{status} {word}, {}", told(last))
    }
}

fn told(call: &ReceivedCall) -> String {
    let open = serde_json::to_value(&call.unproven).unwrap();
    let open: Vec<&str> = open.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let open = if open.is_empty() { String::new() } else { format!(" ({})", open.join(", ")) };
    format!("{}{open}", call.result)
}

/// Registers a webhook as an administrator does.
async fn register<'a>(
    world: &'a World,
    scheme: &'static dyn Scheme,
    (name, key, known): (&str, Signer, CallerKey),
) -> Sender<'a> {
    let tenant = world.tenant(Lane::Trial);
    let id = format!("hook:{name}");
    let path = format!("/hooks/meridian-suite/{name}");
    let word: WebhookScheme = serde_json::from_value(scheme.name().into()).unwrap();
    let registration = WebhookRegistration {
        id: id.clone(),
        url: format!("https://id.example.com{path}"),
        scheme: word,
        keys: vec![known],
        tolerance_seconds: scheme.facts().time.map(|_| TOLERANCE_SECONDS),
    };
    let put = format!("{}/admin/webhooks/meridian-suite/{id}", tenant.url());
    let client = world.net().client(None).unwrap();
    let request = client.put(put).bearer_auth(tenant.killer_token()).json(&registration);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 204);
    Sender { world, id, scheme, key, url: format!("{}{path}", tenant.url()) }
}

fn signers(scheme: &dyn Scheme, facts: &Facts, byte: u8) -> Vec<(&'static str, Signer, CallerKey)> {
    let private = facts.private.then(|| {
        let key = SigningKey::from_seed([byte; 32]);
        let public = public_key_text(&key.public());
        ("ed25519", Signer::Private(key), CallerKey::Public(public))
    });
    let shared = facts.shared.then(|| {
        let text = scheme.write_secret(&[byte; 32]).to_string();
        let secret = scheme.secret(&text).unwrap();
        ("hmac-sha256", Signer::Shared(secret), CallerKey::Secret(text))
    });
    private.into_iter().chain(shared).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_webhook_is_verified_by_the_scheme_that_it_was_registered_with() {
    let (world, _door) = world();
    let mut lines = String::new();
    for scheme in SCHEMES {
        let facts = scheme.facts();
        let others = signers(scheme, facts, 9).into_iter().map(|it| it.1);
        for ((kind, key, known), other) in signers(scheme, facts, 8).into_iter().zip(others) {
            let name = format!("{}-{kind}", scheme.name());
            let sender = register(&world, scheme, (&name, key, known)).await;
            let now = now_seconds();
            let message = |id, about| Message { id, about, time_seconds: now };
            let right = || sender.sealed(&message("msg_1", "a"), &sender.key);
            let at = |id, seconds: i64| {
                let message = Message { time_seconds: now + seconds, ..message(id, id) };
                sender.sealed(&message, &sender.key)
            };
            let anew = Message { time_seconds: now - 1, ..message("msg_1", "a") };
            let renamed = match facts.id {
                // Whoever changes the body changes another case.
                Place::Body(_) => None,
                Place::Header(header) => {
                    let mut it = right();
                    it.set(header, Some("msg_8"));
                    Some(it)
                }
            };
            let mut broken = right();
            broken.body.push(b'.');
            let same = message("msg_1", "b");
            let mut table = vec![
                ("right", right()),
                ("the same again", right()),
                ("the same, signed a second before", sender.sealed(&anew, &sender.key)),
                ("its id with another body", sender.sealed(&same, &sender.key)),
                ("another body", sender.tampered(&message("msg_2", "a"), &message("msg_2", "b"))),
                ("a byte more", broken),
                ("another key", sender.sealed(&message("msg_3", "a"), &other)),
                ("inside the window", at("msg_4", 60 - TOLERANCE_SECONDS)),
                ("older", at("msg_5", -TOLERANCE_SECONDS - 60)),
                ("of the future", at("msg_6", TOLERANCE_SECONDS + 60)),
                ("not signed", sender.unsigned(&message("msg_7", "a"))),
            ];
            table.extend(renamed.map(|it| ("the same under another id", it)));
            writeln!(lines, "{} with {kind}", scheme.name()).unwrap();
            for (case, sealed) in table {
                writeln!(lines, "    {case}: {}", sender.send(sealed).await).unwrap();
            }
        }
    }
    insta::assert_snapshot!(lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_does_not_fit_its_scheme_is_refused() {
    let (world, _door) = world();
    let tenant = world.tenant(Lane::Trial);
    let put = format!("{}/admin/webhooks/acme-helpdesk/hook:a", tenant.url());
    let table = [
        (json!({ "keys": [], "tolerance_seconds": 300 }), "no-key"),
        (
            json!({ "keys": [{ "secret": "" }], "tolerance_seconds": 300 }),
            "not-a-key-of-the-scheme",
        ),
        (json!({ "keys": [{ "secret": "plainly-fake-secret" }] }), "no-tolerance"),
        (
            json!({
                "keys": [{ "secret": "plainly-fake-secret" }], "scheme": "shopify",
                "tolerance_seconds": 300,
            }),
            "tolerance-without-a-signed-time",
        ),
    ];
    for (mut registration, code) in table {
        registration["id"] = "hook:a".into();
        registration["url"] = "https://id.example.com/hooks/acme-helpdesk/a".into();
        if registration.get("scheme").is_none() {
            registration["scheme"] = "stripe".into();
        }
        let client = world.net().client(None).unwrap();
        let request = client.put(&put).bearer_auth(tenant.killer_token()).json(&registration);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 422, "{code}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_calls_by_every_scheme_and_only_what_can_be_told_is_passed() {
    let (world, _door) = world();
    let work = world.partner(Kind::Meridian).business(Lane::Trial, 1).await;
    assert!(work.calls.refused.is_empty(), "{work:?}");
    let received =
        connector(&world).received(&meridian(), Timestamp::from_seconds(0)).await.unwrap();
    for webhook in manifest(Kind::Meridian).unwrap().webhooks {
        let mine = received.iter().filter(|it| it.webhook.as_deref() == Some(webhook.id.as_str()));
        let results: Vec<&str> = mine.map(|it| it.result.as_str()).collect();
        assert_eq!(results, ["verified"], "{}", webhook.id);
    }
    all_are(&checked(&world, Kind::Meridian, &["sends_signed_webhooks"]).await, Verdict::Pass);
    let fresh = checked(&world, Kind::Meridian, &["sends_fresh_webhooks"]).await;
    insta::assert_snapshot!(verdicts(&fresh), @r"
    sends_fresh_webhooks hook:ticket-events: pass
    sends_fresh_webhooks hook:standard-shared: pass
    sends_fresh_webhooks hook:stripe: pass
    sends_fresh_webhooks hook:slack: pass
    sends_fresh_webhooks hook:github: inconclusive
    sends_fresh_webhooks hook:shopify: inconclusive
    sends_fresh_webhooks hook:message: pass
    sends_fresh_webhooks hook:message-shared: pass
    sends_fresh_webhooks hook:set: pass
    ");
    let github = fresh.iter().find(|it| it.transcript.subject == "hook:github").unwrap();
    insta::assert_snapshot!(github.judgement.sentence, @"what came by the scheme `github` signs no time and signs no id: whether it was sent before cannot be told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_webhook_is_called_by_its_own_scheme() {
    let (world, _door) = world();
    let (platform, owner) = (connector(&world), meridian());
    for webhook in manifest(Kind::Meridian).unwrap().webhooks {
        let id = webhook.id.as_str();
        let copy = platform.copy_webhook(&owner, id).await.unwrap();
        let declared = serde_json::to_value(webhook.signing.scheme).unwrap();
        assert_eq!(declared, copy.scheme, "{id}");
        let call = || async { platform.call_webhook(&owner, &copy).await.unwrap() };
        assert!(call().await.is_admitted(), "{id}");
        let change = |it| platform.webhook_key(&owner, &copy.id, it);
        change(Presence::Remove).await.unwrap();
        assert!(!call().await.is_admitted(), "{id} without its key");
        change(Presence::Restore).await.unwrap();
        assert!(call().await.is_admitted(), "{id}");
        let mut other = copy.clone();
        other.scheme = if copy.scheme == "slack" { "stripe" } else { "slack" }.to_owned();
        let unfit = platform.call_webhook(&owner, &other).await;
        assert!(unfit.map_or(true, |it| !it.is_admitted()), "{id} by another scheme");
        platform.delete_webhook(&owner, &copy.id).await.unwrap();
        assert!(!call().await.is_admitted(), "{id}");
    }
    // Nothing of that was the partner's.
    let received = platform.received(&owner, Timestamp::from_seconds(0)).await.unwrap();
    let verified = received.iter().filter(|it| it.result == "verified").count();
    assert_eq!(verified, 0);
}
