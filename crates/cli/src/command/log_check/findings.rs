//! What was found, with the line of the manifest that it breaks.

use std::path::Path;

use countersign_checks::log::finding::{Finding, Question, Rule};
use countersign_checks::log::judge::Judge;
use countersign_checks::log::report::Report;
use countersign_model::declare::Parsed;
use serde_json::{Value, json};

use crate::args::FindingsAs;
use crate::failure::Failure;
use crate::ui::Ui;

/// What was found: the first ones are kept to be shown, all of them are written where that is wanted.
pub(crate) struct Findings<'a> {
    ui: Ui,
    output: Option<FindingsAs>,
    manifest: (&'a Path, &'a Parsed),
    kept: Vec<Finding>,
    /// How many there are.
    pub(crate) all: u64,
}

/// How many findings of each rule are shown.
const SHOWN_MAX: usize = 100;

impl<'a> Findings<'a> {
    pub(crate) fn new(
        ui: Ui,
        output: Option<FindingsAs>,
        manifest: (&'a Path, &'a Parsed),
    ) -> Self {
        Self { ui, output, manifest, kept: Vec::new(), all: 0 }
    }

    /// Writes what stands before the first finding.
    pub(crate) fn begin(&mut self) -> &mut Self {
        if self.output == Some(FindingsAs::Sarif) {
            self.ui.line(Self::sarif_head());
        }
        self
    }

    /// Writes what stands after the last one.
    pub(crate) fn end(&self) {
        if self.output == Some(FindingsAs::Sarif) {
            self.ui.line("]}]}");
        }
    }

    /// Judges, and takes every finding in as it is made.
    pub(crate) fn while_judging(
        &mut self,
        judge: Judge<'_>,
        read: impl FnOnce(&mut Judge<'_>) -> Result<(), Failure>,
    ) -> Result<Report, Failure> {
        let mut judge = judge.telling_to(|it| self.take(it));
        read(&mut judge)?;
        Ok(judge.finish())
    }

    fn take(&mut self, finding: &Finding) {
        match self.output {
            Some(FindingsAs::Jsonl) => self.ui.line(self.line(finding).to_string()),
            Some(FindingsAs::Sarif) => {
                let comma = if self.all == 0 { "" } else { "," };
                self.ui.line(format!("{comma}{}", self.result(finding)));
            }
            None => {}
        }
        self.all += 1;
        if self.kept.iter().filter(|it| it.rule == finding.rule).take(SHOWN_MAX).count() < SHOWN_MAX
        {
            self.kept.push(finding.clone());
        }
    }

    /// Where in the manifest something stands: `countersign.toml:46`.
    fn declared(&self, breaks: &str) -> Option<usize> {
        self.manifest.1.spans.nearest(breaks).map(|it| it.line)
    }

    fn line(&self, finding: &Finding) -> Value {
        let mut line = json!(finding);
        line["schema"] = "countersign.log-finding/1".into();
        line["manifest_line"] = self.declared(&finding.breaks).into();
        line
    }

    /// The first ones, for a document.
    pub(crate) fn shown(&self) -> Vec<Value> {
        self.kept.iter().map(|it| self.line(it)).collect()
    }

    /// The findings that belong to a question, for people; of uses or of the rest where it matters.
    pub(crate) fn told(&self, belongs: impl Fn(&Finding) -> bool) -> Vec<String> {
        let kept = self.kept.iter().filter(|it| belongs(it));
        kept.map(|it| {
            let place = if it.line == 0 {
                String::new()
            } else if it.source.is_empty() {
                format!("line {}: ", it.line)
            } else {
                format!("{}:{}: ", it.source, it.line)
            };
            let declared = self.declared(&it.breaks);
            let file = self.manifest.0.display();
            let declared = declared.map_or_else(String::new, |line| format!("{file}:{line} "));
            format!("{place}{} ({declared}{})", it.reason, it.breaks)
        })
        .collect()
    }

    fn sarif_head() -> String {
        let rules: Vec<Value> = Rule::ALL
            .iter()
            .map(|it| {
                json!({
                    "id": it.name(), "name": it.name(),
                    "shortDescription": {"text": it.name().replace('_', " ")},
                    "properties": {"question": question(*it), "breaks": it.breaks()},
                })
            })
            .collect();
        let driver = json!({
            "name": "countersign", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
        });
        // Results are written as they are found, so that no log is too large.
        format!(
            r#"{{"version":"2.1.0","$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{{"tool":{{"driver":{driver}}},"results":["#
        )
    }

    fn result(&self, finding: &Finding) -> Value {
        let mut locations = Vec::new();
        if 0 < finding.line {
            locations.push(json!({
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(&finding.source)},
                    "region": {"startLine": finding.line},
                },
            }));
        }
        let file = self.manifest.0.display().to_string();
        let declared = self.declared(&finding.breaks).map(|line| {
            json!({
                "id": 1, "message": {"text": finding.breaks},
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(&file)}, "region": {"startLine": line},
                },
            })
        });
        json!({
            "ruleId": finding.rule.name(), "kind": "fail", "level": "error",
            "message": {"text": finding.reason}, "locations": locations,
            "relatedLocations": declared.into_iter().collect::<Vec<_>>(),
            "properties": {"count": finding.count, "breaks": finding.breaks},
        })
    }
}

/// A path as a reference: what has a meaning in one is written as its bytes.
fn uri(path: &str) -> String {
    let plain = |it: u8| it.is_ascii_alphanumeric() || b"-._~/".contains(&it);
    path.bytes()
        .map(|it| if plain(it) { char::from(it).to_string() } else { format!("%{it:02X}") })
        .collect()
}

fn question(rule: Rule) -> &'static str {
    match rule.question() {
        Question::Attributable => "attributable",
        Question::TimeBounded => "time bounded",
        Question::Consistent => "consistent",
        Question::Complete => "complete",
    }
}
