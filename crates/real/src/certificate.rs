//! A certificate for `localhost`, in two files beside each other.

use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair};

use crate::{Done, RealError};

/// A certificate that vouches for itself.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// As PEM, for those who are to trust it.
    pub(crate) pem: String,
    pub(crate) file: PathBuf,
    pub(crate) key_file: PathBuf,
}

impl Certificate {
    pub(crate) fn write(folder: &Path) -> Done<Self> {
        let key = KeyPair::generate().map_err(RealError::new)?;
        let params = CertificateParams::new(["localhost".to_owned()]).map_err(RealError::new)?;
        let pem = params.self_signed(&key).map_err(RealError::new)?.pem();
        let (file, key_file) = (folder.join("certificate.pem"), folder.join("key.pem"));
        std::fs::write(&file, &pem).map_err(RealError::new)?;
        std::fs::write(&key_file, key.serialize_pem()).map_err(RealError::new)?;
        Ok(Self { pem, file, key_file })
    }
}
