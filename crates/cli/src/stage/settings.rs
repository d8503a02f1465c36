//! The settings of a stage's server: written once, and connected anew with each sandbox.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use countersign_model::enforce::snapshot::Lane;
use countersign_sandbox::World;
use countersign_seal::Digest;
use countersign_server::config::{Config, Role};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::people::Person;
use super::prepare::{GateSeat, Options, Stage};
use super::{StageError, seat};

/// Who certifies on a stage.
const ISSUER: &str = "https://countersign.example";

/// New settings, not connected to anything yet.
pub(super) fn write(
    folder: &Path,
    options: Options,
    listen: SocketAddr,
    people: &[Person],
    gates: &[GateSeat],
) -> Result<String, StageError> {
    let mut document = DocumentMut::new();
    document
        .decor_mut()
        .set_prefix("# The server's settings: countersign server run --config FILE\n");
    let top = document.as_table_mut();
    top["listen"] = value(listen.to_string());
    top["data"] = value(path(&folder.join("data"))?);
    top["issuer"] = value(ISSUER);
    top["environment"] = value("sandbox");
    top["lease"] = value(options.lease.to_string());
    top["wait"] = value(options.wait.to_string());
    top["drift_every"] = value("1s");
    let mut each = ArrayOfTables::new();
    for person in people {
        let mut table = Table::new();
        table["id"] = value(person.name);
        table["roles"] = value(person.roles.iter().map(|it| word(*it)).collect::<Array>());
        table["token_sha256"] = value(Digest::of(person.token.as_bytes()).to_string());
        if let Some(key) = &person.key {
            table["key"] = value(key.public().to_string());
        }
        each.push(table);
    }
    top["person"] = Item::ArrayOfTables(each);
    let mut each = ArrayOfTables::new();
    for gate in gates {
        let mut table = Table::new();
        table["name"] = value(gate.name);
        table["lane"] = value(lane_word(gate.lane));
        table["token_sha256"] = value(Digest::of(gate.token.as_bytes()).to_string());
        each.push(table);
    }
    top["gate"] = Item::ArrayOfTables(each);
    Ok(document.to_string())
}

/// Writes down where the platforms and partners of a sandbox are, and what opens them.
pub(super) fn connect(stage: &Stage, world: &World) -> Result<(), StageError> {
    let folder = stage.folder.join("sandbox");
    let text = std::fs::read_to_string(&stage.config_file)
        .map_err(StageError::file("read", &stage.config_file))?;
    let mut document: DocumentMut = text.parse()?;
    let mut platform = Table::new();
    platform.set_implicit(true);
    for (name, lane) in [("production", Lane::Certified), ("test", Lane::Trial)] {
        let tenant = world.tenant(lane);
        let mut table = Table::new();
        table["kind"] = value("sandbox");
        table["url"] = value(tenant.url());
        for (member, token) in
            [("reader", tenant.reader_token()), ("killer", tenant.killer_token())]
        {
            let file = folder.join(format!("{name}-{member}"));
            seat::replace(&file, token)?;
            table[&format!("{member}_token_file")] = value(path(&file)?);
        }
        platform[name] = Item::Table(table);
    }
    let top = document.as_table_mut();
    top["platform"] = Item::Table(platform);
    let ca = folder.join("ca.pem");
    seat::replace(&ca, &world.net().ca_pem)?;
    let mut resolve = Table::new();
    for (host, address) in &world.net().resolve {
        resolve[host.as_str()] = value(address.to_string());
    }
    let mut talk = Table::new();
    talk["ca"] = value(path(&ca)?);
    talk["resolve"] = Item::Table(resolve);
    top["talk"] = Item::Table(talk);
    top["harness"] = Item::Table(harness(world, &folder)?);
    let mut secrets = Table::new();
    for (name, secret) in world.secrets() {
        let file = folder.join("secrets").join(&name);
        seat::replace(&file, &secret)?;
        secrets[&name] = value(path(&file)?);
    }
    top["secrets"] = Item::Table(secrets);
    let mut sources = Table::new();
    for (address, folder) in world.sources() {
        sources[&address] = value(path(&folder)?);
    }
    top["sources"] = Item::Table(sources);
    let text = document.to_string();
    Config::parse(&text)?;
    seat::replace(&stage.config_file, &text)
}

/// Where the server has to start the checker's own side, and what it shows there.
fn harness(world: &World, folder: &Path) -> Result<Table, StageError> {
    let own = world.release_harness()?;
    let mut harness = Table::new();
    harness["url"] = value(own.url);
    harness["listen"] = value(own.listen.to_string());
    pair(&mut harness, &folder.join("harness"), &own.shown.own)?;
    let mut names = Table::new();
    names.set_implicit(true);
    for (name, shown) in &own.shown.wrong {
        let mut table = Table::new();
        pair(&mut table, &folder.join(format!("harness-{}", name.word())), shown)?;
        names[name.word()] = Item::Table(table);
    }
    harness["names"] = Item::Table(names);
    Ok(harness)
}

/// Writes a certificate and its key into files, and their names into a table.
fn pair(table: &mut Table, stem: &Path, pem: &(String, String)) -> Result<(), StageError> {
    for (name, text) in [("certificate", &pem.0), ("key", &pem.1)] {
        let file = PathBuf::from(format!("{}-{name}.pem", stem.display()));
        seat::replace(&file, text)?;
        table[name] = value(path(&file)?);
    }
    Ok(())
}

/// Takes out again what [`connect`] wrote.
pub(super) fn disconnect(stage: &Stage) -> Result<(), StageError> {
    let text = std::fs::read_to_string(&stage.config_file)
        .map_err(StageError::file("read", &stage.config_file))?;
    let mut document: DocumentMut = text.parse()?;
    for section in ["harness", "platform", "secrets", "sources", "talk"] {
        document.remove(section);
    }
    seat::replace(&stage.config_file, &document.to_string())?;
    super::prepare::absent(&stage.folder.join("sandbox"), |it| std::fs::remove_dir_all(it))
}

fn path(path: &Path) -> Result<&str, StageError> {
    let text = path.to_str();
    text.ok_or_else(|| StageError::Shape(format!("`{}` is not UTF-8", path.display())))
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Auditor => "auditor",
        Role::Owner => "owner",
        Role::Partner => "partner",
        Role::Responder => "responder",
        Role::Reviewer => "reviewer",
    }
}

/// A lane, as settings write it.
pub(super) fn lane_word(lane: Lane) -> &'static str {
    match lane {
        Lane::Certified => "certified",
        Lane::Trial => "trial",
    }
}
