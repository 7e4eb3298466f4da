//! The rules of the storage system, pure: who may do what, what may be called how, what hangs on what.
//!
//! No I/O, no clock, no randomness: time, ids and the rows that a rule needs are arguments. A rule answers with what
//! may be done, or with a [`Refusal`]; the rules' numbers are those of the management API's documentation.

pub mod access;
pub mod accounts;
pub mod buckets;
pub mod fields;
pub mod jobs;
pub mod keys;
pub mod refusal;
pub mod tenants;
pub mod tokens;
pub mod usage;
pub mod users;

pub use refusal::Refusal;
