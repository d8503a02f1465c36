//! A small identity platform and partners with faults to switch on.
