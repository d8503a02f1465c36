-- What is kept secret for a time: encrypted under a key that is not in here, and deleted when its time is over.
CREATE TABLE sealed (
    id    TEXT PRIMARY KEY,
    bytes BLOB NOT NULL CHECK (length(bytes) <= 65536)
) STRICT, WITHOUT ROWID;
