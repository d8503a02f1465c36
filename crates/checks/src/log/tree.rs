//! The members of a line of JSON, borrowed from it where they can be.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// An object: its members in the order in which they stand, a name may come twice.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Object<'a>(pub(super) Vec<(Cow<'a, str>, Value<'a>)>);

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Natural(u64),
    Negative(i64),
    Fraction(f64),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Object<'a>),
}

static NULL: Value<'static> = Value::Null;

impl<'a> Object<'a> {
    /// The value of a member; the last one of this name, and null where there is none.
    pub(super) fn get(&self, name: &str) -> &Value<'a> {
        self.0.iter().rev().find(|it| it.0 == name).map_or(&NULL, |it| &it.1)
    }

    /// Whether a member of this name is there, null or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|it| it.0 == name)
    }

    /// The text of a member, where it says something.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).text()
    }

    /// A value below these names.
    pub(super) fn at(&self, path: &[&str]) -> &Value<'a> {
        let Some((first, rest)) = path.split_first() else { return &NULL };
        let value = self.get(first);
        if rest.is_empty() { value } else { value.object().map_or(&NULL, |it| it.at(rest)) }
    }

    /// The text of a value below these names, where it says something.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<Cow<'a, str>> {
        self.at(path).text()
    }
}

impl<'a> Value<'a> {
    /// What it says: none for null and for blanks, JSON for lists and objects.
    pub(super) fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => None,
            Self::Text(it) if it.trim().is_empty() => None,
            Self::Text(it) => Some(it.clone()),
            Self::Bool(it) => Some(Cow::Borrowed(if *it { "true" } else { "false" })),
            other => serde_json::to_string(other).ok().map(Cow::Owned),
        }
    }

    /// The object that it is.
    pub(super) fn object(&self) -> Option<&Object<'a>> {
        if let Self::Object(it) = self { Some(it) } else { None }
    }

    /// The values of a list; none where it is none.
    pub(super) fn list(&self) -> &[Self] {
        if let Self::List(it) = self { it } else { &[] }
    }

    /// The number that it is, or that its text is.
    pub(super) fn natural(&self) -> Option<u64> {
        match self {
            Self::Natural(it) => Some(*it),
            Self::Text(it) => it.trim().parse().ok(),
            _ => None,
        }
    }

    /// The words of a text that parts them by commas or blanks, or of a list of texts.
    pub(super) fn listed(&self) -> Vec<Cow<'a, str>> {
        let Self::Text(text) = self else { return self.words() };
        let words = text.split([',', ' ', '\n', '\t']).filter(|it| !it.is_empty());
        words.map(|it| Cow::Owned(it.to_owned())).collect()
    }

    /// The words of a text, or of a list of texts.
    pub(super) fn words(&self) -> Vec<Cow<'a, str>> {
        match self {
            Self::Text(it) => split(it),
            Self::List(items) => items.iter().flat_map(Value::words).collect(),
            _ => Vec::new(),
        }
    }
}

/// The words of a text.
pub(super) fn split<'a>(text: &Cow<'a, str>) -> Vec<Cow<'a, str>> {
    match text {
        Cow::Borrowed(it) => it.split_whitespace().map(Cow::Borrowed).collect(),
        Cow::Owned(it) => it.split_whitespace().map(|it| Cow::Owned(it.to_owned())).collect(),
    }
}

struct OfObject;

impl<'de> Visitor<'de> for OfObject {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Object(members))
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfObject)
    }
}

/// A member's name.
struct Name<'a>(Cow<'a, str>);

struct OfName;

impl<'de> Visitor<'de> for OfName {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(text.to_owned())))
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OfName)
    }
}

struct OfValue;

impl<'de> Visitor<'de> for OfValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(it))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Value<'de>, E> {
        Ok(Value::Natural(it))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Value<'de>, E> {
        Ok(u64::try_from(it).map_or(Value::Negative(it), Value::Natural))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Value<'de>, E> {
        Ok(Value::Fraction(it))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value<'de>, A::Error> {
        OfObject.visit_map(map).map(Value::Object)
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfValue)
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(it) => serializer.serialize_bool(*it),
            Self::Natural(it) => serializer.serialize_u64(*it),
            Self::Negative(it) => serializer.serialize_i64(*it),
            Self::Fraction(it) => serializer.serialize_f64(*it),
            Self::Text(it) => serializer.serialize_str(it),
            Self::List(it) => it.serialize(serializer),
            Self::Object(it) => it.serialize(serializer),
        }
    }
}
