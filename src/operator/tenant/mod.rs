//! Tenant: a group of users, public or isolated, and what it is allowed.
//!
//! [`admission`] and [`in_account`] are what the other kinds ask of a tenant. Both are pure.

pub mod admission;

pub use admission::{admits, allows, in_account};
