//! The workbench: right tokens of the issuer that we play, and every way to spoil one.

use std::sync::Arc;

use aws_lc_rs::hmac;
use countersign_model::declare::Manifest;
use countersign_model::declare::manifest::{Resource, TokenAlg};
use countersign_model::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::harness::Harness;
use crate::harness::issuer::Issuer;
use crate::harness::keys::{Alg, KeyPair};
use crate::live::ask::Ask;
use crate::live::base64url;
use crate::talk::Talk;

/// What right tokens are made of.
pub(super) struct Bench {
    pub(super) resource: Resource,
    /// The name of the issuer at the harness.
    pub(super) name: String,
    pub(super) harness: Arc<Harness>,
    pub(super) issuer: Arc<Issuer>,
    pub(super) signer: Signer,
    pub(super) now: Timestamp,
    /// What the token in hand is called.
    pub(super) label: String,
    stem: String,
}

/// What signs.
#[derive(Clone)]
pub(super) enum Signer {
    Pair(Arc<KeyPair>),
    Shared(Arc<[u8]>),
}

/// What is presented, and how it is made.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// None where nothing is presented.
    pub(super) text: Option<String>,
    pub(super) how: String,
}

/// The algorithm of the keys that the harness makes; none for a shared secret.
pub(super) fn pair_alg(alg: TokenAlg) -> Option<Alg> {
    match alg {
        TokenAlg::EdDsa => Some(Alg::EdDsa),
        TokenAlg::Es256 => Some(Alg::Es256),
        TokenAlg::Rs256 => Some(Alg::Rs256),
        TokenAlg::Hs256 => None,
    }
}

/// A new key pair; RSA takes its time.
pub(super) async fn new_pair(alg: Alg) -> Option<Arc<KeyPair>> {
    tokio::task::spawn_blocking(move || KeyPair::generate(alg)).await.ok()?.map(Arc::new)
}

impl Bench {
    /// Sets one up for a resource of the manifest; why it cannot be is written down.
    pub(super) async fn set_up(
        subject: &str,
        manifest: &Manifest,
        talk: &mut Talk,
    ) -> Option<Self> {
        let found = manifest.resources.iter().enumerate();
        let (index, resource) = found.into_iter().find(|it| it.1.id.as_str() == subject)?;
        talk.setting("place", format!("resource[{index}]"));
        Self::at(resource.clone(), manifest.integration.id.as_str(), talk).await
    }

    /// Sets one up for this resource and the issuer of this name.
    pub(super) async fn at(resource: Resource, name: &str, talk: &mut Talk) -> Option<Self> {
        let harness = talk.harness()?;
        let Some(issuer) = harness.issuer(name) else {
            let error = "the harness plays too many issuers already";
            talk.fact("setup", "harness", json!({ "error": error }));
            return None;
        };
        let keep = resource.jwks_max_age.map(|it| it.millis().div_ceil(1_000));
        issuer.set_max_age(keep.unwrap_or(KEEP_SECONDS).clamp(1, KEEP_SECONDS));
        talk.setting("issuer", issuer.url());
        let signer = signer(&resource, &issuer, talk).await?;
        let stem = talk.fresh_name("probe-")?;
        let (name, now) = (name.to_owned(), talk.now());
        Some(Self { resource, name, harness, issuer, signer, now, label: String::new(), stem })
    }

    /// The header of a right token.
    pub(super) fn header(&self) -> Map<String, Value> {
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.signer.alg().into());
        if let Signer::Pair(pair) = &self.signer {
            header.insert("kid".to_owned(), pair.kid().into());
        }
        header.insert("typ".to_owned(), self.resource.token_type.word().into());
        header
    }

    /// The claims of a right token (RFC 9068, section 2.2).
    pub(super) fn claims(&self) -> Map<String, Value> {
        let now = self.now.seconds();
        let scopes: Vec<&str> = self.resource.scopes.iter().map(AsRef::as_ref).collect();
        let mut claims = Map::new();
        let mut add = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        add("aud", self.resource.audience.as_str().into());
        add("client_id", CLIENT.into());
        add("exp", (now + LIFE_SECONDS).into());
        add("iat", now.into());
        add("iss", self.issuer.url().into());
        add("jti", format!("{}-{}", self.stem, self.label).into());
        add("sub", CLIENT.into());
        if !scopes.is_empty() {
            add("scope", scopes.join(" ").into());
        }
        claims
    }

    /// A right token.
    pub(super) fn right(&self) -> Option<Token> {
        self.signed(self.header(), self.claims())
    }

    /// A token with this header and these claims, signed by the issuer.
    pub(super) fn signed(
        &self,
        header: Map<String, Value>,
        claims: Map<String, Value>,
    ) -> Option<Token> {
        self.written(&Value::Object(header).to_string(), &Value::Object(claims).to_string())
    }

    /// A token with header and claims exactly as they are written here, signed by the issuer.
    pub(super) fn written(&self, header: &str, claims: &str) -> Option<Token> {
        by(&self.signer, header, claims, "signed with the key of the issuer")
    }

    /// A right token but for its header, signed by the issuer.
    pub(super) fn with_header(
        &self,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Option<Token> {
        let mut header = self.header();
        change(&mut header);
        self.signed(header, self.claims())
    }

    /// A right token but for its claims, signed by the issuer.
    pub(super) fn with_claims(
        &self,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Option<Token> {
        let mut claims = self.claims();
        change(&mut claims);
        self.signed(self.header(), claims)
    }

    /// A right token but for one claim.
    pub(super) fn with_claim(&self, name: &str, value: impl Into<Value>) -> Option<Token> {
        self.with_claims(|it| {
            it.insert(name.to_owned(), value.into());
        })
    }

    /// A right token without one claim.
    pub(super) fn without_claim(&self, name: &str) -> Option<Token> {
        self.with_claims(|it| {
            it.remove(name);
        })
    }

    /// The audience of another resource.
    pub(super) fn other_audience(&self) -> String {
        let other = "https://another-resource.example".to_owned();
        self.resource.other.clone().unwrap_or(other)
    }

    /// The call with a token.
    pub(super) fn ask(&self, token: &Token) -> Option<Ask> {
        let ask = Ask::parse(&self.resource.call)?;
        Some(ask.bearer(token.text.as_deref()))
    }

    /// How to repeat it by hand.
    pub(super) fn repeat(&self, token: &Token) -> String {
        let Some(ask) = Ask::parse(&self.resource.call) else { return String::new() };
        let curl = ask.bearer(token.text.as_ref().map(|_| "$TOKEN")).curl();
        // A shell fills in what stands in double quotes.
        let curl =
            curl.replace("'authorization: Bearer $TOKEN'", "\"authorization: Bearer $TOKEN\"");
        format!("{curl}\n# {}", token.how)
    }
}

/// A token with header and claims exactly as they are written, signed by whom it says.
pub(super) fn by(signer: &Signer, header: &str, claims: &str, who: &str) -> Option<Token> {
    let input = input(header, claims);
    let signature = signer.sign(input.as_bytes())?;
    Some(Token {
        text: Some(format!("{input}.{}", base64url(&signature))),
        how: how(header, claims, who),
    })
}

/// A token with this signature, whatever it is.
pub(super) fn raw(header: &str, claims: &str, signature: &[u8], who: &str) -> Token {
    let text = format!("{}.{}", input(header, claims), base64url(signature));
    Token { text: Some(text), how: how(header, claims, who) }
}

/// What is signed.
pub(super) fn input(header: &str, claims: &str) -> String {
    format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()))
}

/// How a token is made, for people.
pub(super) fn how(header: &str, claims: &str, who: &str) -> String {
    let short = |text: &str| {
        let cut: String = text.chars().take(SHOWN_MAX).collect();
        if cut.len() < text.len() { format!("{cut}… ({} bytes)", text.len()) } else { cut }
    };
    format!("$TOKEN: header {}; claims {}; {who}", short(header), short(claims))
}

async fn signer(resource: &Resource, issuer: &Arc<Issuer>, talk: &mut Talk) -> Option<Signer> {
    let Some(alg) = pair_alg(resource.alg) else {
        let name = resource.secret_ref.clone().unwrap_or_default();
        let means = talk.means();
        let secret = means.as_ref().and_then(|it| it.secrets.get(&name));
        if secret.is_none() {
            let error = format!("the server holds no secret named `{name}`");
            talk.fact("setup", "server", json!({ "error": error }));
        }
        return Some(Signer::Shared(secret?.as_bytes().into()));
    };
    let issuer = Arc::clone(issuer);
    let pair = tokio::task::spawn_blocking(move || issuer.key(alg)).await.ok().flatten();
    if pair.is_none() {
        talk.fact("setup", "system", json!({ "error": "this machine makes no key" }));
    }
    pair.map(Signer::Pair)
}

impl Signer {
    /// As a header names it.
    pub(super) fn alg(&self) -> &'static str {
        match self {
            Self::Pair(pair) => pair.alg().word(),
            Self::Shared(_) => "HS256",
        }
    }

    /// The signature of these bytes.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Pair(pair) => pair.sign(message),
            Self::Shared(secret) => Some(hs256(secret, message)),
        }
    }

    /// The key pair of an issuer that has one.
    pub(super) fn pair(&self) -> Option<&KeyPair> {
        match self {
            Self::Pair(pair) => Some(pair),
            Self::Shared(_) => None,
        }
    }

    /// A key that nobody trusts, of the same kind.
    pub(super) fn stranger(&self) -> Option<Self> {
        Some(match self {
            // RSA keys take long to make, and a stranger's signature is wrong with any.
            Self::Pair(pair) => Self::Pair(Arc::new(KeyPair::generate(pair.alg())?)),
            Self::Shared(_) => {
                Self::Shared(crate::live::entropy::random::<32>()?.as_slice().into())
            }
        })
    }
}

/// HMAC with SHA-256 (RFC 7518, section 3.2).
pub(super) fn hs256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message).as_ref().to_vec()
}

const CLIENT: &str = "countersign-probe";
const LIFE_SECONDS: i64 = 300;
const KEEP_SECONDS: u64 = 300;
const SHOWN_MAX: usize = 700;

#[cfg(test)]
impl Bench {
    /// One for tests: with an issuer of its own, or a shared secret.
    pub(super) fn sample(resource: Resource, harness: Arc<Harness>, now: Timestamp) -> Self {
        let issuer = harness.issuer("acme").unwrap();
        let signer = match pair_alg(resource.alg) {
            Some(alg) => Signer::Pair(issuer.key(alg).unwrap()),
            None => Signer::Shared(b"a secret of thirty-two bytes or so".as_slice().into()),
        };
        let (name, stem) = ("acme".to_owned(), "probe-1".to_owned());
        Self { resource, name, harness, issuer, signer, now, label: String::new(), stem }
    }
}
