use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::digest::DigestKey;
use super::error::ScanError;
use super::known::KnownCredentials;
use super::limits::Limits;
use super::live_credential::{LiveCredentials, LiveHit};
use super::report::ScanReport;
use super::rule::RuleSet;
use super::rule_file::RuleFileError;
use super::session::{Session, Source, open_bytes, printable};
use super::{history, tree};

/// Looks for secrets; made once, used for many sources.
///
/// Everything a scan does blocks, so a server calls it where blocking is allowed.
#[derive(Debug, Clone)]
pub struct Scanner {
    pub(super) rules: RuleSet,
    pub(super) limits: Limits,
    pub(super) key: DigestKey,
    pub(super) live: Option<LiveCredentials>,
    pub(super) known: KnownCredentials,
    pub(super) now: Option<i64>,
    pub(super) skipped: Vec<PathBuf>,
    stop: Option<Arc<AtomicBool>>,
}

impl Scanner {
    /// A scanner with our own rules; digests in its findings are made with `key`.
    pub fn new(key: DigestKey) -> Result<Self, RuleFileError> {
        Ok(Self::with_rules(key, RuleSet::built_in()?))
    }

    /// A scanner with other rules.
    pub fn with_rules(key: DigestKey, rules: RuleSet) -> Self {
        Self {
            rules,
            limits: Limits::default(),
            key,
            live: None,
            known: KnownCredentials::default(),
            now: None,
            skipped: Vec::new(),
            stop: None,
        }
    }

    /// Looks for these live credentials too; findings then say of each secret whether it is one.
    pub fn with_live(mut self, live: LiveCredentials) -> Self {
        self.live = Some(live);
        self
    }

    /// Looks for credentials of which only a public trace is known; what is found is live.
    pub fn with_known(mut self, known: KnownCredentials) -> Self {
        self.known = known;
        self
    }

    /// Where live credentials are in `text`; nothing if none were given to look for.
    pub(super) fn live_in(&self, text: &[u8]) -> Option<Vec<LiveHit>> {
        if !self.looks_for_live() {
            return None;
        }
        let given = self.live.as_ref().map(|it| it.find(text)).unwrap_or_default();
        let mut hits = self.known.find(&self.key, text);
        hits.retain(|it| !given.iter().any(|other| other.overlaps(&it.range)));
        hits.extend(given);
        Some(hits)
    }

    pub(super) fn looks_for_live(&self) -> bool {
        self.live.is_some() || !self.known.is_empty()
    }

    /// Holds every scan to these limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Tells expired tokens by this moment, in whole seconds since 1970-01-01T00:00:00Z.
    pub fn at(mut self, now: i64) -> Self {
        self.now = Some(now);
        self
    }

    /// Leaves out a file or folder of a tree, named from its root; the report names it.
    pub fn without(mut self, path: impl Into<PathBuf>) -> Self {
        self.skipped.push(path.into());
        self
    }

    /// Reads nothing more once this is true; the report then names what is left.
    pub fn until(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = Some(stop);
        self
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|it| it.load(Ordering::Relaxed))
    }

    /// Scans bytes at hand, opening them if they are an archive.
    pub fn scan_bytes(&self, name: &str, bytes: &[u8]) -> ScanReport {
        let mut session = Session::new(self);
        let name = printable(name.as_bytes());
        open_bytes(&mut session, Source { name: &name, commit: None, depth: 0 }, bytes);
        session.report
    }

    /// Scans all files of a folder, ignored ones too; links are not followed.
    pub fn scan_tree(&self, path: &Path) -> Result<ScanReport, ScanError> {
        let mut session = Session::new(self);
        tree::walk(&mut session, path, "", None)?;
        Ok(session.report)
    }

    /// Scans a work tree and the whole history of its git repository, or a bare repository.
    ///
    /// Every object that is present is read once, whether or not a reference still leads to it. A
    /// repository that is damaged or lacks an object is an error, never a clean report.
    pub fn scan_git(&self, path: &Path) -> Result<ScanReport, ScanError> {
        let mut session = Session::new(self);
        history::scan(&mut session, path)?;
        Ok(session.report)
    }

    /// Scans what a release or an image holds: tar, gzip, zstd and zip in each other, or a folder such
    /// as an OCI image layout.
    pub fn scan_artefact(&self, path: &Path) -> Result<ScanReport, ScanError> {
        let mut session = Session::new(self);
        if path.is_dir() {
            tree::walk(&mut session, path, "", None)?;
        } else {
            let name = path.file_name().unwrap_or(path.as_os_str());
            let name = printable(name.as_encoded_bytes());
            tree::open_file(&mut session, path, &name)?;
        }
        Ok(session.report)
    }
}
