//! `log`: a published log is verified, or copied.

use std::path::Path;

use countersign_ledger::directory::PublishedDirectory;
use countersign_ledger::verify::{VerifyError, verify as verify_log};
use countersign_ledger::{StoreError, VerifierKey};
use serde_json::json;

use super::{Context, read_text};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// Verifies a folder of tiles and its checkpoint.
pub(crate) fn verify(
    context: Context<'_>,
    folder: &Path,
    vkey: &str,
    since: Option<&Path>,
) -> Outcome {
    let text =
        if Path::new(vkey).is_file() { read_text(Path::new(vkey))? } else { vkey.to_owned() };
    let key: VerifierKey = text.trim().parse().map_err(|it| {
        Failure::new(Exit::Usage, "the verifier key cannot be read")
            .because(&it)
            .help("name+hash+key, or a file that holds it")
    })?;
    let earlier = since.map(read_text).transpose()?;
    let reader = PublishedDirectory::new(folder);
    let mut entries = 0_u64;
    let verified = verify_log(&reader, &key, earlier.as_deref(), |_, _| entries += 1);
    let verified = verified.map_err(|error| {
        let exit = match &error {
            VerifyError::Store(StoreError { .. }) | VerifyError::NoCheckpoint => Exit::NotJudged,
            _ => Exit::Integrity,
        };
        Failure::new(exit, format!("the log in `{}` does not verify", folder.display()))
            .because(&error)
    })?;
    let answer = json!({
        "schema": "countersign.log-verified/1",
        "origin": key.name(),
        "size": verified.checkpoint.size,
        "root": verified.checkpoint.root.to_string(),
        "entries_read": entries,
        "earlier_size": verified.earlier.as_ref().map(|it| it.size),
    });
    context.show(&answer, |_| {
        let mut lines = vec![format!(
            "✔ {entries} entries of {} stand under the signed root {}",
            key.name(),
            verified.checkpoint.root.short()
        )];
        if let Some(earlier) = &verified.earlier {
            lines.push(format!(
                "✔ the log only grew: all {} earlier entries are unchanged",
                earlier.size
            ));
        }
        lines
    });
    Ok(Exit::Yes)
}

/// Copies the server's published log into a folder.
pub(crate) async fn export(context: Context<'_>, out: &Path) -> Outcome {
    let size = crate::log_copy::copy(&context.client()?, out).await?;
    let answer = json!({ "schema": "countersign.log-export/1", "folder": out, "entries": size });
    context.show(&answer, |_| {
        let folder = out.display();
        vec![
            format!("{size} entries copied to {folder}; nothing of them is verified yet"),
            format!("next: countersign log verify {folder} --vkey KEY"),
        ]
    });
    Ok(Exit::Yes)
}
