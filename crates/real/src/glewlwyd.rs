//! `glewlwyd` of Debian, with its OpenID Connect plugin.

use std::path::Path;
use std::process::{Command, Stdio};

use rcgen::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::process::{Process, free_port};
use crate::{Done, RealError, Talk};

const INSTALL: &str = "apt-get install glewlwyd sqlite3";
/// Where its package puts the tables of an empty database, and its modules.
const TABLES: &str = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3";
const MODULES: &str = "/usr/lib/glewlwyd";
/// How its plugin is set up; [`Glewlwyd::SCOPE`] stands in it.
const PARAMETERS: &str = include_str!("../foreign/glewlwyd-oidc.json");
/// The administrator of an empty database, as the package makes it.
const ADMINISTRATOR: (&str, &str) = ("admin", "password");

/// A running `glewlwyd`.
#[derive(Debug)]
pub struct Glewlwyd {
    /// Its issuer: `https://localhost:40123/api/oidc`.
    pub issuer: String,
    /// Its certificate, as PEM.
    pub ca: String,
    talk: Talk,
    _folder: TempDir,
    _process: Process,
}

impl Glewlwyd {
    /// The client that may register others, and introspect and end their tokens.
    pub const CLIENT: &str = "countersign";
    /// Its secret.
    pub const CLIENT_SECRET: &str = concat!("plainly-fake-", "secret-of-countersign");
    /// The scope of the tokens that it shows for that.
    pub const SCOPE: &str = "countersign:manage";

    /// Starts it, and sets its plugin up.
    pub async fn start() -> Done<Self> {
        let folder = tempfile::tempdir().map_err(RealError::new)?;
        let certificate = Certificate::write(folder.path())?;
        let database = folder.path().join("glewlwyd.db");
        make_database(&database)?;
        let port = free_port()?;
        let settings = folder.path().join("glewlwyd.conf");
        std::fs::write(&settings, configuration(port, &database, &certificate))
            .map_err(RealError::new)?;
        let mut command = Command::new("glewlwyd");
        command.arg(format!("--config-file={}", settings.display()));
        let ready = |line: &str| line.contains("Glewlwyd started on port").then_some(());
        let (process, ()) = Process::start(command, INSTALL, ready)?;
        let origin = format!("https://localhost:{port}");
        let issuer = format!("{origin}/api/oidc");
        let talk = Talk::new(&certificate.pem)?;
        set_up(&origin, &issuer, &talk).await?;
        Ok(Self { issuer, ca: certificate.pem, talk, _folder: folder, _process: process })
    }

    /// Registers a client as somebody who may, and gives back what the server answers.
    pub async fn register(&self, client: &Value) -> Done<Value> {
        let pair = (Self::CLIENT, Self::CLIENT_SECRET);
        let token = self.talk.token(&format!("{}/token", self.issuer), pair, Self::SCOPE).await?;
        let token = token.yes()?["access_token"].as_str().unwrap_or_default().to_owned();
        let bearer = format!("Bearer {token}");
        let place = format!("{}/register", self.issuer);
        self.talk.post(&place, &[("authorization", &bearer)], client).await?.yes()
    }
}

fn make_database(database: &Path) -> Done<()> {
    let tables = std::fs::File::open(TABLES);
    let tables =
        tables.map_err(|it| RealError::new(format!("`{TABLES}` is missing ({it}): {INSTALL}")))?;
    let output = Command::new("sqlite3").arg(database).stdin(Stdio::from(tables)).output();
    let output =
        output.map_err(|it| RealError::new(format!("`sqlite3` is missing ({it}): {INSTALL}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(RealError::new(String::from_utf8_lossy(&output.stderr)))
}

fn configuration(port: u16, database: &Path, certificate: &Certificate) -> String {
    format!(
        r#"port={port}
bind_address="127.0.0.1"
external_url="https://localhost:{port}/"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="INFO"
cookie_secure=0
session_key="GLEWLWYD2_SESSION_ID"
session_expiration=3600
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="{MODULES}/user"
client_module_path="{MODULES}/client"
user_auth_scheme_module_path="{MODULES}/scheme"
plugin_module_path="{MODULES}/plugin"
use_secure_connection=true
secure_connection_key_file="{}"
secure_connection_pem_file="{}"
hash_algorithm="SHA512"
database = {{ type="sqlite3" path="{}" }};
"#,
        certificate.key_file.display(),
        certificate.file.display(),
        database.display()
    )
}

async fn set_up(origin: &str, issuer: &str, talk: &Talk) -> Done<()> {
    let (user, password) = ADMINISTRATOR;
    let body = json!({ "username": user, "password": password });
    let cookie = talk.post(&format!("{origin}/api/auth/"), &[], &body).await?.cookie;
    let send = async |path: &str, body: Value| {
        talk.post(&format!("{origin}{path}"), &[("cookie", &cookie)], &body).await?.yes()
    };
    for name in ["tickets:read", Glewlwyd::SCOPE] {
        let scope = json!({
            "name": name, "display_name": name, "password_required": true, "scheme": {},
        });
        send("/api/scope/", scope).await?;
    }
    send("/api/mod/plugin/", plugin(issuer)?).await?;
    let client = json!({
        "client_id": Glewlwyd::CLIENT, "password": Glewlwyd::CLIENT_SECRET, "confidential": true,
        "enabled": true, "authorization_type": ["client_credentials"], "redirect_uri": [],
        "scope": [Glewlwyd::SCOPE], "token_endpoint_auth_method": ["client_secret_basic"],
    });
    send("/api/client/", client).await.map(drop)
}

/// The OpenID Connect plugin, with what the standards of OAuth 2 need switched on.
fn plugin(issuer: &str) -> Done<Value> {
    let key = KeyPair::generate().map_err(RealError::new)?;
    let mut parameters: Value = serde_json::from_str(PARAMETERS).map_err(RealError::new)?;
    parameters["iss"] = json!(issuer);
    parameters["key"] = json!(key.serialize_pem());
    parameters["cert"] = json!(key.public_key_pem());
    Ok(json!({
        "module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "order_rank": 0,
        "parameters": parameters,
    }))
}
