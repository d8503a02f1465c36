//! What a transcript says of a host, read back.

use countersign_model::check::{Answer, Entry, Exchange, Judgement, Transcript};
use countersign_model::time::Timestamp;

use crate::live::certificate::Shown;
use crate::live::heard::Heard;

/// A look that was written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a>(pub(super) &'a Transcript);

/// One offer and how it ended.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) label: String,
    pub(super) at: Timestamp,
    pub(super) offered: String,
    pub(super) heard: Heard,
    pub(super) shown: Option<Shown>,
}

impl Told {
    /// `TLS 1.0 and older: alert protocol_version`.
    pub(super) fn words(&self) -> String {
        format!("{}: {}", self.offered, self.heard.words())
    }
}

impl<'a> Seen<'a> {
    /// Every offer whose label begins like this, in order.
    pub(super) fn offers(self, label: &'a str) -> impl Iterator<Item = Told> + 'a {
        let facts = self.0.entries.iter().filter_map(move |it| match it {
            Entry::Fact(it) if it.label.starts_with(label) => Some(it),
            _ => None,
        });
        facts.filter_map(|it| {
            let heard = serde_json::from_value(it.value.get("heard")?.clone()).ok()?;
            let shown = it.value.get("shown").map(|it| serde_json::from_value(it.clone()));
            Some(Told {
                label: it.label.clone(),
                at: it.at,
                offered: it.value.get("offered")?.as_str()?.to_owned(),
                heard,
                shown: shown.and_then(Result::ok),
            })
        })
    }

    /// The offer of exactly this label.
    pub(super) fn offer(self, label: &'a str) -> Option<Told> {
        self.offers(label).find(|it| it.label == label)
    }

    /// Every answer in HTTP whose label begins like this.
    pub(super) fn answers(self, label: &'a str) -> impl Iterator<Item = &'a Exchange> {
        self.0.entries.iter().filter_map(move |it| match it {
            Entry::Exchange(it) if it.label.starts_with(label) => Some(it),
            _ => None,
        })
    }

    /// Whether TLS 1.3 was spoken before and after.
    pub(super) fn speaks_13(self) -> bool {
        let is_done = |it: Told| matches!(it.heard, Heard::Finished(_));
        ["control", "closing"].into_iter().all(|it| self.offer(it).is_some_and(is_done))
    }

    /// Whether TLS 1.2 was spoken.
    pub(super) fn speaks_12(self) -> bool {
        self.offer("control-12").is_some_and(|it| it.heard.is_taken())
    }

    /// How `openssl s_client` reaches this host.
    pub(super) fn openssl(self, options: &str) -> String {
        let host = self.0.text("host").unwrap_or_default();
        let port = self.0.settings.get("port").and_then(serde_json::Value::as_u64).unwrap_or(443);
        format!("openssl s_client -connect {host}:{port} -servername {host} {options} </dev/null")
    }

    /// Why there was nobody to look at.
    pub(super) fn nobody(self) -> Option<Judgement> {
        let error = ["located", "chance"].iter().find_map(|label| {
            let mut facts = self.0.facts(label);
            facts.find_map(|it| it.value.get("error")?.as_str())
        })?;
        Some(Judgement::inconclusive("the host cannot be looked at").observed(error))
    }

    /// What has to hold before a refusal means anything: right requests were answered, before and after.
    pub(super) fn unproven(self) -> Option<Judgement> {
        self.serves().or_else(|| self.greets("control")).or_else(|| self.greets("closing"))
    }

    /// A right hello that was not answered.
    fn greets(self, label: &'a str) -> Option<Judgement> {
        let offers: Vec<Told> = self.offers(label).collect();
        if offers.iter().any(|it| it.heard.is_taken()) {
            return None;
        }
        let words: Vec<String> = offers.iter().map(Told::words).collect();
        let words = if words.is_empty() { "none was sent".to_owned() } else { words.join(", ") };
        let judgement = Judgement::inconclusive("a right hello is not answered").observed(words);
        Some(judgement.expected("a right hello is answered, before and after the wrong ones"))
    }

    /// A host that does not tell something from nothing, or breaks, serves nothing that could be protected.
    fn serves(self) -> Option<Judgement> {
        let expected = "an answer below 500 at a declared address, and none of success at a \
                        random one";
        let unclear = |observed: String| {
            let sentence = "the host does not serve what the manifest says";
            Some(Judgement::inconclusive(sentence).observed(observed).expected(expected))
        };
        let Some(declared) = self.answers("http.declared").next() else {
            return unclear("nothing was asked for".to_owned());
        };
        let words = |it: &Exchange| format!("{} for {}", told(&it.answer), it.request.url);
        match declared.answer.status() {
            Some(status) if status < 500 && status != 429 => {}
            _ => return unclear(words(declared)),
        }
        let nowhere: Vec<&Exchange> = self.answers("http.nowhere").collect();
        let is_told = |it: &&Exchange| it.answer.status().is_some() && !it.answer.is_success();
        match nowhere.last() {
            Some(last) if is_told(last) => None,
            Some(last) => unclear(words(last)),
            None => unclear("no random address was asked for".to_owned()),
        }
    }
}

/// The answer in words, with what is behind a failure.
pub(super) fn told(answer: &Answer) -> String {
    match answer {
        Answer::Failure { kind, detail } if !detail.is_empty() => {
            format!("{} ({detail})", kind.words())
        }
        other => other.words(),
    }
}
