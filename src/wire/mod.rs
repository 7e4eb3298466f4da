//! The management API as it goes over the wire: the JSON of requests and answers, the problem types, and the words of
//! the domain. Our server and our client share these types, so that they cannot disagree.
//!
//! Only shapes live here: no rule, no I/O. Requests refuse unknown fields; answers tolerate them, so that a client
//! can talk to a newer server.

pub mod credentials;
pub mod jobs;
pub mod names;
mod optional;
pub mod problem;
pub mod resources;
pub mod secret;
pub mod storage;
pub mod terms;
pub mod usage;

pub use credentials::*;
pub use jobs::*;
pub use names::{BucketName, Login, NameError};
pub use problem::{Problem, ProblemType};
pub use resources::*;
pub use secret::ShownSecret;
pub use storage::*;
pub use terms::{LockMode, Permission, Role, Versioning, Visibility};
pub use usage::*;
