//! A partner's image: an OCI layout of one layer that holds its program, the same bytes in every run,
//! so that a manifest can name it by its digest.
//!
//! Source: OCI Image Format Specification, image layout; POSIX.1-1988, ustar.

use std::fs;
use std::path::Path;

use countersign_seal::{Digest, canonical_json};
use serde_json::{Value, json};

use crate::StartError;

const PROGRAM: &str = "def plan(members):\n    return sorted(members)\n";

/// Writes the layout to `folder` and says under which digest its manifest stands.
pub(super) fn make(folder: &Path) -> Result<Digest, StartError> {
    let io = |it: std::io::Error| StartError::Repository(it.to_string());
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(io)?;
    let put = |kind: &str, bytes: &[u8]| -> Result<Value, StartError> {
        let digest = Digest::of(bytes);
        fs::write(blobs.join(digest.hex()), bytes).map_err(io)?;
        let kind = format!("application/vnd.oci.image.{kind}");
        Ok(json!({"mediaType": kind, "digest": digest, "size": bytes.len()}))
    };
    let layer = tar("app/plan.py", PROGRAM.as_bytes());
    let layers = put("layer.v1.tar", &layer)?;
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "config": {"Cmd": ["python3", "/app/plan.py"]},
        "rootfs": {"type": "layers", "diff_ids": [Digest::of(&layer)]},
    });
    let config = put("config.v1+json", &text(&config)?)?;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest =
        json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layers]});
    let manifest = text(&manifest)?;
    let index = json!({"schemaVersion": 2, "manifests": [put("manifest.v1+json", &manifest)?]});
    fs::write(folder.join("index.json"), text(&index)?).map_err(io)?;
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).map_err(io)?;
    Ok(Digest::of(&manifest))
}

/// Canonical, so that its digest is always the same.
fn text(document: &Value) -> Result<Vec<u8>, StartError> {
    canonical_json(document).map_err(|it| StartError::Repository(it.to_string()))
}

/// A tar file with one file in it.
fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = vec![0; BLOCK];
    let mut put = |at: usize, text: &str| {
        for (to, from) in header.iter_mut().skip(at).zip(text.bytes()) {
            *to = from;
        }
    };
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", bytes.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\u{0}00");
    let sum: u32 = header.iter().map(|it| u32::from(*it)).sum();
    let sum = format!("{sum:06o}\u{0} ");
    header.splice(148..156, sum.bytes());
    header.extend_from_slice(bytes);
    header.resize(header.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    header
}

const BLOCK: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::manifests::manifest;

    #[test]
    fn the_image_is_the_one_that_its_manifest_names() {
        let folder = tempfile::tempdir().unwrap();
        let digest = make(folder.path()).unwrap();
        let declared = manifest(Kind::Shiftly).unwrap().source.unwrap().images;
        assert_eq!(declared, [format!("registry.shiftly.example/planner@{digest}")]);
    }
}
