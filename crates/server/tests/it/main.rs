#![cfg(test)]
//! The server from outside, over a stand-in world.

mod faults;
mod journey;
mod live;
mod openapi;
mod people;
mod property;
mod stage;
mod town;
