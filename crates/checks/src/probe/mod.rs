//! Right and wrong requests, sent to the partner or as the partner.

pub mod effects;
