//! Who calls, and what they may do.

use std::collections::BTreeSet;

use countersign_model::enforce::snapshot::Lane;
use countersign_model::id::PersonId;
use countersign_model::time::Timestamp;
use countersign_seal::Digest;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::config::{Config, Role};
use crate::keys::Keys;
use crate::problem::Problem;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A gate.
    Gate {
        /// Its name.
        name: String,
        /// Its lane.
        lane: Lane,
    },
    /// A person.
    Person {
        /// Opaque.
        id: PersonId,
        /// The name in the settings.
        name: String,
        /// What they may do.
        roles: BTreeSet<Role>,
    },
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Answer for clients that nobody declared yet.
    Adopt,
    /// Run checks.
    Assess,
    /// Plan or apply a certification.
    Certify,
    /// Decide in a review, or about a waiver, or restore, or destroy.
    Decide,
    /// Rehearse a withdrawal, a rotation or an offboarding.
    Drill,
    /// Take a whole certification out of the house.
    Export,
    /// Read.
    Read,
    /// Ask for a waiver.
    RequestWaiver,
    /// Send a manifest.
    Submit,
    /// Withdraw trust.
    Withdraw,
}

impl Action {
    /// The roles that may.
    pub fn roles(self) -> &'static [Role] {
        use Role as R;
        match self {
            Self::Assess | Self::RequestWaiver | Self::Submit => &[R::Owner, R::Partner],
            Self::Adopt | Self::Certify => &[R::Owner],
            Self::Drill => &[R::Owner, R::Responder],
            Self::Decide => &[R::Reviewer],
            Self::Export => &[R::Auditor, R::Owner],
            Self::Read => &[R::Auditor, R::Owner, R::Partner, R::Responder, R::Reviewer],
            Self::Withdraw => &[R::Responder],
        }
    }
}

/// The tokens that are known.
#[derive(Debug)]
pub struct Auth {
    known: Vec<(Digest, Caller)>,
}

impl Auth {
    /// Those of the settings.
    pub fn new(config: &Config, keys: &Keys) -> Self {
        let people = config.person.iter().map(|it| {
            let id = person_id(keys, &it.id);
            let caller = Caller::Person { id, name: it.id.clone(), roles: it.roles.clone() };
            (it.token_sha256, caller)
        });
        let gates = config
            .gate
            .iter()
            .map(|it| (it.token_sha256, Caller::Gate { name: it.name.clone(), lane: it.lane }));
        Self { known: people.chain(gates).collect() }
    }

    /// The caller whose token this is. Looks at all of them, whichever it is.
    pub fn caller(&self, authorization: Option<&str>) -> Result<&Caller, Problem> {
        let refused =
            || Problem::new(401, "sign-in", "a bearer token that is known here is needed");
        let token = authorization
            .and_then(|it| it.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(refused)?;
        let digest = Digest::of(token.as_bytes());
        let mut found = u64::MAX;
        for (index, (known, _)) in (0_u64..).zip(&self.known) {
            let same: Choice = known.as_bytes().ct_eq(digest.as_bytes());
            found.conditional_assign(&index, same);
        }
        let index = usize::try_from(found).map_err(|_| refused())?;
        self.known.get(index).map(|(_, caller)| caller).ok_or_else(refused)
    }
}

impl Caller {
    /// The person, if they may.
    pub fn may(&self, action: Action) -> Result<&PersonId, Problem> {
        match self {
            Self::Person { id, roles, .. }
                if action.roles().iter().any(|it| roles.contains(it)) =>
            {
                Ok(id)
            }
            _ => {
                Err(Problem::new(403, "not-allowed", format!("{action:?} is not among your roles")))
            }
        }
    }
}

/// The opaque id of a person: the same for the same name, and no way back without the salt.
pub fn person_id(keys: &Keys, name: &str) -> PersonId {
    let digest = keys.salt.digest("person", name);
    let mut entropy = [0; 10];
    entropy.copy_from_slice(&digest.as_bytes()[..10]);
    PersonId::new(Timestamp::from_millis(0), entropy)
}
