//! What Keycloak lets its administrators see, revoke and prove.

use crate::platform::{Ability, Can, Operation};

/// One row for each operation.
pub(super) fn abilities() -> Vec<Ability> {
    Operation::ALL.into_iter().map(row).collect()
}

fn yes(by: &str) -> Can {
    Can::Yes(by.to_owned())
}

fn partly(by: &str, missing: &str, remedy: &str) -> Can {
    Can::Partly { by: by.to_owned(), missing: missing.to_owned(), remedy: remedy.to_owned() }
}

const LISTED: &str = "GET /admin/realms/{realm}/clients";
const INTROSPECT: &str = "POST /protocol/openid-connect/token/introspect";

/// Since 26.6 it tells of a token only to those in its audience.
fn introspection() -> Can {
    partly(
        INTROSPECT,
        "it tells of a token only to clients in its audience: of copies it tells, of a partner's token \
         only where the account that reads is in it",
        "add a mapper of the type `Audience` for the account that reads",
    )
}

fn row(operation: Operation) -> Ability {
    let listed = || yes(LISTED);
    let (see, revoke, prove) = match operation {
        Operation::Inventory => (
            yes(
                "GET /clients, the roles and groups of each service account, and the lives that the realm sets",
            ),
            Can::NotHere,
            yes("a copy appears in it, and is gone once it is deleted"),
        ),
        Operation::TokenLog => (
            partly(
                "GET /events",
                "nothing is written down before it is switched on, and it is kept for as long as the realm says",
                "switch on `Save events` of the user events, and let them expire no sooner than evidence does",
            ),
            Can::NotHere,
            yes("the request of a copy appears in it"),
        ),
        Operation::AdminLog => (
            partly(
                "GET /admin-events",
                "nothing is written down before it is switched on; an administrator of another realm has \
                 an id there and no name",
                "switch on `Save events` of the admin events, and administer a realm with accounts of its own",
            ),
            Can::NotHere,
            yes("the making of a copy appears in it"),
        ),
        Operation::Copy => (
            listed(),
            yes("POST /clients, DELETE /clients/{id}"),
            yes("the copy gets a token, and none once it is deleted"),
        ),
        Operation::Disable => (
            listed(),
            yes("PUT /clients/{id} with `enabled`"),
            yes("its token requests are refused with `client_disabled` in GET /events"),
        ),
        Operation::RotateSecret => {
            let missing = "the old secret dies at once, unless a client policy with the executor \
                           `secret-rotation` applies to the client";
            let remedy = "switch on the feature `client-secret-rotation` and add such a policy, or have \
                          the partner prove itself with keys";
            (
                yes("GET /clients, attribute `client.secret.creation.time`"),
                partly("POST /clients/{id}/client-secret", missing, remedy),
                partly("POST /protocol/openid-connect/token with both", missing, remedy),
            )
        }
        Operation::RotateKey => (
            partly(
                LISTED,
                "keys behind an address are not listed, and no key has an age",
                "read the address itself",
            ),
            yes(
                "PUT /clients/{id} with `jwks.string`; with nothing, it reads the keys behind an address again",
            ),
            yes("a copy gets a token with the new key, and none with the old"),
        ),
        Operation::RevokeTokens => (
            introspection(),
            yes("PUT /clients/{id} with `notBefore`, which ends refresh and offline tokens too"),
            introspection(),
        ),
        Operation::RevokeSessions => (
            yes("GET /clients/{id}/user-sessions and /offline-sessions"),
            partly(
                "PUT /clients/{id} with `notBefore`",
                "sessions stay listed, and no token comes out of them any more; ending them needs \
                 `manage-users`, which changes people too",
                "let an administrator of people end them",
            ),
            yes("a refresh is refused"),
        ),
        Operation::Redirects => (
            listed(),
            yes("PUT /clients/{id} with `redirectUris`"),
            yes("GET /protocol/openid-connect/auth is refused"),
        ),
        Operation::Subscriptions => (Can::NotHere, Can::NotHere, Can::NotHere),
        Operation::Delete => (
            listed(),
            yes("DELETE /clients/{id}"),
            yes("GET /clients lacks it, and its tokens are inactive"),
        ),
        Operation::Introspect => (introspection(), Can::NotHere, introspection()),
    };
    Ability { operation, see, revoke, prove }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_one_row_and_every_gap_a_remedy() {
        let rows = abilities();
        assert!(rows.iter().map(|it| it.operation).eq(Operation::ALL));
        for it in rows.iter().flat_map(|it| [&it.see, &it.revoke, &it.prove]) {
            if let Can::No { why, remedy } | Can::Partly { missing: why, remedy, .. } = it {
                assert!(!why.is_empty() && !remedy.is_empty());
            }
        }
    }
}
