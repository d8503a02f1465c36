use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::finding::SecretFinding;
use super::limits::Limits;

/// What a scan read, found and left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanReport {
    /// Files, blobs, messages and archive members that were read to their end.
    pub scanned_files: u64,
    /// Bytes of those, after expansion.
    pub scanned_bytes: u64,
    /// Commits whose trees were walked.
    pub scanned_commits: u64,
    /// What was found, in the order of the walk.
    pub findings: Vec<SecretFinding>,
    /// What was not read, and why.
    pub left_out: LeftOut,
}

impl ScanReport {
    /// Whether everything that could hold a secret was read.
    ///
    /// A report without findings says "clean" only if this is so.
    pub fn is_complete(&self) -> bool {
        self.left_out.counts.keys().all(|it| it.is_harmless())
    }

    /// Adds another report to this one, within `limits`.
    pub fn absorb(&mut self, other: Self, limits: &Limits) {
        self.scanned_files += other.scanned_files;
        self.scanned_bytes += other.scanned_bytes;
        self.scanned_commits += other.scanned_commits;
        for finding in other.findings {
            self.add(finding, limits);
        }
        for named in other.left_out.named {
            if self.left_out.named.len() < limits.left_out_named_max {
                self.left_out.named.push(named);
            }
        }
        for (reason, count) in other.left_out.counts {
            *self.left_out.counts.entry(reason).or_default() += count;
        }
    }

    pub(super) fn add(&mut self, finding: SecretFinding, limits: &Limits) {
        if self.findings.len() < limits.findings_max {
            self.findings.push(finding);
        } else {
            self.leave_out(&finding.file, Reason::TooManyFindings, limits);
        }
    }

    pub(super) fn leave_out(&mut self, name: &str, reason: Reason, limits: &Limits) {
        *self.left_out.counts.entry(reason).or_default() += 1;
        if self.left_out.named.len() < limits.left_out_named_max {
            self.left_out.named.push(NamedLeftOut { name: name.to_owned(), reason });
        }
    }
}

/// What a scan did not read: all of it counted, the first few named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many for each reason.
    pub counts: BTreeMap<Reason, u64>,
    /// The first of them, by name.
    pub named: Vec<NamedLeftOut>,
}

/// One thing that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedLeftOut {
    /// Its name, as a finding in it would be named.
    pub name: String,
    /// Why it was not read.
    pub reason: Reason,
}

/// Why something was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The caller asked for it.
    Asked,
    /// An archive that ends early, lies about itself or fails its checksum.
    Damaged,
    /// An encrypted archive member.
    Encrypted,
    /// An archive that expands beyond the ratio allowed.
    ExpandsTooFar,
    /// Objects of a git repository, which only a scan of its history reads.
    GitObjects,
    /// The time for the scan was over.
    OutOfTime,
    /// An allowlist of the rules excludes the path.
    PathAllowed,
    /// The clone does not hold the history before some commit.
    ShallowHistory,
    /// A device, pipe or socket.
    SpecialFile,
    /// Another repository at this path.
    Submodule,
    /// A link, which is not followed.
    SymbolicLink,
    /// Folders or archives nested too deep.
    TooDeep,
    /// The file is larger than allowed.
    TooLarge,
    /// Files beyond the number allowed.
    TooManyFiles,
    /// Findings beyond the number allowed.
    TooManyFindings,
    /// Bytes beyond the scan's total.
    TooManyBytes,
    /// The operating system refused.
    Unreadable,
    /// Compressed or packed in a way that is not opened.
    UnsupportedArchive,
}

impl Reason {
    /// Whether nothing of the source itself was missed by it.
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::SpecialFile | Self::SymbolicLink)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asked => "left out on request",
            Self::Damaged => "damaged archive",
            Self::Encrypted => "encrypted archive member",
            Self::ExpandsTooFar => "expands too far",
            Self::GitObjects => "git objects: scan the history",
            Self::OutOfTime => "no time left",
            Self::PathAllowed => "path allowed by the rules",
            Self::ShallowHistory => "history before this commit is not in the clone",
            Self::SpecialFile => "special file",
            Self::Submodule => "another repository",
            Self::SymbolicLink => "symbolic link",
            Self::TooDeep => "nested too deep",
            Self::TooLarge => "too large",
            Self::TooManyFiles => "too many files",
            Self::TooManyFindings => "too many findings",
            Self::TooManyBytes => "too many bytes in all",
            Self::Unreadable => "unreadable",
            Self::UnsupportedArchive => "unsupported archive",
        })
    }
}
