//! Jobs: who may have which, what a run does next, when it is tried again, and what keeps a bucket from being empty.
//!
//! * [`rules`]: what a job may be made of, and what may be done to it.
//! * [`life`]: its states: begun, done, failed, tried again, held up, cancelled.
//! * [`copying`]: the planner of Backup and Restore: which versions of a key are to be copied, in which order.
//! * [`schedule`]: five cron fields in a time zone.
//!
//! A job's item is all of its state: a run that was interrupted goes on from `progress.lastKey`.

pub mod copying;
pub mod life;
pub mod rules;
pub mod schedule;

pub use schedule::Schedule;
