//! One rotation per run: whoever needs it first does it, the others see the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_model::check::Entry;
use tokio::sync::OnceCell;

/// The rotations of one run, by identity.
#[derive(Debug, Default)]
pub struct Rotations(Mutex<BTreeMap<String, Arc<OnceCell<Vec<Entry>>>>>);

impl Rotations {
    /// What was seen of this identity's rotation. The first who asks does it, the others wait for it;
    /// when the first is cut short, the next one does it anew.
    pub async fn once<F>(&self, identity: &str, rotate: impl FnOnce() -> F) -> Vec<Entry>
    where
        F: Future<Output = Vec<Entry>>,
    {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(identity.to_owned()).or_default())
        };
        cell.get_or_init(rotate).await.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn two_who_ask_at_once_see_one_rotation() {
        let (rotations, count) = (Rotations::default(), AtomicU32::new(0));
        let rotate = || async {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Vec::new()
        };
        tokio::join!(rotations.once("a", rotate), rotations.once("a", rotate));
        rotations.once("b", rotate).await;
        assert_eq!(count.load(Ordering::SeqCst), 2, "one for each identity");
    }
}
