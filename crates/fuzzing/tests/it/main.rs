//! Every target on the stable toolchain: with its seeds, and with mutations of them.
#![cfg(test)]

mod drive;
mod mutate;
mod places;
