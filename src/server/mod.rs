//! The reference management server: the storage system of the two seed documents, with an S3 data plane.
//!
//! * [`domain`]: its rules, pure: no I/O, no clock, no randomness.
//! * [`store`]: SQLite and the blob files: the only place that touches the disk.
//! * [`http`]: the management API: routes, principals, problem answers.
//! * [`s3`]: the data plane.
//! * [`jobs`]: the runner of long work on buckets.
//! * [`first_start`]: what an empty database begins with.
//! * [`serve`]: both listeners, from start to a graceful end; [`tls`], [`random`] and [`hex`] serve it.
//!
//! Nothing here knows of Kubernetes or of the operator.

pub mod domain;
pub mod first_start;
pub mod http;
pub mod jobs;
pub mod passwords;
pub mod random;
pub mod s3;
pub mod serve;
pub mod store;
pub mod tls;

pub use first_start::FirstStart;
pub use serve::{Patience, ServeError, ServeOptions, serve};
