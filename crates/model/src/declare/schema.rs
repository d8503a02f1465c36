//! The JSON Schema of the manifest, made from its types.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::Manifest;

/// Where the schema is published.
pub const SCHEMA_ID: &str = "https://countersign.example/schema/manifest-1.json";

/// The JSON Schema (2020-12) of manifest version 1.
///
/// `x-*` keys are allowed in every table, and nothing is ever null: TOML has no null.
pub fn manifest_schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(generate);
    &SCHEMA
}

fn generate() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Manifest>().to_value();
    adapt(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("$id".to_owned(), Value::from(SCHEMA_ID));
        root.insert("title".to_owned(), Value::from("Countersign manifest, version 1"));
    }
    schema
}

fn adapt(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(adapt),
        Value::Object(members) => {
            without_null(members);
            if members.get("additionalProperties") == Some(&Value::Bool(false)) {
                members.insert("patternProperties".to_owned(), json!({ X_PATTERN: true }));
            }
            members.values_mut().for_each(adapt);
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// An optional key is left out, not null.
fn without_null(members: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|it| it != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(mut choices)) = members.remove("anyOf") {
        choices.retain(|it| it.get("type") != Some(&Value::from("null")));
        match (choices.pop(), choices.is_empty()) {
            (Some(Value::Object(only)), true) => {
                for (key, value) in only {
                    members.entry(key).or_insert(value);
                }
            }
            (last, _) => {
                choices.extend(last);
                members.insert("anyOf".to_owned(), Value::Array(choices));
            }
        }
    }
}

/// The schema that a `$ref` names, else the schema itself.
pub(super) fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|it| root.pointer(it.trim_start_matches('#')))
        .unwrap_or(schema)
}

const X_PATTERN: &str = "^x-";
