//! The gate, as the sandbox asks it.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use countersign_gate::Gate;
use countersign_model::enforce::{Call, Reason};

use crate::clock;

/// Whoever decides about a call.
pub trait Ask: Send + Sync {
    /// Why it may proceed ([`Reason::Admitted`]), or why not.
    fn ask(&self, call: &Call) -> Reason;
}

impl Ask for Gate {
    fn ask(&self, call: &Call) -> Reason {
        self.decide(call, clock::steady(), clock::now()).reason
    }
}

impl<F: Fn(&Call) -> Reason + Send + Sync> Ask for F {
    fn ask(&self, call: &Call) -> Reason {
        self(call)
    }
}

/// The place of a gate, where one can be put in later. Until then nobody is admitted.
#[derive(Clone)]
pub(crate) struct GateSlot(Arc<RwLock<Arc<dyn Ask>>>);

impl GateSlot {
    pub(crate) fn shut() -> Self {
        Self(Arc::new(RwLock::new(Arc::new(|_: &Call| Reason::Uncertified))))
    }

    pub(crate) fn put(&self, gate: Arc<dyn Ask>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = gate;
    }

    pub(crate) fn ask(&self, call: &Call) -> Reason {
        let gate = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        gate.ask(call)
    }
}

impl fmt::Debug for GateSlot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("GateSlot(..)")
    }
}
