//! Requests of our own, made like ordinary ones, and looked for in the platform's log.
//!
//! The log cannot tell them apart: they carry the scopes, actors and orders of real requests and no mark.

use std::collections::BTreeMap;

use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::Environment;
use countersign_model::time::{Period, Timestamp};
use serde_json::{Value, json};

use super::join::records;
use super::observe::{Line, Observed, parsed};
use super::record::{Record, Told};
use crate::granted::token_clients;
use crate::platform::{ClientCopy, Platform, TokenRequest};
use crate::probe::token::Use;
use crate::talk::Talk;

/// How many requests are made as each client: none missed of 300 is a recall of more than 99 % at 95 % confidence.
const REQUESTS: (u64, u64) = (300, 30);
/// Every so many of them the token is used as well.
const USED_EVERY: u64 = 3;
/// How many real requests they are modelled on.
const MODELS_MAX: usize = 50;
/// How many clients are tried.
const CLIENTS_MAX: usize = 5;
/// How long the log may take to show them.
const WAIT: Period = Period::from_seconds(3);
const AGAIN_AFTER: Period = Period::from_millis(100);

/// Makes requests as a copy of each client and counts how many the log shows.
pub(super) async fn seed(
    talk: &mut Talk,
    platform: &dyn Platform,
    manifest: &Manifest,
    observed: &Observed,
) {
    let count = match manifest.environment {
        Environment::Production => REQUESTS.0,
        Environment::Sandbox => REQUESTS.1,
    };
    // A platform may count them with the partner's own: at most a quarter of what it may ask for.
    let rate = manifest.declared_use.as_ref().and_then(|it| it.max_per_hour).map(u64::from);
    let count = rate.map_or(count, |it| count.min(it / 4).max(1));
    for (_, identity) in token_clients(manifest).take(CLIENTS_MAX) {
        let begin = talk.now() - Period::from_seconds(60);
        let models = models(&observed.tokens, identity.client_id());
        let Some(name) = talk.fresh_name("u-") else { return };
        let Some(copy) = talk.copy_client(platform, identity.client_id()).await else { return };
        let call = Use::declared(identity, &name);
        let sent = send(platform, &copy, (&models, call.as_ref()), count).await;
        let seen = until_seen(talk, platform, &copy, (begin, sent)).await;
        let fact = match seen {
            Ok((tokens, uses)) => json!({
                "sent": sent.tokens, "logged": tokens, "uses": sent.uses, "uses_logged": uses,
                "refused": count - sent.tokens, "modelled_on": models.len(),
            }),
            Err(error) => json!({ "error": error }),
        };
        talk.fact("canary", "platform", fact);
    }
}

/// How much went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sent {
    tokens: u64,
    uses: u64,
}

/// What ordinary requests of this client look like.
fn models(tokens: &[Line], client: &str) -> Vec<TokenRequest> {
    let own = records(tokens).filter(|it| {
        it.granted && it.told() == Told::Request && it.client_id.as_deref() == Some(client)
    });
    let mut models: Vec<TokenRequest> = own.filter_map(model).collect();
    models.drain(..models.len().saturating_sub(MODELS_MAX));
    if models.is_empty() {
        models.push(TokenRequest::default());
    }
    models
}

fn model(record: &Record<'_>) -> Option<TokenRequest> {
    // Whoever refreshes presents something that a copy does not have.
    let is_plain = record.grant.as_deref().is_none_or(|it| it == "client_credentials");
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for name in ["order_id", "purpose"] {
        fields.extend(record.fields.get(name).map(|it| (name.to_owned(), it.to_owned())));
    }
    fields.extend(record.actor.as_ref().map(|it| ("actor".to_owned(), it.to_string())));
    fields.extend(record.sequence.map(|it| ("seq".to_owned(), it.to_string())));
    let scope = (!record.scopes.is_empty()).then(|| record.scopes.join(" "));
    is_plain.then(|| TokenRequest { scope, fields, ..TokenRequest::default() })
}

async fn send(
    platform: &dyn Platform,
    copy: &ClientCopy,
    (models, call): (&[TokenRequest], Option<&Use>),
    count: u64,
) -> Sent {
    let mut sent = Sent::default();
    let mut left = (0..count).zip(models.iter().cycle());
    let mut failed = 0;
    for (number, model) in &mut left {
        let mut request = model.clone();
        if request.fields.contains_key("seq") {
            request.fields.insert("seq".to_owned(), (number + 1).to_string());
        }
        let answer = platform.request_token(copy, &request).await;
        let Some(token) = answer.ok().and_then(|it| it.access_token) else {
            failed += 1;
            if 3 <= failed {
                break;
            }
            continue;
        };
        sent.tokens += 1;
        if let Some(call) = call.filter(|_| number % USED_EVERY == 0) {
            let used = platform.use_token(&token, &call.method, &call.path, None).await;
            sent.uses += u64::from(used.is_ok_and(|it| it.is_admitted()));
        }
    }
    sent
}

async fn until_seen(
    talk: &mut Talk,
    platform: &dyn Platform,
    copy: &ClientCopy,
    (begin, sent): (Timestamp, Sent),
) -> Result<(u64, u64), String> {
    let start = talk.stopwatch_ms();
    loop {
        let error = |it: crate::platform::PlatformError| format!("{it}: {}", it.source);
        let client = copy.client_id.as_str();
        let tokens = platform.token_log(client, begin).await.map_err(error)?;
        let access = platform.access_log(client, begin).await.map_err(error)?;
        let seen = (granted(&tokens), granted(&access));
        let spent = talk.stopwatch_ms().saturating_sub(start);
        if (sent.tokens <= seen.0 && sent.uses <= seen.1) || WAIT.millis() <= spent {
            return Ok(seen);
        }
        talk.pause("canary", AGAIN_AFTER).await;
    }
}

fn granted(log: &[u8]) -> u64 {
    let lines = parsed(log);
    u64::try_from(records(&lines).filter(|it| it.granted).count()).unwrap_or(u64::MAX)
}

/// Counts of all canaries together: made, shown by the log. None where none could be made.
pub(super) fn total<'a>(facts: impl Iterator<Item = &'a Value>) -> Option<(u64, u64)> {
    let number = |it: &Value, name: &str| it.get(name).and_then(Value::as_u64);
    let mut sum = (0, 0);
    for fact in facts {
        let (sent, uses) = (number(fact, "sent")?, number(fact, "uses")?);
        sum.0 += sent + uses;
        sum.1 += number(fact, "logged")?.min(sent) + number(fact, "uses_logged")?.min(uses);
    }
    (0 < sum.0).then_some(sum)
}

/// What a count without a miss says about all others: `> 99.0 % at 95 %`.
pub fn confidence(found: u64, all: u64) -> String {
    if found < all || all == 0 {
        return String::new();
    }
    #[expect(clippy::cast_precision_loss, reason = "a bound for people, with one decimal")]
    let recall = 100.0 * 0.05_f64.powf(1.0 / all as f64);
    // Rounded down: it is a lower bound.
    format!(", a recall of more than {:.1} % at 95 % confidence", (recall * 10.0).floor() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_missed_of_many_says_so_much() {
        assert_eq!(confidence(300, 300), ", a recall of more than 99.0 % at 95 % confidence");
        assert_eq!(confidence(40, 40), ", a recall of more than 92.7 % at 95 % confidence");
        assert_eq!((confidence(39, 40), confidence(0, 0)), (String::new(), String::new()));
    }

    #[test]
    fn canaries_look_like_ordinary_requests() {
        let text = r#"{"client_id":"a","grant":"client_credentials","actor":"nw-1","order_id":"o-1","scope":"x","seq":4}
{"client_id":"a","grant":"refresh_token","actor":"nw-1"}
{"client_id":"b","grant":"client_credentials","actor":"else"}"#;
        let models = models(&parsed(text.as_bytes()), "a");
        let fields: Vec<(&str, &str)> =
            models[0].fields.iter().map(|(name, it)| (name.as_str(), it.as_str())).collect();
        assert_eq!(fields, [("actor", "nw-1"), ("order_id", "o-1"), ("seq", "4")]);
        assert_eq!((models.len(), models[0].scope.as_deref()), (1, Some("x")));
        assert_eq!(super::models(&[], "a").len(), 1);
    }

    #[test]
    fn a_canary_that_was_not_made_counts_for_nothing() {
        let made = json!({"sent": 30, "logged": 29, "uses": 10, "uses_logged": 10});
        assert_eq!(total([&made].into_iter()), Some((40, 39)));
        assert_eq!(total([&made, &json!({"error": "x"})].into_iter()), None);
        assert_eq!(total(std::iter::empty()), None);
    }
}
