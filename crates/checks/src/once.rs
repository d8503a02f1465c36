//! What is done once in a run: whoever needs it first does it, the others see the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_model::check::Entry;
use tokio::sync::OnceCell;

/// What was done once, by name, and what was seen of it.
#[derive(Debug, Default)]
pub struct Once(Mutex<BTreeMap<String, Arc<OnceCell<Vec<Entry>>>>>);

impl Once {
    /// What was seen of this. The first who asks does it, the others wait for it; when the first is
    /// cut short, the next one does it anew.
    pub async fn once<F>(&self, name: &str, doing: impl FnOnce() -> F) -> Vec<Entry>
    where
        F: Future<Output = Vec<Entry>>,
    {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(name.to_owned()).or_default())
        };
        cell.get_or_init(doing).await.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn two_who_ask_at_once_see_the_same() {
        let (all, count) = (Once::default(), AtomicU32::new(0));
        let doing = || async {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Vec::new()
        };
        tokio::join!(all.once("a", doing), all.once("a", doing));
        all.once("b", doing).await;
        assert_eq!(count.load(Ordering::SeqCst), 2, "one for each name");
    }
}
