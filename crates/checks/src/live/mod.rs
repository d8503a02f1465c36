//! All that reaches outside: the clock, the network, chance.

pub mod ask;
pub mod client;
pub mod clock;
pub mod entropy;
pub mod http;
pub mod limit;
pub mod resolve;
