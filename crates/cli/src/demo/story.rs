//! The life of one integration, from its first refusal to its last.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::manifests::{self, Version};
use countersign_sandbox::{Business, Kind};
use countersign_server::pack::Pins;
use serde_json::{Value, json};

use super::cast::Cast;
use super::chapter::Chapter;
use super::report::{Life, PathRow, Revoked, Wrong};
use super::until::until;
use super::{change, record};
use crate::command::{list, number, text};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stage::Sandbox;

/// How long anything that needs a moment may take: a snapshot at a gate, an observation window.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many pieces of ordinary work are tried in production.
const WORK: u32 = 3;
/// How many pieces of ordinary work a partner does at the test tenant before it is looked at.
const TRIAL_WORK: u32 = 24;

/// One integration, and everybody who has to do with it.
pub(super) struct Story {
    pub(super) cast: Arc<Cast>,
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) kind: Kind,
    /// The keys that the record is verified with: the folder's own, not what a server says.
    pub(super) pins: Arc<Pins>,
}

impl Story {
    /// Plays the whole life, and says what was seen.
    pub(super) async fn play(&self, chapter: &mut Chapter) -> Result<Life, Failure> {
        let id = self.kind.slug().to_owned();
        let mut life = Life { id, ..Life::default() };
        life.refused_before = self.refused_before(chapter).await;
        life.wrong_version = self.wrong_version(chapter).await?;
        self.mend_and_certify(&mut life, chapter).await?;
        let one = self.one().await?;
        text(&one, "profile").clone_into(&mut life.profile);
        life.certified = matches!(text(&one, "state"), "certified" | "conditional");
        life.approvers = approvers(&one);
        life.admitted = self.admitted(chapter).await?;
        life.pack_verified = record::pack(self, chapter).await?;
        life.denied_after_change = change::play(self, chapter).await?;
        life.revoked = self.revoke(chapter).await?;
        life.refused_after = self.refused_after(chapter).await;
        Ok(life)
    }

    /// From the right version to a certificate.
    pub(super) async fn mend_and_certify(
        &self,
        life: &mut Life,
        chapter: &mut Chapter,
    ) -> Result<(), Failure> {
        life.right_version_exit = Some(self.right_version(chapter).await?);
        life.one_person_refused = self.two_people(chapter).await?;
        self.certify(chapter).await
    }

    /// From nothing to a certificate, with the right version at once.
    pub(super) async fn submit_right_and_certify(
        &self,
        life: &mut Life,
        chapter: &mut Chapter,
    ) -> Result<(), Failure> {
        self.mend_and_certify(life, chapter).await?;
        if life.right_version_exit == Some(0) {
            Ok(())
        } else {
            Err(self.failed("it did not pass"))
        }
    }

    /// Only the wrong version, submitted and working at the test tenant.
    pub(super) async fn begin_wrong(&self) -> Result<(), Failure> {
        self.set_faults(self.kind.wrong()).await?;
        self.submit(Version::Wrong).await?;
        self.rehearse().await
    }

    pub(super) fn slug(&self) -> &'static str {
        self.kind.slug()
    }

    /// What the server knows of it now.
    pub(super) async fn one(&self) -> Result<Value, Failure> {
        self.cast.get("paul", &format!("/v1/integrations/{}", self.slug())).await
    }

    async fn work(&self, lane: Lane, n: u32) -> Business {
        self.sandbox.world.partner(self.kind).business(lane, n).await
    }

    /// Whether its ordinary work goes through in production now.
    pub(super) async fn works(&self) -> bool {
        is_admitted(&self.work(Lane::Certified, 1).await)
    }

    async fn refused_before(&self, chapter: &mut Chapter) -> bool {
        let business = self.work(Lane::Certified, WORK).await;
        chapter.say("enforce", format!("before any certificate: {}", words(&business)));
        let reasons: BTreeSet<&str> = business.tokens.refused.keys().map(String::as_str).collect();
        business.tokens.admitted == 0 && reasons == BTreeSet::from(["uncertified"])
    }

    pub(super) async fn submit(&self, version: Version) -> Result<Value, Failure> {
        let body = json!({ "manifest": manifests::text(self.kind, version), "format": "toml" });
        self.cast.post("pat", "/v1/submissions", &body).await
    }

    /// Ordinary work at the test tenant, as soon as its gate knows the manifest.
    async fn rehearse(&self) -> Result<(), Failure> {
        let open = until(PATIENCE, async || {
            let business = self.work(Lane::Trial, 1).await;
            (business.tokens.admitted == 1).then_some(())
        });
        open.await.ok_or_else(|| self.failed("the test tenant never let it in"))?;
        self.work(Lane::Trial, TRIAL_WORK).await;
        Ok(())
    }

    async fn assess(&self) -> Result<Value, Failure> {
        self.cast.post("pat", "/v1/assessments", &json!({ "integration": self.slug() })).await
    }

    async fn wrong_version(&self, chapter: &mut Chapter) -> Result<Wrong, Failure> {
        self.begin_wrong().await?;
        let waits =
            |it: &Value| list(it, "findings").iter().any(|it| text(it, "result") == "waiting");
        let settled = until(PATIENCE, async || match self.assess().await {
            Ok(run) if waits(&run) => None,
            other => Some(other),
        });
        let run = settled.await.ok_or_else(|| self.failed("its observation never ended"))??;
        let mut wrong = Wrong { exit: number(&run, "exit"), ..Wrong::default() };
        for finding in list(&run, "findings") {
            let blocks = finding.get("blocks").and_then(Value::as_bool) == Some(true);
            if !blocks || text(finding, "result") != "fail" {
                continue;
            }
            wrong.checks.insert(text(finding, "check").to_owned());
            let controls = list(finding, "controls").iter().filter_map(Value::as_str);
            wrong.controls.extend(controls.map(str::to_owned));
            chapter.finding(finding);
        }
        chapter.say("check", format!("its first version: exit {}, {}", wrong.exit, counts(&run)));
        Ok(wrong)
    }

    async fn set_faults(&self, faults: &[countersign_sandbox::Fault]) -> Result<(), Failure> {
        let set = self.sandbox.world.set_faults(self.kind, faults.iter().copied()).await;
        set.map_err(|it| self.failed("the partner could not be changed").because(&it))
    }

    /// Mended, it is looked at until nothing waits for time any more.
    async fn right_version(&self, chapter: &mut Chapter) -> Result<u64, Failure> {
        self.set_faults(&[]).await?;
        self.submit(Version::Right).await?;
        self.rehearse().await?;
        let mut runs = 0;
        let judged = until(PATIENCE, async || {
            runs += 1;
            match self.assess().await {
                Ok(run) if number(&run, "exit") == u64::from(Exit::Pending.code()) => None,
                other => Some(other),
            }
        });
        let run = judged.await.ok_or_else(|| self.failed("its observation never ended"))??;
        for finding in list(&run, "findings") {
            if finding.get("blocks").and_then(Value::as_bool) == Some(true) {
                chapter.finding(finding);
            }
        }
        let exit = number(&run, "exit");
        chapter.say("check", format!("mended: exit {exit}, {}", counts(&run)));
        if exit == 0 { Ok(exit) } else { Err(self.failed("its right version does not pass")) }
    }

    /// One person approves, which is not enough; then another one.
    async fn two_people(&self, chapter: &mut Chapter) -> Result<bool, Failure> {
        self.cast.approve("ada", self.slug()).await?;
        let plan = json!({ "integration": self.slug() });
        let alone = self.cast.post("olga", "/v1/certifications/plan", &plan).await;
        let refused = alone.is_err_and(|it| it.exit == Exit::Pending);
        self.cast.approve("ben", self.slug()).await?;
        let one = if refused { "one approval was refused" } else { "ONE APPROVAL WAS ENOUGH" };
        chapter.say("review", format!("ada and ben signed the same bytes; {one}"));
        Ok(refused)
    }

    async fn certify(&self, chapter: &mut Chapter) -> Result<(), Failure> {
        let plan = json!({ "integration": self.slug() });
        let plan = self.cast.post("olga", "/v1/certifications/plan", &plan).await?;
        let apply = json!({ "plan": text(&plan, "plan"), "digest": text(&plan, "digest") });
        let done = self.cast.post("olga", "/v1/certifications/apply", &apply).await?;
        let line = format!(
            "{}  log entry {}  active at {} of {} gates after {} ms",
            text(&done, "certificate"),
            number(&done, "log_index"),
            number(&done, "active_at"),
            number(&done, "gates"),
            number(&done, "ms"),
        );
        chapter.say("certify", line);
        Ok(())
    }

    async fn admitted(&self, chapter: &mut Chapter) -> Result<bool, Failure> {
        let business = self.work(Lane::Certified, WORK).await;
        chapter.say("enforce", format!("certified: {}", words(&business)));
        Ok(is_admitted(&business))
    }

    async fn revoke(&self, chapter: &mut Chapter) -> Result<Revoked, Failure> {
        let body = json!({
            "integration": self.slug(), "kind": "revoke", "reason": "the demo is over",
            "ticket": "DEMO-1",
        });
        let answer = self.cast.post("rita", "/v1/revocations", &body).await?;
        let row = |it: &Value| PathRow {
            path: text(it, "path").to_owned(),
            subject: text(it, "subject").to_owned(),
            state: text(it, "state").to_owned(),
            ms: number(it, "ms"),
            by: text(it, "by").to_owned(),
        };
        let revoked = Revoked {
            paths: list(&answer, "paths").iter().map(row).collect(),
            proven: number(&answer, "proven"),
            total: number(&answer, "total"),
        };
        chapter.revoked(&revoked);
        Ok(revoked)
    }

    async fn refused_after(&self, chapter: &mut Chapter) -> bool {
        let business = self.work(Lane::Certified, WORK).await;
        chapter.say("enforce", format!("revoked: {}", words(&business)));
        is_refused(&business)
    }

    /// Something on the stage did not do what the story needs.
    pub(super) fn failed(&self, what: &str) -> Failure {
        Failure::new(Exit::Broken, format!("{}: {what}", self.slug()))
    }
}

/// Whether something was done, and nothing was refused.
fn is_admitted(business: &Business) -> bool {
    let all = [&business.tokens, &business.calls];
    all.iter().all(|it| 0 < it.admitted && it.refused.is_empty())
}

/// Whether everything was refused by somebody who answered: silence is no refusal.
fn is_refused(business: &Business) -> bool {
    let (tokens, calls) = (&business.tokens, &business.calls);
    let silent = |it: &String| it == "unreachable" || it == "unreadable";
    let answered = !tokens.refused.is_empty() && !tokens.refused.keys().any(silent);
    tokens.admitted == 0 && calls.admitted == 0 && answered
}

fn approvers(one: &Value) -> usize {
    let approving = list(one, "decisions").iter().filter(|it| text(it, "verb") == "approve");
    approving.map(|it| text(it, "person")).collect::<BTreeSet<_>>().len()
}

/// `3 tokens granted, 9 calls admitted`, with the reasons of what was refused.
fn words(business: &Business) -> String {
    let (tokens, calls) = (&business.tokens, &business.calls);
    let mut parts = Vec::new();
    if 0 < tokens.admitted {
        parts.push(format!("{} tokens granted", tokens.admitted));
    }
    parts.extend(tokens.refused.iter().map(|(why, n)| format!("{n} tokens refused: {why}")));
    if 0 < calls.admitted {
        parts.push(format!("{} calls admitted", calls.admitted));
    }
    parts.extend(calls.refused.iter().map(|(why, n)| format!("{n} calls refused: {why}")));
    parts.join(", ")
}

/// The summary of a run, with its denominator.
fn counts(run: &Value) -> String {
    let summary = run.get("summary").cloned().unwrap_or_default();
    let count = |name| number(&summary, name);
    format!(
        "{} pass, {} fail, {} waiting, {} open of {} controls",
        count("pass"),
        count("fail"),
        count("waiting"),
        count("open") + count("inconclusive"),
        count("total")
    )
}
