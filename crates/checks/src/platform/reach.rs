//! The way to a platform with requests that a check makes by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::live::resolve::Resolver;

/// The way to a platform with requests that a check makes by itself.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The hosts that are ours.
    pub hosts: BTreeSet<String>,
    /// Where they are.
    pub resolver: Resolver,
    /// Whom to trust there.
    pub tls: Arc<ClientConfig>,
    /// What the path of an API call is put behind: `https://test.id.example.com`.
    pub api: String,
}
