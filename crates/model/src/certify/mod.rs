//! Step 5, certify: a certificate is signed, logged and published with a status that can change.

pub mod baseline;
pub mod certificate;

pub use baseline::{Baseline, Granted};
pub use certificate::Claims;
