//! What the matrix came to, as a table and as a document.

use std::fmt::Write as _;

use countersign_model::check::Verdict;
use serde_json::{Value, json};

use super::{BROKEN, Leans, Matrix, ROWS, Row, Scenario};

/// The schema name of the document.
const SCHEMA: &str = "countersign.matrix/1";

impl Matrix {
    fn rows(&self) -> impl Iterator<Item = &'static Row> {
        ROWS.iter().copied().filter(|row| {
            let all = row.scenarios();
            all.into_iter().any(|it| self.verdicts.contains_key(&(row.check, it)))
        })
    }

    fn verdict(&self, row: &Row, scenario: Scenario) -> Option<Verdict> {
        self.verdicts.get(&(row.check, scenario)).copied()
    }

    /// Mutants that a check did not fail, and broken ones that it passed.
    pub fn missed(&self) -> Vec<String> {
        self.wrong(|scenario, verdict| match scenario {
            Scenario::Mutant(_) => verdict != Some(Verdict::Fail),
            Scenario::Partner(..) | Scenario::Platform(..) => {
                matches!(verdict, None | Some(Verdict::Pass | Verdict::NotApplicable))
            }
            Scenario::Right(_) => false,
        })
    }

    /// Right partners that a check did not pass.
    pub fn false_alarms(&self) -> Vec<String> {
        self.wrong(|scenario, verdict| {
            matches!(scenario, Scenario::Right(_)) && verdict != Some(Verdict::Pass)
        })
    }

    fn wrong(&self, is_wrong: impl Fn(Scenario, Option<Verdict>) -> bool) -> Vec<String> {
        let mut all = Vec::new();
        for row in self.rows() {
            for scenario in row.scenarios() {
                let verdict = self.verdict(row, scenario);
                if is_wrong(scenario, verdict) {
                    let told = self.told.get(&(row.check, scenario)).map_or("", String::as_str);
                    let word = verdict.map_or("nothing", Verdict::word);
                    all.push(format!("{} | {} | {word} | {told}", row.check, words(scenario)));
                }
            }
        }
        all
    }

    /// How many checks say that they cannot tell when whoever they lean on is down.
    pub fn inconclusive_when_down(&self) -> usize {
        let is_down = |scenario: &Scenario| {
            matches!(
                scenario,
                Scenario::Partner(_, BROKEN_DOWN) | Scenario::Platform(_, BROKEN_DOWN)
            )
        };
        let all = self.rows().filter(|row| {
            let mut down = row.scenarios().into_iter().filter(is_down).peekable();
            down.peek().is_some()
                && down.all(|it| self.verdict(row, it) == Some(Verdict::Inconclusive))
        });
        all.count()
    }

    /// How many checks lean on somebody.
    pub fn leaning(&self) -> usize {
        self.rows().filter(|it| it.leans != Leans::Manifest).count()
    }

    /// Checks and mutants: how many of each.
    pub fn size(&self) -> (usize, usize) {
        (self.rows().count(), self.rows().map(|it| it.mutants.len()).sum())
    }

    /// As a document.
    pub fn document(&self) -> Value {
        let (checks, mutants) = self.size();
        json!({
            "schema": SCHEMA, "checks": checks, "mutants": mutants,
            "missed": self.missed(), "false_alarms": self.false_alarms(),
            "inconclusive_when_down": self.inconclusive_when_down(),
        })
    }

    /// As a table: one line for each check.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<40} {:>6} {:>8}  {:<24} {:<24}\n{:<40} {:>6} {:>8}  {HEAD} {HEAD}\n",
            "check", "right", "caught", "partner", "platform", "", "", "",
        );
        for row in self.rows() {
            let of = |is_meant: fn(&Scenario) -> bool, wanted| {
                let all: Vec<_> = row.scenarios().into_iter().filter(is_meant).collect();
                let fit = all.iter().filter(|it| self.verdict(row, **it) == Some(wanted)).count();
                format!("{fit}/{}", all.len())
            };
            let right = of(|it| matches!(it, Scenario::Right(_)), Verdict::Pass);
            let caught = of(|it| matches!(it, Scenario::Mutant(_)), Verdict::Fail);
            let broken = |of: fn(&Scenario) -> bool| {
                let all = row.scenarios().into_iter().filter(of);
                let words: Vec<String> =
                    all.map(|it| format!("{:<4}", mark(self.verdict(row, it)))).collect();
                if words.is_empty() { "-".to_owned() } else { words.concat() }
            };
            let partner = broken(|it| matches!(it, Scenario::Partner(..)));
            let platform = broken(|it| matches!(it, Scenario::Platform(..)));
            let _ = writeln!(
                text,
                "{:<40} {right:>6} {caught:>8}  {partner:<24} {platform:<24}",
                row.check
            );
        }
        let (checks, mutants) = self.size();
        let _ = write!(
            text,
            "{checks} checks, {mutants} mutants, {} missed, {} false alarms",
            self.missed().len(),
            self.false_alarms().len()
        );
        text
    }
}

const BROKEN_DOWN: crate::Fault = BROKEN[0];
const HEAD: &str = "down 500 200 hang half  ";

/// What a verdict is in a column: `?` where it cannot tell.
fn mark(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "PASS",
        Some(Verdict::Fail) => "fail",
        Some(Verdict::Inconclusive) => "?",
        Some(Verdict::NotApplicable) => "n/a",
        None => "none",
    }
}

fn words(scenario: Scenario) -> String {
    match scenario {
        Scenario::Right(kind) => format!("right {}", kind.slug()),
        Scenario::Mutant(mutant) => format!("{} {}", mutant.kind().slug(), mutant.words()),
        Scenario::Partner(kind, fault) => format!("{} partner {fault:?}", kind.slug()),
        Scenario::Platform(kind, fault) => format!("{} platform {fault:?}", kind.slug()),
    }
}
