//! The codes of everything that keeps a manifest or a set-up from being judged.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $means:literal;)*) => {
        /// Why nothing was judged. These are about set-up, never about the partner's security.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum PreflightCode {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl PreflightCode {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code: `PRE-003`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it means, in one sentence: the text of `explain`.
            pub fn means(self) -> &'static str {
                match self { $(Self::$name => $means,)* }
            }
        }
    };
}

codes! {
    /// The text is not TOML or JSON.
    Syntax = "PRE-001", "The file cannot be read: it is not well-formed TOML or JSON.";
    /// Something that the manifest names does not answer, or not usably.
    Unreachable = "PRE-002", "Something that the manifest names does not answer, or its answer cannot be used.";
    /// A key that this format does not know.
    UnknownKey = "PRE-003", "The manifest has a key that this format does not know; a misspelt key would be a rule that nobody applies.";
    /// A key that must be there is not.
    MissingKey = "PRE-004", "A key that every manifest needs is missing.";
    /// A value is not of the kind that its key takes.
    WrongValue = "PRE-005", "A value is not of the kind that its key takes.";
    /// A kind of value that has no single written form.
    ForbiddenKind = "PRE-006", "Floats, native dates, nulls and very large integers are refused: they have no single written form, so no stable digest.";
    /// The same id twice.
    Duplicate = "PRE-007", "Two entries have the same name, so a certificate could mean either.";
    /// Too large, too deep or too long.
    TooLarge = "PRE-008", "The manifest is larger, deeper or longer than any honest one needs to be.";
    /// A value looks like a secret.
    SecretLike = "PRE-009", "A value looks like a secret; a manifest is shown to many people and never holds one.";
    /// A word or name that nothing defines.
    UnknownName = "PRE-010", "A value names something that does not exist: a way to revoke, an identity or a trigger.";
    /// Less than production demands.
    BelowMinimum = "PRE-011", "A length of time or a figure lies outside what this environment allows.";
    /// Two values that cannot both be meant.
    Contradiction = "PRE-012", "Two values contradict each other, or one needs another that is missing.";
    /// An address that may not be used.
    AddressRefused = "PRE-013", "An address is private, local or otherwise not one that a checker or a gate may use.";
    /// TLS could not be set up.
    Tls = "PRE-014", "A TLS connection to a named host could not be set up.";
    /// The credentials given for checking do not work.
    Credentials = "PRE-015", "The credentials that the checker was given are refused, so nothing it sees would mean anything.";
    /// Clocks disagree.
    Clock = "PRE-016", "The clocks of checker and partner differ by more than two seconds, so ages cannot be judged.";
    /// Our own part is not ready.
    Harness = "PRE-017", "The checker's own part (sandbox, listener, server) is not ready.";
    /// Control of a host is not proved.
    HostUnproven = "PRE-018", "The partner has not proved control of a host within the last 90 days, so no hostile request may go there.";
    /// Outside the rules of engagement.
    OutsideHours = "PRE-019", "The rules of engagement do not allow checks at this moment.";
    /// A profile that is not known.
    UnknownProfile = "PRE-020", "The manifest names a profile that does not exist in this catalogue.";
}

impl fmt::Display for PreflightCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_consecutive_and_read_back() {
        for (index, code) in PreflightCode::ALL.iter().enumerate() {
            assert_eq!(code.code(), format!("PRE-{:03}", index + 1));
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(serde_json::from_str::<PreflightCode>(&json).unwrap(), *code);
        }
        let texts: BTreeSet<_> = PreflightCode::ALL.iter().map(|it| it.means()).collect();
        assert_eq!(texts.len(), PreflightCode::ALL.len(), "each code explains itself");
    }
}
