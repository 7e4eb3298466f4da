//! Published Secrets: [`render`] says what their entries are, as a pure function.
//!
//! Secret bytes pass through here and are kept nowhere: what holds them has no `Debug` and is zeroized when dropped.

pub mod render;
