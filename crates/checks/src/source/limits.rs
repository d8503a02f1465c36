/// How much one scan may read, hold and report.
///
/// What goes beyond is named in [`super::LeftOut`], never silently skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest single file, blob or archive member that is read, in bytes.
    pub file_bytes_max: u64,
    /// All bytes of one scan, after expansion.
    pub total_bytes_max: u64,
    /// Files, blobs and archive members of one scan.
    pub files_max: u64,
    /// Findings of one scan.
    pub findings_max: usize,
    /// Findings in one file, so that one file cannot crowd out the others.
    pub findings_per_file_max: usize,
    /// Left-out things that are named; all are counted.
    pub left_out_named_max: usize,
    /// How deep folders may be nested.
    pub folder_depth_max: usize,
    /// How deep archives may be nested in archives.
    pub archive_depth_max: usize,
    /// Bytes that an archive may expand to, for each of its own bytes.
    pub expansion_ratio_max: u64,
    /// The largest zip file: zip is read from its end, so it is held in memory.
    pub zip_bytes_max: u64,
    /// Objects of a git repository.
    pub git_objects_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes_max: 256 << 20,
            total_bytes_max: 16 << 30,
            files_max: 5_000_000,
            findings_max: 1_000,
            findings_per_file_max: 100,
            left_out_named_max: 200,
            folder_depth_max: 128,
            archive_depth_max: 6,
            expansion_ratio_max: 200,
            zip_bytes_max: 128 << 20,
            git_objects_max: 5_000_000,
        }
    }
}
