//! The event that drills send: of a kind that is declared, about nobody.

use countersign_model::declare::manifest::EventSubscription;
use countersign_model::time::Timestamp;
use serde_json::{Map, Value};

/// The data of a canary event: every declared field, filled with something that names nobody.
pub(crate) fn data(event: &EventSubscription, kind: &str, now: Timestamp) -> Value {
    let mut data = Value::Object(Map::new());
    for field in &event.fields {
        let last = field.rsplit('.').next().unwrap_or_default();
        let value = match last {
            "time" | "timestamp" | "at" => now.to_string(),
            "type" | "kind" => kind.to_owned(),
            _ => "countersign-canary".to_owned(),
        };
        put(&mut data, field, value);
    }
    data
}

fn put(into: &mut Value, field: &str, value: String) {
    let Value::Object(members) = into else { return };
    match field.split_once('.') {
        Some((first, rest)) => {
            let inner = members.entry(first).or_insert_with(|| Value::Object(Map::new()));
            put(inner, rest, value);
        }
        None => {
            members.insert(field.to_owned(), Value::String(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::declare::{Format, parse};

    #[test]
    fn every_declared_field_is_there_and_names_nobody() {
        let manifest = parse(crate::fact::SAAS, Format::Toml).unwrap().manifest;
        let data = data(&manifest.events[0], "user.locked", Timestamp::from_seconds(0));
        insta::assert_snapshot!(data, @r#"{"event":{"time":"1970-01-01T00:00:00.000Z","type":"user.locked"},"user":{"id":"countersign-canary"}}"#);
    }
}
