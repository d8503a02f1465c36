//! Signature schemes of messages, one file each.

pub mod standard_webhooks;
