//! A partner tries what its changed manifest asks for.

use std::time::Duration;

use countersign_model::enforce::snapshot::Lane;
use serde_json::json;

use crate::manifests::{ADDED_EVENT, added_scope};
use crate::{Kind, StartError, World};

/// How long an event may take to be tried.
const TRIED_WITHIN: Duration = Duration::from_secs(5);
/// How often that is looked up.
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl World {
    /// Uses the one thing that the changed manifest asks for beside the certified ones: a token with
    /// the scope, or an event of the type. None where it went through, else why it did not.
    pub async fn ask_for_more(&self, kind: Kind, lane: Lane) -> Result<Option<String>, StartError> {
        match added_scope(kind) {
            Some((scope, _)) => {
                Ok(self.partner(kind).attempt(lane, scope, "client_credentials").await.err())
            }
            None => self.event_of_more(kind, lane).await,
        }
    }

    async fn event_of_more(&self, kind: Kind, lane: Lane) -> Result<Option<String>, StartError> {
        let platform = self.tenant(lane);
        let data = json!({ "group": { "id": "g-1" }, "event": { "type": ADDED_EVENT } });
        let id = platform.emit(ADDED_EVENT, &data)?;
        let tried = async {
            loop {
                if let Some(it) = platform.delivery(kind.slug(), &id) {
                    return it.result;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let result = tokio::time::timeout(TRIED_WITHIN, tried).await;
        let result = result.unwrap_or_else(|_| "never-tried".to_owned());
        Ok((result != "delivered").then_some(result))
    }
}
