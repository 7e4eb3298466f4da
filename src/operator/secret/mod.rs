//! Published Secrets: [`render`] says what their entries are, as a pure function; [`publish`] creates, reads and deletes
//! them, and is the only place that does.
//!
//! Secret bytes pass through here and are kept nowhere: what holds them has no `Debug` and is zeroized when dropped.

pub mod publish;
pub mod render;
