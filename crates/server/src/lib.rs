//! The API, and the loops that keep a certification alive.
