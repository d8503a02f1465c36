//! Secrets that the server holds under a name. They are never written down.

use std::collections::BTreeMap;
use std::fmt;

/// Secrets by name, as `auth_ref` names them.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// These secrets; white space around them is none of them.
    pub fn new(secrets: impl IntoIterator<Item = (String, String)>) -> Self {
        let trimmed = secrets.into_iter().map(|(name, it)| (name, it.trim().to_owned()));
        Self(trimmed.filter(|(_, it)| !it.is_empty()).collect())
    }

    /// The secret of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All of them, for the redaction.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.keys()).finish()
    }
}
