//! Whether a folder holds the image that a manifest names by its digest.
//!
//! Source: OCI Image Format Specification, image layout and descriptors.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use aws_lc_rs::digest;
use countersign_seal::Digest;
use serde_json::Value;

/// Documents of an image, and blobs, that are followed.
const BLOBS_MAX: usize = 10_000;
const DOCUMENT_BYTES_MAX: usize = 4 << 20;

/// Follows the digests from the reference down to every layer; says what does not hold.
pub(super) fn holds(folder: &Path, reference: &str) -> Result<(), String> {
    let (_, digest) = reference.rsplit_once('@').ok_or("it is not named by a digest")?;
    if !folder.join("oci-layout").is_file() {
        return Err("it is no OCI image layout, so it cannot be held against its digest".to_owned());
    }
    let mut waiting = vec![digest.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(digest) = waiting.pop() {
        if !seen.insert(digest.clone()) {
            continue;
        }
        if BLOBS_MAX < seen.len() {
            return Err(format!("it has more than {BLOBS_MAX} blobs"));
        }
        let document = blob(folder, &digest)?;
        waiting.extend(document.as_ref().map(descriptors).unwrap_or_default());
    }
    Ok(())
}

/// Reads a blob and holds it against its digest; gives it back where it is a small JSON document.
fn blob(folder: &Path, name: &str) -> Result<Option<Value>, String> {
    let named: Digest = name.parse().map_err(|_| format!("`{name}` is no SHA-256 digest"))?;
    let path = folder.join("blobs/sha256").join(named.hex());
    let missing = |it: std::io::Error| format!("blob {}: {}", named.short(), it.kind());
    let mut file = fs::File::open(&path).map_err(missing)?;
    let (mut sum, mut start) = (digest::Context::new(&digest::SHA256), Vec::new());
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut piece).map_err(missing)?;
        let read = piece.get(..count).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        sum.update(read);
        if start.len() < DOCUMENT_BYTES_MAX {
            start.extend_from_slice(read);
        }
    }
    if sum.finish().as_ref() != named.as_bytes() {
        return Err(format!("blob {} holds other bytes than its digest says", named.short()));
    }
    Ok(serde_json::from_slice(&start).ok())
}

/// The digests that an index or a manifest leads to.
fn descriptors(document: &Value) -> Vec<String> {
    let of = |name: &str| document.get(name).and_then(Value::as_array).into_iter().flatten();
    let all = of("manifests").chain(of("layers")).chain(document.get("config"));
    all.filter_map(|it| Some(it.get("digest")?.as_str()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::PathBuf;

    fn put(folder: &Path, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        fs::write(path_of(folder, digest), bytes).unwrap();
        digest
    }

    fn path_of(folder: &Path, digest: Digest) -> PathBuf {
        folder.join("blobs/sha256").join(digest.hex())
    }

    type Spoil = fn(&Path, Digest);

    #[test]
    fn an_image_is_what_its_digest_says_down_to_each_layer() {
        let table: [(&str, Spoil, &str); 4] = [
            ("right", |_, _| (), ""),
            (
                "changed",
                |it, layer| fs::write(path_of(it, layer), b"x").unwrap(),
                "holds other bytes",
            ),
            (
                "missing",
                |it, layer| fs::remove_file(path_of(it, layer)).unwrap(),
                "entity not found",
            ),
            (
                "no layout",
                |it, _| fs::remove_file(it.join("oci-layout")).unwrap(),
                "no OCI image layout",
            ),
        ];
        for (what, spoil, expected) in table {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            fs::write(folder.join("oci-layout"), "{}").unwrap();
            let layer = put(folder, b"a layer");
            let config = put(folder, b"{}");
            let manifest =
                json!({"config": {"digest": config}, "layers": [{"digest": layer}]}).to_string();
            let index = json!({"manifests": [{"digest": put(folder, manifest.as_bytes())}]});
            let index = put(folder, index.to_string().as_bytes());
            spoil(folder, layer);
            let held = holds(folder, &format!("registry.a.example/a@{index}"));
            let error = held.err().unwrap_or_default();
            assert!(
                error.contains(expected) && error.is_empty() == expected.is_empty(),
                "{what}: {error}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        for reference in ["a:latest", "a@sha256:00", "a@md5:00"] {
            assert!(holds(folder.path(), reference).is_err(), "{reference}");
        }
    }
}
