//! Looks below HTTP, written down: what was offered, how it ended, and what certificates were shown.

use countersign_model::check::transcript::{Body, Request};
use countersign_model::check::{Entry, Exchange};
use serde_json::{Value, json};

use super::Talk;
use crate::live::ask::Received;
use crate::live::client::Located;
use crate::live::handshake::Offer;
use crate::live::heard::Heard;
use crate::live::hello::Hello;

/// Where facts about a host come from.
const SOURCE: &str = "host";

impl Talk {
    /// Where this host of the manifest is; why it may not be looked at is written down.
    pub async fn locate(&mut self, label: &str, host: &str, port: u16) -> Option<Located> {
        let Some(means) = self.means() else {
            self.fact(label, SOURCE, json!({ "error": "there is nobody to talk to" }));
            return None;
        };
        match means.client.locate(host, port, self.now()).await {
            Ok(it) => Some(it),
            Err(heard) => {
                self.fact(label, SOURCE, json!({ "error": heard.words() }));
                None
            }
        }
    }

    /// Greets a host, and writes down how it answered.
    pub async fn hello(&mut self, label: &str, located: &Located, hello: &Hello) -> Option<Heard> {
        let means = self.means()?;
        let heard = means.client.hello(located, hello, self.now()).await;
        let value = json!({ "offered": hello.offers, "heard": told(&heard) });
        self.fact(label, SOURCE, value);
        Some(heard)
    }

    /// Does a whole handshake with a host, and writes down how it ended and what was shown.
    pub async fn handshake(
        &mut self,
        label: &str,
        located: &Located,
        offer: Offer,
    ) -> Option<Heard> {
        let means = self.means()?;
        let (heard, shown) = means.client.handshake(located, offer, self.now()).await;
        let mut value = json!({ "offered": offer.words(), "heard": told(&heard) });
        if let Some(shown) = shown {
            value["shown"] = serde_json::to_value(shown).unwrap_or_default();
        }
        self.fact(label, SOURCE, value);
        Some(heard)
    }

    /// Asks for a path on port 80, without TLS, and writes down both sides.
    pub async fn plain(&mut self, label: &str, host: &str, path: &str) -> Received {
        let (at, start) = (self.now(), self.stopwatch_ms());
        let received = match self.means() {
            Some(means) => means.client.plain(host, path, at).await,
            None => Received::nobody(),
        };
        let request = Request {
            method: "GET".to_owned(),
            url: self.redactor.text(&format!("http://{host}{path}")),
            headers: Vec::new(),
            body: Body::default(),
        };
        let elapsed_ms = self.stopwatch_ms().saturating_sub(start);
        let answer = self.answer(&received);
        let exchange = Exchange { label: label.to_owned(), at, elapsed_ms, request, answer };
        self.write(Entry::Exchange(exchange));
        received
    }
}

fn told(heard: &Heard) -> Value {
    serde_json::to_value(heard).unwrap_or_default()
}
