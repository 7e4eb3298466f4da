//! The reference management server: the storage system of the two seed documents, with an S3 data plane.
//!
//! * [`domain`]: its rules, pure: no I/O, no clock, no randomness.
//! * [`store`]: SQLite and the blob files: the only place that touches the disk.
//! * [`http`]: the management API: routes, principals, problem answers.
//! * [`s3`]: the data plane.
//!
//! Nothing here knows of Kubernetes or of the operator.

pub mod domain;
pub mod http;
pub mod s3;
pub mod store;
