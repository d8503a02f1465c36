//! The checks' own code against the whole sandbox, over sockets.
#![cfg(test)]

mod authority;
mod authz;
mod connector;
mod drills;
mod foreign;
mod front;
mod harness;
mod helper;
mod intake;
mod inventory;
mod joined;
mod logs;
mod matrix;
mod misuse;
mod openssl;
mod source;
mod webhooks;
