//! What the tests share.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::sandbox::SandboxPlatform;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::enforce::{Call, Reason};
use countersign_sandbox::World;

/// How long a test waits for something that is about to happen.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A gate that somebody holds open or shut.
#[derive(Debug, Clone, Default)]
pub(crate) struct Door(Arc<AtomicBool>);

impl Door {
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn shut(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// A world with an open door in front of its test tenant.
pub(crate) fn world() -> (World, Door) {
    let world = World::start().unwrap();
    let door = Door::default();
    door.open();
    let is_open = Arc::clone(&door.0);
    let gate = move |_: &Call| {
        if is_open.load(Ordering::SeqCst) { Reason::Admitted } else { Reason::Suspended }
    };
    world.put_gate(Lane::Trial, Arc::new(gate));
    (world, door)
}

/// A connector to the test tenant.
pub(crate) fn connector(world: &World) -> Arc<SandboxPlatform> {
    world.connector(Lane::Trial, Arc::new(SystemClock::start())).unwrap()
}

/// Asks again and again until the answer is there, or gives up.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let asking = async {
        loop {
            if let Some(it) = ask().await {
                return it;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, asking).await.unwrap_or_else(|_| panic!("{what}: not in time"))
}
