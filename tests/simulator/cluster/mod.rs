//! An API server in memory, as far as the operator can tell it from a real one: optimistic concurrency, uids,
//! generations, finalizers, preconditions, dry runs, garbage collection by owner, namespaces that are being deleted, and
//! a history for watches.
//!
//! [`objects`] is what it holds and the rules for changing it, [`http`] how requests are read and answered. It knows
//! nothing of storekeeper; what must hold is judged by [`crate::ledger`], which sees every change.

pub mod http;
pub mod objects;

pub use http::{Answer, Request, Verb};
pub use objects::{Change, Cluster, Place};
