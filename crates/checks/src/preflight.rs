//! Can this be judged at all? It asks before anything else runs, and judges nobody.

use std::sync::Arc;

use countersign_model::check::transcript::FailureKind;
use countersign_model::time::{Period, Timestamp};
use countersign_seal::jwk;
use serde::{Deserialize, Serialize};

use crate::live::ask::{Ask, Received};
use crate::talk::Means;

/// How far the partner's clock may be off, with a second for the header's own grain.
const SKEW_MAX: Period = Period::from_seconds(3);

/// What was asked, and what stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Preflight {
    /// How many questions were asked.
    pub questions: u32,
    /// What stands in the way; then nothing else runs.
    pub problems: Vec<Problem>,
    /// What keeps some checks from concluding anything; the others run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Problem>,
}

/// One thing that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What was asked: `is the key set there?`.
    pub question: String,
    /// What is the matter, in one sentence.
    pub sentence: String,
    /// What was seen.
    pub observed: String,
    /// What to do.
    pub fix: String,
    /// The place in the manifest to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Preflight {
    /// Whether the checks may run.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }

    fn ask(&mut self, question: &str, place: &str, problem: Option<(String, String, &str)>) {
        self.questions += 1;
        if let Some((sentence, observed, fix)) = problem {
            self.problems.push(Problem {
                question: question.to_owned(),
                sentence,
                observed,
                fix: fix.to_owned(),
                place: (!place.is_empty()).then(|| place.to_owned()),
            });
        }
    }
}

/// Asks everything that the checks rely on.
pub async fn preflight(means: &Arc<Means>) -> Preflight {
    let mut all = Preflight::default();
    platforms(means, &mut all).await;
    keys(means, &mut all).await;
    effects(means, &mut all).await;
    events(means, &mut all).await;
    secrets(means, &mut all);
    proofs(means, &mut all).await;
    all
}

async fn platforms(means: &Means, all: &mut Preflight) {
    for (name, platform) in [("test", &means.platform), ("production", &means.production)] {
        let Some(platform) = platform else { continue };
        let problem = platform.granted(&means.manifest).await.err().map(|it| {
            (
                format!("the {name} platform cannot be asked"),
                format!("{it}: {}", it.source),
                "Start the platform, or correct its address and tokens in the server's settings.",
            )
        });
        all.ask("does the platform answer?", "", problem);
    }
}

async fn keys(means: &Means, all: &mut Preflight) {
    for (index, identity) in means.manifest.identities.iter().enumerate() {
        let Some(url) = &identity.jwks else { continue };
        let place = format!("identity[{index}].jwks");
        let (answer, at) = send(means, Ask::get(url.as_str())).await;
        let keys = answer.is_success().then(|| jwk::parse_set(&answer.body));
        let problem = match keys {
            Some(Ok(keys)) if !keys.is_empty() => None,
            Some(_) => Some((
                format!("the key set at {url} holds no key that can be read"),
                answer.words(),
                "Publish a JSON Web Key Set (RFC 7517) with the key in use.",
            )),
            None => Some((
                format!("the key set at {url} cannot be read"),
                answer.words(),
                fix_of(&answer),
            )),
        };
        let is_there = problem.is_none();
        all.ask("is the key set there?", &place, problem);
        if is_there {
            all.ask("is the clock right?", &place, skew(&answer, at));
        }
    }
}

async fn effects(means: &Means, all: &mut Preflight) {
    let Some(effects) = &means.manifest.effects else { return };
    let secret = means.secrets.get(&effects.auth_ref);
    if secret.is_none() {
        let sentence = format!("the server holds no secret named `{}`", effects.auth_ref);
        let fix = "Give the server this secret, or correct the name.";
        let problem = (sentence, "no such secret".to_owned(), fix);
        all.ask("is there a secret for the effects?", "effects.auth_ref", Some(problem));
        return;
    }
    let (answer, at) =
        send(means, crate::probe::effects::question(effects, secret, now(means))).await;
    let problem = match answer.status {
        200..300 => crate::probe::effects::read(effects.kind, &answer).err().map(|it| {
            (
                "the effects cannot be read".to_owned(),
                it,
                "Answer JSON lines {time, id, effect}, or an object with a version.",
            )
        }),
        401 | 403 => Some((
            "the effects refuse our secret".to_owned(),
            answer.words(),
            "Let the partner accept the secret that the server holds under this name.",
        )),
        _ => Some(("the effects cannot be read".to_owned(), answer.words(), fix_of(&answer))),
    };
    let is_there = problem.is_none();
    all.ask("do the effects answer?", "effects.url", problem);
    if is_there {
        all.ask("is the clock right?", "effects.url", skew(&answer, at));
    }
}

/// Any answer will do: an endpoint for events owes a `GET` nothing.
async fn events(means: &Means, all: &mut Preflight) {
    for (index, event) in means.manifest.events.iter().enumerate() {
        let (answer, _) = send(means, Ask::get(event.endpoint.as_str())).await;
        let problem = answer.failure.is_some().then(|| {
            (
                format!("the endpoint {} cannot be reached", event.endpoint),
                answer.words(),
                fix_of(&answer),
            )
        });
        all.ask("does the endpoint answer?", &format!("event[{index}].endpoint"), problem);
    }
}

/// Secrets that drills need, beside the one for the effects.
fn secrets(means: &Means, all: &mut Preflight) {
    let name = crate::drill::rotation::secret_name(&means.manifest);
    for (index, identity) in means.manifest.identities.iter().enumerate() {
        if identity.rotation.is_none() && identity.offboarding.is_none() {
            continue;
        }
        let problem =
            crate::drill::rotation::secret(&means.manifest, &means.secrets).is_none().then(|| {
                (
                    format!("the server holds no secret named `{name}`"),
                    "no such secret".to_owned(),
                    "Give the server the token with which the partner lets it rotate and offboard.",
                )
            });
        all.ask("is there a secret for the drills?", &format!("identity[{index}]"), problem);
    }
}

/// Which hosts get no hostile request, since nobody has proved that the partner controls them.
async fn proofs(means: &Means, all: &mut Preflight) {
    let (questions, unproved) = means.client.prove(now(means)).await;
    all.questions = all.questions.saturating_add(questions);
    all.notices.extend(unproved.into_iter().map(|it| Problem {
        question: "does the partner control the host?".to_owned(),
        sentence: format!(
            "control of `{}` is not proved, so nothing hostile is sent there",
            it.challenge.host
        ),
        observed: format!("{}: {}", it.challenge.place, it.observed),
        fix: format!("To prove it until {}, {}.", it.challenge.until, it.challenge),
        place: Some("rules_of_engagement.proof".to_owned()),
    }));
}

async fn send(means: &Means, ask: Ask) -> (Received, Timestamp) {
    let answer = means.client.send(ask, now(means)).await;
    (answer, now(means))
}

fn now(means: &Means) -> Timestamp {
    means.clock.now()
}

/// What is wrong with the clock of an answer.
pub(crate) fn skew(answer: &Received, at: Timestamp) -> Option<(String, String, &'static str)> {
    let date = answer.headers.iter().find(|(name, _)| name == "date")?;
    let theirs = jiff::fmt::rfc2822::parse(&date.1).ok()?.timestamp();
    let theirs = Timestamp::from_millis(theirs.as_millisecond());
    let off = at.since(theirs).max(theirs.since(at));
    (SKEW_MAX < off).then(|| {
        (
            format!("the clocks are {off} apart"),
            format!("{} there, {at} here", date.1),
            "Set both clocks by NTP: signatures and tokens depend on them.",
        )
    })
}

fn fix_of(answer: &Received) -> &'static str {
    match answer.failure.as_ref().map(|it| it.0) {
        Some(FailureKind::AddressRefused) => {
            "Name a public host of the partner; addresses for tests belong into the server's settings."
        }
        Some(FailureKind::Resolve) => "Publish the name, or correct it.",
        Some(FailureKind::Tls) => {
            "Serve a certificate for this name that a public authority signed."
        }
        Some(FailureKind::Timeout | FailureKind::Connect | FailureKind::Closed) => {
            "Start the service, and let it answer within 5 seconds."
        }
        Some(_) => "Answer HTTP/1.1 with a body of at most 1 MiB.",
        None => "Let this address answer 200.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_stands_in_the_way() {
        let at: Timestamp = "2026-11-24T03:00:10Z".parse().unwrap();
        let with = |date: &str| Received {
            status: 200,
            headers: vec![("date".to_owned(), date.to_owned())],
            body: Vec::new(),
            failure: None,
            took_ms: 0,
        };
        for (date, is_off) in [
            ("Tue, 24 Nov 2026 03:00:10 GMT", false),
            ("Tue, 24 Nov 2026 03:00:08 GMT", false),
            ("Tue, 24 Nov 2026 03:00:06 GMT", true),
            ("Tue, 24 Nov 2026 03:00:14 GMT", true),
            ("rubbish", false),
        ] {
            assert_eq!(skew(&with(date), at).is_some(), is_off, "{date}");
        }
    }
}
