//! The connector to the sandbox platform.
