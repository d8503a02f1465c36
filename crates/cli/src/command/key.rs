//! `key`: people's own keys, encrypted at rest.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use countersign_seal::SigningKey;
use countersign_seal::keyfile::{ENTROPY_BYTES, KeyFile, seal_key};
use serde_json::json;

use super::{Context, list, read_text, text};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::table;

/// Makes a key and writes it, encrypted; never over an existing file.
pub(crate) fn create(
    context: Context<'_>,
    name: &str,
    out: &Path,
    passphrase: Option<&Path>,
) -> Outcome {
    let passphrase = passphrase_of(context, passphrase)?;
    if passphrase.len() < 8 {
        return Err(Failure::new(Exit::Usage, "the passphrase is shorter than 8 characters"));
    }
    let mut seed = [0; 32];
    let mut entropy = [0; ENTROPY_BYTES];
    let no_entropy = |_| Failure::new(Exit::Broken, "this machine gives no randomness");
    aws_lc_rs::rand::fill(&mut seed).map_err(no_entropy)?;
    aws_lc_rs::rand::fill(&mut entropy).map_err(no_entropy)?;
    let sealed = |it: &dyn std::error::Error| {
        Failure::new(Exit::Broken, "could not seal the key").because(it)
    };
    let file = seal_key(&seed, name, &passphrase, entropy).map_err(|it| sealed(&it))?;
    let text = file.to_json().map_err(|it| sealed(&it))?;
    write_private(out, text.as_bytes())?;
    let answer = json!({
        "schema": "countersign.key-created/1",
        "name": name,
        "file": out.display().to_string(),
        "public": file.public().to_string(),
        "key_id": file.public().key_id().as_str(),
    });
    context.show(&answer, |_| {
        vec![
            format!("key of {name}  {}", file.public()),
            format!(
                "written to {} (readable by you alone); enrol the public half in server.toml",
                out.display()
            ),
        ]
    });
    Ok(Exit::Yes)
}

/// Opens a person's key.
pub(crate) fn open(
    context: Context<'_>,
    path: &Path,
    passphrase: Option<&Path>,
) -> Result<SigningKey, Failure> {
    let text = read_text(path)?;
    let unreadable = |it: &dyn std::error::Error| {
        Failure::new(Exit::Who, format!("could not open the key `{}`", path.display())).because(it)
    };
    let file = KeyFile::parse(text.as_bytes()).map_err(|it| unreadable(&it))?;
    file.open(&passphrase_of(context, passphrase)?).map_err(|it| unreadable(&it))
}

/// From a file, else asked for at a terminal.
fn passphrase_of(context: Context<'_>, file: Option<&Path>) -> Result<String, Failure> {
    if let Some(path) = file {
        return Ok(read_text(path)?.trim_end_matches(['\n', '\r']).to_owned());
    }
    let missing =
        || Failure::new(Exit::Usage, "a passphrase is needed").help("--passphrase-file FILE");
    if context.arguments.no_input || !std::io::stdin().is_terminal() {
        return Err(missing());
    }
    rpassword::prompt_password("passphrase: ").map_err(|it| missing().because(&it))
}

/// Writes a new file that only its owner can read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|it| Failure::file("create", path, &it))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|it| Failure::file("write", path, &it))
}

/// Lists the key files of a folder, and whether the server counts their owner's signature.
pub(crate) async fn list_all(context: Context<'_>, folder: &Path) -> Outcome {
    let listed = std::fs::read_dir(folder).map_err(|it| Failure::file("read", folder, &it))?;
    let mut paths: Vec<_> = listed.filter_map(Result::ok).map(|it| it.path()).collect();
    paths.sort();
    let enrolled = enrolled(context).await?;
    let mut keys = Vec::new();
    for path in paths.iter().filter(|it| it.extension().is_some_and(|it| it == "json")) {
        let Ok(text) = read_text(path) else { continue };
        let Ok(file) = KeyFile::parse(text.as_bytes()) else { continue };
        let public = file.public().to_string();
        keys.push(json!({
            "name": file.name(), "file": path, "public": public,
            "key_id": file.public().key_id().as_str(),
            "enrolled": enrolled.as_ref().map(|it| it.contains(&public)),
        }));
    }
    let answer = json!({ "schema": "countersign.keys/1", "keys": keys });
    context.show(&answer, |it| {
        let rows: Vec<Vec<String>> = list(it, "keys")
            .iter()
            .map(|it| {
                let enrolled = match it["enrolled"].as_bool() {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "?",
                };
                let cell = |name: &str| text(it, name).to_owned();
                vec![cell("name"), enrolled.to_owned(), cell("public")]
            })
            .collect();
        let mut lines = table(&["NAME", "ENROLLED", "PUBLIC"], &rows);
        lines.push(format!("{} keys in {}", rows.len(), folder.display()));
        lines
    });
    Ok(Exit::Yes)
}

/// The public keys that the server counts; none where no server is named.
async fn enrolled(context: Context<'_>) -> Result<Option<Vec<String>>, Failure> {
    if context.arguments.server.is_none() {
        return Ok(None);
    }
    let answer = context.client()?.get("/v1/gate/config?lane=certified").await?;
    let keys = list(&answer, "approvers").iter().map(|it| text(it, "key").to_owned());
    Ok(Some(keys.collect()))
}
