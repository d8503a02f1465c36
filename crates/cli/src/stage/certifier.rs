//! The partners' certifier: the stage's server, asked as its partner asks.

use std::time::Duration;

use countersign_sandbox::Certifier;
use serde_json::Value;

use super::{Stage, StageError};

/// How long the server may take to say what is to be published.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Asks the stage's server, with the token of the partner's engineer.
pub(super) struct Server {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Server {
    /// The server of this stage.
    pub(super) fn of(stage: &Stage) -> Result<Self, StageError> {
        let builder = reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX);
        Ok(Self {
            http: builder.build().map_err(StageError::Client)?,
            base: stage.server(),
            token: stage.person("pat")?.token.clone(),
        })
    }
}

#[async_trait::async_trait]
impl Certifier for Server {
    async fn proof(&self, integration: &str) -> Option<String> {
        let address = format!("{}/v1/integrations/{integration}/proof", self.base);
        let answer = self.http.get(address).bearer_auth(&self.token).send().await.ok()?;
        let answer: Value = answer.error_for_status().ok()?.json().await.ok()?;
        let lines = answer["challenges"].as_array()?.iter().filter_map(|it| it["text"].as_str());
        Some(lines.collect::<Vec<_>>().join("\n"))
    }
}
