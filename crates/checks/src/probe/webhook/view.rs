//! What a transcript of a talk with a receiver holds.

use countersign_model::check::{Entry, Exchange, Transcript};
use serde_json::Value;

/// What a transcript of such a talk holds.
pub(super) struct View<'a>(pub(super) &'a Transcript);

impl<'a> View<'a> {
    pub(super) fn has_oracle(&self) -> bool {
        self.0.text("oracle").is_some_and(|it| it != "none")
    }

    pub(super) fn is_object(&self) -> bool {
        self.0.text("oracle") == Some("object")
    }

    pub(super) fn names(&self) -> Vec<&'a str> {
        self.list("wrong")
    }

    /// The names in a setting.
    pub(super) fn list(&self, setting: &str) -> Vec<&'a str> {
        let names = self.0.settings.get(setting).and_then(Value::as_array);
        names.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    pub(super) fn wrong(&self, name: &str) -> Option<&'a Exchange> {
        self.sent("wrong", name)
    }

    /// The last exchange of a kind with this name.
    pub(super) fn sent(&self, kind: &str, name: &str) -> Option<&'a Exchange> {
        let label = format!("{kind}.{name}");
        self.0.entries.iter().rev().find_map(|it| match it {
            Entry::Exchange(it) if it.label == label => Some(it),
            _ => None,
        })
    }

    /// What the last fact of this label says.
    pub(super) fn fact(&self, label: &str) -> Option<&'a Value> {
        self.0.entries.iter().rev().find_map(|it| match it {
            Entry::Fact(it) if it.label == label => Some(&it.value),
            _ => None,
        })
    }

    pub(super) fn is_accepted(&self, name: &str) -> bool {
        self.wrong(name).is_some_and(|it| it.answer.is_success())
    }

    /// The first wrong event that was accepted, or else the first of all.
    pub(super) fn accepted(&self) -> Option<&'a str> {
        let names = self.names();
        let accepted = names.iter().find(|it| self.is_accepted(it)).copied();
        accepted.or_else(|| names.first().copied())
    }

    pub(super) fn control_accepted(&self) -> bool {
        self.0.exchange("control").is_some_and(|it| it.answer.is_success())
    }

    pub(super) fn error(&self, label: &str) -> Option<&'a str> {
        self.fact(label)?.get("error")?.as_str()
    }

    /// The most effects of the right event that were ever seen.
    pub(super) fn effects(&self, name: &str) -> Option<u64> {
        self.0.facts("effects").filter_map(|it| it.value.get(name)?.as_u64()).max()
    }

    /// The most effects of a wrong event that were ever seen.
    pub(super) fn effects_of_wrong(&self, name: &str) -> u64 {
        let facts = self.0.facts("effects");
        facts.filter_map(|it| it.value.get("wrong")?.get(name)?.as_u64()).max().unwrap_or(0)
    }

    pub(super) fn version(&self, label: &str) -> Option<&'a Value> {
        self.fact(label)?.get("version")
    }

    /// The version that an effect of a right event led to.
    pub(super) fn version_after(&self, label: &str) -> Option<&'a Value> {
        self.version(&format!("{label}-effect")).filter(|it| !it.is_null())
    }

    /// The version that the last right event before the wrong ones led to.
    pub(super) fn version_settled(&self) -> Option<&'a Value> {
        let taken = self.list("taken").into_iter().rev();
        let mut taken = taken.filter_map(|it| self.version_after(&format!("taken.{it}")));
        taken.next().or_else(|| self.version_after("control"))
    }

    /// Whether the canary object changed while it listened, having been quiet before.
    pub(super) fn object_changed(&self) -> bool {
        let (quiet, after) = (self.version("quiet"), self.version("effects"));
        self.is_object()
            && quiet.is_some()
            && quiet == self.version_settled()
            && after.is_some()
            && after != quiet
    }
}
