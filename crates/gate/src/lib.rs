//! May this call proceed? Small, offline, total.
