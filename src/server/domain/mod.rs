//! The rules of the storage system, pure: who may do what, what may be called how, what hangs on what.
//!
//! No I/O, no clock, no randomness: time, ids and the rows that a rule needs are arguments.
