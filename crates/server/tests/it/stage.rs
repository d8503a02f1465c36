//! A server with a stand-in world, people with keys and tokens, and a clock that stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_checks::drill::shadow::ShadowStep;
use countersign_checks::platform::{AdminRecord, Inventory, RaisedAlert};
use countersign_model::certify::{Baseline, Granted};
use countersign_model::check::{Evidence, Judgement, Transcript, Verdict};
use countersign_model::declare::Manifest;
use countersign_model::declare::path::Path;
use countersign_model::enforce::snapshot::{Lane, Standing};
use countersign_model::id::EvidenceId;
use countersign_model::registry::CameBack;
use countersign_model::require::Catalogue;
use countersign_model::revoke::{DrillPart, WithdrawalKind};
use countersign_model::time::Timestamp;
use countersign_seal::dsse::pae;
use countersign_seal::{Digest, SigningKey};
use countersign_server::app::App;
use countersign_server::book::Published;
use countersign_server::clock::Clock;
use countersign_server::config::Config;
use countersign_server::run::open;
use countersign_server::steps::take_up::{Agenda, look};
use countersign_server::world::{Job, Looked, Seen, SweepJob, Tenant, Unreachable, Used, World};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::later;

pub(crate) const MANIFEST: &str = include_str!("acme.toml");
pub(crate) const START_MS: i64 = 1_795_000_000_000;

/// What the stand-in world is told to do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) extra_scope: Option<String>,
    pub(crate) extra_client: Option<String>,
    pub(crate) fails: BTreeSet<String>,
    /// A check that fails in every second run.
    pub(crate) flips: Option<String>,
    pub(crate) not_proven: BTreeSet<String>,
    pub(crate) down: bool,
    pub(crate) asked: Vec<Option<BTreeSet<String>>>,
    /// The production platform does not answer.
    pub(crate) platform_down: bool,
    /// What goes wrong at the production platform.
    pub(crate) trouble: Option<Trouble>,
    /// What production was told, in order: `cut token-mint oauth:acme-helpdesk`.
    pub(crate) done: Vec<String>,
    pub(crate) alerts: Vec<RaisedAlert>,
    /// What both platforms hold.
    pub(crate) inventory: Inventory,
    /// How often they were asked for it.
    pub(crate) listed: u32,
    /// Runs leave the credentials of a copy to be tried again.
    pub(crate) keeps: bool,
    /// What later looks come to; gone, where nothing is said.
    pub(crate) sweeps: BTreeMap<String, Verdict>,
    /// What was tried again: which look, and whose credentials it was given.
    pub(crate) swept: Vec<(String, String)>,
    /// What the last run was told to have come back.
    pub(crate) came_back: BTreeMap<String, CameBack>,
}

/// How a platform fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It answers so many questions, and then it is gone.
    DiesAfter(usize),
    /// It answers 500.
    Errors,
    /// It never answers.
    Hangs,
}

impl Fake {
    async fn tell(&self, word: &str) -> Result<(), Unreachable> {
        match self.take(word) {
            Ok(()) => Ok(()),
            Err(Some(why)) => Err(Unreachable(why.to_owned())),
            Err(None) => std::future::pending().await,
        }
    }

    /// Takes a command in; or why not, or nothing where it hangs.
    fn take(&self, word: &str) -> Result<(), Option<&'static str>> {
        let mut told = self.told.lock().unwrap();
        if told.platform_down {
            return Err(Some("the platform is down"));
        }
        match &mut told.trouble {
            Some(Trouble::Errors) => return Err(Some("HTTP 500")),
            Some(Trouble::Hangs) => return Err(None),
            Some(Trouble::DiesAfter(0)) => return Err(Some("the connection was closed")),
            Some(Trouble::DiesAfter(left)) => *left -= 1,
            None => {}
        }
        told.done.push(word.to_owned());
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) told: Mutex<Told>,
    pub(crate) clock: Clock,
    /// What gates answer from.
    published: Mutex<Option<watch::Receiver<Arc<Published>>>>,
}

#[async_trait]
impl World for Fake {
    async fn look(&self, job: Job<'_>) -> Result<Looked, Unreachable> {
        let mut told = self.told.lock().unwrap();
        told.asked.push(job.only.cloned());
        if told.down {
            let problems = vec![json!({ "code": "PRE-002", "message": "the partner is down" })];
            return Ok(Looked { questions: 7, problems, ..Looked::default() });
        }
        let catalogue = Catalogue::embedded();
        let wanted = |it: &&&str| job.only.is_none_or(|only| only.contains(**it));
        let now = self.clock.now();
        let checks = catalogue.checks();
        told.came_back.clone_from(job.came_back);
        let mut kept = Vec::new();
        let (keeps, run) = (told.keeps, told.asked.len());
        let seen = (1_u8..).zip(checks.iter().filter(wanted)).map(|(number, check)| {
            let flips = told.flips.as_deref() == Some(*check) && told.asked.len().is_multiple_of(2);
            let judgement = if flips || told.fails.contains(*check) {
                Judgement::fail("it does not hold")
            } else {
                Judgement::pass("it holds")
            };
            let is_kept = keeps && *check == later::GHOST;
            let judgement = if is_kept { judgement.owed(later::owed(now)) } else { judgement };
            let evidence = Evidence {
                schema: "countersign.evidence/1".to_owned(),
                id: EvidenceId::new(now, [number; 10]),
                judge: "1".to_owned(),
                collector: "server".to_owned(),
                at: now,
                transcript: Transcript::new(*check, "manifest", job.digest),
                judgement,
            };
            let controls: Vec<String> =
                catalogue.controls_of(check).map(|it| it.id.clone()).collect();
            let check = (*check).to_owned();
            let subject = "manifest".to_owned();
            if is_kept {
                kept.push(later::kept(&evidence, &controls, run));
            }
            Seen { evidence, check, case: None, controls, subject, finding: None }
        });
        let seen = seen.collect();
        Ok(Looked { questions: 7, seen, kept, ..Looked::default() })
    }

    async fn sweep(&self, job: SweepJob<'_>) -> Result<Seen, Unreachable> {
        self.tell("sweep").await?;
        Ok(later::sweep(&mut self.told.lock().unwrap(), &job, self.clock.now()))
    }

    async fn baseline(&self, manifest: &Manifest, digest: Digest) -> Result<Baseline, Unreachable> {
        let extra = self.told.lock().unwrap().extra_scope.clone();
        let granted = manifest.identities.iter().map(|it| {
            let mut scopes: BTreeSet<String> =
                it.scopes.iter().map(|it| it.name.to_string()).collect();
            scopes.extend(extra.clone());
            // The last word about it counts: a client that was cut is disabled until it is restored.
            let told = self.told.lock().unwrap();
            let last = told.done.iter().rev().find(|word| word.ends_with(it.id.as_str()));
            let enabled = !last.is_some_and(|word| word.starts_with("cut "));
            (it.client_id().to_owned(), Granted { enabled, scopes, ..Granted::default() })
        });
        let mut granted: BTreeMap<String, Granted> = granted.collect();
        let extra = self.told.lock().unwrap().extra_client.clone();
        granted.extend(extra.map(|it| (it, Granted::default())));
        Ok(Baseline::new(digest, granted, BTreeMap::new()))
    }

    async fn cut(
        &self,
        _: &Manifest,
        path: &Path,
        _: WithdrawalKind,
    ) -> Result<String, Unreachable> {
        self.tell(&format!("cut {path}")).await.map(|()| "platform".to_owned())
    }

    async fn probe(&self, _: &Manifest, path: &Path) -> Result<Option<String>, Unreachable> {
        self.tell("probe").await?;
        let open = self.told.lock().unwrap().not_proven.contains(&path.subject);
        Ok((!open).then(|| "probe -> invalid_client".to_owned()))
    }

    async fn restore(&self, _: &Manifest, path: &Path) -> Result<String, Unreachable> {
        self.tell(&format!("restore {path}")).await.map(|()| "platform".to_owned())
    }

    async fn knock(
        &self,
        lane: Lane,
        manifest: &Manifest,
        _: &Path,
    ) -> Result<Option<String>, Unreachable> {
        let published = self.published.lock().unwrap();
        let published = published.as_ref().unwrap().borrow();
        let entries = &published.lane(lane).document.entries;
        let mine = entries.iter().find(|it| it.integration == manifest.integration.id);
        Ok(match mine.map(|it| &it.standing) {
            Some(Standing::Good { .. }) => None,
            Some(Standing::Suspended { .. }) => Some("suspended".to_owned()),
            Some(Standing::Revoked) => Some("revoked".to_owned()),
            Some(Standing::Lapsed) | None => Some("uncertified".to_owned()),
        })
    }

    fn shadow(
        &self,
        manifest: &Manifest,
        parts: &BTreeSet<DrillPart>,
    ) -> Result<Vec<ShadowStep>, Unreachable> {
        let one = |part: &DrillPart| ShadowStep {
            part: *part,
            path: manifest.integration.id.to_string(),
            does: "something".to_owned(),
            at: "https://test.id.example.com".to_owned(),
            call: "a call".to_owned(),
            undone: "it is undone".to_owned(),
        };
        Ok(parts.iter().map(one).collect())
    }

    async fn destroy(&self, _: &Manifest) -> Result<u32, Unreachable> {
        self.tell("destroy").await.map(|()| 3)
    }

    async fn used(&self, _: &Manifest, since: Timestamp) -> Result<Used, Unreachable> {
        Ok(Used { since, clients: BTreeMap::new() })
    }

    async fn admin_log(&self, _: Timestamp) -> Result<Vec<AdminRecord>, Unreachable> {
        Ok(Vec::new())
    }

    async fn inventory(&self, _: Tenant) -> Result<Inventory, Unreachable> {
        let mut told = self.told.lock().unwrap();
        told.listed += 1;
        Ok(told.inventory.clone())
    }

    async fn alerts(&self, _: &Manifest) -> Result<Vec<RaisedAlert>, Unreachable> {
        Ok(self.told.lock().unwrap().alerts.clone())
    }
}

/// A server on a stage, with a gate that acknowledges whatever is published.
pub(crate) struct Stage {
    pub(crate) app: Arc<App>,
    pub(crate) fake: Arc<Fake>,
    world: Arc<dyn World>,
    environment: &'static str,
    now: Arc<AtomicI64>,
    folder: Arc<tempfile::TempDir>,
    gate: tokio::task::JoinHandle<()>,
}

fn front(app: &Arc<App>) -> tokio::task::JoinHandle<()> {
    let (acks, mut published) = (app.acks.clone(), app.book.follow());
    tokio::spawn(async move {
        loop {
            let epoch = published.borrow_and_update().epoch;
            acks.send_modify(|acks| acks.extend([("front".to_owned(), epoch)]));
            if published.changed().await.is_err() {
                return;
            }
        }
    })
}

pub(crate) fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(*Digest::of(name.as_bytes()).as_bytes())
}

fn config(folder: &std::path::Path, environment: &str, left: &[&str]) -> Config {
    let mut text = format!(
        "listen = \"127.0.0.1:0\"\ndata = \"{}\"\nissuer = \"https://cs.example\"\nenvironment = \"{environment}\"\nwait = \"200ms\"\n",
        folder.display()
    );
    let people = [
        ("olga", "\"owner\"", false),
        ("ada", "\"reviewer\"", true),
        ("ben", "\"reviewer\"", true),
        ("eve", "\"owner\", \"reviewer\"", true),
        ("rita", "\"responder\"", false),
        ("paul", "\"auditor\"", false),
    ];
    for (name, roles, signs) in people {
        let token = Digest::of(format!("token-{name}").as_bytes());
        let _infallible = write!(
            text,
            "[[person]]\nid = \"{name}\"\nroles = [{roles}]\ntoken_sha256 = \"{token}\"\n"
        );
        if signs && !left.contains(&name) {
            let _infallible = writeln!(text, "key = \"{}\"", key(name).public());
        }
    }
    let token = Digest::of(b"token-gate");
    let _infallible = write!(
        text,
        "[[gate]]\nname = \"front\"\nlane = \"certified\"\ntoken_sha256 = \"{token}\"\n"
    );
    Config::parse(&text).unwrap()
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::over("sandbox", |it| it).await
    }

    /// A server of an environment, over the world that is made around the stand-in.
    pub(crate) async fn over(
        environment: &'static str,
        around: impl FnOnce(Arc<Fake>) -> Arc<dyn World>,
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let now = Arc::new(AtomicI64::new(START_MS));
        let clock = Clock::Standing(Arc::clone(&now));
        let fake = Arc::new(Fake {
            told: Mutex::default(),
            clock: clock.clone(),
            published: Mutex::default(),
        });
        let world = around(Arc::clone(&fake));
        let config = config(folder.path(), environment, &[]);
        let app = open(config, Arc::clone(&world), clock).await.unwrap();
        *fake.published.lock().unwrap() = Some(app.book.follow());
        let gate = front(&app);
        Self { app, fake, world, environment, now, folder, gate }
    }

    /// The same after a restart.
    pub(crate) async fn restart(self) -> Self {
        self.restart_without(&[]).await
    }

    /// The same after a restart with settings that know some people's keys no more.
    pub(crate) async fn restart_without(self, left: &[&str]) -> Self {
        let Self { app, fake, world, environment, now, folder, gate } = self;
        gate.abort();
        drop(app);
        let clock = Clock::Standing(Arc::clone(&now));
        let config = config(folder.path(), environment, left);
        let app = open(config, Arc::clone(&world), clock).await.unwrap();
        *fake.published.lock().unwrap() = Some(app.book.follow());
        let gate = front(&app);
        Self { app, fake, world, environment, now, folder, gate }
    }

    /// The server's own folder: database and keys.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The gate hears nothing any more.
    pub(crate) fn cut_the_gate_off(&self) {
        self.gate.abort();
    }

    /// Takes up what is unfinished, as the server's own loop does; how many pieces.
    pub(crate) async fn take_up(&self) -> usize {
        look(&self.app, &mut Agenda::default()).await
    }

    /// What production was told, but for questions.
    pub(crate) fn done(&self) -> Vec<String> {
        let mut told = self.fake.told.lock().unwrap();
        std::mem::take(&mut told.done).into_iter().filter(|it| it != "probe").collect()
    }

    pub(crate) async fn withdraw(&self, kind: &str) -> (u16, Value) {
        let body = json!({ "integration": "acme-helpdesk", "kind": kind, "reason": "it leaked" });
        self.post("rita", "/v1/revocations", body).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub(crate) async fn raw(
        &self,
        who: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Vec<u8>) {
        let router = countersign_server::api::router(Arc::clone(&self.app));
        let mut request = Request::builder().method(method).uri(path);
        if !who.is_empty() {
            request = request.header("authorization", format!("Bearer token-{who}"));
        }
        let body = body.map_or_else(Body::empty, |it| Body::from(it.to_string()));
        let request = request.header("content-type", "application/json").body(body).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, bytes.to_vec())
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> (u16, Value) {
        let (status, bytes) = self.raw(who, "GET", path, None).await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: Value) -> (u16, Value) {
        let (status, bytes) = self.raw(who, "POST", path, Some(body)).await;
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub(crate) async fn submit(&self, who: &str, text: &str) -> (u16, Value) {
        self.post(who, "/v1/submissions", json!({ "manifest": text, "format": "toml" })).await
    }

    pub(crate) async fn assess(&self) -> (u16, Value) {
        self.post("olga", "/v1/assessments", json!({ "integration": "acme-helpdesk" })).await
    }

    /// `who` decides, signing with `signer`'s key.
    pub(crate) async fn decide(
        &self,
        who: &str,
        verb: &str,
        without: &[&str],
        signer: &str,
    ) -> (u16, Value) {
        let query = format!("/v1/reviews/acme-helpdesk?without={}", without.join(","));
        let (status, packet) = self.get(who, &query).await;
        if status != 200 {
            return (status, packet);
        }
        let payload = STANDARD.decode(packet["payload"].as_str().unwrap()).unwrap();
        let signed = key(signer).sign(&pae(packet["payload_type"].as_str().unwrap(), &payload));
        let grants = matches!(verb, "approve" | "right-size");
        let signature = grants.then(
            || json!({ "keyid": key(signer).key_id().as_str(), "sig": STANDARD.encode(signed) }),
        );
        let body = json!({
            "verb": verb, "reason": "looked at it", "seen_diff_digest": packet["seen_diff_digest"],
            "without": without, "signature": signature,
        });
        self.post(who, "/v1/reviews/acme-helpdesk/decision", body).await
    }

    pub(crate) async fn approve(&self, who: &str) -> (u16, Value) {
        self.decide(who, "approve", &[], who).await
    }

    pub(crate) async fn plan(&self) -> (u16, Value) {
        self.post("olga", "/v1/certifications/plan", json!({ "integration": "acme-helpdesk" }))
            .await
    }

    pub(crate) async fn apply(&self, plan: &Value) -> (u16, Value) {
        let body = json!({ "plan": plan["plan"], "digest": plan["digest"] });
        self.post("olga", "/v1/certifications/apply", body).await
    }

    /// From nothing to a certificate.
    pub(crate) async fn certify(&self) -> Value {
        self.certify_as(MANIFEST).await
    }

    /// The same for a manifest of one's own.
    pub(crate) async fn certify_as(&self, manifest: &str) -> Value {
        let (status, submitted) = self.submit("olga", manifest).await;
        assert_eq!(status, 201, "{submitted:#}");
        let (_, run) = self.assess().await;
        assert_eq!(run["exit"], 0, "{run}");
        assert_eq!(self.approve("ada").await.0, 200);
        assert_eq!(self.approve("ben").await.0, 200);
        let (status, plan) = self.plan().await;
        assert_eq!(status, 200, "{plan}");
        let (status, certified) = self.apply(&plan).await;
        assert_eq!(status, 200, "{certified}");
        certified
    }

    pub(crate) async fn state(&self) -> String {
        let (_, one) = self.get("paul", "/v1/integrations/acme-helpdesk").await;
        one["state"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn pins(&self) -> countersign_gate::Pins {
        countersign_gate::Pins {
            lane: Lane::Certified,
            environment: self.app.config.environment,
            snapshot_key: self.app.keys.snapshot.public(),
            certificate_key: self.app.keys.certificate.public(),
            issuer: "https://cs.example".to_owned(),
            approvers: self.app.book.published().registry.approvers.clone(),
        }
    }
}
