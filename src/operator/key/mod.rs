//! Access keys: one key pair of one user, published as one Secret, exactly once.
//!
//! [`once`] is the protocol, a pure function.

pub mod once;
