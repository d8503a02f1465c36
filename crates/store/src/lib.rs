//! What must survive: events, blobs and views, in one SQLite file.
