//! StorageAccount: the connection to one account of one provider.
//!
//! * [`pool`]: the connections that the other kinds use; [`guard`]: limit, circuit breaker and counting around each.
//! * [`breaker`] and [`select`] are pure: when calls fail at once, and which account a user is made in.

pub mod breaker;
pub mod guard;
pub mod pool;
pub mod select;

pub use pool::Account;
pub use select::select;
