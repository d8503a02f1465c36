//! Step 6, enforce: the certificate compiles to a grant; a gate admits or denies each call.

pub mod call;
pub mod grant;
pub mod hold;
pub mod reason;
pub mod snapshot;

pub use call::Call;
pub use grant::Grant;
pub use hold::Hold;
pub use reason::Reason;
