//! What a thief of its credential could reach: other customers' objects, more rights, everything at once.

pub(crate) mod ceiling;
pub(crate) mod foreign_objects;
pub(crate) mod interactive;
pub(crate) mod off_network;
pub(crate) mod own_log;
pub(crate) mod self_grant;

use crate::check::Check;

/// The checks of this family, in the order in which they are shown.
pub(crate) const CHECKS: &[&dyn Check] = &[
    &foreign_objects::REFUSES_FOREIGN_OBJECTS,
    &self_grant::REFUSES_SELF_GRANT,
    &ceiling::STOPS_AT_ITS_CEILING,
    &off_network::REFUSES_USE_OFF_ITS_NETWORK,
    &interactive::REFUSES_INTERACTIVE_USE,
    &own_log::KEEPS_ITS_LOG_FROM_BEING_ERASED,
];
