//! Keycloak, as its project publishes it on Maven Central.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};

use crate::certificate::Certificate;
use crate::process::{Process, free_port};
use crate::{Done, RealError, Said, Talk};

const INSTALL: &str = "apt-get install openjdk-17-jre-headless maven";
const VERSION: &str = "26.7.0";
const UNPACK: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack";
/// What is settled when it is made ready: its database is in memory, and secrets can be rotated.
const BUILD: [&str; 3] = ["build", "--db=dev-mem", "--features=client-secret-rotation"];
/// Ends the program when whoever started it is gone.
const WATCH: &str = r#"exec 3<&0; "$@" </dev/null & it=$!; { read -r _ <&3; kill -9 $it; } >/dev/null 2>&1 & wait $it"#;

/// A running Keycloak.
#[derive(Debug)]
pub struct Keycloak {
    /// Where it is: `https://localhost:40123`.
    pub origin: String,
    /// Its certificate, as PEM.
    pub ca: String,
    talk: Talk,
    /// Realms are made one after the other: each takes seconds, and all at once take too long.
    turn: Mutex<()>,
    _folder: TempDir,
    _process: Process,
}

impl Keycloak {
    /// The administrator of all realms: a client of the realm `master`.
    pub const ADMINISTRATOR: &str = "countersign-tests";
    /// Its secret.
    pub const ADMINISTRATOR_SECRET: &str = concat!("plainly-fake-", "secret-of-the-administrator");

    /// The one of this test program: it takes ten seconds to start, and each test has a realm of its own.
    pub async fn shared() -> Done<&'static Self> {
        static SHARED: OnceCell<Keycloak> = OnceCell::const_new();
        SHARED.get_or_try_init(|| async { Self::start() }).await
    }

    /// Starts it.
    pub fn start() -> Done<Self> {
        let home = installed()?;
        let folder = tempfile::tempdir().map_err(RealError::new)?;
        let certificate = Certificate::write(folder.path())?;
        let port = free_port()?;
        let ready = |line: &str| line.contains("Listening on: https://").then_some(());
        let home = own_home(&home, folder.path())?;
        let command = command(&home, folder.path(), &certificate, port);
        let (process, ()) = Process::start_watched(command, INSTALL, ready)?;
        let talk = Talk::new(&certificate.pem)?;
        let origin = format!("https://localhost:{port}");
        Ok(Self {
            origin,
            ca: certificate.pem,
            talk,
            turn: Mutex::new(()),
            _folder: folder,
            _process: process,
        })
    }

    /// Makes a realm that writes down what happens, and adds what is given: clients, users, scopes.
    pub async fn realm(&self, name: &str, more: &Value) -> Done<Realm<'_>> {
        let realm = json!({
            "realm": name, "enabled": true, "eventsEnabled": true, "adminEventsEnabled": true,
            "adminEventsDetailsEnabled": true, "accessTokenLifespan": 300,
        });
        let _turn = self.turn.lock().await;
        let realm_of = Realm { keycloak: self, name: name.to_owned() };
        self.administer("POST", "", &realm).await?.yes()?;
        // What a realm is imported with stands in the place of what every realm has: it comes after.
        for (place, key) in
            [("client-scopes", "clientScopes"), ("roles", "roles"), ("clients", "clients")]
        {
            for it in more[key].as_array().into_iter().flatten() {
                realm_of.post(place, it).await?;
            }
        }
        for it in more["users"].as_array().into_iter().flatten() {
            realm_of.post("users", it).await?;
        }
        Ok(realm_of)
    }

    async fn administer(&self, method: &str, path: &str, body: &Value) -> Done<Said> {
        let place = format!("{}/realms/master/protocol/openid-connect/token", self.origin);
        let pair = (Self::ADMINISTRATOR, Self::ADMINISTRATOR_SECRET);
        let token = self.talk.token(&place, pair, "openid").await?.yes()?;
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap_or_default());
        let place = format!("{}/admin/realms{path}", self.origin);
        self.talk.send(method, &place, &[("authorization", &bearer)], body).await
    }
}

/// One realm of a running Keycloak, in the hands of its administrator.
#[derive(Debug)]
pub struct Realm<'a> {
    keycloak: &'a Keycloak,
    name: String,
}

impl Realm<'_> {
    /// `https://localhost:40123/realms/partners`.
    pub fn issuer(&self) -> String {
        format!("{}/realms/{}", self.keycloak.origin, self.name)
    }

    /// Whoever speaks to it in the name of partners.
    pub fn talk(&self) -> &Talk {
        &self.keycloak.talk
    }

    /// Any request below `/admin/realms/{realm}/`.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Done<Said> {
        self.keycloak.administer(method, &format!("/{}/{path}", self.name), body).await
    }

    /// A `POST` that has to work.
    pub async fn post(&self, path: &str, body: &Value) -> Done<Value> {
        self.send("POST", path, body).await?.yes()
    }

    /// A `PUT` that has to work.
    pub async fn put(&self, path: &str, body: &Value) -> Done<Value> {
        self.send("PUT", path, body).await?.yes()
    }

    /// A `GET` that has to work.
    pub async fn get(&self, path: &str) -> Done<Value> {
        self.send("GET", path, &Value::Null).await?.yes()
    }

    /// The inner id of a client.
    pub async fn id_of(&self, client: &str) -> Done<String> {
        let found = self.get(&format!("clients?clientId={client}")).await?;
        let id = found[0]["id"].as_str();
        id.map(str::to_owned)
            .ok_or_else(|| RealError::new(format!("there is no client `{client}`")))
    }

    /// Makes a client with a service account that may do this in the realm (roles of `realm-management`).
    pub async fn account(&self, client: &str, secret: &str, roles: &[&str]) -> Done<()> {
        let body = json!({
            "clientId": client, "secret": secret, "serviceAccountsEnabled": true,
            "standardFlowEnabled": false, "optionalClientScopes": [],
        });
        self.post("clients", &body).await?;
        self.permit(client, roles).await
    }

    /// Lets a service account do this, and nothing else that it could before.
    pub async fn permit(&self, client: &str, roles: &[&str]) -> Done<()> {
        let user = self
            .get(&format!("clients/{}/service-account-user", self.id_of(client).await?))
            .await?;
        let user = user["id"].as_str().unwrap_or_default();
        self.permit_user(user, roles).await
    }

    /// The same for any user, by its inner id.
    pub async fn permit_user(&self, user: &str, roles: &[&str]) -> Done<()> {
        let management = self.id_of("realm-management").await?;
        let place = format!("users/{user}/role-mappings/clients/{management}");
        let had = self.get(&place).await?;
        self.send("DELETE", &place, &had).await?.yes()?;
        let all = self.get(&format!("clients/{management}/roles")).await?;
        let is_wanted = |it: &&Value| it["name"].as_str().is_some_and(|it| roles.contains(&it));
        let wanted: Vec<&Value> = all.as_array().into_iter().flatten().filter(is_wanted).collect();
        if wanted.len() != roles.len() {
            return Err(RealError::new(format!(
                "not all of {roles:?} are roles of realm-management"
            )));
        }
        self.post(&place, &json!(wanted)).await.map(drop)
    }
}

/// Installs it once, and makes it ready to start.
fn installed() -> Done<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/foreign/keycloak");
    std::fs::create_dir_all(&folder).map_err(RealError::new)?;
    let folder = folder.canonicalize().map_err(RealError::new)?;
    // Several test programs may come here at once: one installs, the others wait for it.
    let lock = std::fs::File::create(folder.join("lock")).map_err(RealError::new)?;
    lock.lock().map_err(RealError::new)?;
    let home = folder.join(format!("keycloak-{VERSION}"));
    let wanted = BUILD.join(" ");
    let mark = home.join("ready");
    if std::fs::read_to_string(&mark).is_ok_and(|it| it == wanted) {
        return Ok(home);
    }
    // Unpacked elsewhere and moved whole: Maven writes down what it unpacked, and would not do it again
    // where an earlier note lies, whether or not the files are still there.
    let aside = tempfile::tempdir_in(&folder).map_err(RealError::new)?;
    let artifact = format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip");
    let output = format!("-DoutputDirectory={}", aside.path().display());
    let notes = format!("-DmarkersDirectory={}", aside.path().join("notes").display());
    let unpack = ["-q", "-B", UNPACK, &artifact, &output, &notes];
    run(Command::new("mvn").args(unpack).current_dir(aside.path()))?;
    if home.exists() {
        std::fs::remove_dir_all(&home).map_err(RealError::new)?;
    }
    std::fs::rename(aside.path().join(format!("keycloak-{VERSION}")), &home)
        .map_err(RealError::new)?;
    run(Command::new("sh").arg(home.join("bin/kc.sh")).args(BUILD))?;
    std::fs::write(mark, wanted).map_err(RealError::new)?;
    Ok(home)
}

fn run(command: &mut Command) -> Done<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output();
    let output =
        output.map_err(|it| RealError::new(format!("`{program}` is missing ({it}): {INSTALL}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(RealError::new(format!("`{program}`: {}", String::from_utf8_lossy(&said))))
}

/// A folder with the same programs, and with data of its own: it writes what it trusts beside them.
fn own_home(installed: &Path, folder: &Path) -> Done<PathBuf> {
    let home = folder.join("home");
    std::fs::create_dir(&home).map_err(RealError::new)?;
    for name in ["bin", "conf", "lib", "providers", "themes"] {
        let link = std::os::unix::fs::symlink(installed.join(name), home.join(name));
        link.map_err(RealError::new)?;
    }
    Ok(home)
}

/// As its own script starts it, without the shell in between, and with a small heap.
fn command(home: &Path, folder: &Path, certificate: &Certificate, port: u16) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", WATCH, "sh", "java", "-Xms64m", "-Xmx512m", "-XX:+UseSerialGC"]);
    command.args([
        "-XX:TieredStopAtLevel=1",
        "-XX:MaxMetaspaceSize=256m",
        "-XX:+ExitOnOutOfMemoryError",
    ]);
    for module in ["java.util", "java.util.concurrent", "java.security", "java.lang"] {
        command.arg(format!("--add-opens=java.base/{module}=ALL-UNNAMED"));
    }
    command
        .arg(format!("-Dkc.home.dir={}", home.display()))
        .arg(format!("-Djboss.server.config.dir={}", home.join("conf").display()))
        .arg(format!("-Djava.io.tmpdir={}", folder.display()))
        .args([
            "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
            "-Dpicocli.disable.closures=true",
        ])
        .args(["-Dquarkus-log-max-startup-records=10000", "-cp"])
        .arg(home.join("lib/quarkus-run.jar"))
        .args([
            "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
            "start",
            "--optimized",
            "--cache=local",
        ])
        .args(["--http-enabled=false", "--http-host=127.0.0.1", "--hostname-strict=false"])
        .arg(format!("--https-port={port}"))
        .arg(format!("--https-certificate-file={}", certificate.file.display()))
        .arg(format!("--https-certificate-key-file={}", certificate.key_file.display()))
        .arg(format!("--truststore-paths={}", certificate.file.display()))
        .arg("--tls-hostname-verifier=ANY")
        .env("KC_BOOTSTRAP_ADMIN_CLIENT_ID", Keycloak::ADMINISTRATOR)
        .env("KC_BOOTSTRAP_ADMIN_CLIENT_SECRET", Keycloak::ADMINISTRATOR_SECRET);
    command
}
