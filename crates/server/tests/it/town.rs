//! The sandbox, a server that looks at it, and a gate in front of each tenant.

use std::collections::BTreeSet;
use std::path::Path as File;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_checks::drill::shadow::ShadowStep;
use countersign_checks::platform::{AdminRecord, Inventory, RaisedAlert};
use countersign_checks::registry;
use countersign_gate::Gate;
use countersign_gate::follow::{FollowConfig, Token, follow};
use countersign_model::certify::Baseline;
use countersign_model::check::{Evidence, Judgement, Transcript};
use countersign_model::declare::Manifest;
use countersign_model::declare::path::Path;
use countersign_model::enforce::snapshot::Lane;
use countersign_model::id::EvidenceId;
use countersign_model::require::Catalogue;
use countersign_model::revoke::{DrillPart, WithdrawalKind};
use countersign_model::time::Timestamp;
use countersign_sandbox::world::{PRODUCTION_HOST, TEST_HOST};
use countersign_sandbox::{Kind, World as Sandbox};
use countersign_seal::Digest;
use countersign_seal::dsse::pae;
use countersign_server::clock::Clock;
use countersign_server::config::Config;
use countersign_server::live::LiveWorld;
use countersign_server::world::{Job, Looked, Seen, SweepJob, Tenant, Unreachable, Used, World};
use countersign_server::{Running, run};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::stage::key;

/// The live world; controls whose checks do not exist yet are taken as held, so that the life of an
/// integration can be played to its end.
#[derive(Debug)]
pub(crate) struct Live {
    world: LiveWorld,
    clock: Clock,
}

#[async_trait]
impl World for Live {
    async fn look(&self, job: Job<'_>) -> Result<Looked, Unreachable> {
        let (digest, only) = (job.digest, job.only.cloned());
        let mut looked = self.world.look(job).await?;
        if !looked.problems.is_empty() {
            return Ok(looked);
        }
        let catalogue = Catalogue::embedded();
        let missing = catalogue.checks().into_iter().filter(|it| registry::find(it).is_none());
        let wanted = missing.filter(|it| only.as_ref().is_none_or(|only| only.contains(*it)));
        for (number, check) in (0_u8..).zip(wanted) {
            let now = self.clock.now();
            let evidence = Evidence {
                schema: "countersign.evidence/1".to_owned(),
                id: EvidenceId::new(now, [number; 10]),
                judge: "1".to_owned(),
                collector: "server".to_owned(),
                at: now,
                transcript: Transcript::new(check, "manifest", digest),
                judgement: Judgement::pass("taken as held"),
            };
            looked.seen.push(Seen {
                evidence,
                check: check.to_owned(),
                case: None,
                controls: catalogue.controls_of(check).map(|it| it.id.clone()).collect(),
                subject: "manifest".to_owned(),
                finding: None,
            });
        }
        Ok(looked)
    }

    async fn sweep(&self, job: SweepJob<'_>) -> Result<Seen, Unreachable> {
        self.world.sweep(job).await
    }

    async fn baseline(&self, manifest: &Manifest, digest: Digest) -> Result<Baseline, Unreachable> {
        self.world.baseline(manifest, digest).await
    }

    async fn cut(
        &self,
        manifest: &Manifest,
        path: &Path,
        how: WithdrawalKind,
    ) -> Result<String, Unreachable> {
        self.world.cut(manifest, path, how).await
    }

    async fn probe(&self, manifest: &Manifest, path: &Path) -> Result<Option<String>, Unreachable> {
        self.world.probe(manifest, path).await
    }

    async fn knock(
        &self,
        lane: Lane,
        manifest: &Manifest,
        path: &Path,
    ) -> Result<Option<String>, Unreachable> {
        self.world.knock(lane, manifest, path).await
    }

    fn shadow(
        &self,
        manifest: &Manifest,
        parts: &BTreeSet<DrillPart>,
    ) -> Result<Vec<ShadowStep>, Unreachable> {
        self.world.shadow(manifest, parts)
    }

    async fn restore(&self, manifest: &Manifest, path: &Path) -> Result<String, Unreachable> {
        self.world.restore(manifest, path).await
    }

    async fn destroy(&self, manifest: &Manifest) -> Result<u32, Unreachable> {
        self.world.destroy(manifest).await
    }

    async fn used(&self, manifest: &Manifest, since: Timestamp) -> Result<Used, Unreachable> {
        self.world.used(manifest, since).await
    }

    async fn admin_log(&self, since: Timestamp) -> Result<Vec<AdminRecord>, Unreachable> {
        self.world.admin_log(since).await
    }

    async fn inventory(&self, tenant: Tenant) -> Result<Inventory, Unreachable> {
        self.world.inventory(tenant).await
    }

    async fn alerts(&self, manifest: &Manifest) -> Result<Vec<RaisedAlert>, Unreachable> {
        self.world.alerts(manifest).await
    }
}

/// All of it.
pub(crate) struct Town {
    pub(crate) sandbox: Sandbox,
    running: Running,
    http: reqwest::Client,
    stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl Town {
    pub(crate) async fn start() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse(&settings(&sandbox, folder.path())).unwrap();
        let live = LiveWorld::from_config(&config, Clock::System).unwrap();
        let world = Arc::new(Live { world: live, clock: Clock::System });
        let running = run(config, world, Clock::System).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (stop, stopped) = watch::channel(false);
        for lane in [Lane::Certified, Lane::Trial] {
            let pins = countersign_gate::Pins {
                lane,
                environment: running.app.config.environment,
                snapshot_key: running.app.keys.snapshot.public(),
                certificate_key: running.app.keys.certificate.public(),
                issuer: "https://cs.example".to_owned(),
                approvers: running.app.book.published().registry.approvers.clone(),
            };
            let gate = Arc::new(Gate::new(pins));
            sandbox.put_gate(lane, Arc::clone(&gate) as Arc<dyn countersign_sandbox::Ask>);
            let config = FollowConfig {
                server: format!("http://{}/", running.addr).parse().unwrap(),
                gate: format!("front-{}", word(lane)),
                token: Token::new(format!("token-front-{}", word(lane))),
                every: Duration::from_millis(50),
                client: http.clone(),
            };
            let mut stopped = stopped.clone();
            let ended = async move { drop(stopped.wait_for(|it| *it).await) };
            tokio::spawn(follow(gate, config, ended));
        }
        Self { sandbox, running, http, stop, _folder: folder }
    }

    pub(crate) fn app(&self) -> &countersign_server::app::App {
        &self.running.app
    }

    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.running.shutdown().await;
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Value {
        let url = format!("http://{}{path}", self.running.addr);
        let request = self.http.get(url).bearer_auth(format!("token-{who}"));
        request.send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("http://{}{path}", self.running.addr);
        let request = self.http.post(url).bearer_auth(format!("token-{who}")).json(&body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn submit(&self, text: &str) {
        let body = json!({ "manifest": text, "format": "toml" });
        let (status, answer) = self.post("olga", "/v1/submissions", body).await;
        assert_eq!(status, 201, "{answer}");
        self.heard().await;
    }

    /// Waits until every gate answers from what is published now.
    async fn heard(&self) {
        for _ in 0..200 {
            let gates = self.get("paul", "/v1/gates").await;
            if gates.as_array().unwrap().iter().all(|it| it["current"] == true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the gates do not hear");
    }

    /// Checks, two people, plan and apply.
    pub(crate) async fn certify(&self, kind: Kind) -> Value {
        let slug = kind.slug();
        let (_, run) = self.post("olga", "/v1/assessments", json!({ "integration": slug })).await;
        assert_eq!(run["exit"], 0, "{slug}: {run:#}");
        for who in ["ada", "ben"] {
            let packet = self.get(who, &format!("/v1/reviews/{slug}")).await;
            let payload = STANDARD.decode(packet["payload"].as_str().unwrap()).unwrap();
            let signed = key(who).sign(&pae(packet["payload_type"].as_str().unwrap(), &payload));
            let body = json!({
                "verb": "approve", "reason": "looked at it",
                "seen_diff_digest": packet["seen_diff_digest"],
                "signature": { "keyid": key(who).key_id().as_str(), "sig": STANDARD.encode(signed) },
            });
            let path = format!("/v1/reviews/{slug}/decision");
            let (status, answer) = self.post(who, &path, body).await;
            assert_eq!(status, 200, "{slug}: {answer}");
        }
        let body = json!({ "integration": slug });
        let (_, plan) = self.post("olga", "/v1/certifications/plan", body).await;
        let body = json!({ "plan": plan["plan"], "digest": plan["digest"] });
        let (status, certified) = self.post("olga", "/v1/certifications/apply", body).await;
        assert_eq!(status, 200, "{slug}: {certified}");
        assert_eq!(certified["active_at"], certified["gates"], "{slug}: {certified}");
        certified
    }

    /// Waits until an integration is in a state.
    pub(crate) async fn state(&self, kind: Kind, wanted: &str) -> Value {
        let mut last = Value::Null;
        for _ in 0..200 {
            last = self.get("paul", &format!("/v1/integrations/{}", kind.slug())).await;
            if last["state"] == wanted {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} never became {wanted}: {last:#}", kind.slug());
    }
}

fn word(lane: Lane) -> &'static str {
    match lane {
        Lane::Certified => "certified",
        Lane::Trial => "trial",
    }
}

/// The settings of a server over the sandbox, with what they name beside them.
pub(crate) fn settings(sandbox: &Sandbox, folder: &File) -> String {
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let data = folder.join("data").display().to_string();
    let mut text = format!(
        "listen = \"127.0.0.1:0\"\ndata = \"{data}\"\nissuer = \"https://cs.example\"\nenvironment = \"sandbox\"\ndrift_every = \"100ms\"\nwait = \"5s\"\n"
    );
    let people: [(&str, &str, bool); 5] = [
        ("olga", "owner", false),
        ("ada", "reviewer", true),
        ("ben", "reviewer", true),
        ("rita", "responder", false),
        ("paul", "auditor", false),
    ];
    let mut write = |line: String| text.extend([line.as_str(), "\n"]);
    for (name, role, signs) in people {
        let token = Digest::of(format!("token-{name}").as_bytes());
        write(format!(
            "[[person]]\nid = \"{name}\"\nroles = [\"{role}\"]\ntoken_sha256 = \"{token}\""
        ));
        if signs {
            write(format!("key = \"{}\"", key(name).public()));
        }
    }
    for (lane, name, host) in
        [(Lane::Certified, "production", PRODUCTION_HOST), (Lane::Trial, "test", TEST_HOST)]
    {
        let word = word(lane);
        let token = Digest::of(format!("token-front-{word}").as_bytes());
        write(format!(
            "[[gate]]\nname = \"front-{word}\"\nlane = \"{word}\"\ntoken_sha256 = \"{token}\""
        ));
        let tenant = sandbox.tenant(lane);
        let reader = put(&format!("{name}.reader"), tenant.reader_token());
        let killer = put(&format!("{name}.killer"), tenant.killer_token());
        write(format!(
            "[platform.{name}]\nkind = \"sandbox\"\nurl = \"https://{host}\"\nreader_token_file = \"{reader}\"\nkiller_token_file = \"{killer}\""
        ));
    }
    let ca = put("ca.pem", &sandbox.net().ca_pem);
    let hosts: Vec<String> = sandbox.net().resolve.keys().map(|it| format!("\"{it}\"")).collect();
    let proved = hosts.join(", ");
    write(format!("[talk]\nca = \"{ca}\"\nproved = [{proved}]\n[talk.resolve]"));
    for (host, address) in &sandbox.net().resolve {
        write(format!("\"{host}\" = \"{address}\""));
    }
    write("[secrets]".to_owned());
    for (name, secret) in sandbox.secrets() {
        write(format!("\"{name}\" = \"{}\"", put(&name, &secret)));
    }
    write("[sources]".to_owned());
    for (address, path) in sandbox.sources() {
        write(format!("\"{address}\" = \"{}\"", path.display()));
    }
    text
}

/// Subjects of the paths of a receipt that are not proven.
pub(crate) fn unproven(receipt: &Value) -> BTreeSet<String> {
    let paths = receipt["paths"].as_array().into_iter().flatten();
    let open = paths.filter(|it| it["state"] != "proven");
    open.map(|it| format!("{} {}: {}", it["path"], it["subject"], it["by"])).collect()
}
