#![cfg(test)]
//! The server from outside, over a stand-in world.

mod behind_our_back;
mod drills;
mod drills_live;
mod faults;
mod imports;
mod journey;
mod later;
mod live;
mod openapi;
mod pack;
mod pack_live;
mod partial;
mod people;
mod property;
mod rules;
mod stage;
mod sweeps;
mod sweeps_live;
mod town;
mod unfinished;
