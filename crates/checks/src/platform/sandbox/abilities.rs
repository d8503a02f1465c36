//! What the sandbox platform lets its administrators see, revoke and prove.

use crate::platform::{Ability, Can, Operation};

/// One row for each operation.
pub(super) fn abilities() -> Vec<Ability> {
    Operation::ALL.into_iter().map(row).collect()
}

fn yes(by: &str) -> Can {
    Can::Yes(by.to_owned())
}

fn no(why: &str, remedy: &str) -> Can {
    Can::No { why: why.to_owned(), remedy: remedy.to_owned() }
}

fn row(operation: Operation) -> Ability {
    let listed = || yes("GET /admin/clients");
    let (see, revoke, prove) = match operation {
        Operation::Inventory => (listed(), Can::NotHere, yes("a copy appears in it")),
        Operation::TokenLog => {
            (yes("GET /admin/token-log"), Can::NotHere, yes("the request of a copy appears in it"))
        }
        Operation::AdminLog => {
            (yes("GET /admin/audit"), Can::NotHere, yes("the making of a copy appears in it"))
        }
        Operation::Copy => (
            listed(),
            yes("POST /admin/clients/{id}/copy, DELETE /admin/clients/{id}"),
            yes("the copy gets a token, and none once it is deleted"),
        ),
        Operation::Disable => (
            listed(),
            yes("POST /admin/clients/{id}/disable and /enable"),
            yes("a copy is refused, and its token is inactive"),
        ),
        Operation::RotateKey => (
            listed(),
            yes("PUT /admin/clients/{id}/keys"),
            yes("a copy gets a token with either of two keys, and with the taken one none"),
        ),
        Operation::RotateSecret => {
            let why = "a registration is replaced as a whole, and no request adds one secret";
            let remedy = "use keys instead of a secret: two of them can be registered at once";
            (listed(), no(why, remedy), no(why, remedy))
        }
        Operation::RevokeTokens => (
            yes("POST /oauth/introspect"),
            yes("POST /admin/clients/{id}/revoke-tokens"),
            yes("POST /oauth/introspect, and a call with the token"),
        ),
        Operation::RevokeSessions => (Can::NotHere, Can::NotHere, Can::NotHere),
        Operation::Redirects => (
            listed(),
            yes("POST /admin/redirects/{id}/remove and /restore"),
            yes("GET /oauth/authorize is refused"),
        ),
        Operation::Subscriptions => (
            yes("GET /admin/subscriptions"),
            yes("POST /admin/subscriptions/{integration}/{id}/disable, /enable and /purge"),
            yes("GET /admin/deliveries holds none of an event that was produced after"),
        ),
        Operation::Delete => {
            (listed(), yes("DELETE /admin/clients/{id}"), yes("GET /admin/clients lacks it"))
        }
        Operation::Introspect => {
            (yes("POST /oauth/introspect"), Can::NotHere, yes("a call with the same token"))
        }
    };
    Ability { operation, see, revoke, prove }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_one_row_and_what_cannot_be_done_has_a_remedy() {
        let rows = abilities();
        assert!(rows.iter().map(|it| it.operation).eq(Operation::ALL));
        let cannot = rows.iter().filter(|it| matches!(it.revoke, Can::No { .. }));
        let cannot: Vec<&str> = cannot.map(|it| it.operation.words()).collect();
        assert_eq!(cannot, ["rotate a secret with overlap"]);
    }
}
