//! Waiting for a condition, with an end.

use std::time::Duration;

/// The pause after the first try; it grows up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// Tries until there is an answer or the time is over.
pub(crate) async fn until<T>(
    limit: Duration,
    mut attempt: impl AsyncFnMut() -> Option<T>,
) -> Option<T> {
    let trying = async {
        let mut pause = PAUSES.0;
        loop {
            if let Some(it) = attempt().await {
                return it;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    };
    tokio::time::timeout(limit, trying).await.ok()
}
