//! No drill concludes anything where the platform cannot be asked, or gives no way.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use countersign_checks::check::Stage;
use countersign_checks::live::client::TalkConfig;
use countersign_checks::live::clock::SystemClock;
use countersign_checks::platform::{
    Answer, ClientChange, ClientCopy, Delivery, Held, Platform, PlatformError, PlatformFault,
    Presence, RaisedAlert, ReceivedCall, SubscriptionChange, TokenAnswer, TokenRequest,
};
use countersign_checks::registry::CHECKS;
use countersign_checks::run::{Limits, RunInput, look};
use countersign_checks::secrets::Secrets;
use countersign_model::check::Verdict;
use countersign_model::declare::path::PathKind;
use countersign_model::declare::words::Slug;
use countersign_model::declare::{Format, Manifest, parse};
use countersign_model::time::Timestamp;
use countersign_seal::SigningKey;
use serde_json::Value;

/// A platform that does nothing that it is asked for.
#[derive(Debug, Clone, Copy)]
enum Broken {
    /// It never answers.
    Silent,
    /// It gives no way to do anything.
    Unable,
}

impl Broken {
    fn no<T>(self) -> Result<T, PlatformError> {
        let source = match self {
            Self::Silent => PlatformFault::Timeout { seconds: 5 },
            Self::Unable => PlatformFault::Unable,
        };
        Err(PlatformError { action: "do anything".to_owned(), source })
    }
}

type Done<T> = Result<T, PlatformError>;

#[async_trait]
impl Platform for Broken {
    fn issuer(&self) -> &'static str {
        "https://test.id.example.com"
    }
    fn token_endpoint(&self) -> String {
        "https://test.id.example.com/oauth/token".to_owned()
    }
    async fn granted(&self, _: &Manifest) -> Done<Held> {
        self.no()
    }
    async fn token_log(&self, _: &str, _: Timestamp) -> Done<Vec<u8>> {
        self.no()
    }
    async fn access_log(&self, _: &str, _: Timestamp) -> Done<Vec<u8>> {
        self.no()
    }
    async fn pushed_log(&self, _: &Slug) -> Done<Vec<u8>> {
        self.no()
    }
    async fn alerts(&self, _: &Slug) -> Done<Vec<RaisedAlert>> {
        self.no()
    }
    async fn deliveries(&self, _: &Slug, _: Timestamp) -> Done<Vec<Delivery>> {
        self.no()
    }
    async fn client(&self, _: &str, _: ClientChange) -> Done<()> {
        self.no()
    }
    async fn copy_client(&self, _: &str) -> Done<ClientCopy> {
        self.no()
    }
    async fn subscription(&self, _: &Slug, _: &str, _: SubscriptionChange) -> Done<()> {
        self.no()
    }
    async fn signing_key(&self, _: &Slug) -> Done<SigningKey> {
        self.no()
    }
    async fn webhook_key(&self, _: &Slug, _: &str, _: Presence) -> Done<()> {
        self.no()
    }
    async fn received(&self, _: &Slug, _: Timestamp) -> Done<Vec<ReceivedCall>> {
        self.no()
    }
    async fn redirects(&self, _: &str, _: Presence) -> Done<()> {
        self.no()
    }
    async fn emit(&self, _: &str, _: &Value) -> Done<String> {
        self.no()
    }
    async fn request_token(&self, _: &ClientCopy, _: &TokenRequest) -> Done<TokenAnswer> {
        self.no()
    }
    async fn use_token(&self, _: &str, _: &str, _: &str, _: Option<IpAddr>) -> Done<Answer> {
        self.no()
    }
    async fn introspect(&self, _: &str) -> Done<bool> {
        self.no()
    }
    async fn knock(&self, _: &Slug, _: PathKind, _: &str) -> Done<Answer> {
        self.no()
    }
    async fn run_job(&self, _: &Slug, _: &str, _: &BTreeMap<String, u32>) -> Done<Answer> {
        self.no()
    }
}

const MANIFESTS: [&str; 4] = [
    include_str!("../../../../spec/vectors/manifest/saas.toml"),
    include_str!("../../../../spec/vectors/manifest/payroll.toml"),
    include_str!("../../../../spec/vectors/manifest/reseller.toml"),
    include_str!("../../../../spec/vectors/manifest/marketplace.toml"),
];

#[tokio::test]
async fn no_drill_concludes_anything_about_a_platform_that_is_broken() {
    let drills = CHECKS.iter().filter(|it| it.stage() == Stage::Drill);
    let drills = drills.map(|it| it.info().name.to_owned()).collect();
    for text in MANIFESTS {
        let parsed = parse(text, Format::Toml).unwrap();
        for platform in [Some(Broken::Silent), Some(Broken::Unable), None] {
            let input = RunInput {
                manifest: &parsed.manifest,
                manifest_digest: parsed.digest,
                only: Some(&drills),
                settings: BTreeMap::new(),
                talk: TalkConfig::default(),
                platform: platform.map(|it| Arc::new(it) as Arc<dyn Platform>),
                harness: None,
                production: None,
                sources: BTreeMap::new(),
                // Without a secret the partner is not even asked.
                secrets: Secrets::default(),
                waivers: Vec::new(),
                certified_since: None,
                observed_since: None,
                clock: Arc::new(SystemClock::start()),
                salt: [7; 32],
                collector: "test".to_owned(),
                limits: Limits::default(),
                keeper: None,
            };
            let evidence = look(input).await.unwrap();
            assert_eq!(evidence.iter().filter(|it| is_judged(it.judgement.verdict)).count(), 0);
            assert!(evidence.iter().any(|it| it.judgement.verdict == Verdict::Inconclusive));
        }
    }
}

fn is_judged(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Pass)
}
