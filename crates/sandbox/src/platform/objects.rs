//! Objects of customers: a test tenant makes up whatever is asked for, but for a few that are another
//! customer's, and a few that nobody has any more.

use countersign_checks::platform::{ApiCall, ObjectCall, Objects};

use super::api::CALLS;
use super::book::{Client, Object, Pages};
use crate::entropy;

/// Whose an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// The caller's customer.
    Caller,
    /// Nobody's.
    Nobody,
    /// Another customer's; with what stands in it.
    Other(String),
}

/// Whose the object is that a path names.
pub(super) fn owner(pages: &Pages, path: &str) -> Owner {
    match path.split('/').find_map(|it| pages.objects.get(it)) {
        None => Owner::Caller,
        Some(Object::Gone) => Owner::Nobody,
        Some(Object::Foreign { name, .. }) => Owner::Other(name.clone()),
    }
}

/// Changes the object that a path names, if it is another customer's.
pub(super) fn change(pages: &mut Pages, path: &str) {
    for part in path.split('/') {
        if let Some(Object::Foreign { version, .. }) = pages.objects.get_mut(part) {
            *version += 1;
        }
    }
}

/// Objects that a client may ask for with its scopes. The same ids each time.
pub(super) fn listed(pages: &mut Pages, client: &Client) -> Objects {
    let scopes = &client.registration.scopes;
    let calls = CALLS.iter().filter(|it| scopes.contains(it.1) && it.0.contains("{id}"));
    let calls: Vec<&str> = calls.map(|it| it.0).collect();
    let mut objects = Objects::default();
    if calls.is_empty() {
        return objects;
    }
    for (number, pattern) in calls.iter().cycle().take(OBJECTS).enumerate() {
        let foreign = format!("{OTHER_CUSTOMER}-{number}");
        let (name, version) = known(pages, &foreign);
        let marks = vec![name];
        let version = Some(version.to_string());
        objects.foreign.push(ObjectCall { call: filled(pattern, &foreign), marks, version });
        let gone = format!("deleted-{number}");
        pages.objects.insert(gone.clone(), Object::Gone);
        objects.missing.push(nameless(pattern, &gone));
    }
    for (number, pattern) in calls.iter().enumerate() {
        objects.own.push(nameless(pattern, &format!("own-{number}")));
    }
    objects
}

fn known(pages: &mut Pages, id: &str) -> (String, u64) {
    if let Some(Object::Foreign { name, version }) = pages.objects.get(id) {
        return (name.clone(), *version);
    }
    let name = format!("Tova {}", entropy::suffix().unwrap_or_else(|_| id.to_owned()));
    let object = Object::Foreign { name: name.clone(), version: 1 };
    pages.objects.insert(id.to_owned(), object);
    (name, 1)
}

fn filled(pattern: &str, id: &str) -> ApiCall {
    let (method, path) = pattern.split_once(' ').unwrap_or(("GET", pattern));
    let path = path.replace("{id}", id);
    ApiCall { name: format!("{method} {path}"), method: method.to_owned(), path, body: None }
}

fn nameless(pattern: &str, id: &str) -> ObjectCall {
    ObjectCall { call: filled(pattern, id), marks: Vec::new(), version: None }
}

/// The other customer of the tenant.
const OTHER_CUSTOMER: &str = "bramble";
const OBJECTS: usize = 10;
