//! What a grant is compiled to, and what a reviewer takes away.

use std::collections::BTreeSet;

use crate::story::grant;

#[test]
fn a_right_sized_grant_lacks_the_scope() {
    let scope = "tickets:write".parse().unwrap();
    let smaller = grant().without(&BTreeSet::from([scope]));
    assert!(smaller.identities.iter().all(|it| it.scopes.is_empty()));
}
