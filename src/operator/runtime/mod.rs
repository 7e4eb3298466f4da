//! What all kinds share: the trait [`Managed`], the runner that drives it, and the world it runs in.
//!
//! * Pure: [`verdict`], [`status`], [`requeue`], [`queue`], [`triggers`]: time and randomness are arguments.
//! * The world: [`context`], [`store`] (what is watched), [`clients`], [`metrics`], [`events`], [`random`].
//! * The work: [`managed`], [`driver`] (one pass), [`worker`] (one kind), [`watch`], [`run`] (the process),
//!   [`leader`], [`probes`], [`supervisor`].
//!
//! Nothing here knows what a kind does. A kind never schedules itself, emits events, counts or spawns: the runner does.

pub mod clients;
pub mod context;
pub mod driver;
pub mod error;
pub mod events;
pub mod invalid;
pub mod kind;
pub mod leader;
pub mod managed;
pub mod metrics;
pub mod probes;
pub mod queue;
pub mod quiet;
pub mod random;
pub mod requeue;
pub mod run;
pub mod status;
pub mod store;
pub mod supervisor;
pub mod triggers;
pub mod verdict;
pub mod wake;
pub mod watch;
pub mod worker;
pub mod writer;

pub use context::{Context, Settings};
pub use error::{Class, Error, Source};
pub use kind::{Kind, Located, ObjectKey};
pub use managed::Managed;
pub use status::Judgement;
pub use verdict::{Blocked, Ended, Extra, Outcome, Plan, Verdict};
