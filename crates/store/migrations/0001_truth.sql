-- Entries of the ledger, in order. They are the truth; views are made from them.
CREATE TABLE event (
    idx   INTEGER PRIMARY KEY CHECK (0 <= idx),
    at_ms INTEGER NOT NULL,
    kind  TEXT    NOT NULL,
    entry BLOB    NOT NULL CHECK (length(entry) <= 65535)
) STRICT;

-- Bulk and personal data, by the SHA-256 of the bytes. A blob can be erased while proofs stay.
CREATE TABLE blob (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    bytes  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The published log, by its resource path.
CREATE TABLE tile (
    path  TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The published checkpoint: one row.
CREATE TABLE checkpoint (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    note TEXT    NOT NULL
) STRICT;

-- Small facts: the head's root.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- A view: dropped and rebuilt from events.
CREATE TABLE view_integration (
    id         TEXT PRIMARY KEY,
    slug       TEXT NOT NULL,
    profile    TEXT NOT NULL,
    manifest   TEXT NOT NULL,
    last_event INTEGER NOT NULL REFERENCES event (idx)
) STRICT, WITHOUT ROWID;
